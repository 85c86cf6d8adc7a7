"""Who leaves hands over all that they hold, in one batch with a report."""

from typing import Any

import pytest
import sqlalchemy as sa

from engine.cli import main
from engine.errors import BadInput, Conflict, EngineError, Forbidden
from engine.people import handover
from engine.people.handover import Left, Moved, hand_over
from engine.people.users import find_user
from engine.service import Query
from engine.store import system
from engine.testing import Running


@pytest.fixture
def leaver(office: Running) -> Running:
    """lin owns three deals and a note, leads people and stands in teams; cai is to take over."""
    boss, lin = office.records("boss"), office.user("lin")
    for name in ("A", "B", "C"):
        boss.create("deal", {"name": name, "owner": lin, "helper": lin})
    boss.create("note", {"name": "N", "owner": lin})
    boss.create("deal", {"name": "Z", "owner": office.user("pia")})
    boss.update("user", office.user("pia"), {"manager": lin})
    top = boss.create("department", {"name": "Sales", "head": lin, "deputies": [office.user("pia"), lin]})["id"]
    boss.update("user", lin, {"department": top})
    boss.create("team", {"name": "Tigers", "lead": lin, "members": [office.user("cai"), lin]})
    boss.create("queue", {"name": "Web", "members": [lin]})
    return office


def counts(parts: Any) -> list[tuple[str, str, int]]:
    return [(one.object, one.field, one.count) for one in parts]


ALL = [
    ("deal", "owner", 3), ("note", "owner", 1), ("user", "manager", 1), ("department", "head", 1),
    ("department", "deputies", 1), ("team", "lead", 1), ("team", "members", 1), ("queue", "members", 1),
]  # fmt: skip


def audits(office: Running) -> list[Any]:
    with office.tenant.database.read() as connection:
        kind = system.audit.c.kind == "people.handover"
        return list(connection.sa.execute(sa.select(system.audit.c.record, system.audit.c.details).where(kind)))


def test_everything_that_somebody_holds_goes_to_another(leaver: Running) -> None:
    lin, cai = leaver.user("lin"), leaver.user("cai")
    report = hand_over(leaver.context("boss"), lin, cai)
    assert (counts(report.moved), report.left, report.count) == (ALL, [], 10)
    assert [title for _, title in report.moved[0].examples] == ["A", "B", "C"]
    records = leaver.records()
    deals = [tuple(row) for row in records.page(query("deal", "name", "owner", "helper")).rows]
    assert sorted(deals) == [("A", cai, lin), ("B", cai, lin), ("C", cai, lin), ("Z", leaver.user("pia"), None)]
    department = records.page(query("department", "head", "deputies")).rows[0]
    assert tuple(department) == (cai, [leaver.user("pia"), cai])
    assert tuple(records.page(query("team", "lead", "members")).rows[0]) == (cai, [cai])
    assert records.get("user", leaver.user("pia"), ["manager"])["manager"] == cai
    [(record, details)] = audits(leaver)
    assert record == lin
    assert '"deal.owner":3' in details


def query(object_name: str, *fields: str) -> Query:
    return Query(object_name, fields)


def test_each_record_tells_of_it_in_its_history(leaver: Running) -> None:
    lin, cai = leaver.user("lin"), leaver.user("cai")
    hand_over(leaver.context("boss"), lin, cai, objects=["deal"])
    deal = leaver.records().page(query("deal", "name")).ids[0]
    change = leaver.records().history("deal", deal)[0]
    assert (change.by, change.action, change.changes["owner"]) == (leaver.user("boss"), "update", (lin, cai))


def test_a_dry_run_counts_and_changes_nothing(leaver: Running) -> None:
    lin, cai = leaver.user("lin"), leaver.user("cai")
    report = hand_over(leaver.context("boss"), lin, cai, is_dry_run=True)
    assert counts(report.moved) == ALL
    assert audits(leaver) == []
    assert counts(hand_over(leaver.context("boss"), lin, cai).moved) == ALL


def test_objects_are_handed_over_by_themselves(leaver: Running) -> None:
    report = hand_over(leaver.context("boss"), leaver.user("lin"), leaver.user("cai"), objects=["note", "team"])
    assert counts(report.moved) == [("note", "owner", 1), ("team", "lead", 1), ("team", "members", 1)]
    with pytest.raises(EngineError, match="no object 'deals'"):
        hand_over(leaver.context("boss"), leaver.user("lin"), leaver.user("cai"), objects=["deals"])


def test_who_may_not_change_all_of_an_object_leaves_it(leaver: Running) -> None:
    report = hand_over(leaver.context("pia"), leaver.user("lin"), leaver.user("cai"), objects=["deal", "team"])
    assert counts(report.moved) == [("team", "lead", 1), ("team", "members", 1)]
    assert report.left == [
        Left("owned", "deal", "owner", 3, "handover.forbidden", "you may not change all records of 'deal'")
    ]
    assert "note" not in [one.object for one in hand_over(
        leaver.context("pia"), leaver.user("lin"), leaver.user("cai"), is_dry_run=True).left]  # fmt: skip


