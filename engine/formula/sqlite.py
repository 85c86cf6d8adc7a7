"""Functions that SQLite borrows from Python, so that both reckon alike. Opens no connection.

Numbers are their shortest text here, other values as they are stored.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from engine.contracts.function import Function, Here
from engine.formula import exact
from engine.formula.one_call import python_side
from engine.formula.stored import CODES, LOAD, dumped

__all__ = ["call_codes", "sqlite_functions"]

Borrowed = Callable[..., Any]

NOWHERE = Here()


def sqlite_functions(functions: Mapping[str, Function]) -> dict[str, Borrowed]:
    """By their names in SQL. All are deterministic; a class is an aggregate."""
    found: dict[str, Borrowed] = {
        f"fx_{name}".lower(): borrowed(function)
        for name, function in functions.items()
        if function.python and function.in_sqlite == "python"
    }
    return found | {
        "fx_exact": number_text, "fx_arithmetic": arithmetic, "fx_compare": compare, "fx_join": join,
        "fx_days_later": days_later, "fx_period": period, "fx_fitted": fitted, "fx_whole": whole, "fx_fiscal": fiscal,
        "fx_formula": python_side(functions),
        **{f"fx_{op.lower()}": summing(op) for op in ("SUM", "AVERAGE", "HIGHEST", "LOWEST")},
    }  # fmt: skip


def borrowed(function: Function) -> Borrowed:
    """Takes the letters of its arguments, the person's time zone or NULL, and the arguments."""
    python = function.python
    assert python is not None
    skips_blank = function.blank == "blank"

    def call(codes: str, zone: str | None, *args: Any) -> Any:
        if skips_blank and None in args:
            return None
        values = [None if arg is None else LOAD[code](arg) for code, arg in zip(codes, args, strict=True)]
        return dumped(python(here_in(zone) if zone else NOWHERE, *values))

    return call


@lru_cache(maxsize=200)
def here_in(zone: str) -> Here:
    return Here(zone=ZoneInfo(zone))


def number_text(stored: int | float | None, scale: int) -> str | None:
    """A number of a column, which holds it times 10^scale."""
    if stored is None:
        return None
    return exact.text_of(exact.EXACT.scaleb(exact.number_of(str(stored)), -scale))


def arithmetic(op: str, left: str | None, right: str | None) -> str | None:
    one, other = (None if side is None else exact.number_of(side) for side in (left, right))
    found = exact.arithmetic(op, one, other)
    return None if found is None else exact.text_of(found)


def fitted(number: str | None, scale: int) -> int | None:
    """A number times 10^scale, as a column holds it; NULL where it has no room."""
    if number is None:
        return None
    found = exact.fitted(exact.number_of(number), scale)
    return None if found is None else int(exact.EXACT.scaleb(found, scale))


def join(left: str | None, right: str | None) -> str | None:
    return ((left or "") + (right or ""))[: exact.TEXT_MAX] or None


def compare(left: str | None, right: str | None) -> int | None:
    if left is None or right is None:
        return None
    one, other = exact.number_of(left), exact.number_of(right)
    return (one > other) - (one < other)


def days_later(kind: str, moment: str | None, days: str | None, sign: int) -> str | None:
    if moment is None or days is None:
        return None
    load: Any = dt.date.fromisoformat if kind == "date" else dt.datetime.fromisoformat
    found: str | None = dumped(exact.days_later(load(moment), sign * exact.whole(exact.number_of(days))))
    return found


def period(day: str | None, unit: str | None, shift: int | None, end: int, fiscal_start: int) -> str | None:
    if not day or not unit or shift is None:
        return None
    found = exact.period(dt.date.fromisoformat(day), unit, shift, end, fiscal_start)
    return found.isoformat() if found else None


def whole(number: str | None) -> int | None:
    return None if number is None else exact.whole(exact.number_of(number))


def fiscal(day: str | None, fiscal_start: int, part: int) -> str | None:
    return None if day is None else str(exact.fiscal(dt.date.fromisoformat(day), fiscal_start)[part])


def summing(op: str) -> type[Any]:
    """An aggregate of exact numbers, blanks left out; each is kept times 10^20."""

    class Summing:
        def __init__(self) -> None:
            self.count = self.total = 0
            self.best: int | None = None

        def step(self, value: str | None) -> None:
            if value is None:
                return
            number = exact.scaled(exact.number_of(value))
            self.count += 1
            self.total += number
            if self.best is None or (number > self.best) == (op == "HIGHEST"):
                self.best = number

        def finalize(self) -> str | None:
            if op == "SUM":
                return exact.text_of(exact.unscaled(self.total))
            if self.best is None:
                return None
            found = exact.divided(self.total, self.count) if op == "AVERAGE" else self.best
            return exact.text_of(exact.unscaled(found))

    return Summing


def call_codes(kinds: Sequence[str]) -> str:
    return "".join(CODES[kind] for kind in kinds)
