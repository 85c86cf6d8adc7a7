"""Build calendars."""

import re
from collections.abc import Mapping
from typing import Any

from metadata.build.wording import Wording
from metadata.document import Document
from metadata.names import humanised
from metadata.processes import Calendar, Holiday

__all__ = ["OFFICE_HOURS", "build_calendar"]

HOURS = re.compile(r"([0-9]{1,2}:[0-9]{2}) ?[-–] ?([0-9]{1,2}:[0-9]{2})")
WEEK = ("mon", "tue", "wed", "thu", "fri")
OFFICE_HOURS: Mapping[str, tuple[tuple[str, str], ...]] = dict.fromkeys(WEEK, (("09:00", "17:00"),))


def build_calendar(document: Document, package: str, wording: Wording) -> Calendar:
    data = document.data
    hours = data.get("hours")
    return Calendar(
        document.name, wording.text(data.get("label"), otherwise=humanised(document.name)),
        zone=data.get("zone") or "UTC",
        hours=OFFICE_HOURS if hours is None else {day: spans_of(said) for day, said in hours.items()},
        holidays=tuple(holiday_of(said, wording) for said in data.get("holidays") or ()),
        workdays=tuple(data.get("workdays") or ()), is_default=bool(data.get("default")), package=package,
        place=document.at(),
    )  # fmt: skip


def spans_of(said: Any) -> tuple[tuple[str, str], ...]:
    """("09:00", "17:30") of each that is said; ("", "") for what is none."""
    texts = [said] if isinstance(said, str) else said or ()
    found = (HOURS.fullmatch(text.strip()) for text in texts)
    return tuple((one[1].zfill(5), one[2].zfill(5)) if one else ("", "") for one in found)


def holiday_of(said: Any, wording: Wording) -> Holiday:
    if isinstance(said, str):
        return Holiday(said)
    return Holiday(said.get("date") or "", said.get("until") or "", wording.text(said.get("label")))
