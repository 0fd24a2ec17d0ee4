"""Websocket addresses of rooms."""

from __future__ import annotations

from django.urls import path

from clusterviz.classroom.rooms.socket import RoomConsumer

room_urlpatterns = [path("ws/rooms/<slug:code>/", RoomConsumer.as_asgi())]
