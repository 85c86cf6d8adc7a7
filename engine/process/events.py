"""What happened, told to automations that wait for it, within the transaction in which it happened."""

from collections.abc import Mapping
from typing import Any

from engine.context import Context
from engine.process.automation.triggers import announced, announced_of_none
from engine.store.database import Connection

__all__ = ["announce", "import_finished", "metadata_published"]


def announce(
    ctx: Context, connection: Connection, event: str, object_name: str, record_id: str, details: Mapping[str, Any]
) -> None:  # fmt: skip
    """To a record: "approval.approved", "approval.rejected", … Of one `key` it counts once for a record."""
    announced(ctx, connection, event, object_name, record_id, details)


def import_finished(
    ctx: Context, connection: Connection, name: str, object_name: str, *, key: str, created: int = 0, updated: int = 0,
    refused: int = 0,
) -> None:  # fmt: skip
    """Whatever brings in many records calls this once, with the last of them. `name`: what people know the import by;
    `key`: which one it is. Its records have set off what saves set off, each by itself."""
    body = {"import": name, "object": object_name, "created": created, "updated": updated, "refused": refused}
    announced_of_none(ctx, connection, "import.finished", key, body)


def metadata_published(ctx: Context, connection: Connection, packages: Mapping[str, str], steps: int) -> None:
    """`ctx` is on the version that is published, whose automations are told; `packages`: name -> version."""
    version = ctx.snapshot.version
    listed = ", ".join(f"{name} {packages[name]}" for name in sorted(packages))
    body = {"version": version, "steps": steps, "packages": listed}
    announced_of_none(ctx, connection, "metadata.published", str(version), body)
