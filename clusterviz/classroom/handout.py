"""What a lesson gives to take home: a page for paper, its answers as a second part, and a view for course pages."""

from __future__ import annotations

from typing import Any

import msgspec
from csp.decorators import csp_replace
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET

from clusterviz.classroom import run as runs
from clusterviz.classroom.lesson import DEPTHS, Depth, Step
from clusterviz.classroom.pages import context_of, found_or_404
from clusterviz.classroom.play import Play
from clusterviz.classroom.run import Run, View
from clusterviz.engine.rulebook import RULES

# Lines to write on below a question.
LINES = range(3)


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A place of the lesson on paper: the ``number`` of its step from 1, what may be seen there, ``done`` after it."""

    number: int
    step: Step
    view: View
    done: bool
    rules: dict[str, str]


def places(play: Play, depth: Depth, *, revealed: bool) -> list[Place]:
    """Every step as it is before its reveal, or every step that asks as it is after it."""
    found = []
    for position, (index, done) in enumerate(runs.positions(play)):
        step = play.lesson.all_steps[index]
        if done is not (revealed or step.predict is None) or (revealed and step.predict is None and not step.whatif):
            continue
        view = runs.view(play, Run(lesson=play.lesson.id, position=position, depth=depth))
        cited = [*view.rules, *(view.question.rules if view.question else [])]
        rules = {name: RULES[name] for name in dict.fromkeys(cited)} if done else {}
        found.append(Place(number=index + 1, step=step, view=view, done=done, rules=rules))
    return found


@require_GET
def handout(request: HttpRequest, name: str) -> HttpResponse:
    """The lesson on paper. ``answers=1`` adds the second part, ``depth`` chooses words; the script draws pictures."""
    play = found_or_404(name)
    depth: Depth = next((one for one in DEPTHS if one == request.GET.get("depth")), "novice")
    answers = request.GET.get("answers") == "1"
    context: dict[str, Any] = {
        "name": name,
        "lesson": play.lesson,
        "depth": depth,
        "depths": DEPTHS,
        "answers": answers,
        "places": places(play, depth, revealed=False),
        "revealed": places(play, depth, revealed=True) if answers else [],
        "lines": LINES,
    }
    return render(request, "classroom/handout.html", context)


@xframe_options_exempt
@ensure_csrf_cookie
@require_GET
def embed(request: HttpRequest, name: str) -> HttpResponseBase:
    """The lesson without the bar, for a frame in a course page; which pages may frame it is a setting."""
    context = context_of(request, name) | {"embedded": True, "editor": False}

    def shown(asked: HttpRequest) -> HttpResponse:
        return render(asked, "classroom/lesson.html", context)

    return csp_replace({"frame-ancestors": settings.EMBEDDED_BY})(shown)(request)
