"""What hostile names and shapes do to rules, keys, deletions and upgrades."""

import pytest

from engine.errors import Conflict, Forbidden, NotFound
from engine.publish import plan
from engine.service import Query, SortKey
from engine.testing import Running, running
from tests.corpus.hostile import HOSTILE, LONG, MANIFEST

RULES = """\
object: Order
title: Class
search: [Class, From]
fields:
  Class: {type: text, required: true}
  From: {type: text}
  Parent: {type: reference, to: Order}
  订单: {type: reference, to: 部门}
---
object: 部门
fields: {名称: {type: text}, 主管: {type: reference, to: user}, Größe: {type: integer}}
---
role: clerk
objects:
  Order: {can: [create, read, update, delete],
    rows: "this.Class != 'secret' and (订单.主管 == user.id or Parent.订单.主管 == user.id)"}
  部门: {can: [read], rows: "主管 == user.id"}
  user: [read]
"""


def test_row_rules_through_names_of_any_script(database_url: str) -> None:
    with running(database_url, [MANIFEST + RULES], ui="ui.pages:mount") as site:
        lin, system = site.user("lin", "clerk"), site.records()
        mine = system.create("部门", {"名称": "本部门", "主管": lin, "Größe": 3})["id"]
        others = system.create("部门", {"名称": "其他"})["id"]
        system.create("Order", {"Class": "hidden", "订单": others})
        clerk = site.records("lin")
        first = clerk.create("Order", {"Class": "b", "From": "50%_off", "订单": mine})["id"]
        second = clerk.create("Order", {"Class": "a", "Parent": first})["id"]
        with pytest.raises(Forbidden):
            clerk.create("Order", {"Class": "secret", "订单": mine})
        with pytest.raises(Forbidden):
            clerk.update("Order", first, {"Class": "secret"})
        asked = Query(
            "Order", ("Class", "Parent.订单.名称", "订单.Größe"), sort=(SortKey("Class"),), count="exact", limit=1
        )
        page = clerk.list(asked)
        assert [(r["Class"], r["Parent.订单.名称"], r["订单.Größe"]) for r in page.records] == [("a", "本部门", None)]
        assert page.count == 2
        rest = clerk.list(Query("Order", ("Class",), sort=(SortKey("Class"),), limit=1, cursor=page.next or ""))
        assert [r["Class"] for r in rest.records] == ["b"]
        assert [r["id"] for r in clerk.list(Query("Order", ("id",), search="0%_o")).records] == [first]
        assert [
            r["id"] for r in clerk.list(Query("Order", ("id",), filter="订单.Größe >= 3 and From == '50%_off'")).records
        ] == [first]
        clerk.delete("Order", second)
        clerk.restore("Order", second)
        with site.client("lin", by="session") as browser:
            assert browser.get(f"/o/Order/{first}").status_code == 200
            assert browser.get("/o/Order?sort=-订单.名称&q=off").status_code == 200


def test_a_taken_value_is_told_at_its_own_field(database_url: str) -> None:
    names = [LONG + end for end in "abcdefgh"]
    with running(database_url, [MANIFEST + HOSTILE["alike"]]) as site:
        records = site.records()
        records.create(LONG + "a", {name: f"taken {name[-1]}" for name in names})
        for name in names:
            with pytest.raises(Conflict) as refusal:
                records.create(LONG + "a", {name: f"taken {name[-1]}"})
            assert [problem.path for problem in refusal.value.problems] == [name]


TWINS = """\
object: Twin
fields:
  name: {type: text}
  Left: {type: reference, to: Twin}
  left: {type: reference, to: Twin}
  "true": {type: reference, to: Twin}
  "False": {type: reference, to: Twin}
"""


def test_references_that_differ_in_case_only(database_url: str) -> None:
    with running(database_url, [MANIFEST + TWINS]) as site:
        records = site.records()
        a, b, c, d = (records.create("Twin", {"name": name})["id"] for name in "abcd")
        made = records.create("Twin", {"name": "e", "Left": a, "left": b, "true": c, "False": d})["id"]
        paths = ("Left.name", "left.name", "true.name", "False.name", "left", "Left")
        asked = Query("Twin", paths, filter="name == 'e'", sort=(SortKey("name"),))
        (record,) = records.list(asked).records
    assert record == {
        "id": made, "version": 1, "Left.name": "a", "left.name": "b", "true.name": "c", "False.name": "d",
        "left": b, "Left": a,
    }  # fmt: skip


TREE = """\
object: Node
fields: {Name: {type: text}, Parent: {type: reference, to: Node, on_delete: cascade}, Friend: {type: reference,
  to: Node}}
"""


def chain(site: Running, length: int) -> list[str]:
    records, made = site.records(), [""]
    for number in range(length):
        made.append(
            records.create(
                "Node", {"Name": str(number), "Parent": made[-1] or None, "Friend": made[1] if number else None}
            )["id"]
        )
    return made[1:]


def test_a_deep_tree_goes_and_comes_back(database_url: str) -> None:
    with running(database_url, [MANIFEST + TREE]) as site:
        ids = chain(site, 300)
        records = site.records()
        records.update("Node", ids[0], {"Parent": ids[-1]})  # round in a circle
        records.delete("Node", ids[150])
        assert records.list(Query("Node", ("id",), count="exact")).count == 0
        with pytest.raises(NotFound):
            records.get("Node", ids[0])
        records.restore("Node", ids[150])
        assert records.list(Query("Node", ("id",), count="exact")).count == 300
        assert records.get("Node", ids[9], ("Friend", "Parent"))["Parent"] == ids[8]
        assert records.get("Node", ids[9], ("Friend",))["Friend"] == ids[0]


SWAPS = (
    """\
object: Box
fields: {name: {type: text}, Name: {type: text}, 名称: {type: text}}
""",
    """\
object: Box
fields: {name: {type: text}, NAME: {type: text, was: Name}, 名字: {type: text, was: 名称}}
""",
    """\
object: box
was: Box
fields: {Name: {type: text, was: name}, NAME: {type: text}, 名称: {type: text, was: 名字}}
""",
    """\
object: box
fields: {Name: {type: text}, name: {type: text}, 名称: {type: text}}
---
object: Box
fields: {name: {type: text}}
""",
)


def test_names_change_case_and_places_and_their_values_go_along(database_url: str) -> None:
    with running(database_url, [MANIFEST + SWAPS[0]]) as site:
        made = site.records().create("Box", {"name": "lower", "Name": "upper", "名称": "中文"})["id"]

        def now(name: str, *fields: str) -> list[object]:
            record = site.records().get(name, made, fields)
            return [record[field] for field in fields]

        site.publish(MANIFEST + SWAPS[1])
        assert now("Box", "name", "NAME", "名字") == ["lower", "upper", "中文"]
        site.publish(MANIFEST + SWAPS[2])
        assert now("box", "Name", "NAME", "名称") == ["lower", "upper", "中文"]
        site.publish(MANIFEST + SWAPS[3])
        assert now("box", "Name", "name", "名称") == ["lower", None, "中文"]
        assert site.records().list(Query("Box")).records == []
        assert plan(site.tenant, [site.written(MANIFEST + SWAPS[3])]).steps == ()
