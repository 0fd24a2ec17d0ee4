"""Real, unmodified kubectl of three versions against a real server, each on a cluster of its own, side by side."""

import os
import re
import shlex
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import kubernetes
import kubernetes.watch
import pytest

from tests.kubeapi.battery import CASES, FILES
from tests.server import ROOT, running_server

VERSIONS = ("27", "32", "37")
BINARIES = ROOT / ".build" / "kubectl"
INSTALL = "no kubectl in .build/kubectl: make setup-test"
PER_COMMAND = 170
MANIFESTS = Path(os.environ.get("CLUSTERVIZ_MANIFESTS") or ROOT.parent / "shared" / "manifests")
REQUESTS = Path(__file__).with_name("requests.txt")
REQUEST = re.compile(r'(?:\] |verb=")(GET|POST|PUT|PATCH|DELETE)"? (?:url=")?(http[^\s"]+)')
# One process for all clusters: starting Django takes longer than what it does here.
PREPARE = """
from pathlib import Path
from django.core.management import call_command
for name in {names}:
    if name != "demo":
        call_command("loaddemo", name=name)
    folder = Path({folder!r}, name)
    folder.mkdir()
    with (folder / "kubeconfig").open("w") as file:
        call_command("kubeconfig", name, server={url!r}, stdout=file)
"""
HEADER = re.compile(r"[\]\s]\s*(Accept|Content-Type): (\S.*)$")


def environment(folder):
    """Nothing of the person who runs the tests; without garbage collection short commands are done sooner."""
    kubeconfig = str(folder / "kubeconfig")
    return {"PATH": os.environ["PATH"], "HOME": str(folder), "KUBECONFIG": kubeconfig, "GOGC": "off"}


def kubectl(version, folder, command):
    """Run one command; answers its exit code, what it printed, and how long it took."""
    arguments = shlex.split(command, posix=False) if "{" in command or "[" in command else shlex.split(command)
    began = time.monotonic()
    done = subprocess.run(
        [BINARIES / version, *arguments],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=PER_COMMAND,
        check=False,
    )
    return done.returncode, (done.stdout + done.stderr).strip(), time.monotonic() - began


def cases_of(version):
    """What is run on a version."""
    return [case for case in CASES if case.on in ("", version)]


def requests_in(printed):
    """The requests that ``-v=8`` told of: method, path, what was accepted and what was sent."""
    found, mine = [], False
    for line in printed.splitlines():
        if match := REQUEST.search(line):
            path = re.sub(r"^.*?/k8s/[^/]+", "", match[2])
            found.append([match[1], re.sub(r"hash=\w+", "hash=", path), "", ""])
            mine = True
        elif "Response" in line:
            mine = False
        elif mine and (match := HEADER.search(line)):
            found[-1][2 if match[1] == "Accept" else 3] = match[2]
    return [" ".join(filter(None, request)) for request in found]


