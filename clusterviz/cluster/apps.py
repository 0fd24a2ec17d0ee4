"""The app that keeps clusters."""

from django.apps import AppConfig


class ClusterConfig(AppConfig):
    """Models, admin and the one write path."""

    name = "clusterviz.cluster"
    verbose_name = "Clusters"
