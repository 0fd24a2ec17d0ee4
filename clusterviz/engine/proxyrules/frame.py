"""The rules that stand on every node, whatever Services there are (IPT-01, IPT-12, IPT-13)."""

from __future__ import annotations

from collections.abc import Iterable

from clusterviz.engine.proxyrules.names import (
    EXTERNAL,
    FIREWALL,
    FORWARD,
    MARK_MASQ,
    NODEPORTS,
    POSTROUTING,
    PROXY_FIREWALL,
    SERVICES,
    comment,
    host,
)
from clusterviz.engine.proxyrules.table import Table

NEW = "-m conntrack --ctstate NEW"
PORTALS = comment("kubernetes service portals")
VISIBLE = comment("kubernetes externally-visible service portals")
BALANCER = comment("kubernetes load balancer firewall")
HEALTH = comment("kubernetes health check service ports")
FORWARDING = comment("kubernetes forwarding rules")
LAST = comment("kubernetes service nodeports; NOTE: this must be the last rule in this chain")
MASQUERADE_MARK = "0x4000/0x4000"
INVALID_COUNTER = "ct_state_invalid_dropped_pkts"


def filter_table(version: int, *, accounting: bool) -> Table:
    """The filter table before any Service is in it."""
    table = Table("filter", ("INPUT", "FORWARD", "OUTPUT"))
    table.chain(SERVICES, EXTERNAL, FORWARD, NODEPORTS, PROXY_FIREWALL, FIREWALL)
    table.add("INPUT", NEW, BALANCER, f"-j {PROXY_FIREWALL}")
    table.add("INPUT", HEALTH, f"-j {NODEPORTS}")
    table.add("INPUT", NEW, VISIBLE, f"-j {EXTERNAL}")
    table.add("INPUT", f"-j {FIREWALL}")
    table.add("FORWARD", NEW, BALANCER, f"-j {PROXY_FIREWALL}")
    table.add("FORWARD", FORWARDING, f"-j {FORWARD}")
    table.add("FORWARD", NEW, PORTALS, f"-j {SERVICES}")
    table.add("FORWARD", NEW, VISIBLE, f"-j {EXTERNAL}")
    table.add("OUTPUT", NEW, BALANCER, f"-j {PROXY_FIREWALL}")
    table.add("OUTPUT", NEW, PORTALS, f"-j {SERVICES}")
    table.add("OUTPUT", f"-j {FIREWALL}")
    counter = f"-m nfacct --nfacct-name {INVALID_COUNTER}" if accounting else ""
    table.add(FORWARD, "-m conntrack --ctstate INVALID", counter, "-j DROP")
    table.add(FORWARD, FORWARDING, f"-m mark --mark {MASQUERADE_MARK}", "-j ACCEPT")
    established = "-m conntrack --ctstate RELATED,ESTABLISHED"
    table.add(FORWARD, comment("kubernetes forwarding conntrack rule"), established, "-j ACCEPT")
    if version == 4:  # kubelet writes the same rule, whatever kube-proxy does about localhost
        loopback = "! -s 127.0.0.0/8 -d 127.0.0.0/8"
        state = "-m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT"
        table.add(FIREWALL, loopback, comment("block incoming localnet connections"), state, "-j DROP")
    return table


def nat_table() -> Table:
    """The nat table before any Service is in it."""
    table = Table("nat", ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"))
    table.chain(SERVICES, NODEPORTS)
    table.add("PREROUTING", PORTALS, f"-j {SERVICES}")
    table.add("OUTPUT", PORTALS, f"-j {SERVICES}")
    table.add("POSTROUTING", comment("kubernetes postrouting rules"), f"-j {POSTROUTING}")
    table.add(MARK_MASQ, f"-j MARK --set-xmark {MASQUERADE_MARK}")
    table.add(POSTROUTING, f"-m mark ! --mark {MASQUERADE_MARK}", "-j RETURN")
    table.add(POSTROUTING, "-j MARK --set-xmark 0x4000/0x0")
    snat = comment("kubernetes service traffic requiring SNAT")
    table.add(POSTROUTING, snat, "-j MASQUERADE --random-fully")
    return table


def node_port_rules(table: Table, version: int, addresses: Iterable[str] | None, *, localhost: bool) -> None:
    """The last rules of KUBE-SERVICES: which addresses node ports answer on (IPT-02, PX-12).

    ``addresses`` None means every local one; else each gets its own rule.
    """
    if addresses is not None:
        for ip in addresses:
            table.add(SERVICES, f"-d {host(ip)}", LAST, f"-j {NODEPORTS}")
        return
    excluded = ""
    if version == 6:
        excluded = "! -d ::1/128"
    elif not localhost:
        excluded = "! -d 127.0.0.0/8"
    table.add(SERVICES, excluded, LAST, "-m addrtype --dst-type LOCAL", f"-j {NODEPORTS}")
