"""The history of an approval in words: who, when, what they said, what was changed, and on whose behalf."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC
from itertools import groupby, takewhile
from operator import itemgetter
from typing import Any

from engine.process.approval.views import InstanceView, Line, Person
from metadata.model import Object
from ui.screens.approval_files import attached_view
from ui.screens.approval_values import changes_view
from ui.screens.approval_words import ICONS, names, person_name
from ui.visit import Visit

__all__ = ["history_view", "rounds_view"]

# What stands in the history; the rest of the events only moves the machine.
TOLD = frozenset({
    "submit", "resubmit", "approve", "complete", "reject", "return", "reclaim", "transfer", "delegate",
    "add_before", "add_after", "add_parallel", "remove_signer", "cc", "comment", "claim", "unclaim", "urge", "jump",
    "reassign", "cancel", "suspend", "resume", "force", "skip", "auto_approve", "auto_reject", "expire", "edit",
    "timer_remind", "timer_escalate", "timer_transfer", "pass_on", "end",
})  # fmt: skip
OF_TASKS = frozenset({"approve", "complete", "reject", "return", "cancel", "reclaim"})  # told where it is of a task
GOOD = frozenset({"approve", "complete", "auto_approve", "end.APPROVED"})
BAD = frozenset({"reject", "auto_reject", "expire", "end.REJECTED"})
ASKING = frozenset({"transfer", "delegate", "add_before", "add_after", "add_parallel", "reassign", "timer_escalate",
                    "timer_transfer"})  # fmt: skip


def history_view(visit: Visit, definition: Object, instance: InstanceView) -> list[dict[str, Any]]:
    """Newest first."""
    found: list[dict[str, Any]] = []
    lines = list(instance.history)
    for at, line in enumerate(lines):
        if line.action == "ask" and is_alone(lines, at):
            line = replace(line, action="add_parallel")
            found.append(entry(visit, definition, line, [line.person] if line.person else []))
        elif is_told(line):
            people = asked_with(lines, at)
            if not (line.comment or line.attachments):  # of what was said before it stood with the action itself
                said = next((one for one in asks_of(lines, at) if one.comment or one.attachments), line)
                line = replace(line, comment=said.comment, attachments=said.attachments)
            found.append(entry(visit, definition, line, people))
    return found[::-1]


def rounds_view(visit: Visit, history: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The round that is now, then the earlier ones under a line that says how each ended."""
    rounds = [(number, list(those)) for number, those in groupby(history, key=itemgetter("round"))]
    return [
        {"label": round_text(visit, number, those) if at else "", "events": those}
        for at, (number, those) in enumerate(rounds)
    ]  # fmt: skip


def round_text(visit: Visit, number: int, events: Sequence[dict[str, Any]]) -> str:
    """`events`: the newest first."""
    back = next((one for one in events if one["tone"] == "back"), None)
    if back is None:
        return visit.say("Round {n}", n=number)
    return visit.say("Round {n}: returned by {name}", n=number, name=back["by"])


def is_told(line: Line) -> bool:
    if line.action not in TOLD:
        return False
    if line.action == "cancel":
        return line.is_override and not line.task
    if line.action == "end":
        return not line.node and line.target != "CANCELLED"
    if line.action in OF_TASKS:
        return bool(line.task)
    return not (line.action == "cc" and not line.task)  # the person who is told stands with who told them


def is_alone(lines: Sequence[Line], at: int) -> bool:
    """Whether somebody was asked besides, and not by an action that is told itself."""
    around = (next((one for one in side if one.action in TOLD), None) for side in beside(lines, at))
    return not any(one is not None and one.action in ASKING for one in around)


def asked_with(lines: Sequence[Line], at: int) -> list[Person]:
    """Whom the same action asks."""
    return [one.person for one in asks_of(lines, at) if one.person is not None]


def asks_of(lines: Sequence[Line], at: int) -> list[Line]:
    """The events by which an action asks people: before its own, or after it; what was said is with the first."""
    if lines[at].action not in ASKING:
        return []
    sides = (takewhile(lambda one: one.action not in TOLD or one.action == "skip", side) for side in beside(lines, at))
    return [one for side in sides for one in side if one.action == "ask"]


