"""What a client writes back has the defaults it was shown; only what it changed is stored."""

from __future__ import annotations

from typing import Any

from clusterviz.engine.objects import Obj
from clusterviz.kubeapi.defaults import with_defaults

_PARTS = ("spec", "status")


def undressed(raw: Obj, before: Obj, after: Obj) -> Obj:
    """``after`` as it is to be stored; ``raw`` is what is stored, ``before`` the same as it was shown.

    A field that was only shown, and comes back as it was or not at all, is left out where the same default fills it
    in again.
    """
    kind = raw.get("kind")  # that of another group does not go by its name alone
    after = {**with_defaults({**after, "kind": kind}), "kind": after.get("kind")}
    bare = {**after, **{part: _bare(raw.get(part), before.get(part), after.get(part)) for part in _PARTS}}
    bare = {name: value for name, value in bare.items() if name not in _PARTS or value is not None}
    again = with_defaults({**bare, "kind": kind})
    return bare if again.get("spec") == after.get("spec") else after


def _bare(raw: Any, shown: Any, after: Any) -> Any:
    if after == shown:
        return raw
    if isinstance(raw, dict) and isinstance(shown, dict) and isinstance(after, dict):
        return {
            name: _bare(raw[name], shown.get(name), value) if name in raw else value
            for name, value in after.items()
            if name in raw or name not in shown or shown[name] != value
        }
    if (
        isinstance(raw, list)
        and isinstance(shown, list)
        and isinstance(after, list)
        and len(raw) == len(shown) == len(after)
    ):
        return [_bare(*three) for three in zip(raw, shown, after, strict=True)]
    return after
