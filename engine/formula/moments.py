"""Dates in SQL, alike on both databases, and a way to reckon an argument only once. Opens no connection."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from engine.formula import exact
from engine.store import types

__all__ = ["Once", "days_later", "once", "period"]

Expression = sa.ColumnElement[Any]
FIRST, LAST = (day.toordinal() - 1 for day in (exact.FIRST_DAY, exact.LAST_DAY))  # days since 0001-01-01
ARGUMENTS = tuple("abcdefghi")


class Once(FunctionElement[Any]):
    """An expression over `a`, `b`, `c`, …, each worked out once: written out they would double at every level."""

    inherit_cache = False

    def __init__(self, built: Expression, *args: Expression) -> None:
        super().__init__(*args)
        self.built = built


@compiles(Once)
def write_once(element: Once, compiler: Any, **more: Any) -> str:
    inner = ", ".join(
        f"{compiler.process(arg, **more)} AS {name}" for arg, name in zip(element.clauses, ARGUMENTS, strict=False)
    )
    # OFFSET 0 keeps PostgreSQL from writing the arguments out itself.
    return f"(SELECT {compiler.process(element.built, **more)} FROM (SELECT {inner} OFFSET 0) AS fs_once)"  # noqa: S608


def once(build: Any, *args: Expression) -> Expression:
    """`build` gets a name for each argument. PostgreSQL only."""
    names: list[Any] = [
        sa.literal_column(f"fs_once.{name}", arg.type) for name, arg in zip(ARGUMENTS, args, strict=False)
    ]
    return Once(build(*names), *args)


def days_later(dialect: str, moment: Expression, days: Expression, kind: str, sign: int = 1) -> Expression:
    """So many whole days later, the number an exact one. Outside the years that a date can have: blank."""
    stored: Any = types.Date() if kind == "date" else types.DateTime()
    if dialect == "sqlite":
        return sa.func.fx_days_later(
            sa.literal_column(f"'{kind}'"), moment, days, sa.literal_column(str(sign)), type_=stored
        )

    def build(a: Any, b: Any) -> Any:
        day = a if kind == "date" else sa.cast(sa.func.timezone("UTC", a), sa.Date())
        number = b * sign
        is_near = ((day - sa.literal_column("DATE '0001-01-01'")) + number).between(FIRST, LAST)
        step = sa.cast(number, sa.Integer())
        return sa.case((is_near, a + (step if kind == "date" else step * sa.text("interval '1 day'"))))

    given = sa.cast(moment, sa.Date() if kind == "date" else sa.DateTime(timezone=True))
    return sa.type_coerce(once(build, given, sa.func.trunc(days)), stored)


def period(context: Any, day: Expression, unit: str, shift: int | Expression, end: int) -> Expression:
    """First (`end` 0) or last (1) day of the period of `day`, or of one after it. `unit` is ours, never a person's.

    A `shift` that is an expression is a whole number, and a name: see `once`.
    """
    start_month: Any = sa.literal_column("1", sa.Integer())
    if unit in exact.FISCAL:
        start_month = sa.type_coerce(context.fiscal_start, sa.Integer())
    moved_by: Any = sa.literal_column(str(shift), sa.Integer()) if isinstance(shift, int) else shift
    if context.dialect == "sqlite":
        words: list[Any] = [sa.literal_column(f"'{unit}'"), moved_by, sa.literal_column(str(end)), start_month]
        return sa.func.fx_period(day, *words, type_=types.Date())
    months = exact.MONTHS.get(unit)
    per = {"day": "1 day", "week": "7 days"}.get(unit, f"{months} months")
    moment = sa.cast(sa.cast(day, sa.Date()), sa.DateTime())
    before = (start_month - 1) * sa.text("interval '1 month'") if unit in exact.FISCAL else None
    start: Any = sa.func.date_trunc(exact.FISCAL.get(unit, unit), moment if before is None else moment - before)
    start = start if before is None else start + before
    start = start + (moved_by + end) * sa.text(f"interval '{per}'")
    if not isinstance(shift, int):  # PostgreSQL refuses what is far outside the years that it knows
        start = sa.case((_is_near(sa.cast(day, sa.Date()), months, moved_by), start))
    found = once(
        lambda a: sa.case((a.between(*BOUNDS), a)),
        sa.cast(start - sa.text("interval '1 day'") if end else start, sa.Date()),
    )
    return sa.type_coerce(found, types.Date())


def _is_near(day: Any, months: int | None, shift: Any) -> Any:
    """Whether so many months, or weeks, from the day are at most a year outside the years that a date can have."""
    if months:
        first = sa.extract("year", day) * 12 + sa.extract("month", day)
        return (first + shift * months).between(12 * (exact.FIRST_DAY.year - 1), 12 * (exact.LAST_DAY.year + 2))
    days = day - sa.literal_column("DATE '0001-01-01'")
    return (days + shift * 7).between(FIRST - 366, LAST + 366)


BOUNDS: tuple[Any, Any] = (sa.literal_column("DATE '1000-01-01'"), sa.literal_column("DATE '9999-12-31'"))
