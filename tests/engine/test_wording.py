"""Sentences and commands are true in every mode (TRC-02): no iptables chain in nftables mode, no VXLAN without one."""

from __future__ import annotations

import pytest

from clusterviz.engine import Settings, Trace
from clusterviz.engine.commands import command_for
from clusterviz.engine.explain import sentence
from clusterviz.engine.report import readable
from tests.engine.world import ask, build, pod, service

PROBES = (
    ("shop/client", "http://10.96.0.20/", ""),
    ("node/n1", "http://10.96.0.20/", ""),
    ("internet", "node:n1:30086", ""),
    ("shop/client", "service:shop/empty:80", "TCP"),
    ("shop/client", "10.96.0.20:99", "TCP"),
    ("shop/client", "10.244.2.2:5432", "TCP"),
    ("shop/client", "203.0.113.80:443", "TCP"),
)


def told(settings: Settings) -> str:
    """Everything that is said and offered about some packets."""
    extra = [service("shop/empty", app="nobody"), service("shop/np", app="web", type="NodePort")]
    cluster = build(*extra, settings=settings)
    answers = [ask(cluster, source, to, protocol=protocol, seed=1) for source, to, protocol in PROBES]
    commands = [command_for(step, hop) for answer in answers for hop in answer.forward for step in hop.steps]
    return "\n".join([*(readable(one, level) for one in answers for level in ("novice", "operator")), *commands])


@pytest.mark.parametrize(
    ("mode", "wanted", "never"),
    [
        ("iptables", ("KUBE-EXT-", "iptables -t nat -L KUBE-SVC-", "KUBE-POSTROUTING"), ("nft ", "ipvsadm")),
        ("nftables", ("nft list chain ip kube-proxy service-", "kube-proxy masquerading"), ("KUBE-", "ipvsadm")),
        ("ipvs", ("ipvsadm -Ln -t",), ("nft ", "KUBE-SVC-", "KUBE-SEP-")),
    ],
)
def test_each_proxy_mode_in_its_own_words(mode: str, wanted: tuple[str, ...], never: tuple[str, ...]) -> None:
    """IPT-14, NFT-03, IPV-01."""
    text = told(Settings(proxy_mode=mode))  # type: ignore[arg-type]
    assert not [word for word in never if word in text]
    assert not [word for word in wanted if word not in text]


@pytest.mark.parametrize(
    ("network", "wanted", "never"),
    [
        ("vxlan", ("flannel.1", "VXLAN"), ()),
        ("host-gw", ("straight to that node",), ("flannel.1", "VXLAN", "overlay", "wrapped in")),
        ("wireguard", ("WireGuard",), ("VXLAN",)),
        ("ipip", (), ("VXLAN", "flannel.1")),
    ],
)
def test_each_network_in_its_own_words(network: str, wanted: tuple[str, ...], never: tuple[str, ...]) -> None:
    """NET-06, NET-11, NET-12."""
    text = told(Settings(network=network))  # type: ignore[arg-type]
    assert not [word for word in never if word in text]
    assert not [word for word in wanted if word not in text]


def all_told(answer: Trace, level: str) -> str:
    return " ".join(sentence(s, hop, level) for hop in answer.forward + answer.reverse for s in hop.steps)


@pytest.mark.parametrize(
    ("protocol", "opens", "refuses"),
    [
        ("TCP", "opens a connection to", "RST"),
        ("UDP", "sends a datagram to", "ICMP port unreachable"),
        ("SCTP", "opens an association with", "ABORT"),
    ],
)
def test_a_protocol_opens_and_refuses_in_its_own_way(protocol: str, opens: str, refuses: str) -> None:
    """TRC-03."""
    found = ask(build(), "shop/client", "10.244.2.2:81", protocol=protocol)
    assert opens in all_told(found, "novice")
    assert "learns at once that it is refused" in all_told(found, "novice")
    assert refuses in sentence(found.forward[-1].steps[-1], found.forward[-1], "operator")


def test_a_ping_is_a_ping() -> None:
    assert "sends a ping to 10.244.2.2" in all_told(
        ask(build(), "shop/client", "10.244.2.2", protocol="ICMP"), "novice"
    )


@pytest.mark.parametrize(
    ("extra", "why"),
    [
        ([service("shop/s", app="nobody")], "its selector app=nobody matches no pod"),
        ([service("shop/s")], "it has no selector and nobody gave it endpoints"),
        ([service("shop/s", app="web", target="http")], "no pod behind it has a TCP port named http"),
        (
            [service("shop/s", app="slow"), pod("shop/slow", "10.244.2.7", "n3", app="slow")],
            "the pod behind it is not ready",
        ),
    ],
)
def test_why_nobody_is_behind_a_service(extra: list[dict[str, object]], why: str) -> None:
    """EPS-01, EPS-02, SVC-10, SVC-12."""
    for made in extra:
        if made["kind"] == "Pod":
            made["status"] = {
                "phase": "Running",
                "podIP": "10.244.2.7",
                "conditions": [{"type": "Ready", "status": "False"}],
            }
    found = ask(build(*extra), "shop/client", "service:shop/s:80")
    assert why in found.blockers[0].why and why in all_told(found, "novice")
