"""A cluster with a hidden fault, drawn from a seed: find it, repair it. Checks are facts about the cluster.

A fault is made by changing objects of a sound cluster, so putting those back repairs it: every exam can be solved.
"""

from __future__ import annotations

import random
from typing import Any, Literal

import msgspec
from django.utils.translation import gettext as _

from clusterviz.classroom import library
from clusterviz.classroom.facts import answer, unmet
from clusterviz.classroom.lesson import Fact, Lesson, Obj
from clusterviz.classroom.world import World, begin, key_from
from clusterviz.engine.cluster import Change
from clusterviz.engine.manifests.read import read
from clusterviz.engine.objects import Key, key_of
from clusterviz.engine.remedies.edit import merge
from clusterviz.engine.verdicts import VERDICTS

Difficulty = Literal[1, 2, 3]
DIFFICULTIES: tuple[Difficulty, ...] = (1, 2, 3)
NETWORK = "networking.k8s.io/v1"


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """A way to break the cluster: objects patched, objects added. ``level`` 1 is easy, 2 is hard."""

    name: str
    told: str
    level: int
    patch: dict[str, Obj] = {}
    create: tuple[Obj, ...] = ()
    rules: tuple[str, ...] = ()


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One check: green when ``wrong`` is empty, else red with the reason."""

    text: str
    ask: str
    wrong: list[str]

    @property
    def green(self) -> bool:
        """Whether the fact holds."""
        return not self.wrong


class Exam(msgspec.Struct, frozen=True, kw_only=True):
    """What a student gets (``objects``, ``checks``), and what the teacher knows (``faults``, ``solution``)."""

    seed: int
    difficulty: Difficulty
    objects: list[Obj]
    checks: tuple[Fact, ...]
    faults: tuple[Fault, ...]
    solution: tuple[Change, ...]

    def world(self) -> World:
        """The broken cluster, settled."""
        return begin(Lesson(title="Exam", cluster=self.objects, seed=self.seed), self.objects)


def sound() -> list[Obj]:
    """The cluster before anything is broken: three nodes, Ingress, three tiers, DNS, a policy."""
    text = library.beside(library.HERE, "clusters/exam.yaml")
    assert text is not None
    return [one.object for one in read(text, "exam.yaml")]


def _policy(name: str, space: str, selector: Obj, **spec: Any) -> Obj:
    return {
        "apiVersion": NETWORK,
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": space},
        "spec": {"podSelector": selector, **spec},
    }


API: Obj = {"matchLabels": {"app": "api"}}
HUNG_UP: Obj = {"metadata": {"annotations": {"clusterviz.dev/ready": "false"}}}
LISTEN: Obj = {"metadata": {"annotations": {"clusterviz.dev/listen": "8080"}}}

CHECKS: tuple[Fact, ...] = (
    Fact(
        text="A customer gets the page",
        ask="internet -> http://shop.example.com/",
        expect={"verdict": "delivered"},
    ),
    Fact(text="The node port of n1 answers", ask="internet -> node:n1:30080", expect={"verdict": "delivered"}),
    Fact(text="web reaches api by its name", ask="shop/web-1 -> http://api/", expect={"verdict": "delivered"}),
    Fact(
        text="api reaches db, and nothing hides its address",
        ask="shop/api -> db:5432",
        expect={"verdict": "delivered", "masqueraded": 0},
    ),
    Fact(
        text="The spy does not reach db",
        ask="spy/spy -> pod:shop/db:5432",
        expect={"verdict": "denied_ingress"},
    ),
    Fact(
        text="api reaches the partner outside",
        ask="shop/api -> https://pay.example.com/",
        expect={"verdict": "exited_cluster"},
    ),
    Fact(
        text="Two pods share the calls to web",
        ask="shop/api -> service:shop/web:80",
        connections=16,
        expect={"pods": 2},
    ),
)


def _paths(**change: Any) -> Obj:
    path = {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "web", "port": {"number": 80}}}}
    return {"spec": {"rules": [{"host": "shop.example.com", "http": {"paths": [path | change]}}]}}


FAULTS: tuple[Fault, ...] = (
    Fault(
        name="selector",
        told="The Service web selects a label that no pod has",
        level=1,
        patch={"Service/shop/web": {"spec": {"selector": {"app": "wbe"}}}},
        rules=("EPS-01", "PX-07"),
    ),
    Fault(
        name="target-port",
        told="The Service web leads to a port on which nobody listens",
        level=1,
        patch={
            "Service/shop/web": {"spec": {"ports": [{"port": 80, "targetPort": 8081, "nodePort": 30080}]}},
            "Pod/shop/web-1": LISTEN,
            "Pod/shop/web-2": LISTEN,
        },
        rules=("SVC-10",),
    ),
    Fault(
        name="not-ready",
        told="No pod of web is ready",
        level=1,
        patch={"Pod/shop/web-1": HUNG_UP, "Pod/shop/web-2": HUNG_UP},
        rules=("EPS-02", "PX-07"),
    ),
    Fault(
        name="ingress-path",
        told="The Ingress has the page under another path only",
        level=1,
        patch={"Ingress/shop/shop": _paths(path="/shop", pathType="Exact")},
        rules=("ING-04", "ING-08"),
    ),
    Fault(
        name="ingress-class",
        told="No controller serves the class of the Ingress",
        level=2,
        patch={"Ingress/shop/shop": {"spec": {"ingressClassName": "ngnix"}}},
        rules=("ING-01",),
    ),
    Fault(
        name="missing-policy",
        told="The policy of db selects no pod, so everybody gets in",
        level=2,
        patch={"NetworkPolicy/shop/db": {"spec": {"podSelector": {"matchLabels": {"app": "database"}}}}},
        rules=("NP-01", "NP-02"),
    ),
    Fault(
        name="wide-policy",
        told="One dash too many in the policy of db lets every namespace in",
        level=2,
        patch={
            "NetworkPolicy/shop/db": {
                "spec": {"ingress": [{"from": [{"namespaceSelector": {}}, {"podSelector": API}]}]}
            }
        },
        rules=("NP-08",),
    ),
    Fault(
        name="policy-port",
        told="The policy of api allows port 80, and its pod listens on 8080",
        level=2,
        create=(_policy("api", "shop", API, ingress=[{"ports": [{"port": 80}]}]),),
        rules=("NP-14",),
    ),
    Fault(
        name="dns-egress",
        told="An egress policy of api leaves DNS out",
        level=2,
        create=(
            _policy(
                *("api-out", "shop", API),
                policyTypes=["Egress"],
                egress=[
                    {"to": [{"podSelector": {"matchLabels": {"app": "db"}}}]},
                    {"to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.244.0.0/16"]}}]},
                ],
            ),
        ),
        rules=("DNS-14", "EGR-04"),
    ),
    Fault(
        name="dns-down",
        told="The DNS pod is not ready",
        level=1,
        patch={"Pod/kube-system/coredns": HUNG_UP},
        rules=("DNS-14", "PX-07"),
    ),
    Fault(
        name="node-port-local",
        told="The node port has the policy Local, and no pod of web is on n1",
        level=2,
        patch={"Service/shop/web": {"spec": {"externalTrafficPolicy": "Local"}}},
        rules=("PX-05", "PX-07"),
    ),
    Fault(
        name="named-port",
        told="The Service api names a port that its pod does not have",
        level=2,
        patch={"Service/shop/api": {"spec": {"ports": [{"port": 80, "targetPort": "web"}]}}},
        rules=("SVC-10", "PX-07"),
    ),
)


def generate(seed: int, difficulty: Difficulty = 1) -> Exam:
    """An exam: 1 an easy fault, 2 a hard one, 3 a hard and an easy one. The same seed makes the same exam."""
    rng = random.Random(f"{seed}/{difficulty}")  # noqa: S311 - an exercise, not a secret
    wanted = [1] if difficulty == 1 else [2] if difficulty == 2 else [2, 1]
    faults: list[Fault] = []
    for level in wanted:
        touched = {name for one in faults for name in one.patch}
        apart = [one for one in FAULTS if one.level == level and touched.isdisjoint(one.patch)]
        faults.append(rng.choice(apart))
    return broken(seed, difficulty, tuple(faults))


def broken(seed: int, difficulty: Difficulty, faults: tuple[Fault, ...]) -> Exam:
    """The sound cluster with these faults in it, and the changes that put back what they touched."""
    whole: dict[Key, Obj] = {key_of(obj): obj for obj in sound()}
    objects, solution = dict(whole), dict[Key, Change]()
    for fault in faults:
        for name, patch in fault.patch.items():
            key = key_from(name)
            objects[key] = merge(objects[key], patch)
            solution[key] = Change("set", whole[key])
        for obj in fault.create:
            objects[key_of(obj)] = obj
            solution[key_of(obj)] = Change("unset", key_of(obj))
    return Exam(
        seed=seed,
        difficulty=difficulty,
        objects=list(objects.values()),
        checks=CHECKS,
        faults=faults,
        solution=tuple(solution.values()),
    )


def grade(world: World, checks: tuple[Fact, ...] = CHECKS) -> list[Result]:
    """Every check, green or red with the reason; a fact that can no longer be asked is red."""
    return [Result(text=one.text, ask=one.ask, wrong=_wrong(world, one)) for one in checks]


def _wrong(world: World, fact: Fact) -> list[str]:
    try:
        return [_sentence(world, fact, what, found) for what, found in unmet(world, fact).items()]
    except ValueError as error:
        return [str(error)]


def _sentence(world: World, fact: Fact, what: str, found: Any) -> str:
    """Why a check is red: what became of the packet, what its sender notices, and what should have become of it."""
    wanted = fact.expect[what]
    if what == "verdict":
        seen = answer(world, fact, "symptom")
        notices = " " + _("The sender notices: %(seen)s.") % {"seen": seen} if seen else ""
        is_so = _("The verdict is %(found)s: %(meaning)s.") % {"found": found, "meaning": VERDICTS[found]}
        must = _("It must be %(wanted)s: %(meaning)s.") % {"wanted": wanted, "meaning": VERDICTS[wanted]}
        return f"{is_so}{notices} {must}"
    if what == "masqueraded":
        return _("The sender's address is rewritten on the way %(found)s times; it must be %(wanted)s times.") % {
            "found": found,
            "wanted": wanted,
        }
    if what == "pods":
        return _("The number of pods that %(count)s connections reach is %(found)s; it must be %(wanted)s.") % {
            "count": fact.connections,
            "found": found,
            "wanted": wanted,
        }
    return _("The answer %(what)s is %(found)r; it must be %(wanted)r.") % {
        "what": what,
        "found": found,
        "wanted": wanted,
    }
