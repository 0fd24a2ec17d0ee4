"""The pages of the classroom and the JSON behind them. Who asks needs no account; opening a file does."""

from __future__ import annotations

from typing import Any

import msgspec
from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, ensure_csrf_cookie
from django.views.decorators.http import require_GET

from clusterviz.classroom import run as runs
from clusterviz.classroom import shelf, stage
from clusterviz.classroom.lesson import DEPTHS, LENGTH
from clusterviz.classroom.play import Play
from clusterviz.classroom.reading import LIMITS, LessonError
from clusterviz.classroom.run import Run, TurnError
from clusterviz.classroom.syllabus import MISCONCEPTIONS
from clusterviz.classroom.world import World
from clusterviz.dashboard.api import answered, captured, editors_only, json_body, json_csrf, method, problem, read_probe
from clusterviz.engine import Probe, ProbeError
from clusterviz.live import questions
from clusterviz.live.access import is_editor
from clusterviz.live.asked import AskedError
from clusterviz.live.texts import UnknownNodeError, has_texts, texts_of

FLAWS_SHOWN = 50


@ensure_csrf_cookie
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """All lessons with what each teaches."""
    known = [(name, shelf.play_of(name).lesson) for name in shelf.names()]
    minutes = sum(one.minutes for _, one in known)
    context = {"lessons": known, "hours": round(minutes / 60, 1), "editor": is_editor(request.user)}
    return render(request, "classroom/index.html", context)


@ensure_csrf_cookie
@require_GET
def lesson(request: HttpRequest, name: str) -> HttpResponse:
    """One lesson; what happens in it comes by script."""
    return render(request, "classroom/lesson.html", context_of(request, name))


def context_of(request: HttpRequest, name: str) -> dict[str, Any]:
    """What the page of a lesson shows without script. Raises Django's 404."""
    found = found_or_404(name).lesson
    all_names = shelf.names()
    after = all_names[all_names.index(name) + 1] if name in all_names[:-1] else ""
    return {
        "name": name,
        "editor": is_editor(request.user),
        "lesson": found,
        "depths": DEPTHS,
        "beliefs": [_(MISCONCEPTIONS[one]) for one in found.misconceptions],
        "after": after,
        "after_title": shelf.play_of(after).lesson.title if after else "",
    }


def found_or_404(name: str) -> Play:
    """The lesson, or Django's 404."""
    try:
        return shelf.play_of(name)
    except shelf.NoLessonError as error:
        raise Http404(str(error)) from None


@method("GET")
@answered
def at(request: HttpRequest, name: str) -> HttpResponse:
    """A place of the lesson, after the ``turn`` that is wanted."""
    play = found_or_404(name)
    try:
        run = stage.turned(play, stage.run_of(play, request.GET), request.GET)
        return HttpResponse(msgspec.json.encode(stage.shown(play, run)), content_type="application/json")
    except TurnError as error:
        return problem(409, f"{error}.")
    except AskedError as error:
        return problem(400, f"{error}.", field=error.field, allowed=error.allowed)


def asked(request: HttpRequest, name: str) -> tuple[Play, Run, World]:
    """The lesson, the place in it, and the cluster of that place. Raises `ProbeError` for a place that is none."""
    play = found_or_404(name)
    try:
        run = stage.run_of(play, request.GET)
    except AskedError as error:
        raise ProbeError(str(error), field=error.field, allowed=error.allowed) from None
    return play, run, runs.world(play, run)


def probe_in(request: HttpRequest) -> Probe:
    """The packet in the query, with its length. Raises `ProbeError`."""
    probe, text = read_probe(request), request.GET.get("length", "") or "60"
    if not (text.isascii() and text.isdecimal() and len(text) <= 5 and int(text) in LENGTH):
        raise ProbeError(f"cannot read length {text[:20]!r}", field="length", allowed=f"{LENGTH[0]} to {LENGTH[-1]}")
    return msgspec.structs.replace(probe, length=int(text))


@method("GET")
@answered
def trace(request: HttpRequest, name: str) -> HttpResponse:
    """A packet in the cluster of a place of the lesson."""
    return JsonResponse(stage.documented(asked(request, name)[2], probe_in(request)))


@method("GET")
@answered
def capture(request: HttpRequest, name: str) -> HttpResponse:
    """What passes one capture point of such a packet; without ``point`` the list of its points."""
    found = stage.traced(asked(request, name)[2], probe_in(request))
    return captured(found, name, request.GET.get("point", ""))


@method("GET")
@answered
def detail(request: HttpRequest, name: str, ref: str) -> HttpResponse:
    """Everything about one object of the lesson's cluster."""
    play, run, _ = asked(request, name)
    return JsonResponse(questions.panel_of(stage.replica_of(play, run), ref))


@method("GET")
@answered
def texts(request: HttpRequest, name: str, ref: str) -> HttpResponseBase:
    """What commands on a node, in a pod or about a Service would print; a node that is behind has its old rules."""
    world, node = asked(request, name)[2], request.GET.get("node", "")
    current = (one for one in world.cluster.nodes if one not in world.synced)
    behind = ref.removeprefix("node:") if ref.startswith("node:") else node or next(current, "")
    cluster = world.synced.get(behind, world.cluster)
    if not has_texts(cluster, ref):
        raise questions.UnknownError(f"There are no texts of {ref[:200]!r} in this lesson.")
    try:
        return JsonResponse({"texts": texts_of(cluster, ref, behind if ref.startswith("service:") else node)})
    except UnknownNodeError as error:
        return problem(400, str(error), field="node", allowed=", ".join(cluster.nodes))


@csrf_exempt  # json_csrf checks instead
@json_csrf
@method("POST")
@editors_only
@answered
def open_file(request: HttpRequest) -> HttpResponse:
    """A lesson of a teacher's own, as JSON with ``name`` of the file and its ``text``; or every flaw with its line."""
    body = json_body(request, LIMITS.size * 2)
    file, text = body.get("name"), body.get("text")
    if not isinstance(file, str) or not isinstance(text, str):
        return problem(400, "Needed: name, the file's, and text, what is in it.", field="text", allowed="text")
    if len(text.encode(errors="replace")) > LIMITS.size:
        raise RequestDataTooBig(LIMITS.size)
    try:
        return JsonResponse({"lesson": shelf.opened(text, file[:100])})
    except LessonError as error:
        flaws = [one.to_dict() for one in error.problems[:FLAWS_SHOWN]]
        return problem(422, f"{file[:100]}: {len(error.problems)} to mend; nothing was opened.", problems=flaws)