def watched(version, folder):
    """What `kubectl get -w` prints while something is made and deleted."""
    command = [BINARIES / version, "get", "configmaps", "-n", "shop", "-w", "--output-watch-events"]
    with subprocess.Popen(
        command, cwd=folder, env=environment(folder), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        found = []
        try:
            kubectl(version, folder, "create configmap early -n shop")
            while not any("early" in line for line in found):  # it listed, or watches by now
                found.append(process.stdout.readline())
            kubectl(version, folder, "delete configmap early -n shop")
            while not found[-1].startswith("DELETED"):
                found.append(process.stdout.readline())
        finally:
            process.kill()
    return "".join(found)


def battery(version, folder):
    """What every command did, as it should not be, the slowest ones, and what was asked."""
    wrong, slow, asked = [], [], []
    for case in cases_of(version):
        code, printed, took = kubectl(version, folder, case.command + (" -v=8" if case.logged else ""))
        if case.logged:
            asked += [f"{version} {case.command}", *(f"    {line}" for line in requests_in(printed))]
        if code != case.code or not re.search(case.prints, printed):
            wanted = f"exit {code}, wanted {case.code} and /{case.prints}/"
            wrong.append(f"kubectl {case.command}\n  {wanted}:\n{printed[:700]}")
        slow.append((took, case.command))
    return wrong, sorted(slow, reverse=True)[:5], asked, watched(version, folder)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One server for all clients."""
    with running_server(tmp_path_factory.mktemp("kubectl")) as running:
        yield running


@pytest.fixture(scope="module")
def homes(server, tmp_path_factory):
    """A folder with a kubeconfig for each cluster, by its name."""
    folder = tmp_path_factory.mktemp("homes")
    names = ["demo", "apply", *VERSIONS]
    server.manage("shell", "--no-imports", "-c", PREPARE.format(names=names, folder=str(folder), url=server.url))
    return {name: folder / name for name in names}


@pytest.fixture(scope="module")
def binaries():
    """Every version is there."""
    missing = [version for version in VERSIONS if not (BINARIES / version).exists()]
    if missing:
        required = os.environ.get("CLUSTERVIZ_REQUIRE_ALL") or os.environ.get("CI")
        (pytest.fail if required else pytest.skip)(INSTALL)


@pytest.fixture(scope="module")
def runs(binaries, homes):
    """All versions side by side: their mistakes, by version; and for how many seconds."""
    for version in VERSIONS:
        for name, text in FILES.items():
            (homes[version] / name).write_text(text)
    began = time.monotonic()
    with ThreadPoolExecutor(len(VERSIONS)) as pool:
        found = list(pool.map(lambda version: battery(version, homes[version]), VERSIONS))
    return {**dict(zip(VERSIONS, found, strict=True)), "took": time.monotonic() - began}


@pytest.mark.parametrize("version", VERSIONS)
def test_every_command_does_what_it_does_elsewhere(runs, version, record_property):
    record_property("battery", f"the battery took {runs['took']:.0f} s on {len(VERSIONS)} versions of kubectl at once")
    wrong, slow, _, _ = runs[version]
    assert not wrong, f"{len(wrong)} of {len(cases_of(version))} commands:\n" + "\n".join(wrong) + f"\nslowest: {slow}"


@pytest.mark.parametrize("version", VERSIONS)
def test_the_battery_is_large_enough(version):
    assert len(cases_of(version)) >= 70


def test_every_version_asks_what_it_asked_when_the_server_was_written_for_it(runs):
    asked = "\n".join(line for version in VERSIONS for line in runs[version][2]) + "\n"
    if os.environ.get("CLUSTERVIZ_GOLDENS") == "write":
        REQUESTS.write_text(asked)
    assert asked == REQUESTS.read_text()


@pytest.mark.parametrize("version", VERSIONS)
def test_a_watch_prints_what_happens(runs, version):
    printed = runs[version][3]
    assert re.search(r"(?m)^EVENT +NAME +DATA +AGE$", printed)
    assert re.search(r"(?m)^ADDED +early +0 ", printed)
    assert re.search(r"(?m)^DELETED +early +0 ", printed)


def test_a_drain_goes_on_when_the_budget_allows_it(binaries, homes):
    """kubectl tries an eviction again that a PodDisruptionBudget forbids, and says so."""
    home = homes["apply"]
    for before in (
        "rollout status deploy/api -n shop --timeout=150s",
        "create pdb all -n shop --selector=app=api --min-available=100%",
    ):
        code, printed, _ = kubectl(VERSIONS[-1], home, before)
        assert code == 0, printed
    command = [str(BINARIES / VERSIONS[-1]), *shlex.split("drain n2 --pod-selector=app=api --force")]
    with subprocess.Popen(
        command, cwd=home, env=environment(home), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        found = []
        try:
            while not any("will retry after 5s): Cannot evict pod as it would violate" in line for line in found):
                found.append(process.stdout.readline())
                assert found[-1], "".join(found)
            assert kubectl(VERSIONS[-1], home, "delete pdb all -n shop")[0] == 0
            found += process.stdout.readlines()
        finally:
            process.kill()
    assert found[-1] == "node/n2 drained\n", "".join(found)
    assert kubectl(VERSIONS[-1], home, "uncordon n2")[0] == 0


@pytest.mark.skipif(not MANIFESTS.is_dir(), reason=f"no {MANIFESTS}; set CLUSTERVIZ_MANIFESTS")
def test_published_applications_apply_unchanged(binaries, homes):
    home = homes["apply"]
    for path in sorted(MANIFESTS.glob("*.yaml")):
        kubectl(VERSIONS[-1], home, f"create namespace {path.stem}")  # two of them have a frontend
        code, printed, _ = kubectl(VERSIONS[-1], home, f"apply -n {path.stem} -f {path}")
        assert code == 0, printed
        _, printed, _ = kubectl(VERSIONS[-1], home, f"apply -n {path.stem} -f {path}")
        assert all(line.endswith("unchanged") for line in printed.splitlines()), printed


def test_the_python_client_with_strict_models_lists_and_watches(homes):
    api = kubernetes.config.new_client_from_config(str(homes["demo"] / "kubeconfig"))
    try:
        core, apps = kubernetes.client.CoreV1Api(api), kubernetes.client.AppsV1Api(api)
        nodes = core.list_node().items
        assert [node.metadata.name for node in nodes] == ["n1", "n2", "n3"]
        for listed in (
            core.list_pod_for_all_namespaces(),
            core.list_service_for_all_namespaces(),
            core.list_namespace(),
            core.list_event_for_all_namespaces(),
            apps.list_deployment_for_all_namespaces(),
            apps.list_replica_set_for_all_namespaces(),
            apps.list_stateful_set_for_all_namespaces(),
            kubernetes.client.NetworkingV1Api(api).list_network_policy_for_all_namespaces(),
            kubernetes.client.NetworkingV1Api(api).list_ingress_for_all_namespaces(),
            kubernetes.client.DiscoveryV1Api(api).list_endpoint_slice_for_all_namespaces(),
        ):
            assert all(one.metadata.uid for one in listed.items)
        body: Any = {"metadata": {"name": "watched"}, "data": {"a": "1"}}
        since = core.list_namespaced_config_map("shop").metadata.resource_version
        core.create_namespaced_config_map("shop", body)
        core.delete_namespaced_config_map("watched", "shop")
        watch = kubernetes.watch.Watch()
        events = watch.stream(
            core.list_namespaced_config_map, "shop", resource_version=since, timeout_seconds=60, _request_timeout=60
        )
        seen = [(event["type"], event["object"].metadata.name) for event in islice(events, 2)]
        assert seen == [("ADDED", "watched"), ("DELETED", "watched")]
    finally:
        api.close()
