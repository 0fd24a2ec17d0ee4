"""The app that teaches."""

from django.apps import AppConfig


class ClassroomConfig(AppConfig):
    """Lessons, and the command that checks them."""

    name = "clusterviz.classroom"
    verbose_name = "Classroom"
