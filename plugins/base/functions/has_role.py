"""HAS_ROLE(role)"""

from collections.abc import Sequence
from typing import Any

from engine.sdk import Function, in_list


def sql(context: Any, args: Sequence[Any]) -> Any:
    return in_list(context, args[0], context.roles)


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
