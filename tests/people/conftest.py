"""A small office on both databases: an administrator, somebody who looks after people, and people who sell."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from engine.testing import Running, running

NOW = datetime(2026, 11, 22, 2, 15, tzinfo=UTC)

OFFICE = """
package: office
version: 1.0.0
label: Office
languages: [en, zh-CN]
---
object: deal
label: Deal
fields:
  name: {type: text, label: Name, required: true}
  code: {type: text, label: Code}
  helper: {type: reference, to: user, label: Helper}
  helpers: {type: multi_reference, to: user, label: Helpers}
---
object: note
label: Note
fields:
  name: {type: text, label: Name, required: true}
---
role: seller
label: {en: Seller, zh-CN: 销售}
objects:
  user: [read]
  deal: {can: [create, read, update, delete], rows: "owner == user.id"}
---
role: chief
label: {en: Chief, zh-CN: 主管}
objects:
  user: [read]
  deal: [create, read, update, delete]
---
role: people
label: {en: People, zh-CN: 人事}
objects:
  user: [create, read, update, delete]
  department: [create, read, update, delete]
  team: [create, read, update, delete]
  permission_assignment: [create, read, update, delete]
  deal: {can: [create, read, update, delete], rows: "owner == user.id"}
system: [manage_users]
""" + "".join(
    f"""---
permission_set: {name}
label: {name}
objects: {{note: [read]}}
"""
    for name in (
        "x", "y", "own", "above", "here", "tigers", "aside", "lions", "others", "over", "today", "team_set", "work",
        "gone",
    )
)  # fmt: skip


@pytest.fixture
def office(database_url: str) -> Iterator[Running]:
    with running(database_url, [OFFICE], now=NOW, fill=staff) as site:
        yield site


@pytest.fixture
def small(sqlite_url: str) -> Iterator[Running]:
    """The same on SQLite only, for what does not depend on the database."""
    with running(sqlite_url, [OFFICE], now=NOW, fill=staff) as site:
        yield site


def staff(site: Running) -> None:
    site.user("boss", "admin", name="The Boss")
    site.user("pia", "people", "seller", name="Pia")
    site.user("lin", "seller", name="林悦")
    site.user("cai", "chief", name="Cai")
