"""Tests of the pages and the HTTP paths."""
