"""Websocket addresses."""

from __future__ import annotations

from django.urls import path, re_path

from clusterviz.live.consumer import LiveConsumer, NowhereConsumer

websocket_urlpatterns = [
    path("ws/clusters/<slug:name>/", LiveConsumer.as_asgi()),
    re_path("", NowhereConsumer.as_asgi()),
]
