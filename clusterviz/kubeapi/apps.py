"""The app that answers kubectl."""

from __future__ import annotations

from django.apps import AppConfig


class KubeApiConfig(AppConfig):
    """No models of its own: what it reads is in memory, what it writes goes through `cluster.services`."""

    name = "clusterviz.kubeapi"
    label = "kubeapi"
