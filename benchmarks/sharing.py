"""The first page of a private object with many records, for people who see few, some and most of them: through the
engine and by hand, in turns."""

import random
import statistics
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.fixture import fill
from engine.context import Actor, Context, context_of
from engine.people.users import create_user
from engine.publish import apply, plan
from engine.service import Query, Records, SortKey
from engine.store import system
from engine.store.database import Connection, new_id
from engine.tenants import Tenant, open_tenant

__all__ = ["measure"]

PACKAGE = """
package: private
version: 1.0.0
label: Private
languages: [en]
---
object: deal
label: Deal
plural: Deals
sharing: private
fields:
  name: {type: text, label: Name, required: true}
  amount: {type: currency, label: Amount}
  close_date: {type: date, label: Close date}
---
view: deal_all
object: deal
label: All deals
columns: [name, amount, close_date, owner]
sort: -close_date
default: true
---
role: rep
label: Rep
objects:
  deal: [create, read, update, delete]
  user: [read]
"""
PEOPLE = 1000  # who own the records
TEAM = 10  # of them are below the team leader
SHARED = 200  # records that were shared with each of the three by hand
ROUNDS = 200
NOW = datetime(2026, 11, 1, tzinfo=UTC)
FIELDS = ("id", "name", "amount", "close_date", "owner")

BY_HAND = {
    "below": """
        WITH RECURSIVE below(id) AS (
            SELECT id FROM "user" WHERE manager = ? AND deleted_at IS NULL
            UNION SELECT u.id FROM "user" u JOIN below b ON u.manager = b.id WHERE u.deleted_at IS NULL)
        SELECT id FROM below""",
    "postgresql": """
        SELECT id, name, amount, close_date, owner FROM deal
        WHERE deleted_at IS NULL AND (owner = ? OR owner = ANY(CAST(? AS uuid[])) OR id = ANY(ARRAY(
            SELECT record FROM fs_share WHERE "to" = ? AND object = 'deal' AND (expires_at IS NULL OR expires_at > ?))))
        ORDER BY close_date DESC, id DESC LIMIT 51""",
    "sqlite": """
        SELECT id, name, amount, close_date, owner FROM deal
        WHERE deleted_at IS NULL AND (owner = ? OR owner IN (SELECT value FROM json_each(?)) OR id IN (
            SELECT record FROM fs_share WHERE "to" = ? AND object = 'deal' AND (expires_at IS NULL OR expires_at > ?)))
        ORDER BY close_date DESC, id DESC LIMIT 51""",
}


def measure(kind: str, url: str, folder: Path, rows: int) -> None:
    """Print p50, p95 and the ratio for each of the three."""
    started = time.perf_counter()
    tenant = open_tenant(url, folder, "private")
    people = seed(tenant, folder, rows)
    print(f"\n{kind}, first page of {rows:,} private records, made in {time.perf_counter() - started:.0f} s")
    for name, (user, share) in people.items():
        actor = Actor(user, name, roles=frozenset({"rep"}))
        ours = timed(tenant, actor, engine_page)
        theirs = timed(tenant, actor, page_by_hand)
        pairs = [b / a for a, b in zip(ours, theirs, strict=True)]
        print(
            f"{name:8} sees {share:7.2%}   ours p50 {ms(ours, 50)} p95 {ms(ours, 95)} ms   "
            f"by hand p50 {ms(theirs, 50)} p95 {ms(theirs, 95)} ms   ratio {statistics.median(pairs):.2f}"
        )
    tenant.close()


def timed(tenant: Tenant, actor: Actor, page: Callable[[Context], Sequence[Any]]) -> list[float]:
    """Seconds of each round, sorted. Each begins anew, as a request does: what the person has is not remembered."""
    for _ in range(10):
        page(context_of(tenant, actor, NOW))
    found = []
    for _ in range(ROUNDS):
        ctx = context_of(tenant, actor, NOW)
        began = time.perf_counter()
        assert len(page(ctx)) >= 50
        found.append(time.perf_counter() - began)
    return sorted(found)


