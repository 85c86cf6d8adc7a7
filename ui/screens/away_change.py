"""Saying who decides while one is away, and taking it back."""

from datetime import date, datetime, time, timedelta
from typing import Any

from starlette.responses import Response

from engine.errors import BadInput, Conflict
from engine.process.agents import appoint, take_back
from ui.screens.account import account_page, own
from ui.screens.away import away_view
from ui.visit import Visit

__all__ = ["add_away", "end_away"]


def add_away(visit: Visit) -> Response:
    own(visit)
    values: dict[str, Any] = {
        "agent": visit.sent("agent"), "from": start_of(visit, visit.sent("from"), 0),
        "to": start_of(visit, visit.sent("to"), 1), "reason": visit.sent("reason").strip(),
    }  # fmt: skip
    if chosen := [one for one in visit.form.get("approvals", ()) if one]:
        values["approvals"] = chosen
    try:
        appoint(visit.ctx, values)
    except (BadInput, Conflict) as refusal:
        return account_page(visit, 422 if isinstance(refusal, BadInput) else 409, away=away_view(visit, refusal))
    return visit.go("/me", {"code": "away"})


def start_of(visit: Visit, day: str, later: int) -> str:
    """The beginning of a day by the person's clock; what is no day goes as it is, to be refused."""
    try:
        found = datetime.combine(date.fromisoformat(day) + timedelta(days=later), time(), visit.ctx.time_zone)
    except (ValueError, OverflowError):
        return day
    return found.isoformat()


def end_away(visit: Visit) -> Response:
    own(visit)
    take_back(visit.ctx, visit.sent("id"))
    return visit.go("/me", {"code": "away_ended"})
