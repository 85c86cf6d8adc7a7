"""When a time zone's clocks change, as plain data that both databases work with: the same days on either."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

__all__ = ["PERIODS", "Clocks", "clocks_of", "local_period", "period_text"]

PERIODS = ("day", "week", "month", "quarter", "year")

# Before the first zones and after a century of today's rules the clocks are taken to stand still.
FIRST, LAST = datetime(1840, 1, 1, tzinfo=UTC), datetime(2101, 1, 1, tzinfo=UTC)
STEP = timedelta(days=2)  # no zone changed its clocks and took it back within so short a time
SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Clocks:
    """`offsets[i]` holds from `changes[i - 1]` until `changes[i]`, in seconds east of UTC."""

    changes: tuple[datetime, ...]
    offsets: tuple[int, ...]
    texts: tuple[str, ...]  # `changes` as SQLite stores moments


@lru_cache(maxsize=64)
def clocks_of(zone: ZoneInfo) -> Clocks:
    changes = list(_changes(zone))
    offsets = [_offset(zone, FIRST), *(_offset(zone, change) for change in changes)]
    texts = tuple(change.strftime("%Y-%m-%dT%H:%M:%S.000Z") for change in changes)
    return Clocks(tuple(changes), tuple(offsets), texts)


def _changes(zone: ZoneInfo) -> Iterator[datetime]:
    at, offset = FIRST, _offset(zone, FIRST)
    while at < LAST:
        end = at + STEP
        if _offset(zone, end) == offset:
            at = end
            continue
        while end - at > SECOND:
            middle = at + (end - at) // 2 // SECOND * SECOND
            at, end = (middle, end) if _offset(zone, middle) == offset else (at, middle)
        yield end
        at, offset = end, _offset(zone, end)


def _offset(zone: ZoneInfo, moment: datetime) -> int:
    offset = moment.astimezone(zone).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())


def local_period(moment: str, zone: str, period: str) -> str:
    """The period that a moment, as SQLite stores it, falls in for people of this zone."""
    # Since 1973 clocks change at full minutes: moments of one minute share an answer.
    return _period(moment[:16] + ":00.000Z" if moment >= "1973" else moment, zone, period)


@lru_cache(maxsize=1 << 14)
def _period(moment: str, zone: str, period: str) -> str:
    clocks = clocks_of(ZoneInfo(zone))
    offset = clocks.offsets[bisect_right(clocks.texts, moment)]
    try:
        day = (datetime.fromisoformat(moment) + timedelta(seconds=offset)).date()
    except OverflowError:
        day = date.max
    return period_text(day, period)


def period_text(day: date, period: str) -> str:
    """2026-11-22, 2026-11-16 (the Monday of the week), 2026-11, 2026-Q4, 2026"""
    text = day.isoformat()
    match period:
        case "week":  # ISO 8601: a week begins on Monday
            return (day - timedelta(days=day.weekday())).isoformat()
        case "month":
            return text[:7]
        case "quarter":
            return f"{text[:4]}-Q{(day.month + 2) // 3}"
        case "year":
            return text[:4]
    return text
