"""The addresses of the classroom, below /lessons/."""

from __future__ import annotations

from django.urls import path

from clusterviz.classroom import pages

app_name = "classroom"

urlpatterns = [
    path("", pages.index, name="index"),
    path("open", pages.open_file, name="open"),
    path("<slug:name>/", pages.lesson, name="lesson"),
    path("<slug:name>/at", pages.at, name="at"),
    path("<slug:name>/trace", pages.trace, name="trace"),
    path("<slug:name>/capture", pages.capture, name="capture"),
    path("<slug:name>/objects/<path:ref>/texts", pages.texts, name="texts"),
    path("<slug:name>/objects/<path:ref>", pages.detail, name="object"),
]
