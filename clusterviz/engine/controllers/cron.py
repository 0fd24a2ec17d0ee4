"""Schedules of CronJobs: five fields or a word for them, as cron reads them."""

from __future__ import annotations

import calendar
import re
import time
from collections.abc import Callable, Iterator

import msgspec

MINUTE, DAY = 60, 86_400
_WORDS = {
    "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
}  # fmt: skip
_MONTHS = {name.lower(): number for number, name in enumerate(calendar.month_abbr) if name}
_DAYS = {name: number for number, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))}
_FIELDS: tuple[tuple[str, int, int, dict[str, int]], ...] = (
    ("minute", 0, 59, {}), ("hour", 0, 23, {}), ("day of month", 1, 31, {}), ("month", 1, 12, _MONTHS),
    ("day of week", 0, 6, _DAYS),
)  # fmt: skip
_UNITS = {"h": 3600, "m": 60, "s": 1}
# A leap day comes within eight years.
_FARTHEST = 8 * 366
# How many seconds local time is ahead of UTC at a moment.
Offset = Callable[[float], int]


class Schedule(msgspec.Struct, frozen=True):
    """The minutes at which something happens; with ``every``, so many seconds after the last time instead."""

    minutes: frozenset[int] = frozenset()
    hours: frozenset[int] = frozenset()
    days: frozenset[int] = frozenset()
    months: frozenset[int] = frozenset()
    weekdays: frozenset[int] = frozenset()
    either: bool = False
    """Whether a day of the month or of the week is enough: both are restricted."""
    every: float = 0.0

    def falls_on(self, midnight: float) -> bool:
        """Whether anything happens on the day that begins then."""
        _, month, date, _, _, _, weekday, *_ = time.gmtime(midnight)
        if month not in self.months:
            return False
        by_date, by_weekday = date in self.days, (weekday + 1) % 7 in self.weekdays
        return by_date or by_weekday if self.either else by_date and by_weekday


def parse(text: str) -> Schedule:
    """Read a schedule. Raises ValueError that says what is wrong."""
    given = text.strip()
    if given.startswith("@every "):
        return Schedule(every=_span(given.removeprefix("@every ").strip()))
    if given.startswith("@") and given not in _WORDS:
        raise ValueError(f"unrecognized descriptor: {given}")
    fields = _WORDS.get(given, given).split()
    if len(fields) != len(_FIELDS):
        raise ValueError(f"expected exactly {len(_FIELDS)} fields, found {len(fields)}: [{' '.join(fields)}]")
    minutes, hours, days, months, weekdays = (
        _numbers(field, *bounds) for field, bounds in zip(fields, _FIELDS, strict=True)
    )
    either = not any(field.startswith(("*", "?")) for field in (fields[2], fields[4]))
    return Schedule(minutes, hours, days, months, weekdays, either)


def after(schedule: Schedule, moment: float, offset: Offset) -> float | None:
    """The first time after a moment; None when there is none for years. What a change of clocks skips is left out."""
    if schedule.every:
        return float(int(moment) + schedule.every)
    for local in _local_times(schedule, moment + offset(moment)):
        found = local - offset(local - offset(moment))
        if found > moment and found + offset(found) == local:
            return found
    return None


def latest(schedule: Schedule, since: float, until: float, offset: Offset) -> float | None:
    """The last time after ``since`` and not after ``until``."""
    if schedule.every:
        number = int((until - int(since)) // schedule.every)
        return int(since) + number * schedule.every if number > 0 else None
    for window in (60 * MINUTE, DAY, 32 * DAY, 366 * DAY, until):
        found, start = None, max(since, until - window)
        while (following := after(schedule, start if found is None else found, offset)) is not None:
            if following > until:
                break
            found = following
        if found is not None or start == since:
            return found
    return None


def _local_times(schedule: Schedule, local: float) -> Iterator[float]:
    """All times from the minute after, by a clock that never changes."""
    first = (int(local) // MINUTE + 1) * MINUTE
    midnight = first // DAY * DAY
    for number in range(_FARTHEST):
        start = midnight + number * DAY
        if schedule.falls_on(start):
            for hour in sorted(schedule.hours):
                for minute in sorted(schedule.minutes):
                    if (found := start + hour * 3600 + minute * MINUTE) >= first:
                        yield float(found)


def _numbers(field: str, name: str, low: int, high: int, names: dict[str, int]) -> frozenset[int]:
    found: set[int] = set()
    for part in field.split(","):
        span, slash, step = part.partition("/")
        begin, dash, end = span.partition("-")
        if begin in ("*", "?"):
            first, last = low, high
        else:
            first = _number(begin, field, names)
            last = _number(end, field, names) if dash else high if slash else first
        if slash and (not step.isdecimal() or not int(step)):
            raise ValueError(f"step of range should be a positive number: {part}")
        if first < low:
            raise ValueError(f"beginning of range ({first}) below minimum ({low}): {part} ({name})")
        if last > high:
            raise ValueError(f"end of range ({last}) above maximum ({high}): {part} ({name})")
        if first > last:
            raise ValueError(f"beginning of range ({first}) beyond end of range ({last}): {part} ({name})")
        found |= set(range(first, last + 1, int(step) if slash else 1))
    return frozenset(found)


def _number(text: str, field: str, names: dict[str, int]) -> int:
    if text.lower() in names:
        return names[text.lower()]
    if not text.isdecimal() or len(text) > 4:
        raise ValueError(f"failed to parse int from {text[:20]}: {field[:40]}")
    return int(text)


def _span(text: str) -> float:
    """A duration such as 1h30m."""
    parts = re.findall(r"(\d{1,6})([hms])", text)
    total = sum(int(number) * _UNITS[unit] for number, unit in parts)
    if not total or "".join(map("".join, parts)) != text:
        raise ValueError(f"failed to parse duration {text[:40]}")
    return float(total)
