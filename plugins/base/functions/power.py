"""POWER(number, exponent)"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine.sdk import Function, once, power, whole

# Squaring, as exact.power does, step by step; it ends without a result where a product grows too large.
STEPS = """(WITH RECURSIVE fs_power(e, f, r) AS (
 SELECT CAST(abs(fs_once.b) AS integer), fs_once.a, CAST(1 AS numeric)
 WHERE abs(fs_once.b) <= 1000 AND fs_once.a IS NOT NULL
 UNION ALL SELECT e / 2, round(f * f, 20), CASE WHEN e % 2 = 1 THEN round(r * f, 20) ELSE r END
 FROM fs_power WHERE e > 0 AND abs(f) < 1e30 AND abs(r) < 1e30)
 SELECT CASE WHEN fs_once.b >= 0 THEN r ELSE round(1 / nullif(round(r, 200), 0), 20) END
 FROM fs_power WHERE e = 0 AND abs(r) < 1e30)"""


def sql(context: Any, args: Sequence[Any]) -> Any:
    return once(lambda number, exponent: sa.literal_column(STEPS, sa.Numeric()), args[0], sa.func.trunc(args[1]))


POWER = Function(
    name="POWER",
    doc="The number to the power of a whole exponent from -1000 to 1000; blank for others and for 10^30 and more.",
    takes=("number", "number"),
    returns="number",
    sql=sql,
    python=lambda here, number, exponent: power(number, whole(exponent)),
    js="(here, number, exponent) => fs.power(number, fs.count(exponent))",
    in_sqlite="python",
    examples=(
        ("POWER(2, 10)", 1024),
        ("POWER(1.5, 2)", 2.25),
        ("POWER(2, -2)", 0.25),
        ("POWER(-2, 3)", -8),
        ("POWER(0, 0)", 1),
        ("POWER(0, -1)", None),
        ("POWER(4, 0.5)", 1),
        ("ROUND(POWER(1 + 0.06 / 12, 360), 10)", 6.0225752123),
        ("POWER(10, 30)", None),
        ("POWER(2, 1001)", None),
        ("POWER(null, 2)", None),
    ),
)
