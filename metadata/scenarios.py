"""Sample data that people make: who does what and when, as frozen data. `fieldstone demo` plays it; nothing of it is
published."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from metadata.problem import Place

__all__ = ["ACTS", "DEEDS", "Deed", "Scenario", "moment_of"]

NOWHERE = Place("")
ACTS = (
    "approve", "complete", "reject", "return", "resubmit", "withdraw", "urge", "comment", "claim", "unclaim", "reclaim",
    "transfer", "delegate", "add_before", "add_after", "add_parallel", "remove_signer", "cc", "cancel", "suspend",
    "resume", "jump", "reassign", "force",
)  # fmt: skip
"""What is done with an approval that runs; engine/process/approval carries it out."""
DEEDS = ("create", "update", "delete", "submit", "read", "away", *ACTS)


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing that somebody does: `{at: now-1d, as: wang, approve: {comment: Fine.}}`."""

    at: str  # now-2d, today-1T01:30Z
    by: str  # a user name
    what: str  # one of DEEDS
    options: Mapping[str, Any] = field(default_factory=dict)  # as the schema says; a lone text is `comment`
    place: Place = NOWHERE


@dataclass(frozen=True, slots=True)
class Scenario:
    """Deeds in their order. What is done with an approval is done with the one that was submitted last."""

    name: str
    deeds: tuple[Deed, ...]
    package: str = ""
    place: Place = NOWHERE


TIME = re.compile(r"now(?:([+-]\d{1,6})([hdm]))?|today([+-]\d{1,5})?T([01]\d|2[0-3]):([0-5]\d)Z", re.ASCII)
UNITS = {"h": "hours", "d": "days", "m": "minutes"}


def moment_of(text: str, now: datetime) -> datetime | None:
    """now-2d, now-3h, today-1T01:30Z -> that moment; None for another text."""
    found = TIME.fullmatch(text)
    if found is None:
        return None
    amount, unit, days, hour, minute = found.groups()
    if hour is None:
        return now + timedelta(**{UNITS[unit]: int(amount)}) if amount else now
    day = now.astimezone(UTC) + timedelta(days=int(days or 0))
    return day.replace(hour=int(hour), minute=int(minute), second=0, microsecond=0)
