"""Whom nodes ask: each source, then the submitter, those who approved before, and those who have left."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from engine.errors import Conflict
from engine.process.approvers import Choice, Slot, choices_of, people_named, slots_of
from engine.testing import Running, running
from metadata.processes import Node, Part

NOW = datetime(2026, 11, 28, 2, 15, tzinfo=UTC)
PACKAGE = """
package: shop
version: 1.0.0
languages: [en]
---
object: account
fields:
  name: {type: text}
---
object: quote
fields:
  name: {type: text}
  amount: {type: integer}
  account: {type: reference, to: account}
  helper: {type: reference, to: user}
  helpers: {type: multi_reference, to: user}
  office: {type: reference, to: department}
  nickname: {type: text}
---
role: seller
objects: {quote: [read, update]}
---
role: finance
objects: {quote: [read]}
---
role: chief
objects: {quote: [read]}
"""
PEOPLE = {  # user -> (roles, department, manager)
    "boss": (["admin", "chief"], "top", ""),
    "cai": (["chief", "finance"], "sales", "boss"),
    "pia": (["finance"], "sales", "cai"),
    "lin": (["seller"], "north", "pia"),
    "zoe": (["finance", "seller"], "north", "pia"),
    "old": (["finance"], "north", "cai"),
}


@pytest.fixture
def shop(database_url: str) -> Iterator["Shop"]:
    with running(database_url, [PACKAGE], now=NOW, fill=Filled) as site:
        yield Shop(site)


class Filled:
    """Top above Sales above North; lin, who submits, and zoe of North, below pia and cai of Sales, below boss."""

    def __init__(self, site: Running) -> None:
        self.ids = {name: site.user(name, *roles) for name, (roles, _, _) in PEOPLE.items()}
        records = site.records()
        self.top = records.create("department", {"name": "Top"})["id"]
        self.sales = records.create("department", {"name": "Sales", "parent": self.top, "head": self.ids["cai"]})["id"]
        self.north = records.create("department", {"name": "North", "parent": self.sales})["id"]
        places = {"top": self.top, "sales": self.sales, "north": self.north}
        adviser = records.create("position", {"name": "Adviser"})["id"]
        for name, (_, place, manager) in PEOPLE.items():
            values: dict[str, Any] = {"department": places[place], "manager": self.ids[manager] if manager else None}
            if name in ("lin", "cai"):
                values["position"] = adviser
            records.update("user", self.ids[name], values)
        records.create("team", {"name": "Tigers", "members": [self.ids["zoe"], self.ids["old"], self.ids["pia"]]})
        tigers = records.create("team", {"name": "Lions", "members": [self.ids["cai"], self.ids["zoe"]]})["id"]
        records.create("queue", {"name": "Desk", "members": [self.ids["zoe"]], "teams": [tigers]})
        account = records.create("account", {"name": "Acme", "owner": self.ids["cai"]})["id"]
        self.quote = records.create("quote", {
            "name": "Q1", "amount": 500, "account": account, "owner": self.ids["zoe"], "helper": self.ids["pia"],
            "helpers": [self.ids["cai"], self.ids["zoe"]], "office": self.sales, "nickname": "pia",
        })["id"]  # fmt: skip
        records.update("user", self.ids["old"], {"is_active": False})


class Shop:
    def __init__(self, site: Running) -> None:
        self.site, made = site, site.filled
        self.ids, self.top, self.sales, self.north, self.quote = made.ids, made.top, made.sales, made.north, made.quote
        self.names = {id_: name for name, id_ in self.ids.items()}

    def leaves(self, *names: str) -> None:
        for name in names:
            self.site.records().update("user", self.ids[name], {"is_active": False})

    def asked(
        self, node: Node, submitter: str = "lin", chosen: Sequence[str] = (), before: Mapping[str, str] | None = None
    ) -> tuple[Slot, ...]:  # fmt: skip
        ctx = self.site.context()
        earlier = {self.ids[name]: at for name, at in (before or {}).items()}
        with self.site.tenant.database.write() as connection:
            return slots_of(
                ctx, connection, node, "quote", self.quote, self.ids[submitter],
                chosen=[self.ids[name] for name in chosen], approved_before=earlier,
            )  # fmt: skip

    def told(self, node: Node, submitter: str = "lin", **more: Any) -> list[str]:
        """As `pia`, `pia for lin`, `pia (self)` or `[zoe cai]`."""
        return [self.word(slot) for slot in self.asked(node, submitter, **more)]

    def word(self, slot: Slot) -> str:
        who = self.names[slot.user] if slot.user else f"[{' '.join(self.names[one] for one in slot.queue)}]"
        instead = f" for {self.names[slot.instead_of]}" if slot.instead_of else ""
        return who + instead + (f" ({slot.skipped})" if slot.skipped else "")


def node(*parts: Part | str, **options: Any) -> Node:
    parts_ = tuple(Part(part) if isinstance(part, str) else part for part in parts)
    return Node("check", options.pop("type", "approve"), {"en": "Check"}, approvers=parts_, **options)


def one(kind: str, **options: Any) -> Node:
    return node(Part(kind, options), self_approval="self")


def test_each_source_finds_its_people(shop: Shop) -> None:
    found = {
        "user": shop.told(one("user", value=["zoe", "nobody", "boss"])),
        "owner": shop.told(one("owner")),
        "submitter": shop.told(one("submitter")),
        "submitter_manager": shop.told(one("submitter_manager")),
        "field": shop.told(one("field", path="helper")),
        "field of several": shop.told(one("field", path="helpers")),
        "field of a record": shop.told(one("field", path="account")),
        "field behind": shop.told(one("field", path="account.owner")),
        "field that names nobody": shop.told(one("field", path="name")),
        "team": shop.told(one("team", value="Tigers")),
        "queue": shop.told(one("queue", value="Desk")),
        "formula of a user": shop.told(one("formula", value="account.owner")),
        "formula of a name": shop.told(one("formula", value="nickname")),
        "formula of several": shop.told(one("formula", value="helpers")),
        "formula of nobody": shop.told(one("formula", value="null")),
        "formula of a text": shop.told(one("formula", value="name")),
    }
    assert found == {
        "user": ["zoe", "boss"],
        "owner": ["zoe"],
        "submitter": ["lin"],
        "submitter_manager": ["pia"],
        "field": ["pia"],
        "field of several": ["cai", "zoe"],
        "field of a record": ["cai"],
        "field behind": ["cai"],
        "field that names nobody": [],
        "team": ["zoe", "pia"],
        "queue": ["[zoe cai]"],
        "formula of a user": ["cai"],
        "formula of a name": ["pia"],
        "formula of several": ["cai", "zoe"],
        "formula of nobody": [],
        "formula of a text": [],
    }


@pytest.mark.parametrize(
    ("kind", "options", "found"),
    [
        ("role", {"name": "finance"}, ["cai", "pia", "zoe"]),
        ("role", {"name": "finance", "scope": "department"}, ["zoe"]),
        ("role", {"name": "chief", "scope": "department"}, []),
        ("role", {"name": "chief", "scope": "nearest"}, ["cai"]),
        ("role", {"name": "admin", "scope": "nearest"}, ["boss"]),
        ("role", {"name": "finance", "department": "office"}, ["cai", "pia"]),
        ("role", {"name": "finance", "department": "office", "scope": "department_and_below"}, ["cai", "pia", "zoe"]),
        ("role", {"name": "seller", "of": "owner", "scope": "department"}, ["lin", "zoe"]),
        ("position", {"name": "Adviser"}, ["cai", "lin"]),
        ("position", {"name": "Adviser", "scope": "department"}, ["lin"]),
        ("position", {"name": "Nothing"}, []),
        ("department_members", {}, ["lin", "zoe"]),
        ("department_members", {"department": "office"}, ["cai", "pia"]),
        ("department_members", {"department": "office", "below": True}, ["cai", "lin", "pia", "zoe"]),
        ("department_members", {"department": "account"}, []),
        ("department_head", {}, ["cai"]),
        ("department_head", {"level": 2}, ["cai"]),
        ("department_head", {"level": 3}, []),
        ("department_head", {"department": "office"}, ["cai"]),
        ("manager_chain", {}, ["pia"]),
        ("manager_chain", {"level": 2}, ["cai"]),
        ("manager_chain", {"level": 4}, []),
        ("manager_chain", {"up_to": 2}, ["pia", "cai"]),
        ("manager_chain", {"up_to": 9}, ["pia", "cai", "boss"]),
        ("manager_chain", {"until_role": "chief"}, ["pia", "cai"]),
        ("manager_chain", {"until_role": "seller"}, ["pia", "cai", "boss"]),
        ("manager_chain", {"person": "account.owner"}, ["boss"]),
        ("manager_chain", {"of": "owner", "level": 1}, ["pia"]),
    ],
)
def test_scopes_and_levels(shop: Shop, kind: str, options: dict[str, Any], found: list[str]) -> None:
    assert shop.told(one(kind, **options)) == found


def test_people_are_chosen_among_those_whom_the_definition_offers(shop: Shop) -> None:
    anybody, finance = one("chosen_by_submitter"), one("chosen_by_submitter", role="finance", min=1, max=2)
    near = one("chosen_by_previous", department="office", min=0)
    assert shop.told(anybody, chosen=["zoe", "boss"]) == ["zoe", "boss"]
    assert shop.told(anybody) == []
    assert shop.told(finance, chosen=["zoe", "boss"]) == ["zoe"]
    assert shop.told(near, chosen=["zoe", "pia"]) == ["pia"]
    with pytest.raises(Conflict) as refused:
        shop.told(finance, chosen=["zoe", "pia", "cai"])
    assert (refused.value.code, str(refused.value)) == (
        "approval.choose", "at most 2 people are to be chosen for 'check'",
    )  # fmt: skip
    with shop.site.tenant.database.read() as connection:
        ctx, lin, ids = shop.site.context(), shop.ids["lin"], shop.ids
        asked = [choices_of(ctx, connection, one_, "quote", shop.quote, lin) for one_ in (anybody, finance, near)]
    assert asked == [
        (Choice("chosen_by_submitter", 1, None, None),),
        (Choice("chosen_by_submitter", 1, 2, (ids["cai"], ids["pia"], ids["zoe"])),),
        (Choice("chosen_by_previous", 0, None, (ids["cai"], ids["pia"])),),
    ]


def test_part_counts_while_its_condition_holds(shop: Shop) -> None:
    large, small = Part("user", {"value": "boss"}, when="amount > 100"), Part("owner", when="amount <= 100")
    assert shop.told(node(large, small)) == ["boss"]
    shop.site.records().update("quote", shop.quote, {"amount": 50})
    assert shop.told(node(large, small)) == ["zoe"]
    sellers = Part("owner", when="HAS_ROLE('seller') and user.username == 'lin'")
    assert shop.told(node(sellers)) == ["zoe"]
    assert shop.told(node(sellers), "pia") == []


def test_formula_that_cannot_be_asked_is_refused(shop: Shop) -> None:
    with pytest.raises(Conflict) as refused:
        shop.told(one("formula", value="no_such_field"))
    assert refused.value.code == "approval.condition"
    with pytest.raises(Conflict) as refused:
        shop.told(one("carrier_pigeon"))
    assert refused.value.code == "approval.source"


def test_each_person_is_asked_once_with_the_largest_weight(shop: Shop) -> None:
    parts = (
        Part("owner", group="one"), Part("field", {"path": "helpers"}, group="two", weight=3),
        Part("role", {"value": "finance"}, weight=2),
    )  # fmt: skip
    slots = shop.asked(node(*parts))
    assert [(shop.word(slot), slot.group, slot.weight) for slot in slots] == [
        ("zoe", "one", 3), ("cai", "two", 3), ("pia", "", 2),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("self_approval", "alone", "with_others", "at_the_top", "in_a_queue", "queue_alone"),
    [
        ("superior", ["pia for lin"], ["pia for lin", "cai"], [], ["[cai]"], ["cai for pia"]),
        ("self", ["lin"], ["lin", "pia", "cai"], ["boss"], ["[pia cai]"], ["[pia]"]),
        ("skip", ["lin (self)"], ["lin (self)", "pia", "cai"], ["boss (self)"], ["[cai]"], ["pia (self)"]),
        ("department_head", ["cai for lin"], ["cai for lin", "pia"], [], ["[cai]"], ["cai for pia"]),
        ("forbid", [], ["lin (nobody)", "pia", "cai"], [], ["[cai]"], []),
    ],
)
def test_submitter_among_those_who_are_asked(
    shop: Shop, self_approval: Any, alone: list[str], with_others: list[str], at_the_top: list[str],
    in_a_queue: list[str], queue_alone: list[str],
) -> None:  # fmt: skip
    others = Part("user", {"value": ["pia", "cai"]})
    records = shop.site.records()
    records.create("queue", {"name": "Pair", "members": [shop.ids["pia"], shop.ids["cai"]]})
    records.create("queue", {"name": "Alone", "members": [shop.ids["pia"]]})
    assert shop.told(node("submitter", self_approval=self_approval)) == alone
    assert shop.told(node("submitter", others, self_approval=self_approval)) == with_others
    assert shop.told(node("submitter", self_approval=self_approval), "boss") == at_the_top
    pair, queue = Part("queue", {"value": "Pair"}), Part("queue", {"value": "Alone"})
    assert shop.told(node(pair, self_approval=self_approval), "pia") == in_a_queue
    assert shop.told(node(queue, self_approval=self_approval), "pia") == queue_alone


@pytest.mark.parametrize(
    ("duplicate", "found"),
    [
        ("keep", ["pia", "cai", "zoe"]),
        ("skip_if_approved", ["pia (duplicate)", "cai (duplicate)", "zoe"]),
        ("skip_consecutive", ["pia", "cai (duplicate)", "zoe"]),
    ],
)
def test_those_who_approved_before(shop: Shop, duplicate: Any, found: list[str]) -> None:
    asked = node(Part("user", {"value": ["pia", "cai", "zoe"]}), duplicate=duplicate)
    assert shop.told(asked, before={"pia": "first", "cai": "second"}) == found
    assert shop.told(asked) == ["pia", "cai", "zoe"]


def test_superior_who_approved_before_is_skipped_too(shop: Shop) -> None:
    asked = node("submitter", duplicate="skip_if_approved")
    assert shop.told(asked, before={"pia": "first"}) == ["pia for lin (duplicate)"]


def test_in_the_place_of_who_has_left_stands_the_manager_or_an_administrator(shop: Shop) -> None:
    assert shop.told(node(Part("user", {"value": "old"}))) == ["cai for old"]
    assert shop.told(node(Part("user", {"value": ["cai", "old"]}))) == ["cai"]
    shop.leaves("cai")
    assert shop.told(node(Part("user", {"value": "old"}))) == ["boss for old"]
    assert shop.told(node(Part("role", {"value": "finance"}))) == ["pia", "zoe"]
    assert shop.told(one("manager_chain", level=2)) == ["boss"]
    shop.site.user("root", "admin")
    shop.ids["root"] = shop.site.user("root")
    shop.names[shop.ids["root"]] = "root"
    shop.leaves("boss")
    assert shop.told(node(Part("user", {"value": "boss"}))) == ["root for boss"]
    assert shop.told(node(Part("user", {"value": "old"}))) == ["root for old"]
    shop.site.user("second", "admin")
    shop.names[shop.site.user("second")] = "second"
    assert shop.told(node(Part("user", {"value": "boss"}))) == ["[root second] for boss"]


def test_manager_of_who_has_left_may_be_the_submitter(shop: Shop) -> None:
    assert shop.told(node(Part("user", {"value": "old"})), "cai") == ["boss for cai"]


def test_who_is_told_is_told_themselves(shop: Shop) -> None:
    told = node("submitter", Part("queue", {"value": "Desk"}), Part("user", {"value": ["old", "cai"]}), type="cc")
    assert shop.told(told, before={"cai": "first"}) == ["lin", "zoe", "cai"]
    with shop.site.tenant.database.read() as connection:
        found = people_named(shop.site.context(), connection, told.approvers, "quote", shop.quote, shop.ids["lin"])
    assert [shop.names[one_] for one_ in found] == ["lin", "zoe", "cai"]


def test_departments_are_named_where_they_are_always_the_same(shop: Shop) -> None:
    for kind, options, found in (
        ("department_head", {"in": "North"}, ["cai"]),
        ("department_head", {"in": "Top / Sales / North", "level": 2}, ["cai"]),
        ("department_head", {"in": "Top / North"}, []),
        ("department_head", {"in": "Nowhere"}, []),
        ("department_members", {"in": "Sales"}, ["cai", "pia"]),
        ("department_members", {"in": "Sales", "below": True}, ["cai", "lin", "pia", "zoe"]),
        ("role", {"name": "finance", "in": "Sales / North"}, ["zoe"]),
        ("role", {"name": "chief", "in": "North", "scope": "nearest"}, ["cai"]),
        ("position", {"name": "Adviser", "in": "Sales"}, ["cai"]),
    ):
        assert shop.told(one(kind, **options)) == found, (kind, options)


def test_departments_of_one_name_are_told_apart_by_those_above(shop: Shop) -> None:
    records = shop.site.records()
    other = records.create("department", {"name": "North", "head": shop.ids["pia"]})["id"]
    assert shop.told(one("department_head", **{"in": "North"})) == ["cai", "pia"]
    assert shop.told(one("department_head", **{"in": "Sales / North"})) == ["cai"]
    records.delete("department", other)
    assert shop.told(one("department_head", **{"in": "North"})) == ["cai"]
