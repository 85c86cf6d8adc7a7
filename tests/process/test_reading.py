"""Does who is asked read the record through the node, all of it that this does not hide, and by no other path?"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from engine.errors import EngineError, Locked, NotFound
from engine.files import catalogue
from engine.privacy.erase import erase
from engine.process import locks, reading, snapshots
from engine.process.approval import kept, ports
from engine.process.approval.acted import acted_on
from engine.process.approval.door import Given, act
from engine.process.approval.seen import compared
from engine.process.approval.submission import submit_in
from engine.process.approvers import Slot
from engine.process.comparing import compare
from engine.process.reading import nodes_of, read_as_participant
from engine.service import Query
from engine.store.database import new_id
from engine.testing import Running, running
from tests.process.orders import NOW
from tests.records.state import refused

DEALS = """
package: deals
version: 1.0.0
label: Deals
languages: [en, zh-CN]
---
object: client
label: Client
data_subject: true
fields:
  name: {type: text, label: Name, required: true, privacy: {category: contact, purpose: to know them}}
---
object: deal
label: Deal
fields:
  name: {type: text, label: Name, required: true}
  amount: {type: integer, label: Amount}
  cost: {type: integer, label: Cost}
  margin: {type: formula, label: Margin, formula: amount - cost, returns: integer}
  double: {type: formula, label: Double, formula: amount * 2, returns: integer}
  doubt: {type: formula, label: Doubt, formula: margin > 5, returns: boolean}
  stage: {type: choice, label: {en: Stage, zh-CN: 阶段}, choices: {open: {label: {en: Open, zh-CN: 进行中}}, won: Won}}
  phone: {type: phone, label: Phone, mask: phone}
  pin: {type: secret, label: Pin}
  client: {type: reference, to: client, label: Client}
  scan: {type: file, label: Scan}
  bill: {type: file, label: Bill}
  items: {type: table, of: item, by: deal, label: Items}
  spent: {type: rollup, label: Spent, of: items, operation: sum, field: cost, returns: integer}
  pieces: {type: rollup, label: Pieces, of: items, operation: sum, field: quantity, returns: integer}
---
object: item
label: Item
kind: child
title: text
fields:
  text: {type: text, label: Text}
  quantity: {type: integer, label: Quantity, default: 1}
  cost: {type: integer, label: Cost}
  deal: {type: reference, to: deal, label: Deal, master: true}
---
approval: sign_off
label: Sign-off
object: deal
resubmit: {material: [items.quantity, items.text]}
flow:
  - approve: first
    label: First
    approvers: [{user: zoe}]
    hidden: [cost, bill, items.cost]
    editable: [stage]
  - condition: size
    branches:
      - branch: many
        when: pieces > 100
        flow: [{approve: extra, approvers: [{user: yan}], on_return: returning}]
      - {branch: few, else: true, flow: []}
  - approve: second
    label: Second
    approvers: [{user: yan}]
    hidden: [items]
    on_return: returning
---
role: seller
label: Seller
system: [manage_privacy]
objects:
  deal: {can: [create, read, update, delete], rows: "owner == user.id"}
  client: [create, read, update]
---
role: looker
label: Looker
objects:
  deal: {can: [read], fields: {cost: hidden, phone: masked}}
  item: {can: [read], rows: quantity < 100, fields: {cost: hidden}}
