"""A small shop on both databases, and its audit log as rows."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
import sqlalchemy as sa

from engine.store import system
from engine.testing import Running, running

NOW = datetime(2026, 11, 22, 2, 15, tzinfo=UTC)

SHOP = """
package: shop
version: 1.0.0
label: Shop
---
object: contact
label: Contact
fields:
  name: {type: text, label: Name, required: true, length: 80}
  phone: {type: text, label: Phone, length: 40}
  memo: {type: text, label: Memo, length: 200, history: false}
---
object: deal
label: Deal
fields:
  name: {type: text, label: Name, required: true, length: 80}
  contact: {type: reference, to: contact, label: Contact}
---
role: seller
label: Seller
objects:
  contact: [read, create]
"""


@pytest.fixture
def shop(database_url: str) -> Iterator[Running]:
    with running(database_url, [SHOP], now=NOW) as site:
        site.user("boss", "admin")
        site.user("lin", "seller")
        yield site


def entries(site: Running, kind: str = "record.", object_name: str = "") -> list[dict[str, Any]]:
    """In the order in which they were written, of a single writer."""
    kept = system.audit.c
    wanted = sa.select(system.audit).where(kept.kind.startswith(kind)).order_by(kept.chain, kept.seq)
    if object_name:
        wanted = wanted.where(kept.object == object_name)
    with site.tenant.database.read() as connection:
        found = [dict(row._mapping) for row in connection.sa.execute(wanted)]
    for entry in found:
        entry["details"] = orjson.loads(entry["details"] or "null")
    return found


def sql(site: Running, text: str, **values: object) -> None:
    """What somebody does who has the database."""
    with site.tenant.database.write() as connection:
        connection.sa.execute(sa.text(text), values)
