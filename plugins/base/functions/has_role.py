"""HAS_ROLE(role)"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine.sdk import Function, Text


def sql(context: Any, args: Sequence[Any]) -> Any:
    find = sa.func.instr if context.dialect == "sqlite" else sa.func.strpos
    quoted = sa.literal('"', Text()).concat(args[0]).concat(sa.literal('"', Text()))
    return sa.func.coalesce(find(sa.cast(context.roles, Text()), quoted) > 0, sa.false())


HAS_ROLE = Function(
    name="HAS_ROLE",
    doc="Whether the person acting has the role of that name.",
    takes=("text",),
    returns="boolean",
    sql=sql,
    python=lambda here, role: role in here.roles,
    js="(here, role) => here.roles.includes(role)",
    blank="value",
    is_volatile=True,
    examples=(
        ("HAS_ROLE('sales')", True),
        ("HAS_ROLE('sale')", False),
        ("HAS_ROLE(null)", False),
    ),
)
