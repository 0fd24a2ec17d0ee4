"""The engine held against what upstream projects expect of themselves."""
