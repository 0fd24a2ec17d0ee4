"""The past of a cluster by HTTP: what there is, and pieces of it as JSON lines."""

from __future__ import annotations

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.cache import patch_cache_control, patch_vary_headers

from clusterviz.dashboard.api import answered, find, method, time_of
from clusterviz.engine.errors import ProbeError
from clusterviz.live import runner
from clusterviz.live.history import SECONDS, History, Piece
from clusterviz.live.keeper import steady

# A piece ends after about this many bytes of messages; the browser asks for the next one.
PIECE = 2 * 1024 * 1024
JSON_LINES = "application/x-ndjson"


def number_of(request: HttpRequest, name: str) -> int:
    """A whole number in the query. Raises `ProbeError`."""
    text = request.GET.get(name, "")
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise ProbeError(f"cannot read {text[:40]!r}", field=name, allowed="a whole number from 0")
    return int(text)


@method("GET")
@answered
def history(request: HttpRequest, name: str) -> HttpResponse:
    """What there is; with ``from`` and ``to`` a piece of it; with ``after`` what follows a piece."""
    past = runner.history(name)
    if past is None:
        find(name)
        return JsonResponse(summary(name, None))
    if not {"from", "after"} & request.GET.keys():
        return JsonResponse(summary(name, past))
    end = time_of(request, "to")
    end = steady() if end is None else end
    if "after" in request.GET:
        piece = past.after(number_of(request, "after"), end, PIECE)
    else:
        piece = past.piece(time_of(request, "from") or 0.0, end, PIECE)
    return answer(name, past, piece)


def summary(name: str, past: History | None) -> dict[str, object]:
    """How far back it reaches and what happened in each second: ``[time, ok, refused, dropped, warnings, watched]``."""
    found = past.summary() if past is not None else None
    return {
        "cluster": name,
        "now": steady(),
        "oldest": found.oldest if found else None,
        "seconds": SECONDS,
        "cap": settings.HISTORY_BYTES,
        "capped": bool(found and found.capped),
        "size": found.size if found else 0,
        "keyframes": past.keyframes() if past is not None else [],
        "buckets": [msgspec.to_builtins(bucket) for bucket in found.buckets] if found else [],
    }


def answer(name: str, past: History, piece: Piece | None) -> HttpResponse:
    """JSON lines: one about the piece, its keyframe, and the messages as they were sent."""
    head = {
        "type": "history",
        "cluster": name,
        "now": steady(),
        "oldest": past.summary().oldest,
        "gap": piece is None,
        "more": bool(piece and piece.more),
        "last": piece.last if piece else None,
    }
    lines = [msgspec.json.encode(head)]
    if piece is not None and piece.keyframe is not None:
        lines.append(piece.keyframe)
    lines += [line.text for line in piece.lines] if piece else []
    response = HttpResponse(b"\n".join(lines) + b"\n", content_type=JSON_LINES)
    patch_cache_control(response, no_store=True)
    patch_vary_headers(response, ("Cookie",))
    return response
