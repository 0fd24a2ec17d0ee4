"""Manifests out, piece by piece: of a large cluster neither all objects nor the whole text is ever in memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby, islice
from typing import NamedTuple

from django.db.models import F, TextField, Value
from django.db.models.functions import Cast

from clusterviz.cluster.columns import Obj
from clusterviz.cluster.models import OBJECT_MODELS, Cluster, EndpointSlice, ObjectRow, TrafficFlow
from clusterviz.cluster.models.base import OwnedRow
from clusterviz.cluster.reading import read
from clusterviz.engine.manifests.write import dump, is_made, manifests, place_of
from clusterviz.engine.objects import Key
from clusterviz.engine.settings_check import differing
from clusterviz.engine.settings_check import document as settings_document

# Objects read and written at once.
AT_ONCE = 200
BETWEEN = "---\n"


class _Row(NamedTuple):
    """An object to be written: where it stands among the others, and where it is kept."""

    place: tuple[int, Key]
    model: type[ObjectRow]
    key: Key
    pk: int


def export_yaml(cluster: Cluster, *, flows: bool = False) -> str:
    """The cluster as manifests; ``flows`` adds what only ClusterViz knows: TrafficFlow objects and ClusterSettings."""
    return "".join(export_pieces(cluster, flows=flows))


def export_pieces(cluster: Cluster, *, flows: bool = False) -> Iterator[str]:
    """What `export_yaml` gives, in parts; which objects there are is asked at once, an object that goes is left out."""
    rows = sorted(_rows(cluster, flows=flows), key=lambda row: row.place)
    own = differing(cluster.engine_settings) if flows else {}
    return _written(rows, [settings_document(own)] if own else [])


def _written(rows: list[_Row], first: list[Obj]) -> Iterator[str]:
    text = dump(manifests(first, flows=True))
    if text:
        yield text
    for model, group in groupby(rows, key=lambda row: row.model):
        for some in _batches(group):
            found = read(model, model.objects.filter(pk__in=[row.pk for row in some]))
            objects = [found[row.key] for row in some if row.key in found]
            piece = dump(obj for one in objects for obj in manifests([one], flows=True))
            if piece:
                yield BETWEEN * bool(text) + piece
                text = piece


def _rows(cluster: Cluster, *, flows: bool) -> Iterator[_Row]:
    """Everything that no controller makes of another object that is there; owners stand before what is theirs."""
    keyed: dict[Key, Obj] = {}
    for model in OBJECT_MODELS:
        verdicts: dict[tuple[str, str | None], bool] = {}
        for pk, name, namespace, stored, text in _told(cluster, model):
            key = stored, namespace or "", name
            if model.KIND != "Pod":
                keyed[key] = {}
            if (namespace, text) not in verdicts:
                verdicts[namespace, text] = is_made(_outline(model, key, text), keyed)
            if not verdicts[namespace, text] and (flows or model is not TrafficFlow):
                plain: Key = key[0].partition(".")[0], key[1], name
                yield _Row(place_of(plain), model, key, pk)


def _told(cluster: Cluster, model: type[ObjectRow]) -> Iterator[tuple[int, str, str, str, str | None]]:
    """Id, name, namespace, kind and what tells who made it: owner references, of slices labels."""
    attr = "labels" if model is EndpointSlice else "owners" if issubclass(model, OwnedRow) else ""
    rows = (
        model.objects.filter(cluster=cluster)
        .order_by()
        .annotate(
            text=Cast(attr, TextField()) if attr else Value(None, TextField()),
            space=F("namespace__name") if hasattr(model, "namespace") else Value(""),
            stored=Value(model.KIND) if model.KIND else F("kind"),
        )
    )
    return iter(rows.values_list("pk", "name", "space", "stored", "text").iterator())


def _outline(model: type[ObjectRow], key: Key, text: str | None) -> Obj:
    """As much of an object as `is_made` looks at."""
    told = json.loads(text) if text else None
    field = "labels" if model is EndpointSlice else "ownerReferences"
    return {"kind": key[0], "metadata": {"name": key[2], "namespace": key[1], field: told}}


def _batches(rows: Iterator[_Row]) -> Iterator[list[_Row]]:
    while some := list(islice(rows, AT_ONCE)):
        yield some
