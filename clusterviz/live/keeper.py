"""One cluster kept alive: follows the journal, steps the simulator, tells the hub, checkpoints."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from django.conf import settings as django_settings
from django.db import OperationalError

from clusterviz.cluster.services.capacity import MAX_PODS
from clusterviz.engine import Cluster, Settings
from clusterviz.engine.cluster import Change
from clusterviz.engine.controllers import CONTROLLERS
from clusterviz.engine.controllers.work import Happening
from clusterviz.engine.objects import Key
from clusterviz.engine.probe import Probe
from clusterviz.live import database, groundwork, picture
from clusterviz.live.follower import Follower
from clusterviz.live.groundwork import FirstLook, differences, lasting
from clusterviz.live.history import History
from clusterviz.live.hub import Hub
from clusterviz.live.leader import Leadership
from clusterviz.live.massview import MassView
from clusterviz.live.protocol import Event, Route
from clusterviz.live.scene import Scene
from clusterviz.live.simulator import Simulator
from clusterviz.live.waiting import wait_set

logger = logging.getLogger(__name__)

FRAME = 0.2
CHECKPOINT = 1.0
FOLLOW = 1.0
IDLE = 1.0
RESTART = 2.0
# After a longer sleep (a closed laptop) nobody wants to see the connections of all that time.
CATCH_UP = 3.0
CLEARED_AT_ONCE = 400
# With more pods than this everybody else would feel it if the cluster were loaded in the loop.
HEAVY = 3000
# Following somebody else's cluster takes at most this part of a thread.
SHARE = 0.2
_ANCHOR = time.time() - time.monotonic()
InThread = Callable[..., Awaitable[Any]]


def steady() -> float:
    """The wall clock as it was when the process began, and from then on never set back."""
    return _ANCHOR + time.monotonic()


class Replica(msgspec.Struct, frozen=True, kw_only=True):
    """What everybody may read of a cluster at one moment, from any thread."""

    name: str
    cluster: Cluster
    epoch: int
    seq: int
    time: float
    scene: Scene
    events: tuple[Event, ...]
    routes: tuple[Route, ...]
    connections: dict[str, tuple[Cluster, Probe]]
    mass: MassView | None = None


def replica_of(simulator: Simulator) -> Replica:
    """The state of a simulator that nobody can change any more."""
    return Replica(
        name=simulator.name,
        cluster=simulator.cluster,
        epoch=simulator.epoch,
        seq=simulator.seq,
        time=simulator.clock.now,
        scene=simulator.scene,
        events=tuple(simulator.events),
        routes=tuple(simulator.routes.routes.values()),
        connections=simulator.connections,
        mass=simulator.mass,
    )


class Keeper:
    """Leads the cluster when nobody else does, follows the database otherwise."""

    def __init__(self, name: str, identity: int, hub: Hub, in_thread: InThread, aside: InThread) -> None:
        self.name, self.identity = name, identity
        self.replica: Replica | None = None
        # What `ready` waits for, in words, when it takes long; `known` is set when there are words or a picture.
        self.ready, self.known, self.loading = asyncio.Event(), asyncio.Event(), ""
        self.followers: list[Follower] = []
        self.grants: dict[str, int] = {}
        self._aside = aside
        self.history = History(django_settings.HISTORY_BYTES)
        self._framing: asyncio.Future[None] | None = None
        self._looking: asyncio.Future[FirstLook | None] | None = None
        self._hub, self._in_thread = hub, in_thread
        self._leadership = Leadership(name)
        self._poke = asyncio.Event()
        self._head = self._position = 0
        self._settings: Settings | None = None
        self._task: asyncio.Task[None] | None = None
        self._epoch = 0

    @property
    def leading(self) -> bool:
        """Whether this process steps the cluster."""
        return self._leadership.held

    @property
    def position(self) -> int:
        """The last line of the journal the picture includes."""
        return self._position

    def start(self) -> None:
        """Begin; `ready` is set when the first picture exists."""
        self._task = asyncio.create_task(self._run(), name=f"cluster {self.name}")

    async def stop(self) -> None:
        """End, saving what is unsaved."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._leadership.release()

    def notice(self, head: int, settings: Settings) -> None:
        """The journal of the cluster goes up to ``head`` now."""
        if head != self._head or settings != self._settings:
            self._head, self._settings = head, settings
            self.poke()

    def poke(self) -> None:
        """There may be something to do."""
        self._poke.set()

    async def _run(self) -> None:
        while True:
            try:
                await self._live()
            except database.ClusterGoneError:
                return
            except Exception:
                logger.exception("Cluster %s stopped with an error and starts again", self.name)
                self._leadership.release()
                await asyncio.sleep(RESTART)

    async def _live(self) -> None:
        leading = self._leadership.acquire()
        weight = await self._in_thread(database.weigh, self.name)
        if weight.too_heavy:
            return await self._decline(weight)
        if weight.overgrown and leading:
            await self._clear(weight)
        heavy = weight.stored > HEAVY
        simulator = await (self._load_aside(weight, leading=leading) if heavy else self._load(leading=leading))
        simulator.on_change = self._changed
        for follower in self.followers:
            follower.begin(simulator.cluster)
        await self._open(simulator)
        self._show()
        if heavy:
            simulator.apart = True
            self._look(simulator)
        try:
            await self._loop(simulator, leading=leading)
        finally:
            if self._looking is not None:  # its thread goes on, and ends with everything frozen again
                self._looking.add_done_callback(lambda _: gc.unfreeze())
                self._looking = None
            if heavy:
                gc.unfreeze()
            if leading:
                with contextlib.suppress(database.ClusterGoneError):
                    await asyncio.shield(self._save(simulator))

    def _changed(self, moment: float, cluster: Cluster, keys: set[Key]) -> None:
        self.history.change(moment, cluster, keys)
        for follower in self.followers:
            follower.change(cluster, keys)

    async def _load(self, *, leading: bool) -> Simulator:
        return self._simulator(await self._in_thread(database.load, self.name), leading=leading)

    async def _load_aside(self, weight: database.Weight, *, leading: bool) -> Simulator:
        """Load a large cluster without holding up the others."""
        self.loading = f"Loading {weight.stored:,} pods"
        self.known.set()
        logger.info("Cluster %s: %s", self.name, self.loading)

        def load() -> Simulator:
            with lasting():
                return self._simulator(database.load(self.name), leading=leading)

        simulator: Simulator = await self._aside(load)
        return simulator

    def _simulator(self, stored: database.Stored, *, leading: bool) -> Simulator:
        self._position = self._head = stored.head
        self._settings = stored.settings
        now = steady()
        self._epoch = max(int(now * 1000), self._epoch + 1)
        return Simulator(
            self.name,
            stored.objects,
            settings=stored.settings,
            seed=f"{stored.seed}/{stored.head}",
            epoch=self._epoch,
            now=now,
            controllers=CONTROLLERS if leading else (),
        )

    def _show(self) -> None:
        """There is a picture."""
        self.loading = ""
        self.ready.set()
        self.known.set()

    async def _decline(self, weight: database.Weight) -> None:
        """Show the nodes and why nothing lives on them, until somebody changes the cluster."""
        text = (
            f"This cluster is not simulated: it wants {weight.wanted} pods, and at most {MAX_PODS} are possible. "
            "Lower the replicas of its workloads."
        )
        logger.error("Cluster %s: %s", self.name, text)
        stored = await self._in_thread(database.outline, self.name)
        self._position = self._head = stored.head
        self._settings, now = stored.settings, steady()
        self._epoch = max(int(now * 1000), self._epoch + 1)
        simulator = Simulator(
            self.name, stored.objects, settings=stored.settings, epoch=self._epoch, now=now, controllers=()
        )
        simulator.tell(Happening("Warning", "TooManyPods", text, "namespace:default", now))
        simulator.take_state()
        await self._open(simulator)
        self._show()
        while self._head == self._position and self._settings == stored.settings:
            await wait_set(self._poke, IDLE)
            self._poke.clear()
            self._hub.topic(self.name).time = steady()

    async def _clear(self, weight: database.Weight) -> None:
        """Far more pods than are wanted: drop those of workloads, a few at a time, and make them anew."""
        logger.warning(
            "Cluster %s has %d pods and wants %d: they are made anew", self.name, weight.stored, weight.wanted
        )
        while gone := await self._in_thread(database.clear_pods, self.name, CLEARED_AT_ONCE):
            logger.debug("Cluster %s: %d pods dropped", self.name, gone)

    def _look(self, simulator: Simulator) -> None:
        """The groundwork of a large cluster, while there is a picture with traffic already."""
        work = self._aside(groundwork.prepared, self.name, simulator.cluster, simulator.beginning(), steady)
        self._looking = asyncio.ensure_future(work)
        self._looking.add_done_callback(lambda _: self.poke())

    def _adopt(self, simulator: Simulator) -> None:
        if self._looking is not None and self._looking.done():
            look, self._looking = self._looking.result(), None
            if look is not None:
                simulator.adopt(look)

    def _turn(self, simulator: Simulator) -> None:
        """In a large cluster a lost node makes the controllers look at so much that the loop must not wait for them."""
        if simulator.due and not simulator.waiting:
            simulator.waiting, simulator.due = True, False
            self._looking = asyncio.ensure_future(self._aside(simulator.turn, steady))
            self._looking.add_done_callback(lambda _: self.poke())

    async def _loop(self, simulator: Simulator, *, leading: bool) -> None:
        framed = saved = follow = steady()
        while True:
            if self._settings != simulator.cluster.settings:
                return  # another network: everything is built anew, in a new epoch
            self._adopt(simulator)
            if self._head != self._position and not simulator.waiting:
                await self._follow_journal(simulator)
            now = steady()
            if not leading and now >= follow + FOLLOW:
                if self._leadership.acquire():
                    return
                await self._reload(simulator)
                follow = steady() + (steady() - now) / SHARE
            watched = self._hub.watched(self.name)
            if now - simulator.clock.now > CATCH_UP:
                simulator.step(now - FRAME, connections=False)
            simulator.watch(self._hub.watching(self.name))
            simulator.step(now, connections=watched)
            self._turn(simulator)
            self._hub.topic(self.name).time = now
            self._hub.topic(self.name).counts.stepped(steady() - now)
            if simulator.form.outgrown:
                await self._reform(simulator)
            await self._publish_state(simulator)
            if watched and now - framed >= FRAME:
                framed = now
                await self._publish_traffic(simulator)
            if self.history.due(now):
                self._chapter(replica_of(simulator))
            if leading and now - saved >= CHECKPOINT and simulator.unsaved:
                saved = now
                await self._save(simulator, everything=False)
            await self._pause(simulator, framed + FRAME if watched else now + IDLE, saved + CHECKPOINT)

    async def _reform(self, simulator: Simulator) -> None:
        """So many or so few pods that the cluster is told in the other form: a new epoch of the same simulator."""
        self._epoch = max(int(steady() * 1000), self._epoch + 1)
        simulator.reform(self._epoch)
        await self._open(simulator)

    async def _open(self, simulator: Simulator) -> None:
        """A new epoch, with the picture it begins with."""
        self.replica, now = replica_of(simulator), simulator.clock.now
        self.history.begin(simulator.epoch, now, simulator.cluster, simulator.seq)
        self._chapter(self.replica)
        await self._hub.open(self.name, simulator.epoch, simulator.seq, now)

    async def _pause(self, simulator: Simulator, until: float, save: float) -> None:
        """Sleep until there is something to do; an edit wakes us at once."""
        due = [until]
        if simulator.next_event is not None:
            due.append(simulator.next_event)
        if simulator.unsaved:
            due.append(save)
        await wait_set(self._poke, max(0.01, min(due) - steady()))
        self._poke.clear()

    async def _publish_state(self, simulator: Simulator) -> None:
        if not simulator.stirred:
            return
        message = simulator.take_state()
        self.replica = replica_of(simulator)
        for follower in self.followers:
            follower.told(message.events if message is not None else ())
        if message is None:
            self.history.state(simulator.clock.now, simulator.seq, None)
            return
        warnings = sum(event.type == "Warning" for event in message.events)
        self.history.state(message.time, message.seq, await self._hub.publish_state(self.name, message), warnings)

    async def _publish_traffic(self, simulator: Simulator) -> None:
        frame = simulator.take_traffic()
        await self._publish_state(simulator)
        self._hub.forget_routes(self.name, frame.forgotten)
        if frame.routes or frame.forgotten:
            self.replica = replica_of(simulator)
        text = await self._hub.publish_traffic(
            self.name, frame.time, frame.routes, frame.calls, frame.totals, frame.mass
        )
        drawn = [(call.connection, *simulator.connections[call.connection]) for call in frame.calls]
        self.history.traffic(frame.time, text, frame.counts, drawn)

    def _chapter(self, replica: Replica) -> None:
        """Begin a chapter of the history with this picture; encoding a large one must not hold up the loop."""
        chapter = self.history.chapter(replica.time)

        def keep() -> None:
            try:
                self.history.keep(chapter, picture.encoded(replica))
            except Exception:
                logger.exception("Cluster %s: no keyframe for its history", self.name)

        self._framing = asyncio.get_running_loop().run_in_executor(None, keep)

    async def _follow_journal(self, simulator: Simulator) -> None:
        position, changes = await self._in_thread(database.changes, self.name, self._position)
        self._position = position
        self._head = max(self._head, position)
        simulator.step(steady(), connections=False)
        simulator.apply(changes)

    async def _save(self, simulator: Simulator, *, everything: bool = True) -> None:
        """Checkpoint; what could not be saved is tried again next time."""
        changes = simulator.take_checkpoint(everything=everything)
        if not changes:
            return
        try:
            await self._in_thread(database.checkpoint, self.name, self._position, changes)
        except BaseException as error:  # also when we are stopped while it still waits for its turn
            simulator.put_back(changes)
            if not isinstance(error, OperationalError):  # somebody writes for longer than we can wait
                raise
            logger.warning("Cluster %s: not saved, tried again soon: %s", self.name, error)

    async def _reload(self, simulator: Simulator) -> None:
        """Somebody else leads: take over what it checkpointed."""

        def compare() -> tuple[int, list[Change]]:
            stored = database.load(self.name)
            return stored.head, differences(simulator.cluster, stored.objects, stored.settings)

        head, changes = await self._aside(compare)
        self._position = self._head = head
        simulator.apply(changes)
