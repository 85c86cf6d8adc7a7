"""Do rights on a record follow the one that it belongs to: by each way, for several masters, through generations?"""

from collections.abc import Iterator

import pytest

from engine.errors import BadInput, EngineError, Forbidden, NotFound
from engine.service import AggregateQuery, Query, SortKey
from engine.testing import Running, running
from tests.records.conftest import NOW
from tests.records.state import refused

FILES = """
package: files
version: 1.0.0
label: Files
---
object: deal
label: Deal
fields:
  name: {type: text, required: true}
  is_open: {type: boolean, default: true}
---
object: case
label: Case
fields:
  name: {type: text, required: true}
---
object: paper
label: Paper
fields:
  name: {type: text, required: true}
  deal: {type: reference, to: deal, master: true}
  case: {type: reference, to: case, master: true}
---
object: page
label: Page
fields:
  name: {type: text, required: true}
  paper: {type: reference, to: paper, master: true}
---
object: log
label: Log
fields:
  name: {type: text, required: true}
  about: {type: polymorphic_reference, to: [deal, case], master: true}
---
role: seller
label: Seller
objects:
  deal: {can: [create, read, update], rows: "owner == user.id"}
---
role: viewer
label: Viewer
objects:
  deal: {can: [read], rows: "is_open"}
  case: [read]
---
role: agent
label: Agent
objects:
  case: [create, read, update]
  page: {can: [read, update], rows: "name != 'secret'"}
  log: [read]
---
role: everything
label: Everything
objects: {"*": [read]}
"""


@pytest.fixture
def site(database_url: str) -> Iterator[Running]:
    with running(database_url, [FILES], now=NOW) as site:
        site.user("boss", "admin")
        for name, role in (
            ("lin", "seller"),
            ("sam", "seller"),
            ("vera", "viewer"),
            ("ann", "agent"),
            ("eve", "everything"),
        ):
            site.user(name, role)
        yield site


@pytest.fixture
def ids(site: Running) -> dict[str, str]:
    """Lin's and Sam's deal and a case, each with a paper of two pages and a log."""
    boss = site.records("boss")
    found: dict[str, str] = {}
    for name, owner in (("lin", "lin"), ("sam", "sam"), ("shut", "lin"), ("case", "boss")):
        kind = "case" if name == "case" else "deal"
        values = {"name": name, "owner": site.user(owner)} | ({"is_open": False} if name == "shut" else {})
        found[name] = boss.create(kind, values)["id"]
        found[f"{name} paper"] = boss.create("paper", {"name": f"{name} paper", kind: found[name]})["id"]
        for page in ("secret", "plain"):
            found[f"{name} {page}"] = boss.create("page", {"name": page, "paper": found[f"{name} paper"]})["id"]
        found[f"{name} log"] = boss.create("log", {"name": f"{name} log", "about": f"{kind}/{found[name]}"})["id"]
    return found


def seen(site: Running, username: str, name: str, filter_: str = "") -> list[str]:
    query = Query(name, ("name",), filter=filter_, sort=(SortKey("name"),), count="exact")
    page = site.records(username).list(query)
    assert page.count == len(page.records)
    return [record["name"] for record in page.records]


def test_what_belongs_to_a_record_is_seen_where_that_is(site: Running, ids: dict[str, str]) -> None:
    assert seen(site, "lin", "paper") == ["lin paper", "shut paper"]
    assert seen(site, "lin", "page") == ["plain", "plain", "secret", "secret"]
    assert seen(site, "lin", "log") == ["lin log", "shut log"]
    assert seen(site, "vera", "paper") == ["case paper", "lin paper", "sam paper"]
    assert seen(site, "vera", "log") == ["case log", "lin log", "sam log"]
    assert seen(site, "ann", "paper") == ["case paper"]
    assert seen(site, "ann", "page") == ["plain"]
    assert seen(site, "eve", "page") == ["plain"] * 4 + ["secret"] * 4
    assert seen(site, "boss", "paper") == ["case paper", "lin paper", "sam paper", "shut paper"]
    with pytest.raises(NotFound):
        site.records("lin").get("paper", ids["sam paper"])
    assert (
        site.records("lin").list(Query("page", ("name", "paper.name"), filter="paper.name == 'sam paper'")).records
        == []
    )


def test_actions_follow_the_master(site: Running) -> None:
    scope = {name: site.context(name).scope for name in ("lin", "vera", "ann", "eve")}
    assert scope["lin"].actions("paper") == ("create", "read", "update", "delete")
    assert scope["lin"].actions("page") == ("create", "read", "update", "delete")
    assert scope["vera"].actions("page") == ("read",)
    assert scope["ann"].actions("page") == ("read", "update")
    assert scope["ann"].actions("log") == ("read",)
    assert scope["eve"].actions("page") == ("read",)
    assert scope["lin"].objects() == ("deal", "paper", "page", "log")


