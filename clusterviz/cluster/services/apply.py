"""Create or replace objects: all of them, or none."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from clusterviz.cluster import store
from clusterviz.cluster.columns import Obj
from clusterviz.cluster.keys import Key, describe, is_foreign, key_of, presented
from clusterviz.cluster.models import Cluster, Node, Pod, Service
from clusterviz.cluster.services import capacity, defined, journal
from clusterviz.cluster.services.admission import admit, carry_over, counted, fill, new_namespaces
from clusterviz.cluster.services.errors import Entry, Invalid, Summary
from clusterviz.cluster.services.notices import useless, why_ignored
from clusterviz.engine.controllers.pods import ended
from clusterviz.engine.errors import AddressError
from clusterviz.engine.manifests.convert import normalize
from clusterviz.engine.manifests.problem import Problem
from clusterviz.engine.manifests.read import Document
from clusterviz.engine.parse import Reader
from clusterviz.engine.validation import Flaws, check_allocation, validate

Wishes = dict[Key, tuple[Document, Obj]]


@transaction.atomic
def apply_objects(
    cluster: Cluster, objects: Iterable[Obj | Document], *, actor: str, dry_run: bool = False, more: bool = False
) -> Summary:
    """Create or replace ``objects`` in one transaction.

    Addresses kube-apiserver gives out on creation are filled in and missing namespaces are made. Where ``more`` objects
    are still to come one by one, nothing is said of what only misses another one, a Service's pods for example.
    Raises `Invalid` when any object would be refused; then nothing has changed.
    """
    summary = Summary(dry_run=dry_run)
    problems: list[Problem] = []
    wishes = read_wishes(objects, summary, problems)
    before = store.find(cluster, wishes)
    flawed = refused(wishes, before, problems) | _by_definition(cluster, wishes, summary, problems)
    after = {key: carry_over(obj, before.get(key)) for key, (_, obj) in wishes.items() if key not in flawed}
    world = _world(cluster, after)
    # What can be checked of the sound ones is checked all the same: one round of corrections, not two.
    problems += _conflicts(cluster, wishes, after, world)
    if problems:
        raise Invalid(problems)
    capacity.check(cluster, after)
    spaces = new_namespaces(cluster, {key[1] for key in wishes if key[1]}, wishes)
    _allocate(cluster, after, world)
    _sort(wishes, before, after, summary)
    summary.created[:0] = [
        Entry(kind="Namespace", namespace="", name=obj["metadata"]["name"], why="made because a manifest names it")
        for obj in spaces
    ]
    changed = [key for key, obj in after.items() if obj != before.get(key)]
    writes = [*spaces, *(admit(counted(after[key], before.get(key))) for key in changed)]
    if not more:
        summary.warnings += useless(cluster, after, {key: document for key, (document, _) in wishes.items()})
    if not dry_run:
        store.write(cluster, writes)
        journal.record(cluster, actor=actor, sets=writes)
    return summary


def read_wishes(objects: Iterable[Obj | Document], summary: Summary, problems: list[Problem]) -> Wishes:
    """Objects by key, in one shape; what cannot be named is a problem."""
    wishes: Wishes = {}
    for item in objects:
        document = item if isinstance(item, Document) else Document(object=item)
        obj, notes = normalized(document.object)
        if flaws := validate(obj, known=False):
            problems += [document.problem(flaw.message, object_=_name(obj), field=flaw.field) for flaw in flaws]
            continue
        key = key_of(obj)
        if key in wishes:
            summary.warnings.append(_entry(key, document, "stands twice: the last one counts"))
        summary.warnings += [_entry(key, document, note) for note in notes]
        wishes[key] = document, obj
    return wishes


def normalized(obj: Obj) -> tuple[Obj, list[str]]:
    """`normalize`, which takes no other group's kind for one of ours."""
    found, notes = normalize(presented(obj))
    return {**found, "kind": obj["kind"]} if "kind" in obj else found, notes


def refused(wishes: Wishes, before: dict[Key, Obj], problems: list[Problem]) -> set[Key]:
    """Add what kube-apiserver would refuse to ``problems``; answers which objects that are."""
    flawed: set[Key] = set()
    for key, (document, obj) in wishes.items():
        for flaw in validate(obj, before.get(key), known=not is_foreign(obj)):
            flawed.add(key)
            problems.append(document.problem(flaw.message, object_=describe(key), field=flaw.field))
    return flawed


def _by_definition(cluster: Cluster, wishes: Wishes, summary: Summary, problems: list[Problem]) -> set[Key]:
    """Shape custom objects by their definitions; answers those that are refused, for what was added to ``problems``."""
    known = defined.definitions(cluster, {key: obj for key, (_, obj) in wishes.items()})
    flawed: set[Key] = set()
    for key, (document, obj) in wishes.items():
        if key[0] not in known:
            continue
        found, flaws, lost = defined.shaped(obj, known[key[0]])
        wishes[key] = document, found
        problems += [document.problem(flaw.message, object_=describe(key), field=flaw.field) for flaw in flaws]
        flawed |= {key} if flaws else set()
        summary.warnings += [_entry(key, document, f'unknown field "{path}"') for path in lost]
    return flawed


