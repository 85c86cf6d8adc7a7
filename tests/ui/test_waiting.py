"""Do the screens show what waits for an approval, to whom it is to be shown, and what can be done about it?"""

import re
from collections.abc import Iterator

import pytest

from engine.audit.search import Wanted, find
from engine.process.approval.seen import seen
from engine.service import Query
from tests.ui.approval_desk import PACKAGE, Desk, filled

LARGE = """\
---
approval: entry
label: {en: Large quote, zh-CN: 大额报价}
object: quote
group: entry
trigger: create
storage: before_save
when: amount > 1000000
summary: [amount]
flow: [{approve: head, label: {en: Manager}, approvers: [{user: wang}], hidden: [margin]}]
---
approval: raise
label: {en: Raise, zh-CN: 提价}
object: quote
group: raise
trigger: {update: amount > 1000000}
storage: before_save
flow: [{approve: head, label: {en: Manager}, approvers: [{user: wang}], hidden: [margin]}]
---
role: keeper
label: {en: Keeper, zh-CN: 管理员}
system: [manage_processes, view_audit]
objects:
  quote: [read, update]
  quote_item: [read]
  customer: [read]
  user: [read]
"""


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    with filled(database_url, more=LARGE) as found:
        found.site.user("pat", "keeper", language="en", time_zone="UTC")
        yield found


def test_a_new_record_waits_is_shown_to_those_who_decide_and_mended_by_who_entered_it(desk: Desk) -> None:
    lines = {"items": "", "items.0.product": "Rotor", "items.0.pieces": "2"}
    answer = desk.send("/o/quote/new", "sam", name="Turbine", amount="2000000", margin="18", **lines)
    address = answer.headers["location"]
    assert address.startswith("/approvals/")
    own = desk.page(address, "sam")
    for text in ("Turbine", "Sam Ortiz entered this", "The record is made when it is approved.", "18%", "2,000,000"):
        assert text in own
    assert "Turbine" not in desk.page("/o/quote", "he")
    desk.page(address, "he", 404)
    inbox = desk.page("/inbox", "wang")
    assert "New record" in inbox
    assert "2,000,000" in inbox
    task = desk.task("wang")
    page = desk.page(f"/inbox/{task}", "wang")
    assert "2,000,000" in page
    assert "18%" not in page
    desk.send(f"/inbox/{task}/return", "wang", comment="Too much")
    dialog = desk.page(f"{address}/resubmit", "sam")
    assert 'name="values.amount"' in dialog
    assert 'value="Turbine"' in dialog
    assert 'name="items.0.product" value="Rotor"' in dialog
    before = line_ids(desk, address)
    desk.send(f"{address}/resubmit", "sam", **lines)
    assert line_ids(desk, address) == before  # what was left as it was is not sent anew
    desk.act("wang", "return", comment="Still too much")
    lines |= {"items.0.pieces": "3", "items.1.product": "Shaft"}
    wrong = {**lines, "items.1.pieces": "many", "values.amount": "1500000"}
    assert "many" in desk.send(f"{address}/resubmit", "sam", 422, **wrong).text
    desk.send(f"{address}/resubmit", "sam", **lines, **{"values.name": "Turbine 2", "values.amount": "1500000"})
    desk.act("wang", "approve")
    assert "Turbine 2" in desk.page("/o/quote", "he")
    made = desk.site.records("sam").list(Query("quote_item", ("product", "pieces"))).records
    assert sorted((one["product"], one["pieces"]) for one in made) == [("Rotor", 3), ("Shaft", None)]
    again = desk.send("/o/quote/new", "sam", name="Boiler", amount="2000000").headers["location"]
    desk.act("wang", "reject", comment="No")
    assert "Boiler" in desk.page(again, "sam").partition("<main")[2]
    desk.site.work()
    told = desk.page("/notifications", "sam")
    assert [told.count(f'class="notice-mark tone-{tone}"') for tone in ("green", "red", "orange")] == [1, 1, 2]


def line_ids(desk: Desk, address: str) -> list[str]:
    found = seen(desk.site.context("sam"), address.removeprefix("/approvals/"))
    assert found is not None
    return [one.id for one in found.reading.lines["items"]]


