"""Values of secret fields: what they are bound to, and how the engine itself reads one."""

from collections.abc import Iterator

import sqlalchemy as sa

from engine.context import Context
from engine.mail.jobs import renew as renew_mails
from engine.people.totp import renew as renew_codes
from engine.process.automation.hook_secrets import renew as renew_hooks
from engine.sealed import Mask, Sealed, Unsealed
from engine.snapshot import Snapshot
from engine.store.database import Connection
from engine.tenants import Tenant

__all__ = ["decrypt", "place_of", "rotate"]

PIECE = 1000  # values that are read at once
NOTHING: Mask = "all"  # what is shown is kept beside it


def decrypt(ctx: Context, object_name: str, field_name: str, stored: Sealed) -> str:
    """For what the engine itself sends to others, such as webhooks. Never for an answer. Raises KeyMissing."""
    return ctx.tenant.secrets.open(stored, place_of(ctx.snapshot, object_name, field_name))


def place_of(snapshot: Snapshot, object_name: str, field_name: str) -> str:
    """What a secret is bound to: its column, which no rename changes. Moved to another one, it cannot be decrypted."""
    names = snapshot.physical.names
    return f"{names.tables[object_name]}.{names.columns[object_name][field_name]}"


def rotate(tenant: Tenant) -> int:
    """Encrypt what another key than the first encrypted, of records in the trash too, and what the engine itself keeps:
    all of it or nothing. Returns how many values. What is shown of them stays, as do versions and history. Raises
    KeyMissing."""
    snapshot = tenant.snapshot()
    with tenant.database.write() as connection:
        return sum(renew(tenant, connection) for renew in (renew_hooks, renew_codes, renew_mails)) + sum(
            _rotate_column(tenant, connection, snapshot, name, field.name)
            for name, definition in snapshot.definitions.objects.items()
            for field in definition.fields.values()
            if field.is_stored and snapshot.plugins.fields[field.type].is_secret
        )


def _rotate_column(
    tenant: Tenant, connection: Connection, snapshot: Snapshot, object_name: str, field_name: str
) -> int:  # fmt: skip
    table, place, ring = (
        snapshot.physical.table(object_name),
        place_of(snapshot, object_name, field_name),
        tenant.secrets,
    )
    count = 0
    for record, text in _stored(connection, table, field_name):
        _, key_id, cipher, mask = text.split(".", 3)
        if key_id == ring.first:
            continue
        plain = ring.open(Sealed(key_id, cipher, mask), place)
        made = ring.seal(Unsealed(plain, NOTHING), place)
        # What was read is asked for again: a value that is written meanwhile has the first key already.
        column = sa.type_coerce(table.c[field_name], sa.Text())
        changed = table.update().where(table.c.id == record, column == text)
        done = connection.sa.execute(changed.values({field_name: Sealed(made.key_id, made.cipher, mask)}))
        count += done.rowcount
    return count


def _stored(connection: Connection, table: sa.Table, name: str) -> Iterator[tuple[object, str]]:
    """(id, text as it stands in the column), in order of ids."""
    column = sa.type_coerce(table.c[name], sa.Text())
    last: object = None
    while True:
        chosen = sa.select(table.c.id, column).where(column.is_not(None)).order_by(table.c.id).limit(PIECE)
        rows = connection.sa.execute(chosen if last is None else chosen.where(table.c.id > last)).all()
        yield from ((record, text) for record, text in rows)
        if len(rows) < PIECE:
            return
        last = rows[-1][0]
