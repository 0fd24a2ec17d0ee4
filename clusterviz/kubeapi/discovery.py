"""What a client asks first: which groups, versions and resources there are, aggregated or plain."""

from __future__ import annotations

from typing import Any

from clusterviz.kubeapi.registry import GIT_VERSION, MINOR, REVIEWS, Registry, Resource

# The version of Kubernetes whose schemas are published.
VERSION = {
    "major": "1",
    "minor": str(MINOR),
    "gitVersion": GIT_VERSION,
    "gitCommit": "",
    "gitTreeState": "clean",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "",
    "compiler": "",
    "platform": "clusterviz/simulated",
}
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v={};as=APIGroupDiscoveryList"
# A sub-resource's kind and group, and what may be done with it.
_SUBS: dict[str, tuple[str, str, str, tuple[str, ...]]] = {
    "log": ("", "v1", "Pod", ("get",)),
    "exec": ("", "v1", "PodExecOptions", ("create", "get")),
    "attach": ("", "v1", "PodAttachOptions", ("create", "get")),
    "portforward": ("", "v1", "PodPortForwardOptions", ("create", "get")),
    "ephemeralcontainers": ("", "v1", "Pod", ("get", "patch", "update")),
    "token": ("authentication.k8s.io", "v1", "TokenRequest", ("create",)),
    "eviction": ("policy", "v1", "Eviction", ("create",)),
    "scale": ("autoscaling", "v1", "Scale", ("get", "patch", "update")),
    "finalize": ("", "v1", "Namespace", ("update",)),
}


def _sub(resource: Resource, name: str) -> tuple[str, str, str, tuple[str, ...]]:
    return _SUBS.get(name, (resource.group, resource.version, resource.kind, ("get", "patch", "update")))


def wants_aggregated(accept: str) -> str:
    """The version of aggregated discovery a client prefers, "" for the plain documents."""
    for media in accept.split(","):
        parts = dict(part.strip().partition("=")[::2] for part in media.split(";"))
        if parts.get("as") == "APIGroupDiscoveryList" and parts.get("v") in ("v2", "v2beta1"):
            return parts["v"]
        if "as" not in parts and "application/json" in parts:
            return ""
    return ""


def aggregated(registry: Registry, *, core: bool, version: str) -> dict[str, Any]:
    """All groups (or the core group alone) with their resources in one document."""
    groups = {name: found for name, found in registry.groups().items() if (name == "") == core}
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": f"apidiscovery.k8s.io/{version}",
        "metadata": {},
        "items": [
            {
                "metadata": {"name": name, "creationTimestamp": None} if name else {"creationTimestamp": None},
                "versions": [
                    {"version": one, "resources": _discovered(registry, name, one), "freshness": "Current"}
                    for one in versions
                ],
            }
            for name, versions in groups.items()
        ],
    }


def _discovered(registry: Registry, group: str, version: str) -> list[dict[str, Any]]:
    found = []
    for one in registry.in_version(group, version):
        entry: dict[str, Any] = {
            "resource": one.plural,
            "responseKind": {"group": one.group, "version": one.version, "kind": one.kind},
            "scope": "Namespaced" if one.namespaced else "Cluster",
            "singularResource": one.singular,
            "verbs": list(one.verbs),
        }
        if one.short:
            entry["shortNames"] = list(one.short)
        if one.categories:
            entry["categories"] = list(one.categories)
        subs = []
        for name in one.subresources:
            sub_group, sub_version, kind, verbs = _sub(one, name)
            answer = {"group": sub_group, "version": sub_version, "kind": kind}
            subs.append({"subresource": name, "responseKind": answer, "verbs": list(verbs)})
        if subs:
            entry["subresources"] = subs
        found.append(entry)
    for (api_version, plural), kind in REVIEWS.items():
        if api_version == f"{group}/{version}":
            answer = {"group": group, "version": version, "kind": kind}
            found.append(
                {
                    "resource": plural,
                    "responseKind": answer,
                    "scope": "Cluster",
                    "singularResource": kind.lower(),
                    "verbs": ["create"],
                }
            )
    return found


def api_versions() -> dict[str, Any]:
    """``GET /api``."""
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}


def group_list(registry: Registry) -> dict[str, Any]:
    """``GET /apis``."""
    groups = [_group(name, versions) for name, versions in registry.groups().items() if name]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def group(registry: Registry, name: str) -> dict[str, Any] | None:
    """``GET /apis/GROUP``."""
    versions = registry.groups().get(name)
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(name, versions)} if versions and name else None


def _group(name: str, versions: list[str]) -> dict[str, Any]:
    found = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": found, "preferredVersion": found[0]}


def resource_list(registry: Registry, group_name: str, version: str) -> dict[str, Any] | None:
    """``GET /api/v1`` and ``GET /apis/GROUP/VERSION``."""
    if version not in registry.groups().get(group_name, ()):
        return None
    found: list[dict[str, Any]] = []
    for one in registry.in_version(group_name, version):
        entry: dict[str, Any] = {
            "name": one.plural,
            "singularName": one.singular,
            "namespaced": one.namespaced,
            "kind": one.kind,
            "verbs": list(one.verbs),
        }
        if one.short:
            entry["shortNames"] = list(one.short)
        if one.categories:
            entry["categories"] = list(one.categories)
        found.append(entry)
        for name in one.subresources:
            sub_group, sub_version, kind, verbs = _sub(one, name)
            found.append(
                {
                    "name": f"{one.plural}/{name}",
                    "singularName": "",
                    "namespaced": one.namespaced,
                    "group": sub_group,
                    "version": sub_version,
                    "kind": kind,
                    "verbs": list(verbs),
                }
            )
    for (api_version, plural), kind in REVIEWS.items():
        if api_version == f"{group_name}/{version}":
            found.append(
                {"name": plural, "singularName": kind.lower(), "namespaced": False, "kind": kind, "verbs": ["create"]}
            )
    api_version = f"{group_name}/{version}" if group_name else version
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": api_version, "resources": found}