def test_who_has_less_rights_hands_nothing_over(leaver: Running) -> None:
    with pytest.raises(Forbidden):
        hand_over(leaver.context("pia"), leaver.user("cai"), leaver.user("lin"))
    with pytest.raises(Forbidden):
        hand_over(leaver.context("cai"), leaver.user("lin"), leaver.user("cai"))


def test_what_gives_rights_that_one_does_not_have_is_left(leaver: Running) -> None:
    team = leaver.records().page(query("team", "name")).ids[0]
    leaver.records("boss").create("permission_assignment", {"permission_set": "x", "team": team})
    leaver.records("boss").update("team", team, {"is_active": False})
    report = hand_over(leaver.context("pia"), leaver.user("lin"), leaver.user("cai"), objects=["team"])
    assert counts(report.moved) == [("team", "lead", 1)]
    assert [(one.field, one.code) for one in report.left] == [("members", "people.more_rights")]


def test_nobody_comes_to_stand_below_themselves(office: Running) -> None:
    boss = office.records("boss")
    lin, cai, pia = (office.user(name) for name in ("lin", "cai", "pia"))
    boss.update("user", lin, {"manager": office.user("boss")})
    boss.update("user", pia, {"manager": lin})
    boss.update("user", cai, {"manager": pia})
    office.user("kim", manager=lin)
    hand_over(office.context("boss"), lin, cai)
    managers = {name: office.records().get("user", office.user(name), ["manager"])["manager"] for name in
                ("pia", "cai", "kim")}  # fmt: skip
    assert managers == {"pia": office.user("boss"), "cai": pia, "kim": cai}


def test_to_whom_is_checked(leaver: Running) -> None:
    lin = leaver.user("lin")
    with pytest.raises(BadInput, match="nobody hands over to themselves"):
        hand_over(leaver.context("boss"), lin, lin)
    leaver.records("boss").update("user", leaver.user("cai"), {"is_active": False})
    with pytest.raises(BadInput, match="not active"):
        hand_over(leaver.context("boss"), lin, leaver.user("cai"))
    answer = leaver.client("boss").post(f"/api/v1/users/{lin}/handover", json={"to": "nobody", "dry_run": "yes"})
    assert (answer.status_code, answer.json()["problems"][0]["path"]) == (422, "dry_run")


def test_past_the_limit_nothing_is_moved(leaver: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    context = leaver.context("boss")
    with monkeypatch.context() as patch:
        patch.setattr(handover.Handover.__init__, "__defaults__", (None, 4))
        with pytest.raises(Conflict, match="at most"):
            hand_over(context, leaver.user("lin"), leaver.user("cai"))
    assert counts(hand_over(context, leaver.user("lin"), leaver.user("cai")).moved) == ALL


def test_the_api_answers_with_the_report_and_may_deactivate(leaver: Running) -> None:
    lin, cai = leaver.user("lin"), leaver.user("cai")
    held = leaver.client("lin")
    sent = {"to": cai, "objects": ["note"], "deactivate": True}
    answer = leaver.client("boss").post(f"/api/v1/users/{lin}/handover", json=sent)
    assert answer.status_code == 200
    body = answer.json()
    assert (body["dry_run"], body["count"], body["left"]) == (False, 1, [])
    [moved] = body["moved"]
    assert {**moved, "examples": [one["title"] for one in moved["examples"]]} == {
        "kind": "owned", "object": "note", "field": "owner", "count": 1, "examples": ["N"],
    }  # fmt: skip
    assert held.get("/api/v1/objects").status_code == 401


def test_the_command_tells_what_went(small: Running, capsys: pytest.CaptureFixture[str]) -> None:
    small.records("boss").create("deal", {"name": "A", "owner": small.user("lin")})
    url = str(small.config.database_url)
    assert main(["user", "handover", "lin", "cai", "--dry-run", "--database", url]) == 0
    assert "1 references would go from lin to cai" in capsys.readouterr().out
    assert main(["user", "handover", "lin", "cai", "--deactivate", "--database", url]) == 0
    assert capsys.readouterr().out.splitlines() == ["1 references went from lin to cai", "         1  deal, owner"]
    assert not find_user(small.tenant, "lin").is_active


def test_a_kind_may_be_added(leaver: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    def tasks(move: handover.Handover) -> Any:
        yield Moved("task", "task", "assignee", 7, ())

    monkeypatch.setattr(handover, "KINDS", (*handover.KINDS, tasks))
    report = hand_over(leaver.context("boss"), leaver.user("lin"), leaver.user("cai"))
    assert counts(report.moved)[-1] == ("task", "assignee", 7)
