"""ROUND(number, places)"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine.sdk import Function, Scaled, count, rounded, rounded_to, whole


def sql(context: Any, args: Sequence[Any]) -> Any:
    return sa.func.round(args[0], count(args[1], -40, 20) if len(args) > 1 else 0)


def scaled(number: Scaled, places: Scaled | None = None) -> Scaled | None:
    wanted = 0 if places is None else places.constant
    return rounded_to(number, int(wanted)) if wanted is not None and 0 <= wanted <= 20 else None


ROUND = Function(
    name="ROUND",
    doc="The number to so many places after the point, or to none; halves go away from zero, -2 rounds to hundreds.",
    takes=("number", "number?"),
    returns="number",
    sql=sql,
    scaled=scaled,
    python=lambda here, number, places=0: rounded(number, max(whole(places), -40)),
    js="(here, number, places = 0n) => fs.round(number, Math.max(fs.count(places), -40))",
    in_sqlite="python",
    examples=(
        ("ROUND(2.5)", 3),
        ("ROUND(-2.5)", -3),
        ("ROUND(1.005, 2)", 1.01),
        ("ROUND(1250, -2)", 1300),
        ("ROUND(1.25, 99)", 1.25),
        ("ROUND(5, -9)", 0),
        ("ROUND(null)", None),
    ),
)
