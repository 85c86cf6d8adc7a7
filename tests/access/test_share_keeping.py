"""What becomes of shares when their records are merged, erased or shared with teams; and who is told of them."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa

from engine.errors import Forbidden, NotFound
from engine.privacy.erase import erase
from engine.service import Query
from engine.store import system
from engine.testing import Running, running
from tests.access.conftest import NOW, TEAM


@pytest.fixture
def sales(database_url: str) -> Iterator[Running]:
    text = TEAM.replace("object: lead\nlabel: Lead\n", "object: lead\nlabel: Lead\ndata_subject: true\n")
    with running(database_url, [text], now=NOW) as site:
        site.user("boss", "admin")
        for name in ("sam", "eve", "lin"):
            site.user(name, "seller")
        yield site


def leads(site: Running, username: str) -> list[str]:
    return sorted(one["name"] for one in site.records(username).list(Query("lead", ("name",))).records)


def test_a_merge_moves_shares_and_taking_it_back_brings_them_back(sales: Running) -> None:
    boss = sales.records("boss")
    kept, gone = (str(boss.create("lead", {"name": name})["id"]) for name in ("kept", "gone"))
    sam, eve = ({"kind": "user", "to": sales.user(name)} for name in ("sam", "eve"))
    boss.share("lead", kept, {**sam, "access": "read"})
    boss.share("lead", gone, {**sam, "access": "edit"})
    boss.share("lead", gone, {**eve, "access": "edit"})
    boss.merge("lead", kept, [gone])
    assert (leads(sales, "sam"), leads(sales, "eve"), leads(sales, "lin")) == (["kept"], ["kept"], [])
    assert [(one.to, one.access) for one in boss.shares("lead", kept)] == [
        (sales.user("sam"), "read"), (sales.user("eve"), "edit"),
    ]  # fmt: skip
    boss.unmerge("lead", kept)
    assert (leads(sales, "sam"), leads(sales, "eve")) == (["gone", "kept"], ["gone"])
    assert [(one.to, one.access) for one in boss.shares("lead", kept)] == [(sales.user("sam"), "read")]


def test_a_share_that_was_ended_after_the_merge_does_not_come_back(sales: Running) -> None:
    boss = sales.records("boss")
    kept, gone = (str(boss.create("lead", {"name": name})["id"]) for name in ("kept", "gone"))
    share = boss.share("lead", gone, {"kind": "user", "to": sales.user("eve")})
    boss.merge("lead", kept, [gone])
    boss.unshare("lead", kept, share.id)
    boss.unmerge("lead", kept)
    assert leads(sales, "eve") == []


def test_an_erasure_takes_the_shares_with_it(sales: Running) -> None:
    boss = sales.records("boss")
    ada, bob = (str(boss.create("lead", {"name": name})["id"]) for name in ("Ada", "Bob"))
    boss.share("lead", ada, {"kind": "user", "to": sales.user("eve"), "reason": "Ada is ill"})
    boss.share("lead", bob, {"kind": "user", "to": sales.user("eve")})
    erase(sales.context("boss"), "lead", ada)
    with sales.tenant.database.read() as connection:
        assert connection.sa.scalars(sa.select(system.share.c.record)).all() == [bob]


def test_a_share_with_a_team_is_for_its_members_while_it_is_active(sales: Running) -> None:
    boss, sam = sales.records("boss"), sales.user("sam")
    lead = str(boss.create("lead", {"name": "kept"})["id"])
    team = str(boss.create("team", {"name": "Tigers", "members": [sam, sales.user("eve")]})["id"])
    boss.share("lead", lead, {"kind": "team", "to": team, "expires_at": "2026-11-22T03:00:00Z"})
    assert (leads(sales, "sam"), leads(sales, "eve"), leads(sales, "lin")) == (["kept"], ["kept"], [])
    boss.update("team", team, {"members": [sam]})
    assert (leads(sales, "sam"), leads(sales, "eve")) == (["kept"], [])
    boss.update("team", team, {"is_active": False})
    assert leads(sales, "sam") == []
    boss.update("team", team, {"is_active": True})
    assert leads(sales, "sam") == ["kept"]
    assert sales.fixed_now is not None
    sales.fixed_now += timedelta(hours=1)
    assert leads(sales, "sam") == []


def test_who_may_read_a_record_only_does_not_see_with_whom_it_is_shared(sales: Running) -> None:
    sam = sales.records("sam")
    lead = str(sam.create("lead", {"name": "own"})["id"])
    sam.share("lead", lead, {"kind": "user", "to": sales.user("eve")})
    assert [one.to for one in sam.shares("lead", lead)] == [sales.user("eve")]
    with pytest.raises(Forbidden):
        sales.records("eve").shares("lead", lead)
    with pytest.raises(NotFound):
        sales.records("lin").shares("lead", lead)


def test_sharing_is_told_in_the_audit_log(sales: Running) -> None:
    boss, eve = sales.records("boss"), sales.user("eve")
    lead = str(boss.create("lead", {"name": "own"})["id"])
    share = boss.share("lead", lead, {"kind": "user", "to": eve})
    boss.unshare("lead", lead, share.id)
    found = sales.client("boss").get(f"/api/v1/audit?record={lead}").json()["entries"]
    assert [(one["kind"], one["details"]) for one in found if "share" in one["kind"]] == [
        ("record.unshare", {"kind": "user", "to": eve, "access": "read"}),
        ("record.share", {"kind": "user", "to": eve, "access": "read"}),
    ]  # fmt: skip
