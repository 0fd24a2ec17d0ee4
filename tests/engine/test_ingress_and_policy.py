"""Ingress in, and NetworkPolicy both ways, on the classroom cluster of `world`."""

from __future__ import annotations

import msgspec
import pytest

from clusterviz.engine import Destination, Probe, Settings, Verdict, trace
from clusterviz.engine.packet import L4, Http
from tests.engine.world import ask, build, header, landed, places, pod, policy, seen, service


class TestIngress:
    """ING."""

    def made(self, **spec: object) -> list[dict[str, object]]:
        ingress = {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": {"name": "main", "namespace": "shop"},
            "spec": {
                "ingressClassName": "nginx",
                "rules": [
                    {
                        "host": "shop.example.com",
                        "http": {
                            "paths": [
                                _path("/", "Prefix", "web", 80),
                                _path("/db", "Prefix", "db", 5432),
                                _path("/gone", "Exact", "missing", 80),
                            ]
                        },
                    }
                ],
                **spec,
            },
        }
        front = service("ingress/front", app="ingress-nginx", type="LoadBalancer", target=80)
        kind = {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "IngressClass",
            "metadata": {"name": "nginx"},
            "spec": {"controller": "k8s.io/ingress-nginx"},
        }
        front["spec"]["selector"] = {"app": "ingress-nginx"}
        return [ingress, front, kind]

    def test_the_controller_ends_the_connection_and_calls_a_pod_directly(self) -> None:
        """ING-11, SRC-6, M19."""
        found = ask(build(*self.made()), "internet", "http://shop.example.com/cart")
        assert found.success
        assert "pod:ingress/ctl" in places(found)
        assert seen(found) == "10.244.2.3"
        last = found.forward[-1].headers_in
        assert header(last).dst in ("10.244.0.2", "10.244.1.2") and header(last, L4).dport == 8080
        assert header(last, Http).forwarded_for
        after = found.forward[[h.place.ref for h in found.forward].index("pod:ingress/ctl") :]
        assert all(header(hop.headers_out).dst != "10.96.0.20" for hop in after)
        assert header(found.reverse[-1].headers_out, Http).status == 200

    def test_the_longest_path_wins(self) -> None:
        """ING-07."""
        found = ask(build(*self.made()), "internet", "http://shop.example.com/db/x")
        assert landed(found) == "10.244.2.2:5432"
        chose = next(step for hop in found.forward for step in hop.steps if step.reason == "proxy_chose")
        assert chose.settings == ("ingress_class", "ingress_controller")

    @pytest.mark.parametrize(
        ("url", "verdict", "symptom"),
        [
            ("http://shop.example.com/gone", Verdict.PROXY_NO_ENDPOINTS, "503"),
            ("http://other.example.com/", Verdict.NO_INGRESS_RULE, "404"),
        ],
    )
    def test_what_the_controller_answers_itself(self, url: str, verdict: Verdict, symptom: str) -> None:
        """ING-08, ING-09."""
        cluster = build(*self.made())
        address = cluster.services[("ingress", "front")].lb_ips[0]
        probe = Probe.parse("internet", url)
        if verdict is Verdict.NO_INGRESS_RULE:
            probe = msgspec.structs.replace(probe, destination=Destination(kind="ip", ip=address, port=80))
        found = trace(cluster, probe)
        assert found.verdict is verdict and symptom in found.symptom
        assert str(header(found.reverse[-1].headers_out, Http).status) == symptom

    def test_an_ingress_without_a_controller_does_nothing(self) -> None:
        """ING-01, M18."""
        found = ask(build(self.made()[0]), "internet", "http://shop.example.com/")
        assert found.verdict is Verdict.NO_INGRESS_CONTROLLER

    def test_a_backend_shut_off_by_policy_is_a_gateway_time_out(self) -> None:
        found = ask(
            build(*self.made(), policy("shop/deny", "web", policyTypes=["Ingress"])),
            "internet",
            "http://shop.example.com/",
        )
        assert found.verdict is Verdict.DENIED_INGRESS and "504" in found.symptom


def _path(path: str, kind: str, name: str, port: int) -> dict[str, object]:
    return {"path": path, "pathType": kind, "backend": {"service": {"name": name, "port": {"number": port}}}}


class TestPolicy:
    """NP."""

    def test_selection_isolates_and_only_the_selected(self) -> None:
        """NP-01, NP-03."""
        cluster = build(policy("shop/db", "db", ingress=[{"from": [{"podSelector": {"matchLabels": {"app": "web"}}}]}]))
        assert ask(cluster, "shop/web-1", "http://db:5432/").success
        denied = ask(cluster, "shop/client", "http://db:5432/")
        assert denied.verdict is Verdict.DENIED_INGRESS and "times out" in denied.symptom
        assert denied.waypoints[-1].ref == "pod:shop/db-0"
        assert ask(cluster, "shop/client", "http://web/").success

    def test_ports_are_the_pods_after_dnat(self) -> None:
        """NP-14, M10."""
        wrong = policy("shop/p", "web", ingress=[{"ports": [{"port": 80}]}])
        right = policy("shop/p", "web", ingress=[{"ports": [{"port": 8080}]}])
        assert ask(build(wrong), "shop/client", "http://web/").verdict is Verdict.DENIED_INGRESS
        assert ask(build(right), "shop/client", "http://web/").success

    def test_one_entry_is_and_two_entries_are_or(self) -> None:
        """NP-08, M9."""
        namespace = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "spy"}}}
        pods = {"podSelector": {"matchLabels": {"app": "client"}}}
        both = policy("shop/p", "db", ingress=[{"from": [{**namespace, **pods}]}])
        either = policy("shop/p", "db", ingress=[{"from": [namespace, pods]}])
        assert not ask(build(both), "spy/spy-1", "http://db.shop:5432/").success
        assert ask(build(either), "spy/spy-1", "http://db.shop:5432/").success
        assert ask(build(either), "shop/client", "http://db:5432/").success

    def test_all_blockers_are_named_not_only_the_first(self) -> None:
        cluster = build(
            policy("shop/in", "db", policyTypes=["Ingress"]), policy("spy/out", "spy", policyTypes=["Egress"])
        )
        found = ask(cluster, "spy/spy-1", "10.244.2.2:5432")
        assert [b.verdict for b in found.blockers] == [Verdict.DENIED_EGRESS, Verdict.DENIED_INGRESS]

    def test_denied_egress_breaks_the_name_first(self) -> None:
        """DNS-14, M11."""
        dns = [
            pod("kube-system/coredns-1", "10.244.2.8", "n3", app="dns", ports=()),
            service("kube-system/kube-dns", app="dns", clusterIP="10.96.0.10"),
        ]
        dns[1]["spec"]["ports"] = [{"name": "dns", "port": 53, "targetPort": 53, "protocol": "UDP"}]
        cluster = build(*dns, policy("shop/out", "client", policyTypes=["Egress"]))
        found = ask(cluster, "shop/client", "http://web/")
        assert found.verdict is Verdict.DNS_BLOCKED
        assert found.children[0].trace.verdict is Verdict.DENIED_EGRESS
        assert ask(cluster, "shop/web-1", "http://web/").children[0].trace.success

    def test_a_cluster_that_does_not_enforce_lets_all_pass(self) -> None:
        """NP-24, M8."""
        cluster = build(policy("shop/deny", "db", policyTypes=["Ingress"]), settings=Settings(enforce_policies=False))
        assert ask(cluster, "spy/spy-1", "10.244.2.2:5432").success
        assert "not-enforced" in [warning.code for warning in cluster.warnings]
