"""The pods of a large cluster for whoever is not the simulator: a moment of the columns, and their body on the wire."""

from __future__ import annotations

import base64
from typing import Any

import msgspec

from clusterviz.engine import Cluster
from clusterviz.engine.objects import Key
from clusterviz.engine.traffic import FLOW
from clusterviz.live.bulkflows import Line
from clusterviz.live.form import MassForm
from clusterviz.live.mass import HEAT_SCALE, Columns, MassTable
from clusterviz.live.protocol import Trunk


def still(cluster: Cluster, form: MassForm) -> MassView:
    """A large cluster nobody steps: without traffic."""
    flows = ((key, obj) for key, obj in cluster.objects.items() if key[0] == FLOW)
    return MassView(
        table=form.table,
        lines={key: Line(cluster, key, obj) for key, obj in flows},
        columns=form.table.columns(),
        counts=form.counts,
        trunks=[],
        sampled=1,
    )


class MassView(msgspec.Struct, frozen=True, kw_only=True):
    """A moment of a large cluster. ``table`` and ``lines`` go on changing: other threads only look up or copy."""

    table: MassTable
    lines: dict[Key, Line]
    columns: Columns
    counts: dict[str, int]
    trunks: list[Trunk]
    sampled: int

    def body(self) -> dict[str, Any]:
        """What a snapshot of form mass says besides its entities."""
        columns = self.columns
        packed = {
            name: base64.b64encode(getattr(columns, name)).decode() for name in ("node", "state", "heat", "workload")
        }
        return {
            "form": "mass",
            "counts": self.counts,
            "trunks": self.trunks,
            "workloads": self._workloads(),
            "mass": {"count": columns.count, **packed, "heatScale": HEAT_SCALE, "sampled": self.sampled},
        }

    def _workloads(self) -> dict[str, list[Any]]:
        """Kinds and namespaces by number, names as they are; index 0 is the pods nobody made."""
        kinds: dict[str, int] = {"": 0}
        spaces: dict[str, int] = {"": 0}
        rows = [key or ("", "", "") for key in self.columns.workloads]
        kind = [kinds.setdefault(row[0], len(kinds)) for row in rows]
        space = [spaces.setdefault(row[1], len(spaces)) for row in rows]
        names = [row[2] for row in rows]
        return {"kinds": list(kinds), "namespaces": list(spaces), "kind": kind, "namespace": space, "name": names}
