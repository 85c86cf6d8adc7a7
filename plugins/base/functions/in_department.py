"""IN_DEPARTMENT(department)"""

from collections.abc import Sequence
from typing import Any

from engine.sdk import Function, in_list


def sql(context: Any, args: Sequence[Any]) -> Any:
    return in_list(context, args[0], context.departments)


IN_DEPARTMENT = Function(
    name="IN_DEPARTMENT",
    doc="Whether the person acting belongs to that department, given as a reference or an id, or to one below it.",
    takes=("reference|text",),
    returns="boolean",
    sql=sql,
    python=lambda here, department: department in here.departments,
    js="(here, department) => here.departments.includes(department)",
    blank="value",
    is_volatile=True,
    examples=(
        ("IN_DEPARTMENT('0199dddd-0000-7000-8000-000000000001')", True),
        ("IN_DEPARTMENT('0199dddd-0000-7000-8000-000000000009')", False),
        ("IN_DEPARTMENT(user.id)", False),
        ("IN_DEPARTMENT(null)", False),
    ),
)