"""


@pytest.fixture
def site(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    """zoe and yan have no right at all."""
    with running(database_url, [DEALS], now=NOW) as site:
        for user, role in (
            ("boss", "admin"),
            ("lin", "seller"),
            ("zoe", ""),
            ("yan", ""),
            ("out", ""),
            ("lee", "looker"),
        ):
            site.user(user, *([role] if role else []))

        def slots_of(ctx: Any, connection: Any, node: Any, *args: Any, **more: Any) -> Sequence[Slot]:
            return (Slot(site.user("zoe" if node.name == "first" else "yan")),)

        monkeypatch.setattr(ports, "slots_of", slots_of)
        for name in ("notify", "announce", "run_steps"):
            monkeypatch.setattr(ports, name, lambda *args, **more: {})
        yield site


@pytest.fixture
def deal(site: Running) -> dict[str, Any]:
    lin = site.records("lin")
    files = {name: put(site, f"{name}.pdf") for name in ("scan", "bill")}
    client = lin.create("client", {"name": "Ada Lovelace"})
    return lin.create("deal", {
        "name": "D", "amount": 100, "cost": 40, "stage": "open", "phone": "13800138000", "pin": "geheim",
        "client": client["id"], "scan": {"id": files["scan"]}, "bill": {"id": files["bill"]},
        "items": [{"text": "pens", "quantity": 2, "cost": 7}],
    })  # fmt: skip


def put(site: Running, name: str, user: str = "lin") -> str:
    headers = {"content-type": "application/octet-stream"}
    answer = site.client(user).post(f"/api/v1/files?name={name}", content=b"%PDF-1.4 " + name.encode(), headers=headers)
    return str(answer.json()["id"])


def submitted(site: Running, deal: dict[str, Any]) -> str:
    with site.tenant.database.write() as connection:
        return submit_in(site.context("lin"), connection, "deal", deal["id"]).instance


def acts(site: Running, user: str, instance: str, action: str, **given: Any) -> None:
    with site.tenant.database.write() as connection:
        state = kept.load(connection, instance)
        assert state is not None
        mine = [one.id for one in state.tasks.values() if one.user == site.user(user) and one.state == "PENDING"]
        act(site.context(user), connection, instance, action, Given(task=mine[0] if mine else "", **given))


def test_a_participant_reads_what_the_node_does_not_hide(site: Running, deal: dict[str, Any]) -> None:
    found = read_as_participant(site.context("zoe"), submitted(site, deal))
    assert found.title == "D"
    assert {name: found.values[name] for name in ("name", "amount", "double", "stage", "phone", "pieces")} == {
        "name": "D", "amount": 100, "double": 200, "stage": "open", "phone": "+86138****8000", "pieces": 2,
    }  # fmt: skip
    assert {"cost", "margin", "doubt", "bill", "pin", "spent"} & {*found.values, *found.fields} == set()
    assert found.titles[deal["client"]] == "Ada Lovelace"
    [line] = found.lines["items"]
    assert (line.values["text"], line.values["quantity"], "cost" in line.values) == ("pens", 2, False)
    assert found.masked == {"phone"}


def test_it_ends_with_their_part(site: Running, deal: dict[str, Any]) -> None:
    instance = submitted(site, deal)
    for user in ("yan", "out"):
        with pytest.raises(NotFound):
            read_as_participant(site.context(user), instance)
    acts(site, "zoe", instance, "approve")
    with pytest.raises(NotFound):
        read_as_participant(site.context("zoe"), instance)
    found = read_as_participant(site.context("yan"), instance)
    assert (found.values["cost"], found.values["margin"], "items" in found.lines) == (40, 60, False)
    assert {"spent", "pieces"} & {*found.values} == set()
    renamed = (
        DEALS.replace("  items: {", "  goods: {was: items, ")
        .replace("  double: {", "  twice: {was: double, ")
        .replace("of: items", "of: goods")
    )
    site.publish(renamed.replace("[items.quantity, items.text]", "[goods]").replace("items.cost", "goods.cost").replace(
        "hidden: [items]", "hidden: [goods]"))  # fmt: skip
    assert read_as_participant(site.context("yan"), instance).lines == {}  # it hides them under that name, too
    with site.tenant.database.read() as connection:
        sent = snapshots.kept_of(connection, site.context(), instance)[0]
        assert compare(site.context(), connection, sent) == []
    acts(site, "yan", instance, "approve")
    with pytest.raises(NotFound):
        read_as_participant(site.context("yan"), instance)


def test_who_is_taken_out_loses_it_at_once(site: Running, deal: dict[str, Any]) -> None:
    instance = submitted(site, deal)
    with site.tenant.database.write() as connection:
        state = kept.load(connection, instance)
        assert state is not None
        task = next(iter(state.tasks))
        act(site.context("boss"), connection, instance, "reassign",
            Given(task=task, users=(site.user("boss"),), comment="away"))  # fmt: skip
    with pytest.raises(NotFound):
        read_as_participant(site.context("zoe"), instance)
    assert site.client("zoe").get(f"/api/v1/files/{deal['scan']['id']}").status_code == 404


def test_no_other_path_tells_them_anything(site: Running, deal: dict[str, Any]) -> None:
    submitted(site, deal)
    zoe, client = site.records("zoe"), site.client("zoe")
    for ask in (
        lambda: zoe.get("deal", deal["id"]),
        lambda: zoe.list(Query("deal", filter="cost == 40")),
        lambda: zoe.history("deal", deal["id"]),
        lambda: zoe.options("deal", "D"),
        lambda: zoe.update("deal", deal["id"], {"stage": "won"}),
    ):
        with pytest.raises(EngineError):
            ask()
    assert zoe.titles("deal", [deal["id"]]) == {}
    assert zoe.recent() == []
    told = "".join(
        client.get(f"/api/v1{path}").text
        for path in (
            f"/records/deal/{deal['id']}", "/records/deal?filter=cost%20%3D%3D%2040", "/records/item",
            "/aggregate/deal?measures=sum(cost)", "/search?q=D", "/objects", "/openapi.json",
            f"/history/deal/{deal['id']}",
        )
    )  # fmt: skip
    for hidden in ("geheim", "13800138000", "Ada Lovelace", '"cost"', "margin"):
        assert hidden not in told


def test_files_come_through_visible_fields_only(site: Running, deal: dict[str, Any]) -> None:
    scan, bill = deal["scan"]["id"], deal["bill"]["id"]
    with pytest.raises(NotFound):
        catalogue.get(site.context("zoe"), scan)
    instance = submitted(site, deal)
    assert catalogue.get(site.context("zoe"), scan).name == "scan.pdf"
    assert site.client("zoe").get(f"/api/v1/files/{scan}").status_code == 200
    assert site.client("zoe").get(f"/api/v1/files/{bill}").status_code == 404
    assert site.client("out").get(f"/api/v1/files/{scan}").status_code == 404
    acts(site, "zoe", instance, "approve")
    assert site.client("zoe").get(f"/api/v1/files/{scan}").status_code == 200  # they decided on it
    assert site.client("zoe").get(f"/api/v1/files/{bill}").status_code == 404
    assert site.client("yan").get(f"/api/v1/files/{bill}").status_code == 200


def test_who_decided_sees_what_they_decided_on_and_nothing_later(site: Running, deal: dict[str, Any]) -> None:
    instance, zoe, boss = submitted(site, deal), site.context("zoe"), site.records("boss")
    assert acted_on(zoe, instance) is None
    acts(site, "zoe", instance, "approve", values={"stage": "won"})
    later = put(site, "later.pdf", "boss")
    with site.tenant.database.together() as connection, locks.exempted(connection, instance):
        lines = [{"id": deal["items"][0]["id"], "quantity": 3}, {"text": "ink"}]
        boss.update("deal", deal["id"], {"name": "E", "amount": 120, "items": lines, "scan": {"id": later}})
    for user in ("yan", "out", "lin"):
        assert acted_on(site.context(user), instance) is None
    found = acted_on(zoe, instance)
    assert found is not None
    seen = found.reading
    assert (found.at, seen.title, seen.masked) == (NOW, "D", {"phone"})
    assert {name: seen.values[name] for name in ("name", "amount", "double", "stage", "phone", "pieces")} == {
        "name": "D", "amount": 100, "double": 200, "stage": "won", "phone": "+86138****8000", "pieces": 2,
    }  # fmt: skip
    assert {"cost", "margin", "doubt", "bill", "pin", "spent"} & {*seen.values, *seen.fields} == set()
    [line] = seen.lines["items"]
    assert (line.values["text"], line.values["quantity"], "cost" in line.values) == ("pens", 2, False)
    client = site.client("zoe")
    assert client.get(f"/api/v1/files/{later}").status_code == 404
    task = client.get("/api/v1/approvals?box=done").json()["rows"][0]["task"]
    told = client.get(f"/api/v1/approvals/tasks/{task}").json()
    assert (told["record"]["amount"], told["record"]["items"][0]["quantity"], told["record_at"]) == (
        100, 2, "2026-11-22T02:15:00.123000Z",
    )  # fmt: skip
    acts(site, "yan", instance, "return")
    site.records("lin").update("deal", deal["id"], {"amount": 150})
    again = acted_on(zoe, instance)
    assert again is not None
    assert again.reading.values["amount"] == 100
    with site.tenant.database.write() as connection:
        act(site.context("lin"), connection, instance, "resubmit", Given())
        act(site.context("boss"), connection, instance, "jump", Given(target="first", comment="once more"))
    assert read_as_participant(zoe, instance).values["amount"] == 150  # asked again
    acts(site, "zoe", instance, "approve")
    last = acted_on(zoe, instance)
    assert last is not None
    assert (last.reading.values["amount"], last.reading.title) == (150, "E")


def test_own_rights_show_what_a_mask_hides(site: Running, deal: dict[str, Any]) -> None:
    instance = submitted(site, deal)
    with site.tenant.database.write() as connection:
        state = kept.load(connection, instance)
        assert state is not None
        act(site.context("boss"), connection, instance, "reassign",
            Given(task=next(iter(state.tasks)), users=(site.user("boss"),), comment="me"))  # fmt: skip
    found = read_as_participant(site.context("boss"), instance)
    assert (found.values["phone"], found.masked, "cost" in found.values) == ("+8613800138000", frozenset(), False)


def test_snapshots_keep_what_was_submitted_and_decided_on_in_the_words_of_then(
    site: Running, deal: dict[str, Any]
) -> None:
    instance = submitted(site, deal)
    acts(site, "zoe", instance, "approve", values={"stage": "won"})
    ctx = site.context("yan")
    with site.tenant.database.read() as connection:
        first, second = snapshots.kept_of(connection, ctx, instance)
        assert (first.node, second.node, second.by) == ("", "first", site.user("zoe"))
        assert first.data["reckoned"]["margin"] == 60
        assert first.data["titles"][deal["client"]] == "Ada Lovelace"
        state = kept.load(connection, instance)
        assert state is not None
        [found] = [
            one for one in compare(ctx, connection, first, nodes_of(ctx, connection, state))
            if one.field == "stage"
        ]  # fmt: skip
    assert (found.label, found.before_text, found.after_text, found.by) == ("Stage", "Open", "Won", site.user("zoe"))


def test_comparing_tells_of_lines_and_hides_what_the_node_hides(site: Running, deal: dict[str, Any]) -> None:
    instance = submitted(site, deal)
    ctx, boss = site.context("zoe"), site.records("boss")
    with site.tenant.database.together() as connection, locks.exempted(connection, instance):
        line = boss.get("deal", deal["id"], ("items",))["items"][0]["id"]
        changed = [{"id": line, "quantity": 3, "cost": 9}, {"text": "ink"}]
        boss.update("deal", deal["id"], {"amount": 120, "cost": 41, "items": changed})
    with site.tenant.database.read() as connection:
        [first] = snapshots.kept_of(connection, ctx, instance)
        state = kept.load(connection, instance)
        assert state is not None
        nodes = nodes_of(ctx, connection, state)
        found = compare(ctx, connection, first, nodes)
        whole = compare(site.context("boss"), connection, first)
        seen = snapshots.seen_of(ctx, first, nodes[0].hidden)
    told = {(one.field, one.kind): (one.before, one.after, one.before_text, one.after_text) for one in found}
    new = next(one.line for one in found if one.kind == "added")
    assert told == {
        ("amount", "changed"): (100, 120, "100", "120"),
        ("double", "changed"): (200, 240, "200", "240"),
        ("pieces", "changed"): (2, 4, "2", "4"),
        ("items.quantity", "changed"): (2, 3, "2", "3"),
        ("items", "added"): (None, new, "", "ink"),
    }
    assert {"cost", "margin", "items.cost", "spent"} <= {one.field for one in whole}
    assert "margin" not in seen.data["reckoned"]
    assert "+86138****8000" in repr(seen.data)
    assert "13800138000" not in repr(seen.data)
    assert "geheim" not in repr(first.data)


def test_how_far_the_approval_is_is_no_difference(site: Running, deal: dict[str, Any]) -> None:
    instance = submitted(site, deal)
    acts(site, "zoe", instance, "reject", comment="Too dear")
    assert site.records("boss").get("deal", deal["id"], ("approval_status",))["approval_status"] == "rejected"
    with site.tenant.database.read() as connection:
        [first, *_] = snapshots.kept_of(connection, site.context("boss"), instance)
        assert compare(site.context("boss"), connection, first) == []


def test_who_reads_the_record_compares_what_their_rights_show(site: Running, deal: dict[str, Any]) -> None:
    instance, boss = submitted(site, deal), site.records("boss")
    other = boss.create("client", {"name": "Grace Hopper"})["id"]
    with site.tenant.database.together() as connection, locks.exempted(connection, instance):
        lines = [{"text": "ink", "quantity": 3, "cost": 9}, {"text": "paper", "quantity": 500}]
        boss.update("deal", deal["id"], {"cost": 41, "client": other, "phone": "13900139000", "items": lines})

    def told(user: str) -> list[Any]:
        found = compared(site.context(user), instance)
        return [(one.field, one.kind, one.before_text, one.after_text, one.by_name,
                 [(each.field, each.text) for each in one.values]) for one in found]  # fmt: skip

    assert told("lee") == [
        ("phone", "changed", "+86138****8000", "+86139****9000", "boss", []),
        ("client", "changed", "…", "…", "boss", []),  # not theirs to see
        ("items", "removed", "pens", "", "boss", [("quantity", "2")]),
        ("items", "added", "", "ink", "boss", [("quantity", "3")]),  # and not what the rows leave out
        ("pieces", "changed", "2", "503", "", []),
    ]
    seen = {(field, kind): (before, after) for field, kind, before, after, _, _ in told("boss")}
    assert seen["client", "changed"] == ("Ada Lovelace", "Grace Hopper")
    assert seen["cost", "changed"] == ("40", "41")
    assert [one for one in told("boss") if one[:2] == ("items", "added")] == [
        ("items", "added", "", "ink", "boss", [("quantity", "3"), ("cost", "9")]),
        ("items", "added", "", "paper", "boss", [("quantity", "500")]),
    ]
    assert told("out") == []
    with site.tenant.database.write() as connection:
        act(site.context("boss"), connection, instance, "cancel", Given(comment="no"))
    assert told("lee") == []  # nobody decided on anything else


def test_lines_are_material_where_the_approval_says_so(
    site: Running, deal: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    instance, lin, line = submitted(site, deal), site.records("lin"), deal["items"][0]["id"]
    acts(site, "zoe", instance, "approve")

    def asked_after(*lines: dict[str, Any], **values: Any) -> list[str]:
        acts(site, "yan", instance, "return")
        lin.update("deal", deal["id"], {**values, "items": list(lines)})
        with site.tenant.database.write() as connection:
            act(site.context("lin"), connection, instance, "resubmit", Given())
        with site.tenant.database.read() as connection:
            state = kept.load(connection, instance)
        assert state is not None
        asked = [one.node for one in state.tasks.values() if one.state == "PENDING"]
        if asked == ["first"]:
            acts(site, "zoe", instance, "approve")
        if asked == ["extra"]:
            acts(site, "yan", instance, "approve")
        return asked

    pens = {"id": line, "text": "pens", "quantity": 2}
    assert asked_after({**pens, "cost": 8}, amount=150) == ["second"]  # neither is material
    assert asked_after({**pens, "quantity": 200}) == ["extra"]  # the condition reads the sum of it
    assert asked_after({**pens, "quantity": 200, "text": "ink"}) == ["first"]  # no condition reads it
    assert asked_after({**pens, "quantity": 200, "text": "ink"}, amount=160) == ["extra"]
    assert asked_after({**pens, "quantity": 200, "text": "ink"}, {"quantity": 0}) == ["first"]  # added
    assert asked_after({**pens, "quantity": 200, "text": "ink"}) == ["first"]  # removed
    monkeypatch.setattr(reading, "MOST_LINES", 0)
    asked_after({**pens, "quantity": 200, "text": "ink"})
    assert asked_after({**pens, "quantity": 200, "text": "ink"}, amount=170) == ["first"]  # nobody can tell


def test_nothing_is_kept_twice_and_erasing_reaches_what_is_kept(site: Running, deal: dict[str, Any]) -> None:
    instance = submitted(site, deal)
    acts(site, "zoe", instance, "approve")
    acts(site, "yan", instance, "approve")
    with site.tenant.database.read() as connection:
        held = connection.rows("SELECT data FROM fs_approval_snapshot WHERE data IS NOT NULL")
    assert len(held) == 1
    erase(site.context("lin"), "client", deal["client"])
    with site.tenant.database.read() as connection:
        for (data,) in connection.rows("SELECT data FROM fs_approval_snapshot WHERE data IS NOT NULL"):
            assert "Ada Lovelace" not in data


def test_an_erasure_waits_for_the_approval_or_says_why_not(site: Running, deal: dict[str, Any]) -> None:
    ctx = site.context("lin")
    with site.tenant.database.write() as connection:
        locks.lock(ctx, connection, "client", deal["client"], new_id(NOW))
    with refused(site, Locked):
        erase(ctx, "client", deal["client"])
    erase(replace(site.context("boss"), override="asked by the person"), "client", deal["client"])
    assert site.records("boss").get("client", deal["client"])["name"] == "[erased]"
