"""With what calls from outside are signed: encrypted, bound to the automation that they call."""

from datetime import datetime

import sqlalchemy as sa

from engine.sealed import Sealed, Unsealed
from engine.store import system_runs
from engine.store.database import Connection
from engine.tenants import Tenant

__all__ = ["keep", "renew", "secrets_of", "set_at"]

PLACE = "fs_hook.secret"
table = system_runs.hook


def secrets_of(tenant: Tenant, connection: Connection, name: str, now: datetime) -> list[str]:
    """That which was set last, and the one before while it may be used. Raises KeyMissing."""
    row = connection.sa.execute(sa.select(table).where(table.c.automation == name)).first()
    if row is None:
        return []
    kept = [row.secret, row.former] if row.former_until is not None and row.former_until > now else [row.secret]
    return [tenant.secrets.open(Sealed.read(one, "all"), f"{PLACE} {name}") for one in kept]


def set_at(connection: Connection, name: str) -> tuple[datetime, datetime | None] | None:
    """When the secret was set, and until when the one before may be used."""
    wanted = sa.select(table.c.set_at, table.c.former_until).where(table.c.automation == name)
    row = connection.sa.execute(wanted).first()
    return None if row is None else (row.set_at, row.former_until)


def keep(
    tenant: Tenant, connection: Connection, name: str, secret: str, by: str, now: datetime,
    former_until: datetime | None = None,
) -> None:  # fmt: skip
    """Instead of the one before, which may be used until then."""
    former = connection.sa.execute(sa.select(table.c.secret).where(table.c.automation == name)).scalar()
    connection.sa.execute(sa.delete(table).where(table.c.automation == name))
    row = {"automation": name, "secret": sealed(tenant, name, secret), "set_at": now, "by": by or None}
    if former is not None and former_until is not None:
        row |= {"former": former, "former_until": former_until}
    connection.sa.execute(sa.insert(table).values(**row))


def renew(tenant: Tenant, connection: Connection) -> int:
    """Encrypt with the first key what another encrypted. Returns how many. Raises KeyMissing."""
    count = 0
    for column in (table.c.secret, table.c.former):
        wanted = sa.select(table.c.automation, column).where(column.is_not(None))
        for name, stored in connection.sa.execute(wanted).all():
            old = Sealed.read(stored, "all")
            if old.key_id != tenant.secrets.first:
                again = sealed(tenant, name, tenant.secrets.open(old, f"{PLACE} {name}"))
                connection.sa.execute(sa.update(table).where(table.c.automation == name).values({column: again}))
                count += 1
    return count


def sealed(tenant: Tenant, name: str, secret: str) -> str:
    return tenant.secrets.seal(Unsealed(secret, "all"), f"{PLACE} {name}").text