def engine_page(ctx: Context) -> Sequence[Any]:
    return Records(ctx).list(Query("deal", FIELDS, sort=(SortKey("close_date", is_descending=True),), limit=50)).records


def page_by_hand(ctx: Context) -> Sequence[Any]:
    user, dialect = ctx.actor.id, ctx.snapshot.dialect
    with ctx.tenant.database.read() as connection:
        below = [row[0] for row in connection.rows(marked(dialect, BY_HAND["below"]), (user,))]
        if dialect == "sqlite":
            wanted: Any = '["' + '","'.join(below) + '"]' if below else "[]"
            now: Any = NOW.isoformat()
        else:
            wanted, now = below, NOW
        found = connection.rows_planned(marked(dialect, BY_HAND[dialect]), (user, wanted, user, now))
    return [dict(zip(FIELDS, row, strict=True)) for row in found[:50]]


def marked(dialect: str, sql: str) -> str:
    return sql if dialect == "sqlite" else sql.replace("?", "%s")


def ms(seconds: Sequence[float], percent: int) -> str:
    return f"{seconds[min(len(seconds) - 1, len(seconds) * percent // 100)] * 1000:.1f}"


def seed(tenant: Tenant, folder: Path, rows: int) -> dict[str, tuple[str, float]]:
    """Name -> (user id, share of the records that the person sees)."""
    package = folder / "private"
    package.mkdir()
    (package / "package.yaml").write_text(PACKAGE)
    apply(tenant, plan(tenant, [package]), by=None, now=NOW)
    head = create_user(tenant, "head", roles=["rep"], now=NOW)
    leader = create_user(tenant, "leader", roles=["rep"], now=NOW, manager=head)
    rep = create_user(tenant, "rep", roles=["rep"], now=NOW, manager=leader)
    snapshot, chance = tenant.snapshot(), random.Random(7)
    owners = [rep, *(new_id() for _ in range(PEOPLE - 1))]
    common = {"created_at": NOW, "created_by": head, "modified_at": NOW, "modified_by": head, "version": 1}
    with tenant.database.write() as connection:
        connection.be_patient()
        user, deal = snapshot.physical.table("user"), snapshot.physical.table("deal")
        fill(connection.sa, user, (
            {**common, "id": one, "owner": head, "username": f"person{n}", "name": f"Person {n}", "is_active": True,
             "manager": leader if n < TEAM else head if n < PEOPLE * 9 // 10 else None}
            for n, one in enumerate(owners) if n
        ))  # fmt: skip
        fill(connection.sa, deal, (
            {**common, "id": new_id(), "owner": owners[n % PEOPLE], "name": f"Deal {n}",
             "amount": chance.randrange(1000, 900_000),
             "close_date": date(2026, 1, 1) + timedelta(days=chance.randrange(3000))}
            for n in range(rows)
        ))  # fmt: skip
        give(connection, deal, [rep, leader, head])
    analyse(tenant)
    return {"rep": (rep, 1 / PEOPLE), "leader": (leader, TEAM / PEOPLE), "head": (head, 0.9)}


def give(connection: Connection, deal: sa.Table, people: Sequence[str]) -> None:
    some = [row[0] for row in connection.sa.execute(sa.select(deal.c.id).limit(SHARED * len(people)))]
    fill(connection.sa, system.share, (
        {"id": new_id(), "object": deal.name, "record": record, "kind": "user", "to": people[n % len(people)],
         "access": "read", "at": NOW}
        for n, record in enumerate(some)
    ))  # fmt: skip


def analyse(tenant: Tenant) -> None:
    use = tenant.database.read if tenant.database.dialect == "postgresql" else tenant.database.write
    with use() as connection:
        connection.run("ANALYZE")
