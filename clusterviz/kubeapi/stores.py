"""The store of each cluster of this process."""

from __future__ import annotations

import asyncio
import weakref

from clusterviz.kubeapi.store import Store
from clusterviz.live.keeper import Keeper, Replica

_stores: weakref.WeakKeyDictionary[Keeper, Store] = weakref.WeakKeyDictionary()
_making: dict[Keeper, asyncio.Future[None]] = {}


async def store_of(keeper: Keeper) -> Store | None:
    """The store of a cluster, made at the first question, beside the loop; None while the cluster is loading."""
    if keeper.replica is None:
        return None
    if keeper not in _stores:
        if keeper not in _making:
            _making[keeper] = asyncio.ensure_future(_made(keeper, keeper.replica))
        await asyncio.shield(_making[keeper])
    return _stores[keeper]


async def _made(keeper: Keeper, replica: Replica) -> None:
    try:
        loop = asyncio.get_running_loop()
        store = await asyncio.to_thread(Store, keeper.identity, replica.cluster, replica.events, loop)
        now = keeper.replica or replica
        if now.cluster is not replica.cluster:
            store.begin(now.cluster)
        known = set(map(id, replica.events))
        store.told([event for event in now.events if id(event) not in known])
        keeper.followers.append(store)
        _stores[keeper] = store
    finally:
        del _making[keeper]
