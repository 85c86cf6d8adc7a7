"""DATE_OF(moment)"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine.sdk import Function


def sql(context: Any, args: Sequence[Any]) -> Any:
    return sa.cast(sa.func.timezone(context.zone, sa.cast(args[0], sa.DateTime(timezone=True))), sa.Date())


DATE_OF = Function(
    name="DATE_OF",
    doc="The date of a date and time, in the person's time zone.",
    takes=("datetime",),
    returns="date",
    sql=sql,
    python=lambda here, moment: moment.astimezone(here.zone).date(),
    js="(here, moment) => fs.dateOf(moment, here.zone)",
    in_sqlite="python",
    is_volatile=True,
    examples=(
        ("DATE_OF(NOW())", "2026-11-22"),
        ("DATE_OF('2026-03-01T15:59:59Z')", "2026-03-01"),
        ("DATE_OF('2026-03-01T16:00:00Z')", "2026-03-02"),
        ("DATE_OF(null)", None),
    ),
)
