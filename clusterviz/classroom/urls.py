"""The addresses of the classroom, below /lessons/."""

from __future__ import annotations

from django.urls import path

from clusterviz.classroom import exams, handout, pages

app_name = "classroom"

urlpatterns = [
    path("", pages.index, name="index"),
    path("open", pages.open_file, name="open"),
    path("exam/", exams.begin_exam, name="exams"),
    path("exam/<int:seed>/<int:difficulty>/", exams.paper, name="exam"),
    path("exam/<int:seed>/<int:difficulty>/manifests", exams.manifests, name="exam-manifests"),
    path("<slug:name>/", pages.lesson, name="lesson"),
    path("<slug:name>/handout/", handout.handout, name="handout"),
    path("<slug:name>/embed/", handout.embed, name="embed"),
    path("<slug:name>/at", pages.at, name="at"),
    path("<slug:name>/trace", pages.trace, name="trace"),
    path("<slug:name>/capture", pages.capture, name="capture"),
    path("<slug:name>/objects/<path:ref>/texts", pages.texts, name="texts"),
    path("<slug:name>/objects/<path:ref>", pages.detail, name="object"),
]
