"""Websocket addresses."""

from __future__ import annotations

from django.urls import path

from clusterviz.live.consumer import LiveConsumer

websocket_urlpatterns = [
    path("ws/clusters/<slug:name>/", LiveConsumer.as_asgi()),
]
