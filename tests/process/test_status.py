"""Does an approval give its object a status that the engine alone writes, and that everything can use?"""

from collections.abc import Iterator

import pytest

from engine.errors import BadInput, NotFound
from engine.process.status import set_status, status_of
from engine.service import AggregateQuery, Query
from engine.testing import Running, running
from tests.process.orders import NOW
from tests.records.state import refused

PLAIN = """
package: plain
version: 1.0.0
label: Plain
---
object: deal
label: Deal
fields:
  name: {type: text, label: Name, required: true}
"""
APPROVED = (
    PLAIN
    + """
  waiting: {type: formula, label: Waiting, formula: approval_status == 'pending', returns: boolean}
validations:
  - {rule: named, error_if: "approval_status == 'approved' and name == 'x'", message: No x}
---
approval: sign_off
object: deal
label: Sign-off
flow:
  - approve: boss
    label: Boss
    approvers: [{user: boss}]
---
view: pending
object: deal
label: Pending
columns: [name, approval_status]
filter: approval_status == 'pending'
---
layout: deal
object: deal
sections:
  - {label: All, fields: [name, approval_status]}
---
role: seller
label: Seller
objects:
  deal: {can: [create, read, update], rows: "approval_status != 'rejected'"}
"""
)


def put(site: Running, record: str, status: str) -> None:
    ctx = site.context("boss")
    with ctx.tenant.database.write() as connection:
        set_status(ctx, connection, "deal", record, status)


def test_records_that_exist_get_none_and_so_do_new_ones(database_url: str) -> None:
    with running(database_url, [PLAIN], now=NOW) as site:
        site.user("boss", "admin")
        old = site.records().create("deal", {"name": "old"})
        site.publish(APPROVED)
        assert site.records().get("deal", old["id"])["approval_status"] == "none"
        new = site.records("boss").create("deal", {"name": "new"})
        assert new["approval_status"] == "none"


@pytest.fixture
def site(database_url: str) -> Iterator[Running]:
    with running(database_url, [APPROVED], now=NOW, fill=people) as site:
        yield site


def people(site: Running) -> None:
    site.user("boss", "admin")
    site.user("lin", "seller")


def test_nobody_but_the_engine_writes_it(site: Running) -> None:
    deal = site.records("boss").create("deal", {"name": "a"})
    for records in (site.records("boss"), site.records()):
        with refused(site, BadInput) as refusal:
            records.update("deal", deal["id"], {"approval_status": "approved"})
        assert [one.code for one in refusal.value.problems] == ["value.read_only"]
        with refused(site, BadInput):
            records.create("deal", {"name": "b", "approval_status": "approved"})
    assert site.records("boss").create("deal", {"name": "c", "approval_status": "none"})["approval_status"] == "none"


def test_the_engine_writes_it_with_version_and_history(site: Running) -> None:
    deal = site.records("lin").create("deal", {"name": "a"})
    put(site, deal["id"], "pending")
    put(site, deal["id"], "pending")
    found = site.records("lin").get("deal", deal["id"])
    assert (found["approval_status"], found["version"], found["waiting"]) == ("pending", 2, True)
    first = site.records("boss").history("deal", deal["id"])[0]
    assert dict(first.changes) == {"approval_status": ("none", "pending")}
    ctx = site.context("boss")
    with ctx.tenant.database.read() as connection:
        assert status_of(ctx, connection, "deal", deal["id"]) == "pending"
        with pytest.raises(ValueError, match="'lost' is no state"):
            set_status(ctx, connection, "deal", deal["id"], "lost")
        with pytest.raises(NotFound):
            set_status(ctx, connection, "deal", "0" * 8 + "-0000-0000-0000-" + "0" * 12, "pending")


def test_filters_groups_permissions_and_validations_read_it(site: Running) -> None:
    one, two = (site.records("lin").create("deal", {"name": name}) for name in "ab")
    put(site, one["id"], "pending")
    listing = site.records("lin").list(Query("deal", ("name",), filter="approval_status == 'pending'"))
    assert [row["name"] for row in listing.records] == ["a"]
    groups = site.records("lin").aggregate(AggregateQuery("deal", ("approval_status",), ("count()",)))
    assert [(row["approval_status"], row["count()"]) for row in groups.groups] == [("none", 1), ("pending", 1)]
    put(site, two["id"], "rejected")
    with pytest.raises(NotFound):
        site.records("lin").get("deal", two["id"])
    put(site, one["id"], "approved")
    with refused(site, BadInput):
        site.records("lin").update("deal", one["id"], {"name": "x"})


def test_it_goes_with_the_last_approval(site: Running) -> None:
    deal = site.records("lin").create("deal", {"name": "a"})
    site.publish(PLAIN.replace("1.0.0", "1.0.1"))
    ctx = site.context("boss")
    assert "approval_status" not in site.records().get("deal", deal["id"])
    with ctx.tenant.database.write() as connection:
        set_status(ctx, connection, "deal", deal["id"], "approved")
        assert status_of(ctx, connection, "deal", deal["id"]) == "none"
