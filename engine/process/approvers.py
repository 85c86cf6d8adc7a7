"""Whom a node of an approval asks, now."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from engine.context import Context
from engine.contracts.approver import Approver
from engine.errors import Conflict
from engine.process.approval.people import administrators
from engine.process.asked import Inquiry, active_among
from engine.store.database import Connection
from metadata.processes import Node, Part

__all__ = ["Choice", "Slot", "choices_of", "people_named", "slots_of"]


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for one decision: a person's, or that of the first of a queue to claim it."""

    user: str  # an id; "" until it is claimed
    queue: tuple[str, ...] = ()  # who may claim it
    group: str = ""
    weight: int = 1
    instead_of: str = ""  # whom it would have been: the submitter, or somebody who has left
    skipped: str = ""  # why nobody is asked for it: "self", "duplicate", "nobody"
    source: str = ""  # the plugin that named them
    also: tuple[str, ...] = ()  # further groups in which they stand


@dataclass(frozen=True, slots=True)
class Choice:
    """What somebody is to choose for a node: between `least` and `most` people, of `users`; None is of everybody."""

    source: str  # the plugin: "chosen_by_submitter"
    least: int
    most: int | None
    users: tuple[str, ...] | None


def slots_of(
    ctx: Context, connection: Connection, node: Node, object_name: str, record_id: str, submitter: str, *,
    chosen: Sequence[str] = (), approved_before: Mapping[str, str] = {},
) -> tuple[Slot, ...]:  # fmt: skip
    """In order, each person once, after what the node says of the submitter, of those who approved before (user -> the
    node, in the order in which they did) and of those who have left. `ctx` acts as the system. Empty when there is
    nobody: the caller follows the node's `empty`. Raises Conflict where a source cannot be asked."""
    asked = Inquiry(ctx, connection, object_name, record_id, submitter, chosen)
    found = list(named(asked, node.approvers, node.name))
    if node.type == "cc":
        active = active_among(ctx, connection, [user for slot in found for user in (slot.user, *slot.queue)])
        return once(flat for slot in found for flat in everybody(slot) if active.get(flat.user))
    found = list(without_leavers(asked, found))
    found = list(without_submitter(asked, node, found))
    slots = tuple(without_repeats(node, once(found), approved_before))
    reasons = {slot.skipped for slot in slots}
    return () if "nobody" in reasons and "" not in reasons else slots


def people_named(
    ctx: Context, connection: Connection, parts: Sequence[Part], object_name: str, record_id: str, submitter: str = "",
    values: Mapping[str, Any] | None = None,
) -> tuple[str, ...]:  # fmt: skip
    """Ids of active people whom sources name, each once: for actions that tell or assign. A queue is its members.
    `values`: what a record that is being saved will hold."""
    asked = Inquiry(ctx, connection, object_name, record_id, submitter, values=values)
    users = [one.user for slot in named(asked, parts, "this") for one in everybody(slot)]
    active = active_among(ctx, connection, users)
    return tuple(one for one in dict.fromkeys(users) if active.get(one))


def choices_of(
    ctx: Context, connection: Connection, node: Node, object_name: str, record_id: str, submitter: str
) -> tuple[Choice, ...]:  # fmt: skip
    """What is chosen for a node, and by whom, for the dialog that asks it."""
    asked = Inquiry(ctx, connection, object_name, record_id, submitter)
    found = []
    for part in node.approvers:
        source = source_of(ctx, part)
        if source.is_chosen and asked.holds(part.when):
            options = source.kind().given(part.options)
            users = source.offers(asked, options) if source.offers else None
            least, most = options.get("min", 1), options.get("max")
            found.append(Choice(source.name, least, most, None if users is None else tuple(dict.fromkeys(users))))
    return tuple(found)


def source_of(ctx: Context, part: Part) -> Approver:
    sources = ctx.snapshot.plugins.approvers
    if part.kind not in sources:
        message = f"the source of approvers '{part.kind}' is not installed"
        raise Conflict(message, code="approval.source", fix="ask an administrator to install it")
    return sources[part.kind]


def named(asked: Inquiry, parts: Sequence[Part], what: str) -> Iterator[Slot]:
    """All that the sources give, in their order."""
    for part in parts:
        source = source_of(asked.ctx, part)
        if not asked.holds(part.when):
            continue
        options = source.kind().given(part.options)
        users = tuple(dict.fromkeys(source.find(asked, options)))
        if source.is_chosen and users:
            need_right_number(options, len(users), what)
        if source.is_queue:
            if users:
                yield Slot("", users, part.group, part.weight, source=source.name)
        else:
            yield from (Slot(user, (), part.group, part.weight, source=source.name) for user in users)


