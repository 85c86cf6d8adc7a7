"""Files that people put to what they say in an approval: whose they are to give, who may have them, and when they go.

They lie in the file store as all files do. What holds them is the event that says it: in fs_file_use the record is the
instance and the field the number of the event.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import sqlalchemy as sa

from engine.audit.log import note
from engine.context import Context
from engine.errors import BadInput, BadValue, EngineError, InputProblem
from engine.files.catalogue import known_to
from engine.files.value import MEGABYTE, FileValue
from engine.process.approval import kept
from engine.process.approval.people import is_admin
from engine.process.approval.sight import may_see
from engine.process.approval.state import Event
from engine.process.approval.views import Attachment
from engine.process.approval.work import Work
from engine.snapshot import Snapshot
from engine.store import rows_files, system
from engine.store.database import Connection
from engine.store.rows_files import StoredFile
from engine.store.system_approvals import approval, approval_participant, approval_task
from metadata.model import Field

__all__ = ["FIELD", "HOLDER", "attach", "held_for", "let_go", "may_attach", "may_have_attachment", "shown_of"]

HOLDER = "fs_approval"  # in the place of a record's table
MOST_FILES = 20  # with one action
# The limits of what is attached are those of a field of files that says nothing else.
FIELD = Field(
    "attachments", "file", {"en": "Attachments", "zh-CN": "附件"},
    options={"multiple": True, "max_files": MOST_FILES, "max_bytes": 10 * MEGABYTE},
)  # fmt: skip
PARSE = FileValue().parser(FIELD)
USE = system.file_use.c


def attach(w: Work) -> None:
    """What was sent with the action is held by its event from now on. Raises BadInput for a file that is not there, not
    this person's to give, or not within the limits of fields that hold files."""
    at = next((at for at, one in enumerate(w.events) if one.attachments), None)
    if at is None:
        return
    files = need_files(w.ctx, w.connection, w.events[at].attachments)
    said = w.events[at] = replace(w.events[at], attachments=tuple(one.id for one in files))
    w.connection.sa.execute(sa.insert(system.file_use), [
        {"file": one.id, "record": w.instance.id, "field": str(said.seq), "object": HOLDER} for one in files
    ])  # fmt: skip
    told = {"instance": w.instance.id, "approval": w.approval.name, "action": w.said.action, "seq": said.seq}
    note(
        w.connection, "approval.attached", actor=w.ctx.actor, origin=w.ctx.origin, now=w.now, object_name=w.object,
        record=w.instance.record, details={**told, "files": [{"id": one.id, "size": one.size} for one in files]},
    )  # fmt: skip


def need_files(ctx: Context, connection: Connection, ids: Sequence[str]) -> list[StoredFile]:
    """In their order, each once."""
    wanted = list(dict.fromkeys(one.lower() for one in ids))
    if len(wanted) > MOST_FILES:
        raise wrong("value.file.many", f"{len(wanted)} files; at most {MOST_FILES} are allowed", "leave some out",
                    (("count", len(wanted)), ("max", MOST_FILES)))  # fmt: skip
    known = known_to(ctx, connection, wanted)
    for one in wanted:
        if one not in known:
            shown = one if one.isprintable() else ascii(one)
            raise wrong("value.file.unknown", f"'attachments': no file has the id '{shown[:60]}'", "upload it again",
                        (("id", shown[:60]),))  # fmt: skip
    found = [known[one] for one in wanted]
    try:
        PARSE([one.view() for one in found])
    except BadValue as bad:
        raise wrong(bad.code, bad.message, bad.fix, bad.values) from bad
    return found


def wrong(code: str, message: str, fix: str, values: Sequence[tuple[str, object]]) -> BadInput:
    problem = InputProblem("attachments", code, message, fix, tuple(values))
    return BadInput(message, code=code, fix=fix, problems=[problem])


def may_attach(ctx: Context) -> bool:
    """Whether there is an approval in which this person may say something: they take part in one, or may read what one
    is for."""
    approvals = ctx.snapshot.definitions.processes.approvals.values()
    if any(ctx.scope.can("read", one.object) or ctx.actor.roles & set(one.history) for one in approvals):
        return True
    if not ctx.actor.id:
        return False
    me, task, other = ctx.actor.id, approval_task.c, approval_participant.c
    parts = (approval.c.submitter == me, task.user == me, task.decided_by == me, other.user == me)
    with ctx.tenant.database.read() as connection:
        return (is_admin(ctx) and bool(approvals)) or any(
            connection.sa.scalar(sa.select(sa.exists().where(part))) for part in parts
        )


def may_have_attachment(ctx: Context, connection: Connection, file_id: str) -> bool:
    """Whether the file stands with something that was said in an approval which the person sees."""
    wanted = sa.select(USE.record).where(USE.file == file_id, USE.object == HOLDER).distinct()
    for instance in connection.sa.scalars(wanted).all():
        state = kept.load(connection, instance)
        try:
            if state is not None and may_see(ctx, connection, state):
                return True
        except EngineError:  # what the approval is about is in the definitions no more
            continue
    return False


def shown_of(snapshot: Snapshot, connection: Connection, events: Sequence[Event]) -> Mapping[str, Attachment]:
    """By id. One that is there no more has no name."""
    wanted = dict.fromkeys(one for event in events for one in event.attachments)
    if not wanted:
        return {}
    files = rows_files.find(connection, snapshot, wanted)
    return {
        one: Attachment(one, files[one].name, files[one].type, files[one].size) if one in files else Attachment(one)
        for one in wanted
    }  # fmt: skip


def held_for(connection: Connection, records: Collection[str]) -> list[str]:
    """Files that were attached in approvals of these records."""
    return list(connection.sa.scalars(sa.select(USE.file).where(about(records)).distinct()))


def about(records: Collection[str]) -> sa.ColumnElement[bool]:
    instances = sa.select(approval.c.id).where(approval.c.record.in_(list(records)))
    return sa.and_(USE.object == HOLDER, USE.record.in_(instances))


def let_go(connection: Connection, records: Collection[str]) -> list[str]:
    """What was attached in approvals of these records is held by them no more: the ids of the files."""
    found = held_for(connection, records)
    if found:
        connection.sa.execute(sa.delete(system.file_use).where(about(records)))
    return found
