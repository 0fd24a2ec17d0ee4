"""Names, labels, ports and addresses: each checker answers what is wrong, or ""."""

from __future__ import annotations

import ipaddress
import re

LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
SUBDOMAIN = rf"{LABEL}(\.{LABEL})*"
LABEL_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?"
QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
VALUE = f"({QUALIFIED})?"


def label(value: str) -> str:
    """RFC 1123 label: names of namespaces, containers, ports."""
    if len(value) > 63:
        return "must be no more than 63 characters"
    return _match(
        LABEL,
        value,
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must "
        "start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc'",
    )


def label_1035(value: str) -> str:
    """RFC 1035 label: names of Services."""
    if len(value) > 63:
        return "must be no more than 63 characters"
    return _match(
        LABEL_1035,
        value,
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "
        "alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123'",
    )


def subdomain(value: str) -> str:
    """RFC 1123 subdomain: names of most objects, DNS names."""
    if len(value) > 253:
        return "must be no more than 253 characters"
    return _match(
        SUBDOMAIN,
        value,
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
        "and must start and end with an alphanumeric character (e.g. 'example.com'",
    )


def path_segment(value: str) -> str:
    """Names of kinds without a stricter rule."""
    if value in (".", ".."):
        return f"may not be '{value}'"
    if "/" in value or "%" in value:
        return "may not contain '/' or '%'"
    return "must be no more than 253 characters" if len(value) > 253 else ""


def label_key(value: str) -> str:
    """Key of a label or annotation: an optional DNS prefix and a name."""
    prefix, slash, name = value.rpartition("/")
    if slash and (detail := subdomain(prefix)):
        return f"prefix part {detail}"
    if not name or len(name) > 63:
        return "name part must be non-empty" if not name else "name part must be no more than 63 characters"
    return _match(
        QUALIFIED,
        name,
        "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with "
        "an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc'",
    )


def label_value(value: str) -> str:
    """Value of a label."""
    if len(value) > 63:
        return "must be no more than 63 characters"
    return _match(
        VALUE,
        value,
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and "
        "must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345'",
    )


def port_name(value: str) -> str:
    """Name of a container port."""
    if len(value) > 15:
        return "must be no more than 15 characters"
    if not re.fullmatch("[-a-z0-9]+", value):
        return "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"
    if not re.search("[a-z]", value):
        return "must contain at least one letter (a-z)"
    if "--" in value:
        return "must not contain consecutive hyphens"
    return "must not begin or end with a hyphen" if value[0] == "-" or value[-1] == "-" else ""


def ip(value: str) -> str:
    """An IP address."""
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
    return ""


def cidr(value: str) -> str:
    """A CIDR; host bits are legal (NP-12)."""
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        return "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
    return "" if "/" in value else "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"


def _match(pattern: str, value: str, detail: str) -> str:
    return "" if re.fullmatch(pattern, value) else f"{detail}, regex used for validation is '{pattern}')"
