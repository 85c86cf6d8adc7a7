"""A tenant with 10,000 accounts and 100,000 opportunities, made through the store in bulk."""

import random
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from engine.people.tokens import make_token
from engine.people.users import create_user
from engine.publish import apply, plan
from engine.store.database import new_id
from engine.tenants import Tenant

__all__ = ["PACKAGE", "Seeded", "fill", "seed"]

PACKAGE = Path(__file__).parent / "package"
PASSWORD = "long enough for the policy"  # of a tenant that lives for one run
STAGES = ("new", "qualified", "proposal", "won", "lost")


class Seeded:
    """What the questions need: a person's token, ids to ask for."""

    token: str
    user: str
    accounts: list[str]
    opportunities: list[str]
    invoices: list[str]


def seed(
    tenant: Tenant, *, accounts: int = 10_000, opportunities: int = 100_000, invoices: int = 20_000, lines: int = 5
) -> Seeded:  # fmt: skip
    """Publish the package, add one person and the rows. The rows are the same on every run."""
    chance = random.Random(7)
    now = datetime(2026, 11, 1, tzinfo=UTC)
    apply(tenant, plan(tenant, [PACKAGE]), by=None, now=now)
    seeded = Seeded()
    seeded.user = create_user(tenant, "bench", name="Bench Person", roles=["rep"], password=PASSWORD, now=now)
    other = create_user(tenant, "other", name="Other Person", roles=["rep"], password=PASSWORD, now=now)
    seeded.token = make_token(tenant, seeded.user, now=datetime.now(UTC))
    snapshot = tenant.snapshot()
    common: dict[str, Any] = {
        "created_at": now, "created_by": seeded.user, "modified_at": now, "modified_by": seeded.user, "version": 1,
    }  # fmt: skip
    seeded.accounts = [new_id() for _ in range(accounts)]
    seeded.opportunities = [new_id() for _ in range(opportunities)]
    account, opportunity = snapshot.physical.table("account"), snapshot.physical.table("opportunity")
    with tenant.database.write() as connection:
        fill(connection.sa, account, (
            {**common, "id": key, "owner": seeded.user, "name": f"Account {n:05d}",
             "region": chance.choice(["north", "south"])}
            for n, key in enumerate(seeded.accounts)
        ))  # fmt: skip
        fill(connection.sa, opportunity, (
            {
                **common, "id": key, "owner": seeded.user if n % 3 else other, "name": f"Opportunity {n:06d}",
                "account": chance.choice(seeded.accounts), "stage": STAGES[n % 5],
                "amount": chance.randrange(1000, 900_000), "probability": chance.randrange(0, 101, 10),
                "close_date": date(2026, 1, 1) + timedelta(days=chance.randrange(700)), "is_private": n % 10 == 0,
                "next_step": "Send the revised quote by Friday",
            }
            for n, key in enumerate(seeded.opportunities)
        ))  # fmt: skip
        seeded.invoices = [new_id() for _ in range(invoices)]
        invoice, line = snapshot.physical.table("invoice"), snapshot.physical.table("invoice_line")
        owned = {**common, "owner": seeded.user}
        fill(connection.sa, invoice, (
            {**owned, "id": key, "name": f"Invoice {n:06d}", "total": lines * 3 * 10}
            for n, key in enumerate(seeded.invoices)
        ))  # fmt: skip
        fill(connection.sa, line, (
            {**owned, "id": new_id(), "name": "Work", "invoice": key, "position": n + 1, "quantity": 3, "price": 10}
            for key in seeded.invoices for n in range(lines)
        ))  # fmt: skip
    if tenant.database.dialect == "postgresql":
        with tenant.database.read() as reading:
            reading.run("ANALYZE")
    else:
        with tenant.database.write() as writing:
            writing.run("ANALYZE")
    return seeded


def fill(connection: sa.Connection, table: sa.Table, rows: Any) -> None:
    batch: list[dict[str, Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == 5000:
            connection.execute(table.insert(), batch)
            batch = []
    if batch:
        connection.execute(table.insert(), batch)
