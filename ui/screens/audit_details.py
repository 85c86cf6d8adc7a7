"""What an entry of the audit log says besides: in words where they are known, else as it was noted."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from metadata.processes import nodes_in
from ui.screens.approval_words import state_label
from ui.visit import Visit

__all__ = ["details_text"]

SPEAKING = ("code", "asked")  # that need no name beside them
LEFT_OUT = frozenset({"count", "instance"})
PEOPLE = frozenset({"agent", "for"})
MOMENTS = frozenset({"from", "to"})
LONGEST = 200


def details_text(visit: Visit, details: Mapping[str, Any]) -> list[str]:
    return [text[:LONGEST] for text in texts_of(visit, details)]


def texts_of(visit: Visit, details: Mapping[str, Any]) -> Iterator[str]:
    say = visit.say
    labels = {
        "approval": say("Approval"), "approvals": say("Approvals"), "objects": say("Objects"), "node": say("Step"),
        "decision": say("Decision"), "outcome": say("Outcome"), "agent": say("Who decides for them"),
        "for": say("On behalf of"), "from": say("From"), "to": say("To"), "reason": say("Reason"),
        "version": say("Version"), "steps": say("Steps"),
    }  # fmt: skip
    for name, value in details.items():
        if name in LEFT_OUT or value in (None, "", [], {}) or (name, value) == ("via", "self"):
            continue
        if name in SPEAKING:
            yield str(value)
        elif name == "by" and value == "password":
            yield say("with a password")
        elif name in labels:
            yield say("{label}: {value}", label=labels[name], value=value_text(visit, details, name, value))
        else:
            yield f"{name}: {words_of(value)}"


def value_text(visit: Visit, details: Mapping[str, Any], name: str, value: Any) -> str:
    definitions = visit.ctx.snapshot.definitions
    approvals = definitions.processes.approvals
    if name in ("decision", "outcome"):
        label = state_label(visit.say, str(value).upper())
        return str(value) if label.isupper() else label
    if name in PEOPLE:
        return person_text(visit, str(value))
    if name == "node" and (approval := approvals.get(str(details.get("approval")))) is not None:
        label = next((one.label for one in nodes_in(approval.flow) if one.name == value), None)
        return visit.text(label) if label else str(value)
    if name in MOMENTS:
        return moment_text(visit, str(value))
    known = approvals if name in ("approval", "approvals") else definitions.objects if name == "objects" else {}
    those = value if isinstance(value, list) else [value]
    if known:
        return visit.say(", ").join(visit.text(known[one].label) if one in known else str(one) for one in those)
    return words_of(value)


def moment_text(visit: Visit, said: str) -> str:
    try:
        return visit.formats.datetime(datetime.fromisoformat(said))
    except ValueError:
        return person_text(visit, said)  # "to" of a handover


def person_text(visit: Visit, user: str) -> str:
    return visit.records.titles("user", [user]).get(user) or visit.say("A person that you cannot see")


def words_of(value: object) -> str:
    """A detail: names of fields by object, or a plain value."""
    if isinstance(value, dict):
        return ", ".join(f"{name}.{one}" for name, those in value.items() for one in those)
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
