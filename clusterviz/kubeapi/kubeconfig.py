"""The file kubectl reads: one cluster, one context, and a user without credentials, since the address is one."""

from __future__ import annotations

import yaml

from clusterviz.cluster.models import Cluster
from clusterviz.kubeapi.tokens import token_for
from clusterviz.live.access import Role


def kubeconfig(cluster: Cluster, role: Role, server: str) -> str:
    """The kubeconfig of a role; ``server`` is where ClusterViz is reached (``http://127.0.0.1:8000``)."""
    context = f"clusterviz-{cluster.name}" + ("" if role.may_change else f"-{role}")
    address = f"{server.rstrip('/')}/k8s/{token_for(cluster, role)}"
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": context, "cluster": {"server": address}}],
        "users": [{"name": context, "user": {}}],
        "contexts": [{"name": context, "context": {"cluster": context, "user": context}}],
        "current-context": context,
    }
    text: str = yaml.safe_dump(document, sort_keys=False, width=1000)
    return text
