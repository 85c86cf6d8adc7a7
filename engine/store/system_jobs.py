"""Tables of jobs, schedules and notifications: engine/jobs."""

import sqlalchemy as sa

from engine.store.system_base import column, key, table
from engine.store.types import DateTime, Id, Integer, Text

__all__ = ["job", "notification", "preference", "schedule"]

job = table(
    "fs_job",  # the outbox: what is to be done once the transaction that wrote it has ended
    key("id", Id),
    column("kind", Text),  # which handler
    column("key", Text, nullable=True),  # none is written twice
    column("payload", Text),  # JSON
    column("state", Text),  # "waiting", "leased", "done", "parked" or "discarded"
    column("due_at", DateTime),
    column("tries", Integer),
    column("leased_until", DateTime, nullable=True),
    column("leased_by", Text, nullable=True),
    column("error", Text, nullable=True),  # of the last try
    column("created_at", DateTime),
    column("by", Id, nullable=True),  # whose transaction wrote it
    column("done_at", DateTime, nullable=True),
    sa.Index("ux_fs_job_key", "key", unique=True),
    sa.Index("ix_fs_job_due", "state", "due_at", "id"),
)
schedule = table(
    "fs_schedule",  # what happens again and again: how far each was taken care of
    key("name", Text),
    column("last_due_at", DateTime),
)
notification = table(
    "fs_notification",  # what people are told: engine/process/notices.py
    key("id", Id),
    column("user", Id),
    column("kind", Text),  # "approval.asked"
    column("object", Text, nullable=True),
    column("record", Id, nullable=True),
    column("link", Text, nullable=True),  # a path of the screens
    column("values", Text),  # JSON: what its words are filled with
    column("template", Text, nullable=True),
    column("subject", Text, nullable=True),  # of the template, in the language of the person: as soon as it is made
    column("body", Text, nullable=True),
    column("key", Text, nullable=True),  # nobody is told twice by one
    column("created_at", DateTime),
    column("read_at", DateTime, nullable=True),
    sa.Index("ix_fs_notification_user", "user", "id"),
    sa.Index("ux_fs_notification_key", "user", "key", unique=True),
)
preference = table(
    "fs_preference",  # what people chose for themselves
    key("user", Id),
    key("name", Text),  # "mail"
    column("value", Text),  # JSON
)
