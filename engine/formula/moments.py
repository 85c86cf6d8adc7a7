"""Dates and times that are moved by days, in SQL. Opens no connection."""

from typing import Any

import sqlalchemy as sa

from engine.store import types

__all__ = ["days_later", "whole"]

FARTHEST = 3_000_000  # days: more than all the years that a date can have
FORMATS = {"date": "%Y-%m-%d", "datetime": "%Y-%m-%dT%H:%M:%fZ"}
BOUNDS = {
    "date": ("1000-01-01", "9999-12-31"),
    "datetime": ("1000-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z"),
}

Expression = sa.ColumnElement[Any]


def whole(dialect: str, number: Expression, scale: int) -> Expression:
    """Whole days; a fraction is dropped. What is too far is cut, so that no database refuses to convert it."""
    if dialect == "sqlite":
        days = number / sa.literal(10**scale, sa.Integer()) if scale else number
        return sa.cast(sa.func.max(sa.func.min(days, FARTHEST + 1), -FARTHEST - 1), sa.Integer())
    near = sa.func.least(sa.func.greatest(sa.func.trunc(number), -FARTHEST - 1), FARTHEST + 1)
    return sa.cast(sa.case((number.is_not(None), near)), sa.Integer())


def days_later(dialect: str, moment: Expression, days: Expression, kind: str) -> Expression:
    """Outside the years that a date can have the result is blank; PostgreSQL alone would raise."""
    near = days.between(-FARTHEST, FARTHEST)
    stored: Any = types.Date() if kind == "date" else types.DateTime()
    moved: Any
    if dialect == "sqlite":
        text = sa.func.strftime(FORMATS[kind], moment, sa.cast(days, sa.Text()) + " days", type_=sa.Text())
        moved = sa.case((near, text))
        return sa.type_coerce(sa.case((moved.between(*BOUNDS[kind]), moved)), stored)
    if kind == "date":
        moved = sa.case((near, sa.cast(sa.cast(moment, sa.Date()) + days, sa.Date())))
        bounds = [sa.cast(bound, sa.Date()) for bound in BOUNDS[kind]]
    else:
        moved = sa.case((near, sa.cast(moment, sa.DateTime(timezone=True)) + days * sa.text("interval '1 day'")))
        bounds = [sa.cast(sa.literal(bound, sa.Text()), sa.DateTime(timezone=True)) for bound in BOUNDS[kind]]
    return sa.type_coerce(sa.case((moved.between(*bounds), moved)), stored)
