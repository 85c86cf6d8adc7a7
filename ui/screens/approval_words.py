"""What approvals say: names of states and actions, their icons and colours, and how long something may wait still."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from engine.process.approval.views import Person
from ui.texts import Say
from ui.visit import Visit

__all__ = [
    "ICONS", "TONES", "action_hint", "action_label", "comment_label", "deadline_view", "names", "person_name",
    "state_label", "state_pill", "title_or", "who",
]  # fmt: skip

TONES: Mapping[str, str] = {
    "RUNNING": "blue", "RETURNED": "orange", "SUSPENDED": "yellow", "APPROVED": "green", "REJECTED": "red",
    "WITHDRAWN": "gray", "CANCELLED": "gray", "PENDING": "blue", "WAITING": "gray", "TRANSFERRED": "gray",
    "DELEGATED": "indigo", "CLOSED": "gray", "EXPIRED": "gray",
}  # fmt: skip

ICONS: Mapping[str, str] = {
    "submit": "send", "resubmit": "send", "approve": "check", "complete": "check", "reject": "x",
    "return": "arrow-back-up", "withdraw": "arrow-back-up", "reclaim": "arrow-back-up", "transfer": "user-share",
    "delegate": "user-question", "add_before": "user-plus", "add_after": "user-plus", "add_parallel": "users",
    "remove_signer": "user-minus", "cc": "mail", "comment": "message", "claim": "user-check", "unclaim": "user-minus",
    "urge": "bell", "jump": "corner-down-right", "reassign": "switch-horizontal", "cancel": "ban",
    "suspend": "player-pause", "resume": "player-play", "force": "bolt", "skip": "arrow-forward-up",
    "auto_approve": "settings", "auto_reject": "settings", "expire": "hourglass", "edit": "pencil",
    "timer_remind": "bell", "timer_escalate": "trending-up", "timer_transfer": "user-share", "timer_close": "hourglass",
    "end": "flag", "pass_on": "switch-horizontal",
}  # fmt: skip


def state_label(say: Say, state: str) -> str:
    """Of an instance or a task."""
    return {
        "RUNNING": say("In approval"), "RETURNED": say("Returned"), "SUSPENDED": say("Suspended"),
        "APPROVED": say("Approved"), "REJECTED": say("Rejected"), "WITHDRAWN": say("Withdrawn"),
        "CANCELLED": say("Cancelled"), "PENDING": say("To do"), "WAITING": say("Waiting"),
        "TRANSFERRED": say("Transferred"), "DELEGATED": say("Delegated"), "CLOSED": say("Decided by others"),
        "EXPIRED": say("Expired"),
    }.get(state, state)  # fmt: skip


def state_pill(visit: Visit, state: str) -> dict[str, str]:
    return {"label": state_label(visit.say, state), "tone": TONES.get(state, "gray")}


def action_label(say: Say, name: str) -> str:
    return {
        "submit": say("Submit for approval"), "resubmit": say("Submit again"), "approve": say("Approve"),
        "complete": say("Complete"), "reject": say("Reject"), "return": say("Return"), "withdraw": say("Withdraw"),
        "reclaim": say("Reclaim"), "transfer": say("Transfer"), "delegate": say("Delegate"),
        "add_before": say("Add signer before"), "add_after": say("Add signer after"),
        "add_parallel": say("Add signer in parallel"), "remove_signer": say("Remove signer"), "cc": say("CC"),
        "comment": say("Comment or ask"), "claim": say("Claim"), "unclaim": say("Unclaim"), "urge": say("Urge"),
        "jump": say("Jump to a step"), "reassign": say("Reassign"), "cancel": say("Cancel the approval"),
        "suspend": say("Suspend"), "resume": say("Resume"), "force": say("Force a decision"),
    }.get(name, name)  # fmt: skip


def action_hint(say: Say, name: str) -> str:
    """What an action comes to: one sentence for its dialog."""
    return {
        "reject": say("The approval ends here, unless others still have a say."),
        "return": say("It goes back to be changed, and comes again."),
        "withdraw": say("The approval ends, and the record can be changed again."),
        "reclaim": say("Your approval is taken back, and you decide anew."),
        "transfer": say("Somebody else decides in your place. It does not come back."),
        "delegate": say("Somebody looks at it for you. The task comes back with what they say, and you decide."),
        "add_before": say("They have their say first. Then you decide."),
        "add_after": say("You approve. Then they have their say."),
        "add_parallel": say("They decide beside you, in the same way."),
        "remove_signer": say("This person is no longer asked."),
        "cc": say("They may look at it. Nothing waits for them."),
        "comment": say("It changes nothing of the approval. Those whom you ask are told."),
        "claim": say("You take it out of the queue. Others no longer see it."),
        "unclaim": say("It goes back to the queue."),
        "urge": say("Those who are asked are reminded. Once an hour."),
        "jump": say("All that waits is cancelled, and it goes on at the step that you choose."),
        "reassign": say("Somebody else decides in the place of the person who is asked."),
        "cancel": say("The approval ends without a decision, and the record can be changed again."),
        "suspend": say("Nobody can decide, and no deadline runs, until it is resumed."),
        "resume": say("It goes on where it stopped."),
        "force": say("The step is decided in the place of those who are asked. The history says so."),
    }.get(name, "")  # fmt: skip


def comment_label(visit: Visit, action: str, is_override: bool) -> str:
    say = visit.say
    if is_override:
        return say("Reason")
    return say("What do you want to say or ask?") if action == "comment" else say("Comment")


def who(visit: Visit, person: Person | None) -> dict[str, Any]:
    """Somebody, or the machine."""
    if person is None:
        return {"id": "", "name": visit.say("Nobody yet"), "is_machine": True}
    return {"id": person.id, "name": person_name(visit, person), "is_machine": not person.id}


def person_name(visit: Visit, person: Person) -> str:
    if person.id:
        return person.name or visit.say("A person that you cannot see")
    return {"timer": visit.say("Timer"), "override": visit.say("Administrator")}.get(
        person.name, visit.say("The system")
    )


def names(visit: Visit, people: Sequence[Person]) -> str:
    return visit.say(", ").join(person_name(visit, one) for one in people)


def title_or(visit: Visit, title: str) -> str:
    return title or visit.say("Untitled")


def deadline_view(visit: Visit, due: datetime | None, is_overdue: bool) -> dict[str, str] | None:
    """Overdue, due today, or due on a day."""
    if due is None:
        return None
    say, formats, zone = visit.say, visit.formats, visit.ctx.time_zone
    exact = formats.datetime(due)
    day = due.astimezone(zone).date()
    if is_overdue:
        return {"text": say("Overdue since {when}", when=short(visit, due)), "tone": "is-late", "exact": exact}
    if day == visit.ctx.now.astimezone(zone).date():
        at = formats.time(due.astimezone(zone).time())
        return {"text": say("Due today, {time}", time=at), "tone": "is-today", "exact": exact}
    return {"text": say("Due {date}", date=formats.date(day)), "tone": "", "exact": exact}


def short(visit: Visit, moment: datetime) -> str:
    """The clock of today, the day of other days."""
    own = moment.astimezone(visit.ctx.time_zone)
    if own.date() == visit.ctx.now.astimezone(visit.ctx.time_zone).date():
        return visit.formats.time(own.time())
    return visit.formats.date(own.date())