def need_right_number(options: Mapping[str, object], count: int, what: str) -> None:
    least, most = options.get("min", 1), options.get("max")
    if isinstance(least, int) and count < least:
        raise Conflict(f"at least {least} people are to be chosen for '{what}'", code="approval.choose")
    if isinstance(most, int) and count > most:
        raise Conflict(f"at most {most} people are to be chosen for '{what}'", code="approval.choose")


def everybody(slot: Slot) -> Iterator[Slot]:
    """A queue as a slot for each of its members."""
    for user in slot.queue or (slot.user,):
        yield replace(slot, user=user, queue=())


def without_leavers(asked: Inquiry, slots: Sequence[Slot]) -> Iterator[Slot]:
    """In the place of who has left stands their manager, or else the administrators of processes. Ids of nobody go."""
    active = active_among(asked.ctx, asked.connection, [slot.user for slot in slots if slot.user])
    for slot in slots:
        if not slot.user or active.get(slot.user):
            yield slot
        elif slot.user in active:
            yield in_place_of(asked, slot)


def in_place_of(asked: Inquiry, slot: Slot) -> Slot:
    above = asked.manager_chain(slot.user)
    if above:
        return replace(slot, user=above[0], instead_of=slot.user)
    admins = administrators(asked.ctx, asked.connection)
    if len(admins) == 1:
        return replace(slot, user=admins[0], instead_of=slot.user)
    if admins:
        return replace(slot, user="", queue=tuple(admins), instead_of=slot.user)
    return replace(slot, skipped="nobody")


def without_submitter(asked: Inquiry, node: Node, slots: Sequence[Slot]) -> Iterator[Slot]:
    """Nobody decides on their own submission unless the node says so; of a queue the others do."""
    own = asked.submitter
    for slot in slots:
        if node.self_approval == "self" or not own or slot.skipped or own not in (slot.user, *slot.queue):
            yield slot
        elif others := tuple(one for one in slot.queue if one != own):
            yield replace(slot, queue=others)
        elif node.self_approval == "skip":
            yield replace(slot, user=own, queue=(), skipped="self")
        else:
            above = superior(asked, node)
            if above is None:
                yield replace(slot, user=own, queue=(), skipped="nobody")
            else:
                yield replace(slot, user=above, queue=(), instead_of=own)


def superior(asked: Inquiry, node: Node) -> str | None:
    """Who decides in the submitter's place; None where nobody may, or is there."""
    if node.self_approval == "superior":
        return next(iter(asked.manager_chain(asked.submitter)), None)
    if node.self_approval == "department_head":
        department = asked.department_of(asked.submitter)
        return asked.head_of(department, asked.submitter) if department else None
    return None


def once(slots: Sequence[Slot] | Iterator[Slot]) -> tuple[Slot, ...]:
    """Each person at their first place, with the largest of their weights, for all their groups. Who is asked in one
    place is not skipped in another."""
    kept: dict[tuple[str, tuple[str, ...]], Slot] = {}
    for slot in slots:
        key = (slot.user, slot.queue)
        first = kept.get(key)
        if first is None:
            kept[key] = slot
            continue
        if first.skipped and not slot.skipped:
            kept[key] = replace(slot, weight=max(first.weight, slot.weight))
        elif slot.weight > first.weight and not slot.skipped:
            kept[key] = replace(first, weight=slot.weight)
        groups = dict.fromkeys((*first.also, first.group, slot.group))
        kept[key] = replace(kept[key], also=tuple(one for one in groups if one not in ("", kept[key].group)))
    return tuple(kept.values())


def without_repeats(node: Node, slots: Sequence[Slot], approved_before: Mapping[str, str]) -> Iterator[Slot]:
    """Who approved before, or in the node right before, is not asked again where the node says so."""
    last = next(reversed(list(approved_before.values())), "")
    for slot in slots:
        has_approved = slot.user in approved_before and node.duplicate == "skip_if_approved"
        has_just = bool(last) and approved_before.get(slot.user) == last and node.duplicate == "skip_consecutive"
        yield replace(slot, skipped="duplicate") if not slot.skipped and (has_approved or has_just) else slot
