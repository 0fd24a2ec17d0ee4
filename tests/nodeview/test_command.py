"""manage.py nodeview: what it prints and what it refuses."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError


@pytest.fixture
def manifests(tmp_path: Path) -> str:
    """Two nodes, a pod and its Service."""
    pod = {
        "metadata": {"name": "web", "namespace": "shop", "labels": {"app": "web"}},
        "apiVersion": "v1",
        "kind": "Pod",
    }
    pod["spec"] = {"nodeName": "n1", "containers": [{"name": "c", "image": "i"}]}
    service: dict[str, Any] = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "shop"}}
    service["spec"] = {"selector": {"app": "web"}, "ports": [{"port": 80}], "clusterIP": "10.96.0.41"}
    nodes = [{"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}} for name in ("n1", "n2")]
    path = tmp_path / "cluster.json"
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": [*nodes, pod, service]}))
    return str(path)


def printed(*words: str, **options: Any) -> str:
    out = io.StringIO()
    call_command("nodeview", *words, stdout=out, **options)
    return out.getvalue()


def test_every_text_stands_under_its_command(manifests: str) -> None:
    text = printed("n1", manifests=manifests)
    commands = [line for line in text.splitlines() if line.startswith("# ")]
    assert commands == [
        "# iptables-save",
        "# ip addr",
        "# ip route",
        "# ip route show table local",
        "# ip neigh",
        "# bridge fdb show dev flannel.1",
        "# bridge -d link",
    ]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("n1", "--what", "routes"), "10.244.1.0/24 via 10.244.1.0 dev flannel.1 onlink\n"),
        (("node:n1", "--what", "fdb"), " dst 192.168.0.12 self permanent\n"),
        (("shop/web", "--what", "resolv"), "nameserver 10.96.0.10\n"),
        (("pod:shop/web", "--what", "routes"), "default via 10.244.0.1 dev eth0\n"),
        (("service:shop/web", "--what", "dns"), "\tA\t10.96.0.41\n"),
        (("service:shop/web", "--node", "n2", "--what", "iptables"), "-d 10.96.0.41/32"),
    ],
)
def test_one_text_alone(manifests: str, words: tuple[str, ...], expected: str) -> None:
    """NET-09, DNS-11, DNS-01."""
    text = printed(*words, manifests=manifests)
    assert expected in text
    assert "# " not in text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("n9",), "there is no node 'n9' (known: n1, n2)"),
        (("shop/nobody",), "there is no pod 'shop/nobody'"),
        (("service:shop/nobody",), "there is no service 'shop/nobody'"),
        (("service:shop/web", "--node", "n9"), "there is no node 'n9' (known: n1, n2)"),
        (
            ("shop/web", "--what", "fdb"),
            "there is no text 'fdb' here (known: resolv, addresses, routes, env)",
        ),
    ],
)
def test_unknown_things_are_named(manifests: str, words: tuple[str, ...], said: str) -> None:
    with pytest.raises(CommandError) as caught:
        printed(*words, manifests=manifests)
    assert (str(caught.value), caught.value.returncode) == (said, 2)
