"""The life of one cluster: wishes come in, controllers act, connections are opened.

A `Simulator` knows neither the database nor the sockets nor the wall clock. Somebody steps it and
takes away what came of it: a state message, a traffic frame, changes to checkpoint.
"""

from __future__ import annotations

import logging
import random
from collections import Counter, deque
from collections.abc import Callable, Iterable
from functools import partial

from clusterviz.engine import Cluster, Settings, trace
from clusterviz.engine.clock import Clock
from clusterviz.engine.cluster import Change
from clusterviz.engine.controllers import CONTROLLERS, Controller, Reconciler, Timing
from clusterviz.engine.controllers.work import Happening
from clusterviz.engine.errors import EngineError
from clusterviz.engine.objects import Key, Obj, ref_of
from clusterviz.engine.probe import Probe
from clusterviz.engine.trace import Trace
from clusterviz.engine.traffic import Connection, Traffic
from clusterviz.live.bulk import Bulk
from clusterviz.live.bulkflows import Result
from clusterviz.live.decisions import Decisions, Ways
from clusterviz.live.form import MassForm, form_for
from clusterviz.live.groundwork import FirstLook, applied, first_look, next_look
from clusterviz.live.massview import MassView
from clusterviz.live.merge import merged
from clusterviz.live.meter import Meter
from clusterviz.live.protocol import Call, Event, Route, State
from clusterviz.live.routes import RouteTable, Tracer, TrafficFrame, outside_of, route_of
from clusterviz.live.scene import Scene

logger = logging.getLogger(__name__)

EVENTS_KEPT = 500
CONNECTIONS_KEPT = 20_000
# Objects saved at once while the cluster lives: larger transactions make whoever edits it wait for the database.
PORTION = 1000
RECONCILE = "reconcile"


