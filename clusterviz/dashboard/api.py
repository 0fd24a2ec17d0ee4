"""The JSON paths of docs/protocol.md: check who asks and what, then let `live` or `cluster` answer."""

from __future__ import annotations

import json
import logging
import math
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial, wraps
from typing import Any, cast

import msgspec
from asgiref.sync import sync_to_async
from django.core.exceptions import RequestDataTooBig
from django.core.handlers.asgi import ASGIRequest
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware
from django.middleware.gzip import re_accepts_gzip
from django.utils import timezone
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.utils.decorators import decorator_from_middleware
from django.views.decorators.csrf import csrf_exempt

from clusterviz.capture import UnknownPointError, pcap, points
from clusterviz.cluster import services
from clusterviz.cluster.models import Cluster
from clusterviz.engine import Probe, Trace
from clusterviz.engine import trace as engine_trace
from clusterviz.engine.errors import ProbeError
from clusterviz.engine.manifests.read import Limits
from clusterviz.live import asked, questions
from clusterviz.live import sums as live_sums
from clusterviz.live.access import is_editor
from clusterviz.live.texts import UnknownNodeError, has_texts, texts_of

View = Callable[..., HttpResponseBase]

log = logging.getLogger(__name__)

IMPORT_LIMIT = Limits().size
ACTION_LIMIT = 16 * 1024
ACTION_FIELDS = frozenset({"action", "target", "replicas", "force"})
PROBLEMS_SHOWN = 200


def problem(status: int, error: str, **more: Any) -> JsonResponse:
    """An error as the protocol words it."""
    return JsonResponse({"error": error, **more}, status=status)


def answered(view: View) -> View:
    """Turn what the rooms below raise into the answers the protocol promises."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except (questions.UnknownError, Http404) as error:
            return problem(404, str(error))
        except questions.LoadingError as error:
            return problem(503, str(error))
        except ProbeError as error:
            return problem(400, str(error), field=error.field, allowed=error.allowed)
        except RequestDataTooBig as error:
            limit = next((one for one in error.args if isinstance(one, int)), IMPORT_LIMIT)  # Django's own has words
            most = f"{limit // 2**20} MiB" if limit >= 2**20 else f"{limit // 2**10} KiB"
            return problem(413, f"That is too much: at most {most} at once.")
        except services.Invalid as error:
            problems = [one.to_dict() for one in error.problems[:PROBLEMS_SHOWN]]
            return problem(422, summary_of(error), problems=problems)
        except Exception:  # whatever it is, a script must get JSON and a person no traceback
            log.exception("%s %s failed", request.method, request.path)
            return problem(500, "Something went wrong on the server; its log says what.")

    return guarded


def method(name: str) -> Callable[[View], View]:
    """Refuse other methods, in JSON as everything on these paths."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method == name or (name, request.method) == ("GET", "HEAD"):
                return view(request, *args, **kwargs)
            answer = problem(405, f"Use {name} here.", allowed=name)
            answer["Allow"] = name
            return answer

        return guarded

    return decorate


def summary_of(error: services.Invalid) -> str:
    """One sentence for a refused wish."""
    if len(error.problems) == 1:
        return str(error.problems[0])
    return f"{len(error.problems)} problems; nothing was changed."


def editors_only(view: View) -> View:
    """Refuse people who may not change clusters, before anything is read."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not is_editor(request.user):
            return problem(403, "Only signed-in editors may change a cluster. Sign in first.")
        return view(request, *args, **kwargs)

    return guarded


class JsonCsrf(CsrfViewMiddleware):
    """Django's own check; only its refusal is JSON."""

    def _reject(self, request: HttpRequest, reason: str) -> HttpResponse:
        del request, reason  # the reason is for the log of developers, not for people
        return problem(403, "This page is out of date: reload it and try again.")


json_csrf = decorator_from_middleware(JsonCsrf)


def find(name: str) -> Cluster:
    """The cluster, or the 404 that says so."""
    row = Cluster.objects.filter(name=name).first()
    if row is None:
        raise questions.UnknownError(f"There is no cluster {name!r}.")
    return row


def json_body(request: HttpRequest, limit: int) -> dict[str, Any]:
    """The JSON object of a request. Raises `Invalid` with what was expected."""
    if len(request.body) > limit:
        raise RequestDataTooBig(limit)
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        raise services.Invalid("The request is not JSON.") from None
    if not isinstance(body, dict):
        raise services.Invalid("The request must be a JSON object.")
    return cast(dict[str, Any], body)


