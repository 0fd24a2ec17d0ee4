# Everything a person types. `make help` lists it. PORT and CLUSTERVIZ_DATA choose where `make run` serves and keeps things.

PYTHON ?= python3
VENV := .venv/bin
# The wheel that brings node, where the system has none, puts it there.
export PATH := $(PATH):$(CURDIR)/$(VENV)
.DEFAULT_GOAL := help
.PHONY: help setup setup-test run check check-py check-js test test-js test-py kernel-proof bench lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: have-python ## install what running needs (nothing is fetched twice)
	@$(PYTHON) tools/bootstrap.py run

setup-test: have-python ## install what the tests need as well
	@$(PYTHON) tools/bootstrap.py test

run: setup ## set up what is missing and serve on http://127.0.0.1:8000/ (PORT=... for another port)
	@exec $(VENV)/python manage.py serve

check: check-py check-js ## lint and type-check everything

check-py: setup-test
	$(VENV)/ruff check .
	$(VENV)/ruff format --check .
	$(VENV)/mypy

check-js: setup-test
	tests/tools/node_modules/.bin/tsc -p tests/tools/tsconfig.json
	tests/tools/node_modules/.bin/biome lint --config-path=tests/tools/biome.json static/js tests/js

test: setup-test ## lint, types and every test, browser tests included
	@$(MAKE) --jobs=2 check-py check-js test-js
	@$(MAKE) test-py

test-js: setup-test ## the JavaScript tests alone
	@tests="$$(find tests/js -name '*.test.js')"; \
	[ -n "$$tests" ] || { echo "There is no tests/js/*.test.js"; exit 1; }; \
	node --test $$tests

# Tests without browser, namespaces or a clock to keep: they share out the cores, those with the longest files first.
SHARED := $(addprefix tests/,kubeapi engine capture classroom cluster conformance controllers dashboard live manifests nodeview proxyrules scenarios)
# Tests that mostly wait for a server or a browser: two at a time.
WAITING := $(addprefix tests/,browser rules)

test-py: setup-test ## the Python and browser tests alone (ARGS=... goes to pytest)
ifdef ARGS
	$(VENV)/pytest $(ARGS)
else
	$(VENV)/pytest -n auto --dist loadfile $(SHARED)
	$(VENV)/pytest -n 2 --dist worksteal $(WAITING)
	$(VENV)/pytest $(addprefix --ignore=,$(SHARED) $(WAITING))
endif

kernel-proof: $(if $(RANDOM),setup-test,setup) ## your cluster's traces beside this Linux's kernel, as root (CLUSTER=name or MANIFESTS=path, PROBES=n; RANDOM=1: random clusters)
	@PYTHONDONTWRITEBYTECODE=1 $(VENV)/python -m tests.kernel.$(if $(RANDOM),randoms,proof) \
	  $(if $(CLUSTER),--cluster '$(CLUSTER)') $(if $(MANIFESTS),--manifests '$(MANIFESTS)') \
	  $(if $(PROBES),--probes '$(PROBES)') $(ARGS)

bench: setup-test ## measure the engine, and the picture in Chromium (ARGS=--quick leaves out the largest cluster)
	@status=0; $(VENV)/python -m tests.benchmarks $(ARGS) || status=1; \
	$(VENV)/python -m tests.benchmarks.page $(ARGS) || status=1; exit $$status

lock: setup-test ## write the lock files anew from pyproject.toml and the package.json files
	@set -e; compile="$(VENV)/uv pip compile -q pyproject.toml --universal --generate-hashes --no-annotate \
	  --python-version 3.11 --no-emit-index-url --no-emit-find-links --upgrade"; \
	export UV_CUSTOM_COMPILE_COMMAND="make lock"; \
	echo "requirements/run.txt"; $$compile -o requirements/run.txt; \
	echo "requirements/dev.txt"; $$compile --group dev -c requirements/run.txt -o requirements/dev.txt; \
	echo "requirements/node.txt"; $(VENV)/uv pip compile -q --group node --universal --generate-hashes --no-annotate \
	  --python-version 3.11 --no-emit-index-url --no-emit-find-links --upgrade -o requirements/node.txt; \
	echo "requirements/kubectl.txt"; $(VENV)/uv pip compile -q --group kubectl --no-deps --universal --generate-hashes \
	  --no-annotate --python-version 3.11 --no-emit-index-url --no-emit-find-links --upgrade -o requirements/kubectl.txt; \
	for folder in . tests/tools; do \
	  echo "$$folder/package-lock.json"; (cd $$folder && npm install --package-lock-only --loglevel=error); \
	done

clean: ## remove what setup and tests made; the clusters in .data stay
	rm -rf .venv .build node_modules tests/tools/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find clusterviz tests tools -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: have-python
have-python:
	@command -v $(PYTHON) >/dev/null || { echo "ClusterViz needs Python 3.11 or newer and there is no $(PYTHON): \
	install it (Debian, Ubuntu: apt install python3 python3-venv; macOS: brew install python) and run make again."; exit 1; }
