"""Who asks, of which cluster, about what."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec

from clusterviz.kubeapi.registry import Resource
from clusterviz.kubeapi.status import unavailable
from clusterviz.kubeapi.store import Store
from clusterviz.kubeapi.tokens import Claim, proven
from clusterviz.live.access import Role
from clusterviz.live.instance import Live
from clusterviz.live.keeper import Keeper

# A write is answered when the picture has it; so long it may take on a busy machine.
PATIENCE = 10.0


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What a path means: all objects of a kind, one object, or a part of one."""

    resource: Resource
    namespace: str = ""
    name: str = ""
    sub: str = ""


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """The cluster behind a token."""

    claim: Claim
    keeper: Keeper
    store: Store
    live: Live

    @property
    def role(self) -> Role:
        """What the holder of the token may do."""
        return self.claim.role

    @property
    def valid(self) -> bool:
        """False once the token was revoked or the cluster deleted."""
        kept = self.live.crew.keepers.get(self.claim.cluster) is self.keeper
        return kept and proven(self.claim, self.keeper.identity, self.keeper.grants)

    async def write(self, function: Callable[..., Any], *args: Any) -> Any:
        """Run a wish away from the loop and wait until the cluster in memory has it.

        ``function`` answers the journal's last line and what is handed on.
        """
        line, found = await self.live.crew.aside(function, *args)
        self.live.crew.poke()
        try:
            async with asyncio.timeout(PATIENCE):
                while self.keeper.position < line:
                    await self.store.more(0.01)
        except TimeoutError:
            raise unavailable("the change is stored, and the simulator has not taken it in yet", 5) from None
        return found
