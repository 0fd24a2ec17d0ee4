"""Who steps a cluster: the process that holds a lock on a file in the data folder.

The kernel releases the lock when the process ends, however it ends.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from django.conf import settings


def lock_path(name: str) -> Path:
    """The lock file of a cluster."""
    folder = Path(settings.CLUSTERVIZ_DATA) / "locks"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / f"{name}.lock"


class Leadership:
    """The right to step one cluster, held until `release`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._file: int | None = None

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._file is not None

    def acquire(self) -> bool:
        """Try to get the lock; never waits."""
        if self._file is not None:
            return True
        file = os.open(lock_path(self.name), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(file)
            return False
        self._file = file
        return True

    def release(self) -> None:
        """Give the lock back."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def held(name: str) -> bool:
    """Whether anybody, in this process or another, steps the cluster."""
    attempt = Leadership(name)
    if attempt.acquire():
        attempt.release()
        return False
    return True
