"""What SQLite is taught: numbers of any size as texts that sort like them, and periods in a time zone."""

import sqlite3

from engine.store.zones import local_period

__all__ = ["number_key", "number_of_key", "register"]

HALF = 32  # bits: sums of the upper and of the lower halves of whole numbers do not overflow
ZERO = 10**45
LARGEST = 10**18  # what a number of a column stays below
WIDTH = 46  # digits, more than any sum over a table has


def register(raw: sqlite3.Connection) -> None:
    raw.create_function("fs_exact", 2, exact, deterministic=True)
    raw.create_function("fs_average", 4, average, deterministic=True)
    raw.create_function("fs_rolled", 4, rolled, deterministic=True)
    raw.create_function("fs_period", 3, period, deterministic=True)


def number_key(tenths: int) -> str:
    """Texts in the order of the numbers. In tenths: there is room for a literal between two numbers."""
    return f"{tenths + ZERO:0{WIDTH}d}"


def number_of_key(key: str) -> int:
    return (int(key) - ZERO) // 10


def exact(upper: int | None, lower: int | None) -> str | None:
    """The key of a sum, from the sums of its halves."""
    if upper is None or lower is None:
        return None
    return number_key(((upper << HALF) + lower) * 10)


def average(upper: int | None, lower: int | None, count: int, factor: int) -> str | None:
    """The key of sum * factor / count, rounded half up (away from zero)."""
    if upper is None or lower is None:
        return None
    total = (upper << HALF) + lower
    rounded = (2 * abs(total) * factor + count) // (2 * count)
    return number_key((-rounded if total < 0 else rounded) * 10)


def rolled(upper: int | None, lower: int | None, count: int, shift: int) -> int | None:
    """sum / count * 10^shift, rounded half up (away from zero); NULL where no column has room for it."""
    if upper is None or lower is None or count == 0:
        return None
    total = (upper << HALF) + lower
    above, below = abs(total) * 10 ** max(shift, 0), count * 10 ** max(-shift, 0)
    rounded = (2 * above + below) // (2 * below)
    return None if rounded >= LARGEST else -rounded if total < 0 else rounded


def period(moment: str | None, zone: str, name: str) -> str | None:
    return None if moment is None else local_period(moment, zone, name)