@method("GET")
@answered
def snapshot(request: HttpRequest, name: str) -> HttpResponse:
    """The whole picture; the ETag is of its content."""
    body, packed, etag = questions.snapshot(name)
    known = [tag.strip().removeprefix("W/") for tag in request.headers.get("If-None-Match", "").split(",")]
    if etag in known:
        return HttpResponseNotModified(headers={"ETag": etag})
    fits = bool(packed) and "gzip" in request.headers.get("Accept-Encoding", "")
    response = HttpResponse(packed if fits else body, content_type="application/json", headers={"ETag": etag})
    if fits:
        response["Content-Encoding"] = "gzip"
    patch_cache_control(response, no_cache=True)
    patch_vary_headers(response, ("Cookie", "Accept-Encoding"))
    return response


@method("GET")
@answered
def entities(request: HttpRequest, name: str) -> HttpResponse:
    """Full entities of a part of the cluster, now or with ``at`` at a moment of the history."""
    try:
        return encoded(asked.entities(questions.replica_at(name, time_of(request, "at")), request.GET))
    except asked.AskedError as error:
        return problem(400, f"{error}.", field=error.field, allowed=error.allowed)


@method("GET")
@answered
def sums(request: HttpRequest, name: str) -> HttpResponse:
    """Who calls whom in a large cluster, by service, workload or namespace."""
    at = time_of(request, "at")
    try:
        return encoded(live_sums.sums(questions.replica_at(name, at), request.GET, now=at is None))
    except asked.AskedError as error:
        return problem(400, f"{error}.", field=error.field, allowed=error.allowed)


@method("GET")
@answered
def search(request: HttpRequest, name: str) -> HttpResponse:
    """Objects by name, address or label."""
    return encoded(asked.search(questions.replica_of(name), request.GET.get("q", "")))


def encoded(answer: dict[str, Any]) -> HttpResponse:
    """JSON of plain data and records."""
    return HttpResponse(msgspec.json.encode(answer), content_type="application/json")


@method("GET")
@answered
def trace(request: HttpRequest, name: str) -> HttpResponse:
    """One packet's journey: of a question, or of a connection that was drawn."""
    connection = request.GET.get("connection", "")
    if connection:
        return JsonResponse(questions.trace_connection(name, connection))
    moments = time_of(request, "at"), time_of(request, "opened")
    return JsonResponse(questions.trace_probe(name, read_probe(request), *moments))


@method("GET")
@answered
def capture(request: HttpRequest, name: str) -> HttpResponse:
    """What passes one capture point of a trace as a pcap file; without ``point`` the list of its points."""
    connection = request.GET.get("connection", "")
    if connection:
        found = engine_trace(*questions.asked_connection(name, connection))
    else:
        moments = time_of(request, "at"), time_of(request, "opened")
        found = questions.asked_probe(name, read_probe(request), *moments)[1]
    return captured(found, name, request.GET.get("point", ""))


def captured(found: Trace, name: str, point: str) -> HttpResponse:
    """What passes a capture point of a trace as a download called after ``name``; "" is the list of points."""
    if not point:
        return JsonResponse({"points": [msgspec.to_builtins(one) for one in points(found)]})
    try:
        data = pcap(found, point)
    except UnknownPointError as error:
        return problem(404, f"{error}.", field="point", allowed=", ".join(error.allowed))
    headers = {"Content-Disposition": f'attachment; filename="{name}-{point}.pcap"'}
    return HttpResponse(data, content_type="application/vnd.tcpdump.pcap", headers=headers)


def time_of(request: HttpRequest, name: str) -> float | None:
    """Seconds since 1970 in the query, None without. Raises `ProbeError`."""
    text = request.GET.get(name, "")
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < 1e11:  # nan fails too
        raise ProbeError(
            f"cannot read the time {text[:40]!r}", field=name, allowed="seconds since 1970, like 1763845392.2"
        )
    return value


def read_probe(request: HttpRequest) -> Probe:
    """The question in the query. Raises `ProbeError`."""
    seed = request.GET.get("seed", "") or "0"
    if not (seed.isascii() and seed.isdecimal() and len(seed) <= 18):
        raise ProbeError(f"cannot read seed {seed[:40]!r}", field="seed", allowed="a whole number from 0")
    ends = (request.GET.get("from", ""), request.GET.get("to", ""))
    return Probe.parse(*ends, protocol=request.GET.get("protocol", ""), seed=int(seed))


@method("GET")
@answered
def detail(request: HttpRequest, name: str, ref: str) -> HttpResponse:
    """Everything about one object, now or with ``?at=`` at a moment of the history."""
    return JsonResponse(questions.object_panel(name, ref, time_of(request, "at")))


