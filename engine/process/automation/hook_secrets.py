"""With what calls from outside are signed: encrypted, bound to the automation that they call."""

from datetime import datetime

import sqlalchemy as sa

from engine.sealed import Sealed, Unsealed
from engine.store import system_runs
from engine.store.database import Connection
from engine.tenants import Tenant

__all__ = ["keep", "renew", "secret_of", "set_at"]

PLACE = "fs_hook.secret"
table = system_runs.hook


def secret_of(tenant: Tenant, connection: Connection, name: str) -> str | None:
    """Raises KeyMissing."""
    stored = connection.sa.execute(sa.select(table.c.secret).where(table.c.automation == name)).scalar()
    return None if stored is None else tenant.secrets.open(Sealed.read(stored, "all"), f"{PLACE} {name}")


def set_at(connection: Connection, name: str) -> datetime | None:
    found: datetime | None = connection.sa.execute(sa.select(table.c.set_at).where(table.c.automation == name)).scalar()
    return found


def keep(tenant: Tenant, connection: Connection, name: str, secret: str, by: str, now: datetime) -> None:
    """Instead of the one before."""
    connection.sa.execute(sa.delete(table).where(table.c.automation == name))
    row = {"automation": name, "secret": sealed(tenant, name, secret), "set_at": now, "by": by or None}
    connection.sa.execute(sa.insert(table).values(**row))


def renew(tenant: Tenant, connection: Connection) -> int:
    """Encrypt with the first key what another encrypted. Returns how many. Raises KeyMissing."""
    count = 0
    for name, stored in connection.sa.execute(sa.select(table.c.automation, table.c.secret)).all():
        old = Sealed.read(stored, "all")
        if old.key_id != tenant.secrets.first:
            again = sealed(tenant, name, tenant.secrets.open(old, f"{PLACE} {name}"))
            connection.sa.execute(sa.update(table).where(table.c.automation == name).values(secret=again))
            count += 1
    return count


def sealed(tenant: Tenant, name: str, secret: str) -> str:
    return tenant.secrets.seal(Unsealed(secret, "all"), f"{PLACE} {name}").text
