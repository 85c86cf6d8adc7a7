from engine.access.scope import full_scope, scope_of
from engine.service import Query, SortKey
from engine.testing import Running, running
from tests.records.conftest import NOW

ODD = """
package: odd
version: 1.0.0
label: Odd
---
object: order
label: Order
fields:
  name: {type: text, label: Name}
  class: {type: integer, label: Class}
  from: {type: reference, to: order, label: From}
  备注: {type: text, label: 备注}
  _: {type: text, label: Line}
  this: {type: text, label: This}
---
object: 客户
label: 客户
fields:
  名称: {type: text, label: 名称, required: true}
  order: {type: reference, to: order, label: Order, on_delete: cascade}
unique: [[名称, order]]
---
role: own
label: Own
objects: {order: {can: [read], rows: "owner == user.id"}}
---
role: first_class
label: First class
objects: {order: {can: [read], rows: "this.class == 1 and 备注 != 'x'"}}
---
role: all
label: All
objects: {"*": [read], order: {can: [update], rows: "name == 'a'"}}
""".replace("  _: {type: text, label: Line}\n", "")


def seen(site: Running, *roles: str) -> list[str]:
    user = site.user("-".join(("u", *roles)).replace("_", "."), *roles)
    assert user
    records = site.records("-".join(("u", *roles)).replace("_", "."))
    return [row["name"] for row in records.list(Query("order", ("name",), sort=(SortKey("name"),))).records]


def test_grants_of_several_roles_add_up(sqlite_url: str) -> None:
    with running(sqlite_url, [ODD], now=NOW) as site:
        site.user("boss", "admin")
        boss = site.records("boss")
        for name, number, remark in (("a", 1, None), ("b", 1, "x"), ("c", 2, "y")):
            boss.create("order", {"name": name, "class": number, "备注": remark})
        assert seen(site, "own") == []
        assert seen(site, "first_class") == ["a"]
        assert seen(site, "first_class", "own") == ["a"]
        assert seen(site, "first_class", "all") == ["a", "b", "c"]
        snapshot = site.tenant.snapshot()
        scope = scope_of(snapshot, frozenset({"all", "no_such_role"}))
        assert scope is scope_of(snapshot, frozenset({"all", "no_such_role"}))
        assert scope.actions("order") == ("read", "update")
        assert scope.rows("read", "order") == ()
        assert len(scope.rows("update", "order")) == 1
        assert scope.can("read", "user")
        assert not scope.can("read", "nosuch")
        assert not scope_of(snapshot, frozenset()).can("read", "order")
        assert full_scope(snapshot).can("delete", "客户")


def test_names_of_any_kind_are_read_and_written(database_url: str) -> None:
    with running(database_url, [ODD], now=NOW) as site:
        site.user("boss", "admin")
        boss = site.records("boss")
        first = boss.create("order", {"name": "a", "class": 1, "备注": "注", "this": "t"})
        second = boss.create("order", {"name": "b", "from": first["id"]})
        customer = boss.create("客户", {"名称": "华东", "order": second["id"]})
        assert boss.update("客户", customer["id"], {"名称": "华南"})["名称"] == "华南"
        found = boss.list(
            Query(
                "客户",
                ("名称", "order.from.备注"),
                sort=(SortKey("order.from.class", True),),
                limit=1,
                search="华",
                filter="order.from.class == 1 and order.from.备注 == '注' and order.from.this == 't'",
            )
        )
        assert [(row["名称"], row["order.from.备注"]) for row in found.records] == [("华南", "注")]
        assert boss.history("客户", customer["id"])[0].changes == {"名称": ("华东", "华南")}
        boss.delete("order", second["id"])
        assert boss.list(Query("客户")).records == []
        boss.restore("order", second["id"])
        assert boss.get("客户", customer["id"], ("order.name",))["order.name"] == "b"