def beside(lines: Sequence[Line], at: int) -> tuple[list[Line], list[Line]]:
    """What happened at the same moment before a line, the last first, and after it."""
    same = [one.at == lines[at].at for one in lines]
    before = list(takewhile(lambda place: same[place], range(at - 1, -1, -1)))
    after = list(takewhile(lambda place: same[place], range(at + 1, len(lines))))
    return [lines[place] for place in before], [lines[place] for place in after]


def entry(visit: Visit, definition: Object, line: Line, people: Sequence[Person]) -> dict[str, Any]:
    key = f"{line.action}.{line.target}" if line.action == "end" else line.action
    is_machine = not line.actor.id or line.via == "timer"
    by = person_name(visit, line.actor)
    if line.on_behalf_of is not None and line.action != "force":
        by = visit.say("{name} on behalf of {other}", name=by, other=person_name(visit, line.on_behalf_of))
    if line.action == "force" and line.on_behalf_of is not None:
        by = person_name(visit, line.on_behalf_of)
    if key in ("end.APPROVED", "end.REJECTED"):
        by = ""
    return {
        "icon": ICONS.get(line.action, "point-filled"),
        "tone": "good" if key in GOOD else "bad" if key in BAD else "back" if line.action == "return" else "",
        "by": by, "text": action_text(visit, line, names(visit, people)), "node": line.node_label,
        "comment": line.comment, "files": attached_view(visit, line.attachments),
        "is_machine": is_machine and not line.is_override, "is_override": line.is_override, "is_late": line.is_late,
        "changes": changes_view(visit, definition, line.changes), "round": line.round,
        "at": line.at.astimezone(UTC).isoformat(timespec="seconds"), "exact": visit.formats.datetime(line.at),
        "ago": visit.formats.ago(line.at, visit.ctx.now),
    }  # fmt: skip


def action_text(visit: Visit, line: Line, to: str) -> str:
    """What stands after the name of who did it."""
    say = visit.say
    person = person_name(visit, line.person) if line.person is not None else ""
    texts = {
        "submit": say("submitted it"), "resubmit": say("submitted it again"), "approve": say("approved"),
        "complete": say("completed it"), "reject": say("rejected"), "return": say("returned it"),
        "reclaim": say("took the approval back"),
        "transfer": say("transferred it to {name}", name=to) if to else say("transferred it"),
        "delegate": say("asked {name} to look at it", name=to) if to else say("delegated it"),
        "add_before": say("added {name} before", name=to),
        "add_after": say("approved, and added {name} after", name=to),
        "add_parallel": say("added {name} beside", name=to),
        "remove_signer": say("removed {name}", name=person), "cc": say("sent a copy"), "comment": say("commented"),
        "claim": say("claimed it"), "unclaim": say("gave it back to the queue"), "urge": say("urged"),
        "jump": say("moved it to another step"),
        "reassign": say("reassigned it from {person} to {name}", person=person, name=to),
        "pass_on": say("passed it on to {name}", name=person),
        "cancel": say("cancelled the approval"), "suspend": say("suspended it"), "resume": say("resumed it"),
        "force": say("forced a decision: approved") if line.target == "APPROVED"
        else say("forced a decision: rejected"),
        "skip": say("skipped the step"), "auto_approve": say("approved without a person"),
        "auto_reject": say("rejected without a person"), "expire": say("closed the task: nobody decided in time"),
        "edit": say("changed the record"), "timer_remind": say("reminded {name}", name=person),
        "timer_escalate": say("escalated it to {name}", name=to) if to else say("escalated it"),
        "timer_transfer": say("transferred it from {person} to {name}", person=person, name=to),
        "end": {
            "APPROVED": say("The approval has ended: approved"), "REJECTED": say("The approval has ended: rejected"),
            "WITHDRAWN": say("withdrew it"),
        }.get(line.target, line.target),
    }  # fmt: skip
    return texts[line.action]
