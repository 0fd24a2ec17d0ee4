"""Real, unmodified kubectl of three versions against a real server, each on a cluster of its own, side by side."""

import os
import re
import shlex
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import kubernetes
import kubernetes.watch
import pytest

from tests.kubeapi.battery import CASES, FILES
from tests.server import ROOT, running_server

VERSIONS = ("27", "32", "37")
BINARIES = ROOT / ".build" / "kubectl"
INSTALL = "no kubectl in .build/kubectl: make setup-test"
PER_COMMAND = 70


def kubectl(version, folder, command):
    """Run one command; answers its exit code, what it printed, and how long it took."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "KUBECONFIG": str(folder / "kubeconfig")}
    arguments = shlex.split(command, posix=False) if "{" in command or "[" in command else shlex.split(command)
    began = time.monotonic()
    done = subprocess.run(
        [BINARIES / version, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PER_COMMAND,
        check=False,
    )
    return done.returncode, (done.stdout + done.stderr).strip(), time.monotonic() - began


def battery(version, folder):
    """What every command did, as it should not be."""
    wrong, slow = [], []
    for case in CASES:
        code, printed, took = kubectl(version, folder, case.command)
        if code != case.code or not re.search(case.prints, printed):
            wanted = f"exit {code}, wanted {case.code} and /{case.prints}/"
            wrong.append(f"kubectl {case.command}\n  {wanted}:\n{printed[:700]}")
        slow.append((took, case.command))
    return wrong, sorted(slow, reverse=True)[:5]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One server for all clients."""
    with running_server(tmp_path_factory.mktemp("kubectl")) as running:
        yield running


@pytest.fixture(scope="module")
def runs(server, tmp_path_factory):
    """All versions side by side: their mistakes, by version."""
    missing = [version for version in VERSIONS if not (BINARIES / version).exists()]
    if missing:
        required = os.environ.get("CLUSTERVIZ_REQUIRE_ALL") or os.environ.get("CI")
        (pytest.fail if required else pytest.skip)(INSTALL)
    folders = {}
    for version in VERSIONS:
        folder = folders[version] = tmp_path_factory.mktemp(f"kubectl{version}")
        server.manage("loaddemo", "--name", f"k{version}")
        (folder / "kubeconfig").write_text(server.manage("kubeconfig", f"k{version}", "--server", server.url))
        for name, text in FILES.items():
            (folder / name).write_text(text)
    with ThreadPoolExecutor(len(VERSIONS)) as pool:
        found = pool.map(lambda version: battery(version, folders[version]), VERSIONS)
        return dict(zip(VERSIONS, found, strict=True))


@pytest.mark.parametrize("version", VERSIONS)
def test_every_command_does_what_it_does_elsewhere(runs, version):
    wrong, slow = runs[version]
    assert not wrong, f"{len(wrong)} of {len(CASES)} commands:\n" + "\n".join(wrong) + f"\nslowest: {slow}"


def test_the_battery_is_large_enough():
    assert len(CASES) >= 70


def test_the_python_client_with_strict_models_lists_and_watches(server, tmp_path):
    config = tmp_path / "kubeconfig"
    config.write_text(server.manage("kubeconfig", "demo", "--server", server.url))
    api = kubernetes.config.new_client_from_config(str(config))
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
            core.list_namespaced_config_map, "shop", resource_version=since, timeout_seconds=3, _request_timeout=10
        )
        seen = [(event["type"], event["object"].metadata.name) for event in events]
        assert seen == [("ADDED", "watched"), ("DELETED", "watched")]
    finally:
        api.close()