def test_who_may_change_the_master_writes_what_belongs_to_it(site: Running, ids: dict[str, str]) -> None:
    lin = site.records("lin")
    paper = lin.create("paper", {"name": "new", "deal": ids["lin"]})
    assert paper["owner"] == site.user("lin")
    page = lin.create("page", {"name": "new", "paper": paper["id"]})
    assert lin.update("page", page["id"], {"name": "other"})["name"] == "other"
    lin.delete("page", page["id"])
    assert lin.restore("page", page["id"])["name"] == "other"
    for values in ({"name": "x", "paper": ids["sam paper"]}, {"name": "x", "paper": ids["case paper"]}):
        with refused(site, BadInput):
            lin.create("page", values)
    with refused(site, NotFound):
        lin.update("page", ids["sam plain"], {"name": "x"})


def test_a_record_moves_only_between_masters_that_may_be_changed(site: Running, ids: dict[str, str]) -> None:
    boss, lin = site.records("boss"), site.records("lin")
    with refused(site, BadInput):
        lin.update("paper", ids["lin paper"], {"deal": ids["sam"]})
    moved = lin.update("paper", ids["lin paper"], {"deal": ids["shut"]})
    assert moved["deal"] == ids["shut"]
    with refused(site, Forbidden):
        site.records("vera").update("paper", ids["case paper"], {"name": "x"})
    with refused(site, Forbidden):
        site.records("vera").create("paper", {"name": "x", "case": ids["case"]})
    site.publish(FILES.replace("role: seller\nlabel: Seller\nobjects:\n", "role: seller\nobjects:\n  case: [read]\n"))
    with refused(site, Forbidden):  # the case may be read, but not changed
        site.records("lin").update("paper", ids["shut paper"], {"deal": None, "case": ids["case"]})
    assert boss.get("paper", ids["shut paper"])["deal"] == ids["shut"]


def test_a_grant_that_names_the_child_limits_it_further(site: Running, ids: dict[str, str]) -> None:
    ann = site.records("ann")
    assert ann.update("page", ids["case plain"], {"name": "p"})["name"] == "p"
    with refused(site, NotFound):
        ann.update("page", ids["case secret"], {"name": "p"})
    with refused(site, Forbidden):
        ann.update("page", ids["case plain"], {"name": "secret"})
    for write in (
        lambda: ann.create("page", {"name": "x", "paper": ids["case paper"]}),
        lambda: ann.delete("page", ids["case plain"]),
        lambda: ann.create("log", {"name": "x", "about": f"case/{ids['case']}"}),
        lambda: ann.update("log", ids["case log"], {"name": "x"}),
    ):
        with refused(site, Forbidden):
            write()


def test_of_several_masters_a_record_has_one(site: Running, ids: dict[str, str]) -> None:
    boss = site.records("boss")
    for values in ({"name": "x"}, {"name": "x", "deal": ids["lin"], "case": ids["case"]}):
        with refused(site, BadInput) as refusal:
            boss.create("paper", values)
        assert [one.code for one in refusal.value.problems] == ["reference.master.one"]
        with refused(site, BadInput):
            boss.batch("paper", [{"action": "create", "values": values}] * 2)
    with refused(site, BadInput):
        boss.update("paper", ids["lin paper"], {"case": ids["case"]})
    assert boss.update("paper", ids["lin paper"], {"deal": None, "case": ids["case"]})["case"] == ids["case"]
    with refused(site, BadInput) as refusal:
        boss.create("log", {"name": "x"})
    assert [(one.path, one.code) for one in refusal.value.problems] == [("about", "value.required")]


def test_deletion_follows_the_master_through_generations(site: Running, ids: dict[str, str]) -> None:
    boss = site.records("boss")
    boss.delete("deal", ids["lin"])
    assert "lin paper" not in seen(site, "boss", "paper")
    assert len(seen(site, "boss", "page")) == 6
    assert "lin log" not in seen(site, "boss", "log")
    boss.restore("deal", ids["lin"])
    assert (len(seen(site, "boss", "page")), "lin log" in seen(site, "boss", "log")) == (8, True)


def test_a_record_gets_its_masters_owner(site: Running, ids: dict[str, str]) -> None:
    boss = site.records("boss")
    assert boss.get("page", ids["lin plain"])["owner"] == site.user("lin")
    assert boss.get("log", ids["sam log"])["owner"] == site.user("sam")
    made = boss.create("page", {"name": "x", "paper": ids["sam paper"], "owner": site.user("vera")})
    assert made["owner"] == site.user("vera")
    results = boss.batch("page", [{"action": "create", "values": {"name": "x", "paper": ids["sam paper"]}}] * 2)
    assert [result.record and result.record["owner"] for result in results] == [site.user("sam")] * 2


def test_aggregates_search_and_options_follow_too(site: Running, ids: dict[str, str]) -> None:
    lin = site.records("lin")
    query = AggregateQuery("page", ("paper.name",), ("count()",), sort=(SortKey("paper.name"),))
    assert lin.aggregate(query).groups == [
        {"paper.name": "lin paper", "count()": 2}, {"paper.name": "shut paper", "count()": 2},
    ]  # fmt: skip
    assert [title for _, title, _ in lin.options("paper")] == ["lin paper", "shut paper"]
    assert lin.titles("log", [ids["sam log"], ids["lin log"]]) == {ids["lin log"]: "lin log"}
    assert lin.list(Query("paper", search="sam")).records == []
    with pytest.raises(EngineError):
        lin.history("paper", ids["sam paper"])
