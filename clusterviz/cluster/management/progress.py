"""How far a long command has come, on a terminal."""

from __future__ import annotations

import sys
import time
from typing import TextIO

WIDTH = 30


class Progress:
    """A bar on standard error that is drawn anew in its line; nothing at all where nobody watches."""

    def __init__(self, what: str, stream: TextIO | None = None) -> None:
        self._what, self._stream = what, stream or sys.stderr
        self._started = time.monotonic()
        self._shown = self._stream.isatty()

    def tell(self, part: float) -> None:
        """So much is done, from 0 to 1."""
        if self._shown:
            bar = "#" * round(part * WIDTH)
            seconds = time.monotonic() - self._started
            self._stream.write(f"\r{self._what} [{bar:<{WIDTH}}] {part:4.0%} after {seconds:.0f} s")
            self._stream.flush()

    def end(self) -> None:
        """Leave the line."""
        if self._shown:
            self._stream.write("\n")
