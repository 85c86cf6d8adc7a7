"""DATE_TEXT(moment, pattern)"""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine.sdk import Date, Function, once

# In this order: no sign stands in what an earlier one was made. The names of months are English everywhere.
SIGNS = (("yyyy", "YYYY"), ("yy", "YY"), ("MMM", "Mon"), ("MM", "MM"), ("dd", "DD"), ("HH", "HH24"), ("mm", "MI"),
         ("ss", "SS"))  # fmt: skip
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MOST = 100


def written(here: Any, moment: dt.date, pattern: str) -> str | None:
    at = moment.astimezone(here.zone) if isinstance(moment, dt.datetime) else dt.datetime.combine(moment, dt.time())
    parts = {
        "yyyy": f"{at.year:04}", "yy": f"{at.year % 100:02}", "MMM": MONTHS[at.month - 1], "MM": f"{at.month:02}",
        "dd": f"{at.day:02}", "HH": f"{at.hour:02}", "mm": f"{at.minute:02}", "ss": f"{at.second:02}",
    }  # fmt: skip
    text = pattern[:MOST]
    for sign, _ in SIGNS:
        text = text.replace(sign, parts[sign])
    return text or None


def sql(context: Any, args: Sequence[Any]) -> Any:
    def build(moment: Any, pattern: Any) -> Any:
        found = pattern
        for sign, theirs in SIGNS:
            found = sa.func.replace(found, sign, sa.func.to_char(moment, theirs))
        return sa.func.nullif(found, "", type_=sa.Text())

    moment, pattern = args
    is_day = isinstance(moment.type, sa.Date | Date)
    local = sa.func.timezone(context.zone, sa.cast(moment, sa.DateTime(timezone=True)), type_=sa.DateTime())
    return once(
        build, sa.cast(moment, sa.DateTime()) if is_day else local, sa.func.left(pattern, MOST, type_=sa.Text())
    )


DATE_TEXT = Function(
    name="DATE_TEXT",
    doc="The date, or the date and time in the person's time zone, as a text: the pattern, of at most 100 characters, "
    "with `yyyy`, `yy`, `MMM` (English), `MM`, `dd`, `HH`, `mm` and `ss` filled in.",
    takes=("date|datetime", "text"),
    returns="text",
    sql=sql,
    python=written,
    js="(here, moment, pattern) => fs.dateText(moment, pattern, here.zone)",
    in_sqlite="python",
    is_volatile=True,
    examples=(
        ("DATE_TEXT('2026-11-22', 'yyyy-MM')", "2026-11"),
        ("DATE_TEXT('2026-01-05', 'dd.MM.yy')", "05.01.26"),
        ("DATE_TEXT('2026-11-22', 'MMM yyyy年')", "Nov 2026年"),
        ("DATE_TEXT('2026-11-22', 'yyyyMMddHHmmss')", "20261122000000"),
        ("DATE_TEXT('2026-11-22T23:04:05Z', 'MM/dd HH:mm:ss')", "11/23 07:04:05"),
        ("DATE_TEXT('2026-11-22', '')", None),
        ("DATE_TEXT(null, 'yyyy')", None),
        ("DATE_TEXT('2026-11-22', null)", None),
    ),
)