def _world(cluster: Cluster, after: dict[Key, Obj]) -> dict[Key, Obj]:
    """Services and nodes as they would be; empty when no address is at stake."""
    if not any(key[0] in ("Service", "Node", "Pod") for key in after):
        return {}
    world = {key_of(obj): obj for obj in store.load(cluster, (Service, Node))}
    world.update({key: obj for key, obj in after.items() if key[0] in ("Service", "Node")})
    return world


def _conflicts(cluster: Cluster, wishes: Wishes, after: dict[Key, Obj], world: dict[Key, Obj]) -> list[Problem]:
    """Addresses and ports that are out of range or somebody else's."""
    settings = cluster.engine_settings
    ips, ports = held(world)
    problems = []
    for key, obj in after.items():
        flaws = Flaws()
        if key[0] == "Service":
            check_allocation(flaws, Reader(obj, ""), settings, ips, ports, key)
        elif key[0] == "Node":
            _check_node(flaws, world, key)
        problems += [wishes[key][0].problem(flaw.message, object_=describe(key), field=flaw.field) for flaw in flaws]
    return problems + _pod_addresses(cluster, wishes, after)


def _allocate(cluster: Cluster, after: dict[Key, Obj], world: dict[Key, Obj]) -> None:
    """Give out the addresses nobody asked for."""
    if not world:
        return
    try:
        after.update(fill(world, cluster.engine_settings, after))
    except AddressError as error:
        raise Invalid(f"failed to allocate: {error}") from None


def held(world: dict[Key, Obj]) -> tuple[dict[str, Key], dict[tuple[str, int], Key]]:
    """Who holds which ClusterIP and node port; the first one counts."""
    ips: dict[str, Key] = {}
    ports: dict[tuple[str, int], Key] = {}
    for key, obj in world.items():
        if key[0] != "Service":
            continue
        spec = obj.get("spec") or {}
        for ip in spec.get("clusterIPs") or [spec.get("clusterIP")]:
            if ip and ip != "None":
                ips.setdefault(ip, key)
        for port in spec.get("ports") or []:
            if port.get("nodePort"):
                ports.setdefault((port.get("protocol", "TCP"), port["nodePort"]), key)
    return ips, ports


def _check_node(flaws: Flaws, world: dict[Key, Obj], key: Key) -> None:
    """No two nodes share an address or a pod CIDR."""
    mine = world[key]
    addresses = {e.get("address") for e in _internal(mine)}
    cidr = (mine.get("spec") or {}).get("podCIDR")
    for other, obj in world.items():
        if other[0] != "Node" or other == key:
            continue
        for entry in _internal(obj):
            if entry.get("address") in addresses:
                flaws.invalid("status.addresses", entry["address"], f"already the address of node {other[2]}")
        if cidr and (obj.get("spec") or {}).get("podCIDR") == cidr:
            flaws.invalid("spec.podCIDR", cidr, f"already the pod CIDR of node {other[2]}")


def _internal(node: Obj) -> list[Obj]:
    return [e for e in (node.get("status") or {}).get("addresses") or [] if e.get("type") == "InternalIP"]


def _pod_addresses(cluster: Cluster, wishes: Wishes, after: dict[Key, Obj]) -> list[Problem]:
    """A pod IP belongs to one pod (NET-01); hostNetwork pods share their node's (NET-02)."""
    wanted: dict[str, Key] = {}
    problems = []
    for key, obj in after.items():
        ip = (obj.get("status") or {}).get("podIP") if key[0] == "Pod" else None
        if not ip or (obj.get("spec") or {}).get("hostNetwork") or ended(obj):
            continue
        if ip in wanted:
            problems.append(_taken(wishes, key, ip, wanted[ip]))
        wanted.setdefault(ip, key)
    rows = Pod.objects.filter(cluster=cluster, ip__in=list(wanted)[:10_000], host_network=False)
    for ip, namespace, name, phase in rows.values_list("ip", "namespace__name", "name", "phase"):
        other = ("Pod", namespace, name)
        if phase not in ("Succeeded", "Failed") and other not in after:
            problems.append(_taken(wishes, wanted[ip], ip, other))
    return problems


def _taken(wishes: Wishes, key: Key, ip: str, other: Key) -> Problem:
    flaws = Flaws()
    flaws.invalid("status.podIP", ip, f"already the address of {describe(other)}")
    return wishes[key][0].problem(flaws[0].message, object_=describe(key), field="status.podIP")


def _sort(wishes: Wishes, before: dict[Key, Obj], after: dict[Key, Obj], summary: Summary) -> None:
    """Which object was created, changed, unchanged, or kept without being understood."""
    for key, obj in after.items():
        document = wishes[key][0]
        if why := why_ignored(key, obj):
            summary.ignored.append(_entry(key, document, why))
        elif key not in before:
            summary.created.append(_entry(key, document))
        elif before[key] == obj:
            summary.unchanged.append(_entry(key, document))
        else:
            summary.changed.append(_entry(key, document))


def _entry(key: Key, document: Document, why: str = "") -> Entry:
    kind, namespace, name = key
    return Entry(
        kind=kind,
        namespace=namespace,
        name=name,
        file=document.file,
        document=document.document,
        line=document.line,
        why=why,
    )


def _name(obj: Obj) -> str:
    metadata = obj.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return " ".join(str(part) for part in (obj.get("kind"), name) if part)
