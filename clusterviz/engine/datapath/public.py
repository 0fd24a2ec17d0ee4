"""What lies outside: names public DNS may know, and addresses no router carries.

Public DNS is not asked, so this is a judgement: a name is taken to exist outside when it is well formed
and ends as names on the Internet or in company networks do.
"""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from clusterviz.engine.addresses import canonical, family

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster

# A snapshot never changes, so what was found for it holds as long as it lives.
_OUTER: WeakKeyDictionary[Cluster, dict[str, tuple[str, str]]] = WeakKeyDictionary()
LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
ENDINGS = frozenset(
    [
        "com",
        "org",
        "net",
        "edu",
        "gov",
        "mil",
        "int",
        "info",
        "biz",
        "name",
        "pro",
        "app",
        "dev",
        "page",
        "cloud",
        "online",
        "site",
        "store",
        "shop",
        "tech",
        "xyz",
        "top",
        "live",
        "news",
        "blog",
        "agency",
        "digital",
        "systems",
        "services",
        "solutions",
        "software",
        "network",
        "email",
        "company",
        "world",
        "global",
        "group",
        "team",
        "bank",
        "finance",
        "health",
        "media",
        "tools",
        "zone",
        "space",
        "run",
        "build",
        "studio",
        "design",
        "example",
        "test",
        "internal",
        "corp",
        "lan",
        "intranet",
        "private",
        "home",
        "arpa",
    ]
)

COUNTRIES = frozenset(
    re.findall(
        r"\w\w",
        """
    ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs bt bw by bz ca cc cd
    cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er es et eu fi fj fk fm fo fr ga gd ge
    gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq ir is it je jm jo jp ke kg kh
    ki km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mg mh mk ml mm mn mo mp mq mr ms mt mu mv mw
    mx my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re ro rs ru rw sa sb
    sc sd se sg sh si sj sk sl sm sn so sr ss st su sv sx sy sz tc td tf tg th tj tk tl tm tn to tr tt tv tw tz ua ug
    uk us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw
    """,
    )
)


def unknown_outside(cluster: Cluster, host: str) -> str:
    """Why a name is taken not to exist outside, "" when it may.

    ``host`` is lower case without a trailing dot. A name that ends in a namespace of the cluster is a slip of
    the pen, not a site.
    """
    labels = host.split(".")
    if len(host) > 253 or not all(LABEL.fullmatch(label) for label in labels):
        return f"{host!r} is not a well-formed name"
    ending = labels[-1]
    if len(labels) == 1:
        return f"{host} has no dot and no Service has that name"
    if len(labels) == 2 and ending in cluster.namespace_names:
        return f"namespace {ending} has no Service {labels[0]} that has an address"
    spaces = [ending] if len(labels) == 3 else []
    spaces += [space for space, name in cluster.services if name == ending] if len(labels) == 2 else []
    for space in spaces:
        if (space, labels[1]) in cluster.services:
            return f"Service {space}/{labels[1]} has no endpoint that is ready and named {labels[0]}"
    if ending in ENDINGS or ending in COUNTRIES or ending.startswith("xn--"):
        return ""
    return f"no Service has that name; public DNS is not asked, and .{ending} is taken for no ending used there"


@lru_cache(maxsize=65536)
def unroutable(ip: str) -> str:
    """Why no router carries packets to an address, "" when it may."""
    address = ipaddress.ip_address(ip)
    if address.is_unspecified:
        return "it means no address at all"
    if address.is_multicast:
        return "it is a multicast address, not a machine"
    if ip == "255.255.255.255":
        return "it is the broadcast address"
    if address.version == 6 and address.is_link_local:
        return "a link-local address needs its interface"
    if address.version == 4 and int(address) >= int(ipaddress.ip_address("240.0.0.0")):
        return "the block is reserved"
    return ""


def handed_on(cluster: Cluster, ip: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Where the provider's gateway leads what comes from outside for a node's ExternalIP, and that it is assumed.

    One address stands for the other: the InternalIP of the same family; any other address is itself.
    """
    if ip in cluster.node_by_ip or ip in cluster.services_by_ip:
        return ip, ()
    found = _outer_ips(cluster).get(ip)
    if found is None:
        return ip, ()
    name, inner = found
    text = f"The provider's gateway translates {ip}, the ExternalIP of node {name}, to {inner} and back."
    return inner, (("node-external-ip", text),)


def _outer_ips(cluster: Cluster) -> dict[str, tuple[str, str]]:
    """ExternalIPs of all nodes: the name of the node, and its InternalIP of that family."""
    known = _OUTER.get(cluster)
    if known is None:
        known = _OUTER[cluster] = {}
        for node in cluster.nodes.values():
            status = (cluster.objects.get(("Node", "", node.name)) or {}).get("status") or {}
            for entry in status.get("addresses") or ():
                ip = canonical(str(entry.get("address"))) if entry.get("type") == "ExternalIP" else ""
                inner = next((own for own in node.ips if ip and family(own) == family(ip)), "")
                if inner:
                    known.setdefault(ip, (node.name, inner))
    return known
