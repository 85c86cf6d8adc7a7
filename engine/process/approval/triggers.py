"""Approvals that a save starts, and nodes that a change asks again: in the transaction of the save."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from engine.access.scope import full_scope
from engine.context import Context
from engine.process.approval import kept, resetting
from engine.process.approval.door import Given, finish, open_work
from engine.process.approval.submission import group_of, is_fitting, submit_in
from engine.process.approval.work import Said
from engine.process.subject import Subject, record_of
from engine.store.database import Connection
from metadata.processes import Approval

__all__ = ["after_save"]

Values = Mapping[str, Any]


def after_save(
    ctx: Context, connection: Connection, object_name: str, records: Mapping[str, tuple[str, Values | None]]
) -> bool:  # fmt: skip
    """Whether something was started or asked again. Raises EngineError, which undoes the save: what it starts finds
    nobody to ask, for instance."""
    seeing = replace(ctx, scope=full_scope(ctx.snapshot))
    has_followed = False
    for record, (action, before) in records.items():
        if action == "delete":
            continue
        held = record_of(seeing, connection, object_name, record)
        if held is None:
            continue
        if before is not None:
            changed = {name for name, value in before.items() if held.get(name) != value}
            has_followed |= ask_again(ctx, connection, record, changed)
        subject = Subject(seeing, connection, object_name, held, before)
        for one in started_by(ctx, object_name, action):
            if is_time(seeing, connection, one, record, subject):
                submit_in(seeing, connection, object_name, record, one.name, is_started=True)
                has_followed = True
    return has_followed


def started_by(ctx: Context, object_name: str, action: str) -> list[Approval]:
    all_ = ctx.snapshot.definitions.processes.approvals.values()
    found = [
        one for one in all_
        if one.object == object_name and one.is_active and one.trigger == action and one.storage == "after_save"
    ]  # fmt: skip
    return sorted(found, key=lambda one: (one.priority, one.name))


def is_time(ctx: Context, connection: Connection, one: Approval, record: str, subject: Subject) -> bool:
    if one.trigger_if and (not subject.holds(one.trigger_if) or subject.held_before(one.trigger_if)):
        return False
    return not kept.running_on(connection, record, group_of(one)) and is_fitting(ctx, connection, one, record)


def ask_again(ctx: Context, connection: Connection, record: str, changed: set[str]) -> bool:
    """Of what runs; what it writes itself is its own."""
    own = {one.instance for one in connection.exempt}
    has_followed = False
    for instance in kept.running_on(connection, record) if changed else ():
        if instance.id in own or instance.state != "RUNNING":
            continue
        state = kept.lock(connection, instance.id)
        assert state is not None
        w = open_work(ctx, connection, state, Said("change"))
        if resetting.reset(w, changed):
            finish(w, Given())
            has_followed = True
    return has_followed