@method("GET")
@answered
def texts(request: HttpRequest, name: str, ref: str) -> HttpResponseBase:
    """What commands on a node, in a pod or about a Service would print; ``?node=`` chooses whose rules of a Service."""
    cluster = questions.cluster_at(name, time_of(request, "at"))
    if not has_texts(cluster, ref):
        if not has_texts(cluster, f"{ref}/texts"):
            raise questions.UnknownError(f"There are no texts of {ref[:200]!r} in cluster {name!r}.")
        return detail(request, name, f"{ref}/texts")  # an object may be called texts
    try:
        return JsonResponse({"texts": texts_of(cluster, ref, request.GET.get("node", ""))})
    except UnknownNodeError as error:
        return problem(400, str(error), field="node", allowed=", ".join(cluster.nodes))


@method("GET")
@answered
def export(request: HttpRequest, name: str) -> HttpResponseBase:
    """The cluster as manifests; with ``?flows=1`` our own TrafficFlow objects too."""
    pieces = services.export_pieces(find(name), flows=request.GET.get("flows") == "1")
    headers = {"Content-Disposition": f'attachment; filename="{name}-{timezone.localtime():%Y%m%d-%H%M%S}.yaml"'}
    packed = isinstance(request, ASGIRequest) and re_accepts_gzip.search(request.headers.get("Accept-Encoding", ""))
    # Under ASGI Django would first gather what an ordinary iterator gives.
    content = in_turn(pieces, packed=bool(packed)) if isinstance(request, ASGIRequest) else pieces
    answer = StreamingHttpResponse(content, content_type="application/yaml; charset=utf-8", headers=headers)
    patch_vary_headers(answer, ["Accept-Encoding"])
    if packed:
        answer["Content-Encoding"] = "gzip"
    return answer


async def in_turn(pieces: Iterator[str], *, packed: bool) -> AsyncIterator[bytes]:
    """Each piece made in the thread of views, as it is sent.

    Packed into one gzip stream: Django's middleware makes one of each piece, of which browsers read the first.
    """
    packer = zlib.compressobj(wbits=31)
    while (piece := await sync_to_async(partial(next, pieces, None))()) is not None:
        if part := packer.compress(piece.encode()) if packed else piece.encode():
            yield part
    if packed:
        yield packer.flush()


@csrf_exempt  # json_csrf checks instead
@json_csrf
@method("POST")
@editors_only
@answered
def import_manifests(request: HttpRequest, name: str) -> HttpResponse:
    """Apply manifests, or with ``?dry_run=1`` only say what that would do."""
    row = find(name)
    dry_run = request.GET.get("dry_run") == "1"
    summary = services.import_files(row, read_files(request), actor=actor_of(request), dry_run=dry_run)
    return JsonResponse(summary.to_dict())


def read_files(request: HttpRequest) -> list[tuple[str, bytes | str]]:
    """Uploaded files, or the YAML that was pasted."""
    if request.content_type == "multipart/form-data":
        uploads = request.FILES.getlist("file")
        if sum(upload.size or 0 for upload in uploads) > IMPORT_LIMIT:
            raise RequestDataTooBig
        if not uploads:
            raise services.Invalid("No file came with the request; the field is called file.")
        return [(upload.name or "upload", upload.read()) for upload in uploads]
    text = json_body(request, IMPORT_LIMIT).get("yaml")
    if not isinstance(text, str) or not text.strip():
        raise services.Invalid("There is nothing to import: send files, or JSON with yaml.")
    return [("pasted", text)]


@csrf_exempt  # json_csrf checks instead
@json_csrf
@method("POST")
@editors_only
@answered
def act(request: HttpRequest, name: str) -> HttpResponse:
    """One action of the picture."""
    row = find(name)
    wish = json_body(request, ACTION_LIMIT)
    action, target = wish.pop("action", None), wish.pop("target", None)
    if not isinstance(action, str) or not isinstance(target, str):
        raise services.Invalid(f"Needed: action (one of {', '.join(services.ACTIONS)}) and target, a picture id.")
    unknown = sorted(set(wish) - ACTION_FIELDS)
    if unknown:
        raise services.Invalid(f"unknown field {unknown[0]!r}: allowed are {', '.join(sorted(ACTION_FIELDS))}")
    try:
        return JsonResponse({"message": services.act(row, action, target, actor=actor_of(request), **wish)})
    except TypeError:
        raise services.Invalid(f"{action} does not take {', '.join(sorted(wish)) or 'this'}") from None


def actor_of(request: HttpRequest) -> str:
    """Who did it, for the journal."""
    return request.user.get_username()
