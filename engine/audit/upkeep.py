"""What the audit log needs now and then: entries that are old enough go, and checkpoints say how long it was."""

from datetime import datetime, timedelta

import sqlalchemy as sa

from engine.audit.chain import REGISTER, Head, sealed
from engine.audit.log import note
from engine.audit.verify import CHECKPOINT, Anchor
from engine.context import SYSTEM, Actor, Origin
from engine.store import system
from engine.store.types import utc_text
from engine.tenants import Tenant

__all__ = ["checkpoint", "prune"]


def prune(tenant: Tenant, now: datetime, days: int, *, actor: Actor = SYSTEM, origin: Origin | None = None) -> int:
    """Remove entries older than `days`; how many. Each chain keeps the mac of the last that went, so that what is left
    still verifies, and an entry says that it was done."""
    try:
        before = now - timedelta(days=days)
    except OverflowError:  # before there were years: nothing is that old
        return 0
    kept, heads = system.audit.c, system.audit_head.c
    with tenant.database.read() as connection:
        wanted = sa.select(kept.chain).where(kept.at < before, kept.seq == first_of()).order_by(kept.chain)
        chains = connection.sa.scalars(wanted).all()
    removed = sum(shorten(tenant, chain, before) for chain in chains)
    if not removed:
        return 0
    with tenant.database.write() as connection:
        found = connection.sa.execute(
            sa.select(system.audit_head).where(heads.chain == REGISTER).with_for_update()
        ).one_or_none()
        if found is not None and (key := tenant.secrets.signing_key(found.key)) is not None:
            register = Head(*found)
            register = sealed(key, register._replace(mac=max(register.mac, utc_text(before))))
            connection.sa.execute(
                sa.update(system.audit_head).where(heads.chain == REGISTER).values(mac=register.mac, seal=register.seal)
            )
        details = {"entries": removed, "before": utc_text(before)}
        note(connection, "audit.prune", actor=actor, origin=origin or Origin(tenant.channel), now=now, details=details)
    checkpoint(tenant, now, actor=actor, origin=origin)
    return removed


def first_of() -> sa.ScalarSelect[int]:
    """The first entry that a chain still has."""
    inner = system.audit.alias("i")
    return sa.select(sa.func.min(inner.c.seq)).where(inner.c.chain == system.audit.c.chain).scalar_subquery()


def shorten(tenant: Tenant, chain: int, before: datetime) -> int:
    """From its beginning to its first entry that is to stay. Whoever writes this chain begins another one after it."""
    kept, heads = system.audit.c, system.audit_head.c
    own = kept.chain == chain
    with tenant.database.write() as connection:
        found = connection.sa.execute(sa.select(system.audit_head).where(heads.chain == chain).with_for_update())
        row = found.one_or_none()
        key = None if row is None else tenant.secrets.signing_key(row.key)
        if row is None or key is None:
            return 0
        stays = connection.sa.scalar(sa.select(sa.func.min(kept.seq)).where(own, kept.at >= before))
        last = row.length if stays is None else stays - 1
        mac = connection.sa.scalar(sa.select(kept.mac).where(own, kept.seq == last))
        if mac is None:  # nothing to remove, or somebody else did: `audit verify` tells of it
            return 0
        head = sealed(key, Head(*row)._replace(gone=last, gone_mac=mac))
        connection.sa.execute(
            sa.update(system.audit_head).where(heads.chain == chain).values(
                gone=head.gone, gone_mac=head.gone_mac, seal=head.seal
            )
        )  # fmt: skip
        return connection.sa.execute(sa.delete(system.audit).where(own, kept.seq <= last)).rowcount


def checkpoint(tenant: Tenant, now: datetime, *, actor: Actor = SYSTEM, origin: Origin | None = None) -> Anchor:
    """An entry that says how long each chain is. Who keeps what it is called by elsewhere can later tell whether the
    whole database was taken back to a state before it."""
    kept, heads = system.audit.c, system.audit_head.c
    origin = origin or Origin(tenant.channel)
    with tenant.database.write() as connection:
        lengths = connection.sa.execute(sa.select(heads.chain, heads.length).where(heads.chain != REGISTER))
        details = {"chains": {str(chain): count for chain, count in lengths.all()}}
        note(connection, CHECKPOINT, actor=actor, origin=origin, now=now, details=details)
    with tenant.database.read() as connection:
        wanted = sa.select(kept.chain, kept.seq, kept.mac).where(kept.kind == CHECKPOINT)
        latest = wanted.order_by(kept.at.desc(), kept.chain.desc(), kept.seq.desc()).limit(1)
        return Anchor(*connection.sa.execute(latest).one())