class Simulator:
    """One cluster under simulated time."""

    def __init__(  # noqa: PLR0913 - chance, time and settings come in as arguments
        self,
        name: str,
        objects: Iterable[Obj],
        *,
        settings: Settings | None = None,
        seed: str = "1",
        epoch: int = 1,
        now: float = 0.0,
        timing: Timing | None = None,
        controllers: tuple[Controller, ...] = CONTROLLERS,
        tracer: Tracer = trace,
    ) -> None:
        self.name, self.epoch, self.seq = name, epoch, 0
        objects = list(objects)
        given = set(map(id, objects))
        self.cluster = Cluster.from_objects(objects, settings=settings or Settings(), expand=False)
        self.clock = Clock(now)
        self.traffic = Traffic(seed, now)
        self.routes = RouteTable()
        self.events: deque[Event] = deque(maxlen=EVENTS_KEPT)
        self.connections: dict[str, tuple[Cluster, Probe]] = {}
        # What exists is part of the seed: a restart does not draw the names of the first run again.
        self._rng = random.Random(f"{seed}/{self.cluster.fingerprint}")  # noqa: S311 - names, not secrets
        # Somebody may keep the snapshots: called with the time, each new one, and the keys that changed.
        self.on_change: Callable[[float, Cluster, set[Key]], None] = lambda _time, _cluster, _keys: None
        self._timing, self._controllers, self._tracer = timing or Timing(), controllers, tracer
        self._reconciler: Reconciler | None = None
        self._wake: float | None = None
        # Whether the controllers act elsewhere at this moment (`beginning`, `turn`), always do, and have to.
        self.waiting = self.apart = self.due = False
        self._dirty: set[Key] = set()
        # What was filled in at the start (addresses, node ports) is news for the database.
        self._unsaved: dict[Key, Obj | None] = {
            key: obj for key, obj in self.cluster.objects.items() if id(obj) not in given
        }
        self._new_events: list[Event] = []
        self._calls: Counter[str] = Counter()
        self._samples: dict[str, tuple[Cluster, Probe]] = {}
        self._meter = Meter()
        self._decisions, self._ways = Decisions(), Ways()
        self._externals: set[str] = set()
        self._left = False
        self._unanswered: set[Key] = set()
        self._connection = self._event = 0
        self._seed = seed
        self._begin()
        self.clock.schedule(now, RECONCILE)

    def _begin(self) -> None:
        """Choose the form in which the cluster is told, and with it how its connections are decided."""
        now = self.clock.now
        self.form = form_for(self.cluster, now)
        self.bulk: Bulk | None = None
        if isinstance(self.form, MassForm):
            self.bulk = Bulk(self._seed, now, self.form.table, lambda _cluster, connection: self._ask(connection))
            self.bulk.update(self.cluster, self.cluster.objects)
        else:
            self.traffic.update(self.cluster)

    @property
    def scene(self) -> Scene:
        """The entities as they were told last."""
        return self.form.scene

    @property
    def mass(self) -> MassView | None:
        """The columns of a large cluster as they are now, None in form full."""
        if not isinstance(self.form, MassForm) or self.bulk is None:
            return None
        return MassView(
            table=self.form.table,
            lines=self.bulk.lines,
            columns=self.form.table.columns(),
            counts=self.form.counts,
            trunks=self.bulk.heat.told,
            sampled=self.bulk.sampled,
        )

    def reform(self, epoch: int) -> None:
        """Begin a new epoch in the form that is due (`Form.outgrown`)."""
        self.epoch, self.seq = epoch, 0
        self.routes, self._decisions, self._ways = RouteTable(), Decisions(), Ways()
        self._calls.clear()
        self._samples.clear()
        self._externals.clear()
        self._dirty.clear()
        self._begin()

    def watch(self, ids: frozenset[str]) -> None:
        """What browsers look at closely; in form mass only this is told in detail."""
        self.form.watch(ids)
        if self.bulk is not None:
            self.bulk.watch(self.cluster, ids)

    def apply(self, changes: Iterable[Change]) -> None:
        """Wishes from outside; the controllers look at them with the next step."""
        wishes = list(changes)
        if not wishes:
            return
        self._replace([merged(wish, self.cluster.objects.get(wish.key)) for wish in wishes])
        for change in wishes:
            if change.verb == "unset":
                self._unsaved.pop(change.key, None)
            elif self.cluster.objects[change.key] != change.value:
                self._unsaved[change.key] = self.cluster.objects[change.key]
        self.clock.schedule(self.clock.now, RECONCILE)

    def beginning(self) -> Callable[..., FirstLook] | None:
        """The controllers' first look at everything, which takes long for a large cluster; None when there are none.

        For another thread, and then for `adopt`; between them time passes here and connections are opened, but no
        controller acts, and no wish may come (`apply`).
        """
        if not self._controllers or self._reconciler is not None:
            return None
        self.waiting = True
        return partial(first_look, self.cluster, self._rng, timing=self._timing, controllers=self._controllers)

    def turn(self, moment: Callable[[], float]) -> FirstLook:
        """What the controllers do now (`due`), in another thread and then for `adopt`, as with `beginning`."""
        assert self._reconciler is not None
        return next_look(self._reconciler, self.cluster, self._rng, moment=moment)

    def adopt(self, look: FirstLook) -> None:
        """From here on the controllers act."""
        self.waiting = False
        self._reconciler = look.reconciler
        if look.keys:
            self._take(look.cluster, look.keys)
        self._acted(look.keys, look.happenings, look.wake)
        if self.due and not self.apart:
            self.due = False
            self.clock.schedule(self.clock.now, RECONCILE)

    def _replace(self, changes: list[Change]) -> set[Key]:
        """Another snapshot; answers the keys of what is different in it."""
        cluster, keys = applied(self.cluster, changes)
        if self._reconciler is not None:
            self._reconciler.note((key, cluster.objects.get(key)) for key in sorted(keys))
        self._take(cluster, keys)
        return keys

    def _take(self, cluster: Cluster, keys: set[Key]) -> None:
        self.cluster = cluster
        self._dirty |= keys
        self._decisions.clear()
        self._unanswered -= keys
        if self.bulk is not None:
            self.bulk.update(self.cluster, keys)
        elif any(key[0] == "TrafficFlow" for key in keys):
            self.traffic.update(self.cluster)
        self.on_change(self.clock.now, self.cluster, keys)

    def step(self, until: float, *, connections: bool = True) -> None:
        """Let simulated time run; without ``connections`` only the controllers live."""
        while (when := self.clock.peek()) is not None and when <= until:
            self._open(when, connections=connections)
            self.clock.run_until(when, self._handle)
        self._open(until, connections=connections)
        self.clock.run_until(until, self._handle)

    def _open(self, until: float, *, connections: bool) -> None:
        if not connections:
            (self.bulk or self.traffic).skip(until)
            return
        if self.bulk is not None:
            for connection, result in self.bulk.run(self.cluster, until):
                self._show(connection, result)
            return
        for connection in self.traffic.run(self.cluster, until):
            self._decide(connection)

    def _handle(self, event: object) -> None:
        if event != RECONCILE or not self._controllers:
            return
        if self.waiting or (self.apart and self._reconciler is not None):
            self.due = True
            return
        if self._reconciler is None:
            look = self.beginning()
            if look is not None:
                self.adopt(look(moment=lambda: self.clock.now))
            return
        outcome = self._reconciler.run(now=self.clock.now, rng=self._rng)
        keys = self._replace(list(outcome.changes)) if outcome.changes else set()
        self._acted(keys, outcome.happenings, outcome.wake)

    def _acted(self, keys: set[Key], happenings: Iterable[Happening], wake: float | None) -> None:
        for key in keys:
            self._unsaved[key] = self.cluster.objects.get(key)
        for happening in happenings:
            self.tell(happening)
        if wake is not None and wake != self._wake:
            self._wake = wake
            self.clock.schedule(wake, RECONCILE)

    def tell(self, happening: Happening) -> None:
        """Add an event."""
        self._event += 1
        event = Event(
            id=f"{self.epoch}.{self._event}",
            time=happening.time,
            wall=happening.time,
            type=happening.type,
            reason=happening.reason,
            message=happening.message,
            ref=(drawn := self._drawn(happening.ref)),
            about=happening.ref if happening.ref != drawn else "",
        )
        self.events.append(event)
        self._new_events.append(event)

    def _drawn(self, ref: str) -> str:
        """Of a ReplicaSet the Deployment above it, which is what the picture shows."""
        kind, _, rest = ref.removeprefix("workload:").partition("/")
        if kind != "ReplicaSet":
            return ref
        namespace, _, name = rest.partition("/")
        record = self.cluster.workloads.get((kind, namespace, name))
        return f"workload:{record.owner[0]}/{record.namespace}/{record.owner[1]}" if record and record.owner[1] else ref

    def _decide(self, connection: Connection) -> None:
        decision = self._decisions.find(connection)
        if decision is None or not self.routes.touch(decision.route, connection.time):
            answer = self._ask(connection)
            if answer is None:
                return
            route = self.routes.add(route_of(answer, ref_of(connection.flow)), connection.time)
            self._see(route)
            decision = self._decisions.keep(connection, route.id, route.effect)
        self._calls[decision.route] += connection.count
        self._samples[decision.route] = (self.cluster, decision.probe)
        self._meter.add(connection.time, ref_of(connection.flow), decision.effect, connection.count)

    def _show(self, connection: Connection, result: Result) -> None:
        """A connection of a large cluster that somebody watches: traced unless one like it was."""
        route_id = self._ways.find(result.alike, connection.time)
        if route_id is None or not self.routes.touch(route_id, connection.time):
            answer = self._ask(connection) if self._ways.may_ask(connection.time) else None
            if answer is None:
                return
            route = self.routes.add(route_of(answer, ref_of(connection.flow)), connection.time)
            self._see(route)
            route_id = self._ways.keep(result.alike, connection.time, route.id)
        self._calls[route_id] += connection.count
        self._samples[route_id] = (self.cluster, connection.probe)

    def _ask(self, connection: Connection) -> Trace | None:
        """The engine's answer; a flow it cannot answer for must not stop the cluster."""
        try:
            return self._tracer(self.cluster, connection.probe).walk()
        except EngineError as error:
            reason = str(error)
        except Exception:
            logger.exception("Cluster %s: no answer for flow %s", self.name, connection.flow)
            reason = "the engine failed; see the log of the server"
        if connection.flow not in self._unanswered:
            self._unanswered.add(connection.flow)
            ref = ref_of(connection.flow)
            self.tell(Happening("Warning", "FlowNotPossible", f"No connection: {reason}", ref, connection.time))
        return None

    def _see(self, route: Route) -> None:
        """Somebody outside who was not in the picture yet must be, before the route is drawn."""
        self._externals |= outside_of(route)

    def _forget(self, now: float) -> list[str]:
        """Routes nobody took for a while, and with them whoever outside was only there for them."""
        forgotten = self.routes.forget(now)
        if forgotten:
            present: set[str] = set().union(*map(outside_of, self.routes.routes.values()))
            self._left |= present != self._externals
            self._externals = present
        return forgotten

    def take_state(self) -> State | None:
        """The change of the picture since the last call, None when there is none."""
        # Events alone do not change the picture, but must be told.
        update = self.form.take(self.cluster, self._dirty, self._externals, self.clock.now)
        self._dirty.clear()
        self._left = False
        self.routes.leave(update.unset)
        events, self._new_events = self._new_events, []
        if not (update.set or update.unset or update.mass or events):
            return None
        self.seq += 1
        return State(
            epoch=self.epoch,
            seq=self.seq,
            base=self.seq - 1,
            time=self.clock.now,
            set=update.set,
            unset=update.unset,
            events=events,
            mass=update.mass,
        )

    @property
    def stirred(self) -> bool:
        """Whether `take_state` would have something to say."""
        if self._dirty or self._new_events or self._left or self.form.stirred:
            return True
        return any(ref not in self.scene for ref in self._externals)

    def take_traffic(self) -> TrafficFrame:
        """Connections since the last call; those it names can be traced for a while."""
        calls = []
        for route_id, count in sorted(self._calls.items(), key=lambda item: int(item[0][1:])):
            self._connection += 1
            connection = f"{self.epoch}.{self._connection}"
            self.connections[connection] = self._samples[route_id]
            calls.append(Call(route_id, count, connection))
        while len(self.connections) > CONNECTIONS_KEPT:
            del self.connections[next(iter(self.connections))]
        self._calls.clear()
        self._samples.clear()
        now = self.clock.now
        fresh = self.routes.take_fresh()
        if self.bulk is None:
            return TrafficFrame(now, fresh, calls, self._meter.totals(now), self._forget(now), self._meter.take())
        totals, mass = self.bulk.totals(now), self.bulk.take(now)
        return TrafficFrame(now, fresh, calls, totals, self._forget(now), self.bulk.take_counts(), mass)

    def take_checkpoint(self, *, everything: bool = True) -> list[Change]:
        """What the controllers made since the last call, in the order of the keys; or the first `PORTION` of it."""
        keys = sorted(self._unsaved)[: None if everything else PORTION]
        taken = [(key, self._unsaved.pop(key)) for key in keys]
        return [Change("unset", key) if obj is None else Change("set", obj) for key, obj in taken]

    @property
    def unsaved(self) -> bool:
        """Whether `take_checkpoint` would have something to save."""
        return bool(self._unsaved)

    def put_back(self, changes: Iterable[Change]) -> None:
        """A checkpoint failed: keep its changes for the next one, unless newer ones exist."""
        for change in changes:
            self._unsaved.setdefault(change.key, change.value if change.verb == "set" else None)

    @property
    def next_event(self) -> float | None:
        """When the controllers have something to do next."""
        return self.clock.peek()
