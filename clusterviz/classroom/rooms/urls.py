"""The addresses of rooms, below /room/."""

from __future__ import annotations

from django.urls import path

from clusterviz.classroom.rooms import pages

app_name = "rooms"

urlpatterns = [
    path("", pages.entrance, name="entrance"),
    path("open", pages.open_room, name="open"),
    path("<slug:code>/", pages.room, name="room"),
    path("<slug:code>/desk", pages.desk, name="desk"),
    path("<slug:code>/qr.svg", pages.qr, name="qr"),
]
