"""Tables of automations that run: engine/process/automation."""

import sqlalchemy as sa

from engine.store.system_base import column, key, table
from engine.store.types import DateTime, Id, Integer, Text

__all__ = ["hook", "run", "turn"]

run = table(
    "fs_run",  # automations that are carried out by themselves
    key("id", Id),
    column("automation", Text),
    column("version", Integer),  # of the definitions, whose steps it carries out
    column("object", Text, nullable=True),
    column("record", Id, nullable=True),
    column("cause", Text),  # "save", "schedule", "date", "webhook", "button", "event"
    column("by", Id, nullable=True),  # who set it off
    column("key", Text, nullable=True),  # of the occasion: none runs twice
    column("state", Text),  # "waiting", "running", "done" or "failed"
    column("step", Integer),  # the next one
    column("tries", Integer),  # of that step
    column("inputs", Text, nullable=True),  # JSON
    column("outputs", Text, nullable=True),  # JSON: of each step that was carried out
    column("results", Text, nullable=True),  # JSON: the records that steps made or found
    column("error", Text, nullable=True),
    column("created_at", DateTime),
    column("started_at", DateTime, nullable=True),
    column("ended_at", DateTime, nullable=True),
    column("due_at", DateTime, nullable=True),  # of one that waits
    sa.Index("ux_fs_run_key", "key", unique=True),
    sa.Index("ix_fs_run_automation", "automation", "id"),
    sa.Index("ix_fs_run_record", "record", "id"),
    sa.Index("ix_fs_run_state", "state", "id"),
)
turn = table(
    "fs_turn",  # who had the last turn, where work is given to several in their order
    key("key", Text),
    column("last", Text),
)
hook = table(
    "fs_hook",  # with what calls from outside are signed: engine/process/automation/hooks.py
    key("automation", Text),
    column("secret", Text),  # sealed
    column("set_at", DateTime),
    column("by", Id, nullable=True),
    column("former", Text, nullable=True),  # the one before, sealed: a sender may go on with it for a time
    column("former_until", DateTime, nullable=True),
)
