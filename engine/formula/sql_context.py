"""What the SQL of functions may ask for besides the record. Opens no connection."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from engine.store import types

__all__ = ["SqlContext", "sql_context"]

Expression = sa.ColumnElement[Any]


@dataclass(frozen=True, slots=True)
class SqlContext:
    """What functions may use. Each member but `dialect` is an expression, bound when the statement is run."""

    dialect: str
    now: Expression
    today: Expression
    actor: Mapping[str, Expression]
    zone: Expression  # name of the person's time zone
    roles: Expression  # names in the form of a TextList
    departments: Expression  # ids in the form of a TextList
    fiscal_start: Expression  # the month in which a fiscal year begins


def sql_context(dialect: str) -> SqlContext:
    return SqlContext(
        dialect,
        sa.bindparam("_now", type_=types.DateTime()),
        sa.bindparam("_today", type_=types.Date()),
        {
            "id": sa.bindparam("_actor_id", type_=types.Id()),
            "username": sa.bindparam("_actor_username", type_=types.Text()),
        },
        sa.bindparam("_zone", type_=types.Text()),
        sa.bindparam("_roles", type_=types.TextList()),
        sa.bindparam("_departments", type_=types.TextList()),
        sa.bindparam("_fiscal_start", type_=types.Integer()),
    )
