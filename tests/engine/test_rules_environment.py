"""Rule SVC-18: which Services a container finds in its environment."""

from __future__ import annotations

from typing import Any

import pytest

from clusterviz.engine import Cluster, Settings
from clusterviz.engine.datapath.environment import service_environment
from tests.engine.world import Obj, node, pod, service


def world(**spec: Any) -> Cluster:
    ports = [{"name": "http-web", "port": 80}, {"name": "dns", "port": 53, "protocol": "UDP"}]
    objects: list[Obj] = [
        node("n1", podCIDR="10.244.0.0/24"),
        pod("shop/web", "10.244.0.5", "n1", app="web", **spec),
        service("shop/my-cache", clusterIP="10.96.0.20", ports=ports),
        service("shop/late", clusterIP="10.96.0.21"),
        service("shop/six", clusterIP="fd00::6", port=443),
        service("shop/none", clusterIP="None"),
        service("shop/alias", type="ExternalName", externalName="example.com"),
        service("other/far", clusterIP="10.96.0.22"),
        service("default/kubernetes", clusterIP="10.96.0.1", port=443),
    ]
    for made, when in ((objects[2], "2024-01-01T00:00:00Z"), (objects[3], "2024-01-01T00:00:09Z")):
        made["metadata"]["creationTimestamp"] = when
    objects[1]["status"] |= {
        "startTime": "2024-01-01T00:00:05Z",
        "containerStatuses": [
            {"name": "main", "state": {"running": {"startedAt": "2024-01-01T00:00:06Z"}}},
            {"name": "restarted", "state": {"running": {"startedAt": "2024-01-01T00:01:00Z"}}},
        ],
    }
    return Cluster.from_objects(objects, Settings(service_cidr="10.96.0.0/12,fd00::/108"))


def names(cluster: Cluster, container: str = "") -> set[str]:
    found = service_environment(cluster, cluster.pods[("shop", "web")], container)
    return {name.removesuffix("_SERVICE_HOST") for name in found if name.endswith("_SERVICE_HOST")}


@pytest.mark.parametrize(
    ("container", "expected"),
    [
        ("", {"MY_CACHE", "SIX", "KUBERNETES"}),
        ("main", {"MY_CACHE", "SIX", "KUBERNETES"}),
        ("restarted", {"MY_CACHE", "SIX", "KUBERNETES", "LATE"}),
        ("starting", {"MY_CACHE", "SIX", "KUBERNETES"}),
    ],
)
def test_only_services_older_than_the_container(container: str, expected: set[str]) -> None:
    """SVC-18: of its own namespace, with an address, and the API server's."""
    assert names(world(), container) == expected


def test_without_service_links_only_the_api_server() -> None:
    """SVC-18: enableServiceLinks false."""
    assert names(world(enableServiceLinks=False)) == {"KUBERNETES"}


def test_the_variables_of_a_service() -> None:
    """SVC-18: upper case, hyphens as underscores, the first port without a name, IPv6 in brackets."""
    cluster = world()
    found = service_environment(cluster, cluster.pods[("shop", "web")])
    assert found["MY_CACHE_SERVICE_HOST"] == "10.96.0.20"
    assert found["MY_CACHE_SERVICE_PORT"] == found["MY_CACHE_SERVICE_PORT_HTTP_WEB"] == "80"
    assert found["MY_CACHE_SERVICE_PORT_DNS"] == "53"
    assert found["MY_CACHE_PORT"] == found["MY_CACHE_PORT_80_TCP"] == "tcp://10.96.0.20:80"
    assert found["MY_CACHE_PORT_53_UDP_PROTO"] == "udp"
    assert found["SIX_PORT"] == "tcp://[fd00::6]:443"
