"""Laws of routing that hold for any routes and Ingresses: order does not count, shares are whole (GW-05 to GW-09)."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from clusterviz.engine import Cluster, Request, Settings
from clusterviz.engine.datapath.ingress import route_request
from clusterviz.engine.gateway import match_http
from tests.engine.gateway_world import Obj, build, gateway, listener, path, put, route, rule, service
from tests.engine.test_rules_ingress import ingress

HOSTS = ["x.test", "a.x.test", "b.a.x.test", "y.test"]
NAMES = st.sampled_from([*HOSTS, "*.x.test", "*.a.x.test", "*.test"])
PATHS = ["/", "/a", "/a/b", "/a/b/c", "/ab"]
HEADER = st.fixed_dictionaries({"name": st.sampled_from(["v", "V", "w"]), "value": st.sampled_from("12")})
MATCH = st.builds(
    lambda value, kind, method, headers: path(
        value, kind, **({"method": method} if method else {}), **({"headers": headers} if headers else {})
    ),
    st.sampled_from(PATHS),
    st.sampled_from(["Exact", "PathPrefix"]),
    st.sampled_from(["", "GET", "POST"]),
    st.lists(HEADER, max_size=2, unique_by=lambda one: one["name"].lower()),
)
BACKEND = st.fixed_dictionaries(
    {"name": st.sampled_from(["s", "t", "none"]), "port": st.just(80), "weight": st.integers(0, 9)}
)
RULE = st.builds(
    lambda matches, backends: rule(*backends, matches=matches),
    st.lists(MATCH, max_size=3),
    st.lists(BACKEND, min_size=1, max_size=3),
)
ROUTES = st.lists(
    st.tuples(st.lists(NAMES, max_size=2, unique=True), st.lists(RULE, min_size=1, max_size=3), st.integers(0, 3)),
    min_size=1,
    max_size=5,
)
REQUEST = st.tuples(
    st.sampled_from(HOSTS),
    st.sampled_from([*PATHS, "/a/", "/a/b/x"]),
    st.sampled_from(["GET", "POST"]),
    st.dictionaries(st.sampled_from("vw"), st.sampled_from("12")),
)
LISTENERS = st.lists(st.sampled_from(["", "*.x.test", "*.test", "x.test"]), min_size=1, max_size=3, unique=True)


def routes_of(drawn: Any) -> list[Obj]:
    return [
        route(f"infra/r{index}", *rules, hosts=hosts, created=f"2024-01-0{age + 1}T00:00:00Z" if age else "")
        for index, (hosts, rules, age) in enumerate(drawn)
    ]


def gate(hosts: list[str]) -> Obj:
    return gateway("infra/gw", *(listener(f"l{index}", host) for index, host in enumerate(hosts)))


@settings(max_examples=40, deadline=None)
@given(ROUTES, LISTENERS, REQUEST, st.randoms(use_true_random=False))
def test_the_order_of_objects_does_not_count_and_shares_are_whole(
    drawn: Any, hosts: list[str], asked: Any, chance: random.Random
) -> None:
    """GW-06, GW-08, GW-09."""
    host, target, method, headers = asked
    made = [gate(hosts), *routes_of(drawn), service("infra/s"), service("infra/t")]
    answer = put(build(*made), host, target, method=method, headers=headers)
    shuffled = list(made)
    chance.shuffle(shuffled)
    assert put(build(*shuffled), host, target, method=method, headers=headers) == answer
    if answer.backends and any(one.weight for one in answer.backends):
        assert abs(sum(one.share for one in answer.backends) - 1) < 1e-9
    if answer.outcome == "accepted":
        assert sum(answer.errors.values()) < 1 and answer.status == 0
    else:
        assert answer.status in (404, 500)


@settings(max_examples=40, deadline=None)
@given(ROUTES, REQUEST)
def test_the_winner_is_the_one_an_order_by_the_book_puts_first(drawn: Any, asked: Any) -> None:
    """GW-05, GW-06: sorted once more here, step by step, from the objects themselves."""
    host, target, method, headers = asked
    found = put(
        build(gate([""]), *routes_of(drawn), service("infra/s"), service("infra/t")),
        host,
        target,
        method=method,
        headers=headers,
    )
    fitting: list[tuple[Any, tuple[str, int]]] = []
    for made in routes_of(drawn):
        names = made["spec"].get("hostnames") or []
        hits = [one for one in names if one == host or (one[:2] == "*." and host.endswith(one[1:]))]
        if names and not hits:
            continue
        exact = max((len(one) for one in hits if one[0] != "*"), default=0)
        longest = max((len(one) for one in hits if not exact or one[0] != "*"), default=0)
        for index, one in enumerate(made["spec"]["rules"]):
            for match in one.get("matches") or [path("/")]:
                kind, value = match["path"]["type"], match["path"]["value"]
                wanted = match.get("headers", [])
                trimmed = value.rstrip("/")
                fits = target == value if kind == "Exact" else (target + "/").startswith(trimmed + "/")
                fits &= match.get("method", method) == method
                fits &= all(headers.get(one["name"].lower()) == one["value"] for one in wanted)
                if fits:
                    order = (
                        -exact,
                        -longest,
                        kind != "Exact",
                        -len(value) if kind != "Exact" else 0,
                        "method" not in match,
                        -len(wanted),
                        made["metadata"].get("creationTimestamp", "~"),
                        made["metadata"]["name"],
                        index,
                    )
                    fitting.append((order, (made["metadata"]["name"], index)))
    if fitting:
        assert (found.route and found.route[1], found.rule) == min(fitting)[1]
    else:
        assert found.status == 404


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["", *HOSTS, "*.x.test"]),
            st.sampled_from(["Exact", "Prefix"]),
            st.sampled_from(PATHS),
            st.sampled_from(["s", "t"]),
        ),
        min_size=1,
        max_size=8,
    ),
    st.sampled_from(HOSTS),
    st.sampled_from([*PATHS, "/a/", "/a/b/x"]),
)
def test_an_ingress_and_the_same_rules_one_each_agree(rules: Any, host: str, target: str) -> None:
    """ING-03, ING-07, ING-12: rules of a host are merged, whichever Ingress they stand in."""
    one = Cluster.from_objects([ingress("all", *rules)], Settings())
    many = Cluster.from_objects(
        [ingress(f"i{index:02}", made, created="2024-01-01T00:00:00Z") for index, made in enumerate(rules)], Settings()
    )
    answers = [route_request(cluster, Request(host=host, path=target)) for cluster in (one, many)]
    assert answers[0].backend == answers[1].backend and answers[0].host == answers[1].host


def test_a_gateway_can_be_asked_by_name_with_the_same_answer() -> None:
    cluster = build(gate([""]), route("infra/r", rule("s")), service("infra/s"))
    request = Request(host="x.test", path="/")
    assert match_http(cluster, None, request) == match_http(cluster, ("infra", "gw"), request)
