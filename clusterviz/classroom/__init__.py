"""Lessons: a cluster, steps that change it, questions whose answers the engine gives."""
