"""Tables of what keeps records as they are, and of changes that wait: engine/process/locks.py."""

import sqlalchemy as sa

from engine.store.system_base import column, key, table
from engine.store.types import DateTime, Id, Integer, Text

__all__ = ["agent", "approval_snapshot", "change_request", "lock", "locked_object"]

# Objects stand here by their physical names, which no rename changes.
lock = table(
    "fs_lock",  # records that stay as they are, with their lines, while an approval runs
    key("record", Id),
    key("instance", Id),  # of the approval
    column("object", Text),
    column("approval", Text),  # its name; "" where it is not said
    column("exempt", Text),  # JSON: fields that may be written all the same
    column("at", DateTime),
    column("by", Id, nullable=True),  # who submitted the record
    sa.Index("ix_fs_lock_instance", "instance"),
)
locked_object = table(
    "fs_locked_object",  # objects of which a record was ever locked: none of their writes forgets to look
    key("object", Text),
)
approval_snapshot = table(
    "fs_approval_snapshot",  # what the record was when it was submitted, and at each decision
    key("instance", Id),
    key("seq", Integer),  # of the event
    column("object", Text),
    column("record", Id),
    column("record_version", Integer),
    column("version", Integer),  # of the definitions
    column("at", DateTime),
    column("by", Id, nullable=True),
    column("task", Text),  # "" at the submission
    column("node", Text),
    column("same", Integer, nullable=True),  # the seq of the snapshot that says what this one would
    column("data", Text, nullable=True),  # JSON: engine/process/snapshots.py
    sa.Index("ix_fs_approval_snapshot_record", "record"),
)
change_request = table(
    "fs_change_request",  # changes that wait for an approval: engine/process/requests.py
    key("id", Id),
    column("instance", Text),  # of the approval; "" until it runs
    column("approval", Text),
    column("object", Text),
    column("record", Id),
    column("action", Text),  # "create", "update" or "delete"
    column("values", Text),  # JSON: column -> value, as the API takes it
    column("record_version", Integer),  # at which the record was
    column("state", Text),  # "waiting", "applied", "conflict" or "dropped"
    column("at", DateTime),
    column("by", Id, nullable=True),
    column("ended_at", DateTime, nullable=True),
    column("draft", Text, nullable=True),  # JSON: what the record would be; engine/process/requests.py
    sa.Index("ix_fs_change_request_record", "record", "state"),
    sa.Index("ix_fs_change_request_instance", "instance"),
)
agent = table(
    "fs_agent",  # who decides for somebody who is away: engine/process/agents.py
    key("id", Id),
    column("user", Id),
    column("agent", Id),
    column("from", DateTime),
    column("to", DateTime),
    column("approvals", Text),  # JSON: names; [] is all
    column("objects", Text),  # JSON: physical names; [] is all
    column("reason", Text, nullable=True),
    column("created_at", DateTime),
    column("created_by", Id, nullable=True),
    column("ended_at", DateTime, nullable=True),  # taken back before its time
    sa.Index("ix_fs_agent_user", "user"),
    sa.Index("ix_fs_agent_agent", "agent"),
)
