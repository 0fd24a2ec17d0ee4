"""Local times of the world, for the schedules of CronJobs."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, datetime
from functools import lru_cache


@lru_cache(64)
def _zone(name: str) -> zoneinfo.ZoneInfo | None:
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return None


def offset(zone: str, moment: float) -> int | None:
    """Seconds by which local time is ahead of UTC at a moment; None of a zone nobody knows."""
    found = _zone(zone)
    if found is None:
        return None
    ahead = datetime.fromtimestamp(moment, UTC).astimezone(found).utcoffset()
    return int(ahead.total_seconds()) if ahead is not None else 0
