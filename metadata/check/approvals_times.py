"""Will the timers of an approval fire, and does what waits know for what? Do subprocesses come to an end?"""

from collections.abc import Iterator
from typing import Any

from metadata.assemble import Item
from metadata.build.approvals import Steps, node_places
from metadata.check.choices import rounds
from metadata.check.facts import Facts, steps_value
from metadata.document import Document
from metadata.problem import Problem
from metadata.processes import Approval, Node, Span, Timer, nodes_in

__all__ = ["subprocesses_end", "times_fit"]

DECIDING = ("auto_approve", "auto_reject", "close")
MINUTES = {"minutes": 1, "hours": 60, "days": 1440}


def times_fit(facts: Facts, item: Item[Approval]) -> Iterator[Problem]:
    document = item.document
    for (here, _, _), node in zip(node_places(document), nodes_in(item.built.flow), strict=True):
        if node.type == "delay":
            yield from delay_ends(facts, item, here, node)
        if node.due is not None and node.due.amount <= 0:
            message = f"'{node.name}' is due before it begins"
            yield Problem(document.at(*here, "due"), "approval.timer", message, "write a length of time above 0")
        by_place = {timer.place: timer for timer in node.timers}
        written: Any = steps_value(document, here)
        for index, said in enumerate(written.get("timers") or ()):
            timer = by_place.get(document.at(*here, "timers", index))
            if timer is not None:
                yield from timer_fires(document, (*here, "timers", index), node, timer, said)
        if node.type == "subprocess":
            yield from record_fits(facts, item, here, node)


def delay_ends(facts: Facts, item: Item[Approval], here: Steps, node: Node) -> Iterator[Problem]:
    document = item.document
    if (node.span is None) == (not node.until):
        said = "both 'for' and 'until'" if node.until else "neither 'for' nor 'until'"
        message = f"'{node.name}' says {said}"
        yield Problem(document.at(*here, "delay"), "approval.delay", message, "write one of them, as in 'for: 1 day'")
    elif node.span is not None and node.span.amount <= 0:
        message = f"'{node.name}' waits for no time at all"
        yield Problem(document.at(*here, "for"), "approval.delay", message, "write a length of time above 0")
    elif node.until:
        field = facts.field(node.until, item.built.object)
        if field is not None and field.value not in ("date", "datetime"):
            message = f"'{node.until}' is no date or moment until which '{node.name}' could wait"
            yield Problem(document.at(*here, "until"), "approval.delay", message, "name a date, or write 'for: 1 day'")


def timer_fires(document: Document, here: Steps, node: Node, timer: Timer, said: Any) -> Iterator[Problem]:
    at = document.at(*here)
    if timer.after.amount <= 0:
        message = f"a timer of '{node.name}' is set to before the task begins"
        yield Problem(at, "approval.timer", message, "write a length of time above 0 after 'after'")
        return
    for other in node.timers:
        if other.do in DECIDING and other is not timer and is_before(other.after, timer.after):
            message = (
                f"'{timer.do}' after {worded(timer.after)} never happens: "
                f"'{other.do}' after {worded(other.after)} comes first"
            )
            yield Problem(at, "approval.timer", message, "leave it out, or set it to an earlier time", "warning")
            break
    uses = {"repeat": ("remind",), "how": ("escalate",), "to": ("escalate", "transfer")}
    for key, actions in uses.items():
        if key in said and timer.do not in actions:
            message = f"'{key}' has no effect with '{timer.do}'"
            yield Problem(document.key(*here, key), "approval.timer", message, "leave it out", "warning")
    if timer.do == "escalate" and timer.how == "parallel" and node.mode in ("all", "sequence"):
        message = f"'{node.name}' waits for everybody, so who is asked besides has to decide as well"
        yield Problem(at, "approval.timer", message, "write 'how: replace'", "warning")
    if timer.do in ("auto_approve", "auto_reject") and node.type == "handle":
        message = f"'{node.name}' is done, not approved: '{timer.do}' has no place there"
        yield Problem(at, "approval.timer", message, "write 'do: close'")


def is_before(one: Span, other: Span) -> bool:
    """Surely: what is reckoned in a calendar is only compared with the same."""
    if one.unit == other.unit:
        return one.amount < other.amount
    if one.unit in MINUTES and other.unit in MINUTES:
        return one.amount * MINUTES[one.unit] < other.amount * MINUTES[other.unit]
    return False


def worded(span: Span) -> str:
    return f"{span.amount} {span.unit.removesuffix('s') if span.amount == 1 else span.unit}"


def record_fits(facts: Facts, item: Item[Approval], here: Steps, node: Node) -> Iterator[Problem]:
    """That a subprocess is about the record that it is given."""
    document, approval = item.document, item.built
    other = next((one.built for one in facts.assembly.processes["approval"] if one.built.name == node.process), None)
    if node.record:
        at = document.at(*here, "record")
        yield from facts.path_exists(node.record, approval.object, at)
        field = facts.field(node.record, approval.object)
        target = field.target if field is not None else None
    else:
        at, target = document.at(*here, "subprocess"), approval.object
    if other is not None and target is not None and other.object and target != other.object:
        leads = f"'{node.record}' leads to '{target}'" if target else f"'{node.record}' leads to no record"
        leads = leads if node.record else f"the record is of '{target}'"
        message = f"'{node.process}' is about '{other.object}', and {leads}"
        fix = f"write 'record: …' with a path to a record of '{other.object}'"
        yield Problem(at, "approval.subprocess", message, fix)


def subprocesses_end(facts: Facts) -> Iterator[Problem]:
    """That no approval starts itself, be it through others."""
    items = {item.built.name: item for item in facts.assembly.processes["approval"]}
    starts = {
        name: {node.process for node in nodes_in(item.built.flow) if node.type == "subprocess"} & items.keys()
        for name, item in items.items()
    }
    for trail in rounds(starts):
        item = items[trail[0]]
        following = trail[1] if len(trail) > 1 else trail[0]
        here = next(
            here for (here, _, _), node in zip(node_places(item.document), nodes_in(item.built.flow), strict=True)
            if node.type == "subprocess" and node.process == following
        )  # fmt: skip
        shown = " -> ".join(trail)
        yield Problem(item.document.at(*here, "subprocess"), "approval.circle",
                      f"these approvals start each other without end: {shown}", "take one of them out")  # fmt: skip
