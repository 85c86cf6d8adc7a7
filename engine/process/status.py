"""The field `approval_status` of records, which the engine alone writes."""

from engine.context import Context
from engine.rules import duplicates, rollups
from engine.rules.values import rules_of
from engine.service_rows import changes_of, not_found
from engine.store import rows, rows_deletion, rows_history
from engine.store.database import Connection
from metadata.processes import APPROVAL_STATES, APPROVAL_STATUS

__all__ = ["set_status", "status_of"]


def status_of(ctx: Context, connection: Connection, object_name: str, record_id: str) -> str:
    """ "none" where the object has no approval any more. Raises NotFound."""
    names = [APPROVAL_STATUS] if _has_field(ctx, object_name) else []
    found = rows_deletion.stored(connection, ctx.snapshot, object_name, names, [record_id])
    if record_id not in found:
        raise not_found(object_name, record_id)
    return str(found[record_id][0] or "none") if names else "none"


def set_status(ctx: Context, connection: Connection, object_name: str, record_id: str, status: str) -> None:
    """Counts up the record's version and writes its history, in the caller's transaction. Nothing where it is so
    already, or where the object has no approval any more. Raises NotFound."""
    if status not in APPROVAL_STATES:
        raise ValueError(f"'{status}' is no state of a record")
    before = status_of(ctx, connection, object_name, record_id)
    if before == status or not _has_field(ctx, object_name):
        return
    rules = rules_of(ctx.snapshot, object_name)
    new = {APPROVAL_STATUS: status}
    versions = rows.change_many(ctx, connection, object_name, [record_id], new)
    rollups.after_change(connection, ctx.snapshot, object_name, [record_id], new)
    duplicates.renew_stored(ctx, connection, object_name, [record_id], [APPROVAL_STATUS])
    changes = changes_of(rules, {APPROVAL_STATUS: before}, new)
    rows_history.write(ctx, connection, object_name, [(record_id, versions[record_id], "update", changes)])


def _has_field(ctx: Context, object_name: str) -> bool:
    field = ctx.snapshot.definitions.objects[object_name].fields.get(APPROVAL_STATUS)
    return field is not None and field.is_kept
