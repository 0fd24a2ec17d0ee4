"""Where the lines of one Service stand in the whole text of a node, without that text being written.

A text of one Service alone tells the order of its lines; what every other Service would add before each is counted,
from what the writers say of it. That is kept with the Service (`Lookups.extents`) until it or its endpoints change.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable
from itertools import accumulate
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import msgspec

from clusterviz.engine.objects import Node, Service
from clusterviz.engine.proxyrules import nftservice, service
from clusterviz.engine.proxyrules.detector import detector
from clusterviz.engine.proxyrules.frame import nat_table
from clusterviz.engine.proxyrules.iptables import flags_of
from clusterviz.engine.proxyrules.names import NODEPORTS, SERVICES
from clusterviz.engine.proxyrules.nftframe import frame
from clusterviz.engine.proxyrules.nftservice import NftPortal
from clusterviz.engine.proxyrules.nfttable import NftTable
from clusterviz.engine.proxyrules.portals import portals, proxied
from clusterviz.engine.proxyrules.table import Table

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster

Name = tuple[str, str]
Names = frozenset[Name]
Shared = tuple[str, str]
# After the key of an element comes its comment or its verdict.
KEY_END = re.compile(r" comment | : ")


class Extent(msgspec.Struct, frozen=True, kw_only=True):
    """What one Service adds to the text of a node.

    iptables: ``shared`` counts rules in chains it has with others, by table and chain; ``names`` are chains of its own,
    all in nat, and ``before`` how many rules stand in the first so many of them. nftables: ``first`` and ``then`` are
    its elements, (map, key), in the two passes in which they are put; ``sets`` and ``chains`` count lines.
    """

    shared: dict[Shared, int] = {}
    names: tuple[str, ...] = ()
    before: tuple[int, ...] = (0,)
    first: tuple[Shared, ...] = ()
    then: tuple[Shared, ...] = ()
    sets: int = 0
    chains: int = 0


NOTHING = Extent()


class _Iptables:
    """All Services of one node and family, in the order they are written."""

    def __init__(self, found: dict[Name, Extent]) -> None:
        self._found = found
        self._order = {name: place for place, name in enumerate(found)}
        chains = {chain for extent in found.values() for chain in extent.shared}
        self._shared = {
            chain: [0, *accumulate(extent.shared.get(chain, 0) for extent in found.values())] for chain in chains
        }
        self._declared = sum(len(extent.names) for extent in found.values())
        self._builtin = nat_table().builtin
        self._known: dict[tuple[Names, str, str, int], int] = {}

    def shift(self, mine: Names, _owner: Name, table: str, chain: str, index: int, _text: str) -> int:
        """Lines of other Services before the rule ``index`` of a chain, in the text of ``mine`` alone."""
        ahead = list[Name]()
        for name in sorted(mine):
            rules = self._extent(name).shared.get((table, chain), 0)
            if index < rules:
                break
            index -= rules
            ahead.append(name)
        key = mine, table, chain, len(ahead)
        if key not in self._known:
            self._known[key] = self._before(mine, table, chain, ahead)
        return self._known[key]

    def _extent(self, name: Name) -> Extent:
        return self._found.get(name, NOTHING)

    def _before(self, mine: Names, table: str, chain: str, ahead: list[Name]) -> int:
        """``ahead`` are those of ``mine`` whose rules in the chain stand before the one asked about."""
        own = [self._extent(name) for name in mine]
        writer = next((name for name in sorted(mine) if name not in ahead), None)
        count = 0
        for (where, shared), sums in self._shared.items():
            if where < table or (where == table and chain not in self._builtin and shared < chain):
                count += sums[-1] - sum(one.shared.get((where, shared), 0) for one in own)
            elif (where, shared) == (table, chain):
                count += sums[-1] if writer is None else sums[self._order.get(writer, 0)]
                count -= sum(self._extent(name).shared.get((where, shared), 0) for name in ahead)
        if table == "nat":
            count += self._declared - sum(len(one.names) for one in own)
            if chain not in self._builtin:
                count += sum(one.before[bisect_left(one.names, chain)] for one in self._found.values())
                count -= sum(one.before[bisect_left(one.names, chain)] for one in own)
        return count


class _Nftables:
    """As `_Iptables`; of an address that two Services claim, the first has the element."""

    def __init__(self, found: dict[Name, Extent], table: NftTable) -> None:
        self._found = found
        self._frame = table.names()
        self._elements: dict[str, dict[str, int]] = {name: {} for name in table.sets()}
        for elements in (*(one.first for one in found.values()), *(one.then for one in found.values())):
            _put(self._elements, elements)
        self._sets = sum(extent.sets for extent in found.values())
        sums = accumulate((extent.chains for extent in found.values()), initial=0)
        self._chains = dict(zip(found, sums, strict=False))

    def shift(self, mine: Names, owner: Name, _table: str, chain: str, _index: int, text: str) -> int:
        """Lines of other Services before an element of a map, or a rule of a chain, which is the ``owner``'s."""
        extents = [self._found.get(name, NOTHING) for name in sorted(mine)]
        own: dict[str, dict[str, int]] = {name: {} for name in self._elements}
        for elements in (*(one.first for one in extents), *(one.then for one in extents)):
            _put(own, elements)
        count = 0
        for name, known in self._elements.items():
            if name == chain:
                key = KEY_END.split(text, 1)[0]
                return count + known[key] - own[name][key]
            count += len(known) - len(own[name])
        count += self._sets - sum(one.sets for one in extents)
        if chain in self._frame:
            return count
        return count + self._chains[owner] - sum(self._found[name].chains for name in mine if name < owner)


