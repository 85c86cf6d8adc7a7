"""Which automations and workflows an object has, compiled once per version. Reads no record."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from engine.snapshot import Snapshot
from metadata.processes import Approval, Automation, Workflow, nodes_in

__all__ = ["Book", "automated", "book_of", "has_before", "ordered"]

SAVES = ("before_save", "after_save", "after_commit")


@dataclass(frozen=True, slots=True)
class Book:
    before: tuple[Automation, ...] = ()  # in the order in which they run
    after: tuple[Automation, ...] = ()
    late: tuple[Automation, ...] = ()  # by themselves, once the transaction has ended
    workflows: tuple[Workflow, ...] = ()
    fields: frozenset[str] = field(default_factory=frozenset)  # that workflows are about

    def at(self, phase: str, action: str) -> Sequence[Automation]:
        rules: Mapping[str, tuple[Automation, ...]] = {"before_save": self.before, "after_save": self.after}
        return [one for one in rules.get(phase, self.late) if action in one.on]


def book_of(snapshot: Snapshot, object_name: str) -> Book | None:
    """None for an object that has none of them: all that those pay is one look into a dictionary."""
    return automated(snapshot).get(object_name)


def has_before(snapshot: Snapshot, object_name: str) -> bool:
    found = book_of(snapshot, object_name)
    return found is not None and bool(found.before)


def automated(snapshot: Snapshot) -> Mapping[str, Book]:
    """Object -> its automations that a save sets off, and its workflows."""
    found: Mapping[str, Book] | None = snapshot.cache.get("automations")
    if found is None:
        processes = snapshot.definitions.processes
        rules = ordered(one for one in processes.automations.values() if one.phase in SAVES and one.is_active)
        names = {one.object for one in rules} | {one.object for one in processes.workflows.values()}
        names |= {one.object for one in processes.approvals.values() if follows_saves(one)}
        found = snapshot.cache["automations"] = {
            name: book(
                [one for one in rules if one.object == name],
                tuple(one for one in processes.workflows.values() if one.object == name),
            )
            for name in names
        }
    return found


def follows_saves(approval: Approval) -> bool:
    """Whether a save starts it, or asks one of its nodes again."""
    is_started = approval.is_active and approval.trigger in ("create", "update")
    return is_started or any(node.reset_on_change for node in nodes_in(approval.flow))


def book(rules: Sequence[Automation], workflows: tuple[Workflow, ...]) -> Book:
    before, after, late = (tuple(one for one in rules if one.phase == phase) for phase in SAVES)
    return Book(before, after, late, workflows, frozenset(one.field for one in workflows))


def ordered(rules: Iterable[Automation]) -> list[Automation]:
    return sorted(rules, key=lambda one: (one.order, one.name))
