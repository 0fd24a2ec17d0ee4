"""The pages of rooms: the door, the room itself, the teacher's desk, and the code as a picture."""

from __future__ import annotations

import io

import segno
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET

from clusterviz.classroom import shelf
from clusterviz.classroom.pages import context_of
from clusterviz.classroom.rooms.hall import hall_of, open_hall
from clusterviz.classroom.rooms.room import CODE_LENGTH, RoomError
from clusterviz.dashboard.api import answered, editors_only, json_body, json_csrf, method, problem

BODY = 1024


@require_GET
def entrance(request: HttpRequest) -> HttpResponse:
    """The door: type the code that stands on the wall."""
    code = request.GET.get("code", "").strip().upper()[:40]
    if not code:
        return render(request, "classroom/entrance.html", {"length": CODE_LENGTH})
    found = hall_of(code)
    if found is None:
        return no_room(request, code)
    return HttpResponseRedirect(reverse("rooms:room", args=[found.room.code]))


def no_room(request: HttpRequest, code: str) -> HttpResponse:
    """The door again, with a word."""
    return render(request, "classroom/entrance.html", {"length": CODE_LENGTH, "code": code[:40]}, status=404)


@require_GET
def room(request: HttpRequest, code: str) -> HttpResponse:
    """The lesson as the class sees it."""
    found = hall_of(code)
    if found is None:
        return no_room(request, code)
    if code != found.room.code:
        return HttpResponseRedirect(reverse("rooms:room", args=[found.room.code]))
    return render(request, "classroom/lesson.html", {**context_of(request, found.room.lesson), "code": found.room.code})


@require_GET
def desk(request: HttpRequest, code: str) -> HttpResponse:
    """The teacher's own screen. What is private on it comes by the socket, to who has the key."""
    found = hall_of(code)
    if found is None:
        return no_room(request, code)
    return render(request, "classroom/desk.html", {"code": found.room.code, "lesson": found.room.play.lesson})


@require_GET
def qr(request: HttpRequest, code: str) -> HttpResponse:
    """The address of the room, for the cameras of telephones."""
    found = hall_of(code)
    if found is None:
        return no_room(request, code)
    drawn = io.BytesIO()
    address = request.build_absolute_uri(reverse("rooms:room", args=[found.room.code]))
    segno.make_qr(address).save(drawn, kind="svg", scale=8, border=2, light="#ffffff")
    return HttpResponse(drawn.getvalue(), content_type="image/svg+xml")


@csrf_exempt  # json_csrf checks instead
@json_csrf
@method("POST")
@editors_only
@answered
def open_room(request: HttpRequest) -> HttpResponseBase:
    """Open a room for the ``lesson`` in the JSON body; answers its ``code`` and the teacher's ``key``."""
    name = json_body(request, BODY).get("lesson")
    try:
        play = shelf.play_of(name if isinstance(name, str) else "")
        opened = open_hall(str(name), play)
    except shelf.NoLessonError as error:
        return problem(404, str(error), field="lesson")
    except RoomError as error:
        return problem(429, f"{error}.")
    return JsonResponse({"code": opened.code, "key": opened.key, "url": reverse("rooms:room", args=[opened.code])})
