"""Rooms: one lesson, one teacher, and students who join by a code. Everything is in memory and gone when it closes."""
