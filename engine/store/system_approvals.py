"""Tables of approvals: engine/process/approval. The state is the fold of fs_approval_event, which is only added to."""

import sqlalchemy as sa

from engine.store.system_base import column, key, table
from engine.store.types import DateTime, Id, Integer, Text

__all__ = ["approval", "approval_event", "approval_link", "approval_node", "approval_participant", "approval_task"]

approval = table(
    "fs_approval",  # one row for what was submitted: an instance
    key("id", Id),
    column("approval", Text),  # its name in the definitions of `version`
    column("group", Text),
    column("object", Text),  # the physical name of its table
    column("record", Id),
    column("version", Integer),  # of the definitions that it stays on
    column("state", Text),
    column("reason", Text, nullable=True),  # why it is suspended, cancelled, …
    column("submitter", Id, nullable=True),
    column("round", Integer),
    column("root", Id),  # the instance that is locked for all that it called: itself, mostly
    column("parent", Id, nullable=True),  # whose subprocess it is
    column("parent_run", Id, nullable=True),
    column("data", Text),  # JSON: whom the submitter chose, what was sent in this round, where it goes on
    column("seq", Integer),  # of its last event
    column("started_at", DateTime),
    column("ended_at", DateTime, nullable=True),
    column("key", Text, nullable=True),  # of its submission
    sa.Index(
        "ux_fs_approval_running", "record", "group", unique=True,
        sqlite_where=sa.text("ended_at IS NULL"), postgresql_where=sa.text("ended_at IS NULL"),
    ),
    sa.Index("ux_fs_approval_key", "record", "key", unique=True),
    sa.Index("ix_fs_approval_record", "record", "started_at"),
    sa.Index("ix_fs_approval_submitter", "submitter", "started_at"),
    sa.Index("ix_fs_approval_version", "version", "approval"),
    sa.Index("ix_fs_approval_root", "root"),
)  # fmt: skip
approval_node = table(
    "fs_approval_node",  # a node of an instance, each time that it is entered: the active ones are its position
    key("id", Id),
    column("instance", Id),
    column("node", Text),
    column("state", Text),
    column("round", Integer),
    column("within", Text),  # the row of the fork that it is a branch of, or ""
    column("branch", Text),
    column("entered", Integer),  # the event with which it began, and ...
    column("ended", Integer, nullable=True),
    column("entered_at", DateTime),
    column("ended_at", DateTime, nullable=True),
    column("reason", Text, nullable=True),
    column("data", Text),  # JSON: of a fork, how its branches ended; of others, whom nobody asked and why
    sa.Index("ix_fs_approval_node_instance", "instance", "entered"),
)
approval_task = table(
    "fs_approval_task",  # what one person, or one of a queue, is asked
    key("id", Id),
    column("instance", Id),
    column("run", Id),  # the row of fs_approval_node
    column("node", Text),
    column("user", Id, nullable=True),  # null until one of the queue claims it
    column("state", Text),
    column("slot", Text),  # the place that it decides; several tasks, one after the other, may be of one
    column("place", Integer),  # of the slot, among those of the node
    column("group", Text),
    column("weight", Integer),
    column("kind", Text),  # "slot", "transfer", "delegate", "before", "after", "parallel", "escalate" or "reassign"
    column("source", Text),  # the task that it came from, or ""
    column("set", Text),  # of before and after: those that were added at once
    column("method", Text),  # ... and how they decide: any, all, sequence
    column("via", Text),  # who decided: "self", "agent", "timer" or "admin"
    column("round", Integer),
    column("created_at", DateTime),
    column("opened_at", DateTime, nullable=True),
    column("read_at", DateTime, nullable=True),
    column("due_at", DateTime, nullable=True),
    column("decided_at", DateTime, nullable=True),
    column("decided_by", Id, nullable=True),
    column("data", Text),  # JSON: the queue, instead of whom, timers
    sa.Index("ix_fs_approval_task_instance", "instance"),
    sa.Index("ix_fs_approval_task_user", "user", "state", "opened_at"),
    sa.Index("ix_fs_approval_task_decided", "decided_by", "decided_at"),
)
approval_event = table(
    "fs_approval_event",
    key("instance", Id),
    key("seq", Integer),
    column("subject", Text),  # what changed: "instance", "node", "task" or "participant", and ...
    column("row", Text),  # ... its id; "" where nothing did
    column("action", Text),
    column("actor", Text),  # the id of a user, or "system:timer", "system:override", "system"
    column("on_behalf_of", Id, nullable=True),
    column("from", Text),
    column("to", Text),
    column("node", Text),
    column("task", Text),
    column("comment", Text, nullable=True),
    column("attachments", Text, nullable=True),  # JSON
    column("record_version", Integer, nullable=True),
    column("version", Integer),  # of the definitions
    column("at", DateTime),
    column("key", Text, nullable=True),
    column("data", Text),  # JSON: {"set": what else changed of the row, and what the history tells}
    sa.Index("ux_fs_approval_event_key", "instance", "key", unique=True),
)
approval_participant = table(
    "fs_approval_participant",  # who else sees a task or an instance
    key("id", Id),
    column("instance", Id),
    column("task", Id, nullable=True),  # null for the whole instance
    column("run", Id, nullable=True),
    column("user", Id),
    column("kind", Text),  # "queue", "agent" or "cc"
    column("state", Text),  # "OPEN" or "ENDED"
    column("by", Text),
    column("at", DateTime),
    column("read_at", DateTime, nullable=True),
    sa.Index("ix_fs_approval_participant_instance", "instance"),
    sa.Index("ix_fs_approval_participant_user", "user", "kind", "state"),
    sa.Index("ix_fs_approval_participant_task", "task"),
)
approval_link = table(
    "fs_approval_link",  # links in mails that decide a task: engine/process/approval/mail_links.py
    key("hash", Text),
    column("task", Id),
    column("user", Id),
    column("action", Text),  # "approve", "complete" or "reject"
    column("created_at", DateTime),
    column("expires_at", DateTime),
    column("used_at", DateTime, nullable=True),
    sa.Index("ix_fs_approval_link_task", "task"),
    sa.Index("ix_fs_approval_link_expires_at", "expires_at"),
)