def _put(maps: dict[str, dict[str, int]], elements: Iterable[Shared]) -> None:
    for name, key in elements:
        known = maps[name]
        known.setdefault(key, len(known))


Places = _Iptables | _Nftables
# A snapshot never changes, so what was counted for it holds as long as it lives.
_COUNTED: WeakKeyDictionary[Cluster, dict[tuple[str, int], Places]] = WeakKeyDictionary()


def places(cluster: Cluster, node: Node, version: int) -> Places:
    """What tells, for the text of a few Services on a node, how many lines of others stand before each of theirs."""
    known = _COUNTED.setdefault(cluster, {})
    if (node.name, version) not in known:
        count = _nftables if cluster.settings.proxy_mode == "nftables" else _iptables
        known[node.name, version] = count(cluster, node, version)
    return known[node.name, version]


def _iptables(cluster: Cluster, node: Node, version: int) -> Places:
    flags = flags_of(cluster, node, version, accounting=True, large=False)  # comments make no lines

    def measure(name: Name) -> Extent:
        filtered, behind = dict[str, int](), dict[str, int]()
        for portal in portals(cluster, node, version, name):
            if not service.front(portal, flags, behind, filtered):
                filters, nat = Table("filter", ()), Table("nat", ())
                service.write_front(portal, node, flags, nat, filters)
                _add(filtered, filters.counts().items())
                _add(behind, nat.counts().items())
            _add(behind, service.behind(portal))
        shared = {("filter", chain): count for chain, count in filtered.items()}
        shared |= {("nat", chain): behind.pop(chain) for chain in (NODEPORTS, SERVICES) if chain in behind}
        names = tuple(sorted(behind))
        return Extent(shared=shared, names=names, before=(0, *accumulate(behind[name] for name in names)))

    return _Iptables(_extents(cluster, node, version, measure, bool(flags.pods)))


def _add(counts: dict[str, int], more: Iterable[tuple[str, int]]) -> None:
    for chain, count in more:
        counts[chain] = counts.get(chain, 0) + count


def _nftables(cluster: Cluster, node: Node, version: int) -> Places:
    pods = detector(cluster, node, version)

    def measure(name: Name) -> Extent:
        ports = [NftPortal(one, pods, cluster.settings.masquerade_all) for one in portals(cluster, node, version, name)]
        table, more = frame(version, (), None), [nftservice.behind(port) for port in ports]
        start = table.height()
        for port in ports:
            nftservice.put_cluster_ip(port, table)
        first = table.elements()
        for port in ports:
            nftservice.put_others(port, table)
            nftservice.write_front(port, node, table)
        return Extent(
            first=first,
            then=table.elements(),
            sets=sum(lines for lines, _ in more),
            chains=table.height() - start + sum(lines for _, lines in more),
        )

    return _Nftables(_extents(cluster, node, version, measure, bool(pods)), frame(version, (), ()))


def _extents(
    cluster: Cluster, node: Node, version: int, measure: Callable[[Name], Extent], *told: Any
) -> dict[Name, Extent]:
    """Of every Service, in the order they are written; kept where it is the same on every node."""
    found: dict[Name, Extent] = {}
    for one in proxied(cluster, None):
        name = one.namespace, one.name
        known = cluster.extents.get(name)
        if known is None:
            known = cluster.extents.put(name, {"": _by_place(cluster, one)})
        key = node.name if known[""] else "", version, *told
        extent = known.get(key)
        if extent is None:
            extent = known[key] = measure(name)
        found[name] = extent
    return found


def _by_place(cluster: Cluster, one: Service) -> bool:
    """Whether a Service has other rules on other nodes: local endpoints, hints, the node's address (PX-20)."""
    if "Local" in (one.internal_policy, one.external_policy) or one.distribution or one.source_ranges:
        return True
    return any(endpoint.zone_hints or endpoint.node_hints for endpoint in cluster.endpoints(one))
