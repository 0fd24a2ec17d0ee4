"""The proof itself: it notices a wrong answer, fits a large cluster, says what it cannot judge."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from clusterviz.engine import Change, Cluster
from tests.kernel import proof, table
from tests.kernel.conftest import Labs
from tests.kernel.fitting import cannot, fit
from tests.kernel.judge import Question, compare
from tests.kernel.lab import AS_ROOT_OF_ITS_OWN, Lab, LabError
from tests.kernel.world import live_pods

pytestmark = pytest.mark.kernel

CLIENT = "pod:shop/client"
# What is changed in the engine's cluster behind the kernel's back, and a question that must show it.
WRONG: dict[str, tuple[dict[str, object], Question]] = {
    "outcome": ({"kind": "NetworkPolicy", "name": "db"}, Question(CLIENT, "10.244.2.2", 5432)),
    "source": ({"masquerade_all": True}, Question(CLIENT, "10.96.0.102", 80)),
    "backends": ({"kind": "Pod", "name": "web-2"}, Question(CLIENT, "10.96.0.100", 80)),
    "affinity": (
        {"kind": "Service", "name": "web", "sessionAffinity": "ClientIP"},
        Question(CLIENT, "10.96.0.100", 80),
    ),
}


def changed(made: Cluster, what: dict[str, object]) -> Cluster:
    if "kind" not in what:
        return made.with_settings(msgspec.structs.replace(made.settings, **what))
    key = (str(what["kind"]), "shop", str(what["name"]))
    if "sessionAffinity" not in what:
        return made.apply([Change("unset", key)])
    obj = made.objects[key]
    return made.apply([Change("set", {**obj, "spec": {**obj["spec"], "sessionAffinity": "ClientIP"}})])


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_answer_is_noticed(wrong: str, labs: Labs) -> None:
    made, lab = labs("vxlan")
    what, question = WRONG[wrong]
    assert not any(one.fault for one in compare(made, lab, [question] * 5))
    assert any(one.fault for one in compare(changed(made, what), lab, [question] * 5, again=0))


def test_what_an_engine_foresees_and_the_kernel_never_does_is_noticed(labs: Labs) -> None:
    made, _ = labs("vxlan")
    with Lab() as lab:
        lab.build({"namespaces": ["pod:shop/client"], "sysctls": {}, "stages": []})
        found = compare(made, lab, [Question(CLIENT, "10.244.1.2", 8080)])
    assert "rules out: unreachable" in found[0].fault


def test_a_cluster_that_is_too_large_is_cut() -> None:
    made, notes = fit(table.cluster("vxlan"), most_pods=4, most_nodes=2)
    assert len(made.nodes) == 2
    assert len(live_pods(made)) == 4
    assert notes[:2] == ["Left out: 1 of 3 nodes, and their pods", "Left out: 4 of 8 pods, equals of others first"]


@pytest.mark.parametrize(
    ("settings", "word"),
    [({"proxy_mode": "ipvs"}, "ipvs"), ({"network": "geneve"}, "geneve"), ({"direct_routing": True}, "direct_routing")],
)
def test_it_says_what_it_cannot_judge(settings: dict[str, object], word: str) -> None:
    made = table.cluster("vxlan")
    assert cannot(made) == ""
    assert word in cannot(made.with_settings(msgspec.structs.replace(made.settings, **settings)))


def test_the_lab_tells_what_a_program_said() -> None:
    with Lab() as lab, pytest.raises(LabError, match=r"iptables-restore in one: .*KUBE-NOWHERE"):
        lab.build(
            {
                "namespaces": ["one"],
                "sysctls": {},
                "stages": [[["one", ["iptables-restore"], "*nat\n-A OUTPUT -j KUBE-NOWHERE\nCOMMIT\n"]]],
            }
        )


MANIFESTS = """
kind: Pod
metadata: {name: web, labels: {app: web}}
spec: {containers: [{name: web, ports: [{containerPort: 80}]}]}
---
kind: Service
metadata: {name: web}
spec: {type: NodePort, selector: {app: web}, ports: [{port: 80}]}
"""


def prove(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str) -> tuple[int, str, str]:
    """Exit status and what was printed."""
    monkeypatch.setattr(sys, "argv", ["proof", *words])
    status = proof.main()
    said = capsys.readouterr()
    return status, said.out, said.err


def test_somebody_asks_for_their_manifests(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    manifests = tmp_path / "shop.yaml"
    manifests.write_text(MANIFESTS)
    status, out, err = prove(capsys, monkeypatch, "--probes", "40", "--manifests", str(manifests))
    assert status == 0, out + err
    assert out.startswith("Nodes 3, pods 1, Services 1, NetworkPolicies 0; kube-proxy in iptables mode, vxlan")
    assert out.endswith("The engine and this kernel agree on every question.\n")


def test_what_differs_is_shown(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, labs: Labs) -> None:
    made, lab = labs("vxlan")
    question = Question(CLIENT, "10.244.2.2", 5432)
    found = compare(changed(made, {"kind": "NetworkPolicy", "name": "db"}), lab, [question], again=0)
    monkeypatch.setattr(proof, "given", lambda *_: made)
    monkeypatch.setattr(proof, "_prove", lambda *_: found)
    status, out, _ = prove(capsys, monkeypatch)
    assert status == 1
    assert "engine 1.000 answered by pod:shop/db on 10.244.2.2 port 5432, which saw 10.244.0.3" in out
    assert out.endswith("\nThe engine and this kernel differ on 1 of 1 questions.\n")


def test_what_cannot_be_tried_ends_with_2(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    made = table.cluster("vxlan")
    hidden = made.with_settings(msgspec.structs.replace(made.settings, proxy_mode="ipvs"))
    monkeypatch.setattr(proof, "given", lambda *_: hidden)
    status, _, err = prove(capsys, monkeypatch)
    assert status == 2
    assert err.startswith("The kernel proof cannot be made here: kube-proxy of this cluster runs in ipvs mode")


def test_root_of_a_user_namespace_is_root_enough(repository: Path) -> None:
    words = [*AS_ROOT_OF_ITS_OWN, sys.executable, "-c", "from tests.kernel.lab import why_not; print(why_not())"]
    done = subprocess.run(words, cwd=repository, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"user namespaces are refused here: {done.stderr.strip()}")
    assert done.stdout == "\n"
