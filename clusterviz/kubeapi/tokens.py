"""The unguessable part of the API's address: who holds it has its role, until it is revoked.

kubectl sends no credentials over plain HTTP, so the path is the credential. Nothing secret is stored: a token is
signed with Django's secret key and names the cluster, the role and a generation; a new generation ends the old ones.
"""

from __future__ import annotations

from typing import NamedTuple

from django.db import transaction
from django.utils.crypto import constant_time_compare, salted_hmac

from clusterviz.cluster.models import ApiAccess, Cluster
from clusterviz.live.access import Role

_LETTER = {Role.VIEWER: "v", Role.EDITOR: "e"}
_ROLE = {letter: role for role, letter in _LETTER.items()}
MOST = 200


class Claim(NamedTuple):
    """What a token says of itself; nothing is true before `proven`."""

    cluster: str
    role: Role
    token: str


def sign(name: str, identity: int, role: Role, generation: int) -> str:
    """The token of a cluster (its name and its row's id) for a role."""
    said = f"{name}.{_LETTER[role]}.{generation}"
    proof = salted_hmac("clusterviz.kubeapi", f"{identity}/{said}", algorithm="sha256").hexdigest()
    return f"{said}.{proof[:40]}"


def read(token: str) -> Claim | None:
    """What a token claims, None when it is not one."""
    parts = token.split(".")
    if len(token) > MOST or len(parts) != 4 or parts[1] not in _ROLE:
        return None
    return Claim(parts[0], _ROLE[parts[1]], token)


def proven(claim: Claim, identity: int, grants: dict[str, int]) -> bool:
    """Whether the token is the present one; ``grants`` are generations by role."""
    present = sign(claim.cluster, identity, claim.role, grants.get(claim.role.value, 1))
    return constant_time_compare(present, claim.token)


def token_for(cluster: Cluster, role: Role) -> str:
    """The present token."""
    row = ApiAccess.objects.filter(cluster=cluster, role=role.value).first()
    return sign(cluster.name, cluster.pk, role, row.generation if row else 1)


@transaction.atomic
def revoke(cluster: Cluster, role: Role) -> str:
    """End every kubeconfig of a role; answers the new token."""
    row, _ = ApiAccess.objects.select_for_update().get_or_create(cluster=cluster, role=role.value)
    row.generation += 1
    row.save()
    return token_for(cluster, role)