def test_a_change_that_waits_is_shown_beside_what_is(desk: Desk) -> None:
    record = desk.quote("Gearbox", 0, margin=18)
    desk.send(f"/o/quote/{record}/edit", "sam", name="Gearbox", amount="3000000", margin="25", terms="30 days")
    page = desk.page(f"/o/quote/{record}", "sam")
    assert "Sam Ortiz asked for this" in page
    row = r'<li><span>{}</span><p class="change"><del>{}</del> .{{0,300}}? <ins>{}</ins>'
    assert re.search(row.format("Amount", r"[^<]*120,000[^<]*", r"[^<]*3,000,000[^<]*"), page)
    assert re.search(row.format("Margin", "18%", "25%"), page)
    assert "/withdraw?back=" in page
    assert re.search(row.format("Margin", "18%", "25%"), desk.page(f"/o/quote/{record}", "he"))
    task = desk.page(f"/inbox/{desk.task('wang')}", "wang")
    assert "3,000,000" in task
    assert "25%" not in task
    inbox = desk.page("/inbox", "wang")
    assert "3,000,000" in inbox
    assert "25%" not in inbox


def test_who_may_edit_what_is_locked_says_why(desk: Desk) -> None:
    record = desk.quote("Gearbox", 10)
    desk.submit(record)
    edit = f"/o/quote/{record}/edit"
    assert "Edit anyway" not in desk.page(f"/o/quote/{record}", "sam")
    assert f'href="{edit}?anyway=1"' in desk.page(f"/o/quote/{record}", "pat")
    assert 'name="_override"' not in desk.page(f"{edit}?anyway=1", "sam")
    assert 'name="_override"' in desk.page(f"{edit}?anyway=1", "pat")
    without = desk.send(edit, "pat", 422, name="Gearbox 2", _override=" ")
    assert "Say why, in at most 500 characters." in without.text
    desk.send(edit, "sam", 403, name="Gearbox 2", _override="I want to")
    desk.send(edit, "pat", name="Gearbox 2", _override="A slip of the pen")
    assert desk.site.records("sam").get("quote", record)["name"] == "Gearbox 2"
    [entry] = find(desk.site.context("pat"), Wanted(kind="record.override"))[0]
    assert entry.details["reason"] == "A slip of the pen"
    assert "Reason: A slip of the pen" in desk.page("/audit?kind=record.override", "pat")
    desk.act("wang", "return", comment="Lower")
    told = "Approval: Discount approval · Step: Sales manager · Decision: Returned</span>"
    assert told in desk.page("/audit?kind=approval.decided", "pat")


def test_a_status_says_something_only_where_it_has_something_to_say(desk: Desk) -> None:
    record = desk.quote("Gearbox", 0)
    assert "Not submitted" not in desk.page(f"/o/quote/{record}", "he")
    assert "Not submitted" in desk.page(f"/o/quote/{record}", "sam")  # who may submit it
    assert "Not submitted" not in desk.page("/o/quote", "sam").partition("<table")[2]


def test_what_runs_is_moved_to_a_new_version_after_a_rehearsal(desk: Desk) -> None:
    desk.submit(desk.quote("Gearbox", 10))
    desk.site.publish(PACKAGE.replace("approve: head", "approve: manager").replace("1.0.0", "1.1.0") + LARGE)
    assert "1 on an earlier version" in desk.page("/setup/approvals", "boss")
    path = "/setup/approvals/discount/move"
    desk.page(path, "wang", 403)
    page = desk.page(path, "boss")
    assert 'name="map.head"' in page
    assert "Gearbox" in page
    refused = desk.send(path, "boss", 200, how="migrate", do="rehearse")
    assert "a step that waits has no place in the new version" in refused.text
    assert "Move them now" not in refused.text
    rehearsed = desk.send(path, "boss", 200, how="migrate", do="rehearse", **{"map.head": "manager"})
    assert "Would go on in the new version." in rehearsed.text
    assert "Move them now" in rehearsed.text
    desk.send(path, "boss", 422, how="migrate", do="move", **{"map.head": "manager"})
    done = desk.send(path, "boss", 200, how="migrate", do="move", reason="A new head", **{"map.head": "manager"})
    assert "Goes on in the new version." in done.text
    assert "Nothing to move" in desk.page(path, "boss")
    assert desk.approvals("wang").inbox("todo").rows[0].node == "manager"
