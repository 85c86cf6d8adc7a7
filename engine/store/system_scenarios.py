"""The table of scenarios: engine/scenario.py."""

from engine.store.system_base import column, key, table
from engine.store.types import DateTime, Text

__all__ = ["scenario"]

scenario = table(
    "fs_scenario",  # sample data that was played; it is not played again
    key("name", Text),
    column("played_at", DateTime),
)
