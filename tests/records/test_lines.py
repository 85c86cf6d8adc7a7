"""Are lines written, read, ordered and deleted with the record that they belong to, each with the rules of its own?"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.errors import BadInput, Forbidden, NotFound, Stale
from engine.sampledata import load
from engine.service import Query, SortKey
from engine.tenants import load_plugins
from engine.testing import Running, running
from metadata import package
from tests.records.conftest import NOW
from tests.records.state import refused

QUOTES = """
package: quotes
version: 1.0.0
label: Quotes
---
object: product
label: Product
fields:
  name: {type: text, required: true}
---
object: quote
label: Quote
fields:
  name: {type: text, required: true}
  number: {type: text, unique: true}
  is_open: {type: boolean, default: true}
  lines: {type: table, of: quote_line, by: quote}
  total: {type: rollup, of: lines, operation: sum, field: quantity, returns: integer}
---
object: quote_line
label: Line
kind: child
title: text
fields:
  text: {type: text, length: 20}
  quote: {type: reference, to: quote, master: true}
  product: {type: reference, to: product}
  quantity: {type: integer, default: 1, min: 0}
  code: {type: text, unique: true}
  parts: {type: table, of: part, by: line}
---
object: part
label: Part
kind: child
fields:
  name: {type: text, required: true}
  line: {type: reference, to: quote_line, master: true}
---
role: seller
label: Seller
objects:
  quote: {can: [create, read, update, delete], rows: "owner == user.id"}
  product: [read]
---
role: reader
label: Reader
objects:
  quote: {can: [create, read, update], rows: "is_open"}
  quote_line: {can: [read], rows: "quantity < 10"}
  product: [read]
"""


@pytest.fixture
def shop(database_url: str) -> Iterator[Running]:
    with running(database_url, [QUOTES], now=NOW) as site:
        site.user("boss", "admin")
        site.user("lin", "seller")
        site.user("sam", "seller")
        site.user("ann", "reader")
        yield site


def texts(record: dict[str, object], *names: str) -> list[object]:
    lines = record["lines"]
    assert isinstance(lines, list)
    return [tuple(line[name] for name in names) if len(names) > 1 else line[names[0]] for line in lines]


def test_lines_come_and_change_with_their_record(shop: Running) -> None:
    lin = shop.records("lin")
    quote = lin.create("quote", {"name": "Q", "lines": [{"text": "a", "quantity": 2}, {"text": "b"}]})
    assert texts(quote, "text", "quantity", "quote") == [("a", 2, quote["id"]), ("b", 1, quote["id"])]
    assert (quote["version"], quote["total"]) == (1, 3)
    first, second = texts(quote, "id")
    changed = lin.update("quote", quote["id"], {"lines": [{"text": "c"}, {"id": second, "quantity": 7}]})
    assert texts(changed, "text", "quantity", "version") == [("c", 1, 1), ("b", 7, 2)]
    assert (changed["version"], changed["total"]) == (2, 8)
    assert lin.get("quote", quote["id"])["lines"] == changed["lines"]
    with pytest.raises(NotFound):
        lin.get("quote_line", str(first))
    assert [(one.action, dict(one.changes)) for one in lin.history("quote", quote["id"])] == [
        ("update", {"lines": (2, 2)}),
        ("create", {"name": (None, "Q"), "is_open": (None, True), "owner": (None, shop.user("lin")), "lines": (0, 2)}),
    ]
    assert [one.action for one in lin.history("quote_line", str(second))] == ["update", "create"]
    assert [one.action for one in lin.history("quote_line", str(first))] == ["delete", "create"]
    assert lin.restore("quote_line", str(first))["text"] == "a"


def test_what_is_left_out_stays_and_what_changes_nothing_counts_no_version(shop: Running) -> None:
    lin = shop.records("lin")
    quote = lin.create("quote", {"name": "Q", "lines": [{"text": "a"}, {"text": "b"}]})
    renamed = lin.update("quote", quote["id"], {"name": "R"})
    assert (renamed["version"], texts(renamed, "text")) == (2, ["a", "b"])
    same = lin.update("quote", quote["id"], {"lines": [{"id": one} for one in texts(quote, "id")]}, if_version=2)
    assert (same["version"], texts(same, "version")) == (2, [1, 1])
    turned = lin.update("quote", quote["id"], {"lines": [{"id": one} for one in texts(quote, "id")[::-1]]})
    assert (turned["version"], texts(turned, "text")) == (3, ["b", "a"])
    with refused(shop, Stale):
        lin.update("quote", quote["id"], {"lines": []}, if_version=2)
    assert lin.update("quote", quote["id"], {"lines": []})["lines"] == []


def test_all_problems_of_all_lines_come_at_once_and_nothing_is_written(shop: Running) -> None:
    lin = shop.records("lin")
    other = lin.create("quote", {"name": "Other", "lines": [{"text": "x"}]})
    quote = lin.create("quote", {"name": "Q", "lines": [{"text": "a", "code": "A"}]})
    stranger = texts(other, "id")[0]
    with refused(shop, BadInput) as refusal:
        lin.update("quote", quote["id"], {"name": None, "lines": [
            {"id": stranger, "text": "mine"},
            {"quantity": -1, "colour": "red", "text": "x" * 21},
            7,
            {"quote": other["id"]},
            {"parts": [{"name": ""}, {"name": "p"}]},
        ]})  # fmt: skip
    assert [(one.path, one.code) for one in refusal.value.problems] == [
        ("name", "value.required"), ("lines.0.id", "lines.unknown"), ("lines.1.quantity", "value.number.min"),
        ("lines.1.colour", "field.unknown"), ("lines.1.text", "value.text.long"), ("lines.2", "value.type"),
        ("lines.3.quote", "value.differs"), ("lines.4.parts.0.name", "value.required"),
    ]  # fmt: skip
    with refused(shop, BadInput) as refusal:
        lin.create("quote", {"name": "Q", "lines": [{}, {"product": "0199f2c4-5d1e-7a3b-8c4d-5e6f708192a3"}]})
    assert [(one.path, one.code) for one in refusal.value.problems] == [("lines.1.product", "reference.unknown")]
    for lines, code in (({}, "value.type"), ([{}] * 1001, "lines.limit"), ([{"id": "x"}], "lines.unknown")):
        with refused(shop, BadInput) as refusal:
            lin.create("quote", {"name": "Q", "lines": lines})
        assert refusal.value.problems[0].code == code


def test_a_value_that_is_taken_is_told_at_its_line(shop: Running) -> None:
    lin = shop.records("lin")
    quote = lin.create("quote", {"name": "Q", "lines": [{"code": "A"}, {"code": "B"}]})
    with refused(shop, Exception) as refusal:  # type: ignore[type-var]
        lin.create("quote", {"name": "R", "lines": [{"code": "C"}, {"code": "A"}]})
    assert [(one.path, one.code) for one in refusal.value.problems] == [("lines.1.code", "value.unique")]
    first, second = texts(quote, "id")
    with refused(shop, Exception) as refusal:  # type: ignore[type-var]
        lin.update("quote", quote["id"], {"lines": [{"id": first}, {"id": second, "code": "A"}]})
    assert [(one.path, one.code) for one in refusal.value.problems] == [("lines.1.code", "value.unique")]


def test_lines_have_lines(shop: Running) -> None:
    lin = shop.records("lin")
    quote = lin.create("quote", {"name": "Q", "lines": [
        {"text": "a", "parts": [{"name": "p"}, {"name": "q"}]}, {"text": "b", "parts": [{"name": "r"}]},
    ]})  # fmt: skip
    first, second = map(str, texts(quote, "id"))
    parts = lin.get("quote_line", first)["parts"]
    assert [part["name"] for part in parts] == ["p", "q"]
    changed = lin.update("quote", quote["id"], {"lines": [
        {"id": first, "parts": [{"id": parts[1]["id"], "name": "Q"}, {"name": "s"}]}, {"id": second},
    ]})  # fmt: skip
    assert [part["name"] for part in lin.get("quote_line", first)["parts"]] == ["Q", "s"]
    assert [part["name"] for part in lin.get("quote_line", second)["parts"]] == ["r"]
    assert changed["version"] == 2
    lin.update("quote", quote["id"], {"lines": [{"id": first}]})
    with pytest.raises(NotFound):
        lin.get("quote_line", second)
    assert lin.list(Query("part", ("name",), sort=(SortKey("name"),))).records[0]["name"] == "Q"
    lin.delete("quote", quote["id"])
    assert lin.list(Query("part")).records == []
    assert texts({"lines": [lin.restore("quote", quote["id"])]}, "total") == [1]
    assert texts(lin.get("quote", quote["id"]), "text") == ["a"]


def test_a_line_by_itself_comes_last(shop: Running) -> None:
    lin = shop.records("lin")
    quote = lin.create("quote", {"name": "Q", "lines": [{"text": "a"}, {"text": "b"}]})
    alone = lin.create("quote_line", {"text": "c", "quote": quote["id"]})
    assert alone["owner"] == shop.user("lin")
    lin.batch("quote_line", [
        {"action": "create", "values": {"text": text, "quote": quote["id"]}} for text in ("d", "e")
    ])  # fmt: skip
    assert texts(lin.get("quote", quote["id"]), "text") == ["a", "b", "c", "d", "e"]
    assert lin.get("quote", quote["id"], ("total",))["total"] == 5
    with refused(shop, BadInput) as refusal:
        lin.create("quote_line", {"text": "x"})
    assert [(one.path, one.code) for one in refusal.value.problems] == [("quote", "value.required")]


def test_lists_show_lines_where_they_are_asked_for(shop: Running) -> None:
    lin = shop.records("lin")
    for name in ("P", "Q"):
        lin.create("quote", {"name": name, "lines": [{"text": f"{name}{i}"} for i in range(3)]})
    lin.create("quote", {"name": "R"})
    query = Query("quote", ("name", "lines"), sort=(SortKey("name"),))
    found = lin.list(query).records
    assert [[line["text"] for line in record["lines"]] for record in found] == [
        ["P0", "P1", "P2"], ["Q0", "Q1", "Q2"], [],
    ]  # fmt: skip
    assert "lines" not in lin.list(Query("quote")).records[0]
    with pytest.raises(BadInput, match="at most 200 records"):
        lin.list(Query("quote", ("lines",), limit=201))
    for clause in (Query("quote", sort=(SortKey("lines"),)), Query("quote_line", ("quote.lines",))):
        with pytest.raises(BadInput) as refusal:
            lin.list(clause)
        assert refusal.value.code == "field.list"


def test_many_records_with_lines_are_written_together(shop: Running) -> None:
    lin = shop.records("lin")
    results = lin.batch("quote", [
        {"action": "create", "values": {"name": f"Q{i}", "lines": [{"text": f"{i}.{j}"} for j in range(3)]}}
        for i in range(3)
    ])  # fmt: skip
    assert [result.record and result.record["total"] for result in results] == [3, 3, 3]
    record, is_new = lin.upsert("quote", "number", "7", {"name": "N", "lines": [{"text": "a"}]})
    assert (is_new, texts(record, "text")) == (True, ["a"])
    record, is_new = lin.upsert("quote", "number", "7", {"name": "N", "lines": [{"text": "b"}, {"text": "c"}]})
    assert (is_new, texts(record, "text"), record["total"]) == (False, ["b", "c"], 2)
    with refused(shop, BadInput) as refusal:
        lin.batch("quote", [
            {"action": "create", "values": {"name": "A"}},
            {"action": "create", "values": {"name": "B", "lines": [{"quantity": -1}]}},
        ])  # fmt: skip
    assert [one.path for one in refusal.value.problems] == ["operations.1.values.lines.0.quantity"]


def test_grants_that_name_the_child_limit_its_lines(shop: Running) -> None:
    boss, ann = shop.records("boss"), shop.records("ann")
    quote = boss.create("quote", {"name": "Q", "lines": [{"text": "a"}, {"text": "b", "quantity": 10}]})
    assert texts(ann.get("quote", quote["id"]), "text") == ["a"]
    with refused(shop, BadInput) as refusal:
        ann.create("quote", {"name": "Q", "lines": [{"text": "a"}]})
    assert [(one.path, one.code) for one in refusal.value.problems] == [("lines", "record.create.forbidden")]
    with refused(shop, BadInput) as refusal:
        ann.update("quote", quote["id"], {"lines": []})
    assert [(one.path, one.code) for one in refusal.value.problems] == [("lines", "record.delete.forbidden")]
    with refused(shop, Forbidden):
        ann.create("quote_line", {"quote": quote["id"]})


def test_a_line_that_may_not_be_seen_is_left_alone(shop: Running) -> None:
    shop.publish(QUOTES.replace("quote_line: {can: [read]", "quote_line: {can: [create, read, update, delete]"))
    boss, ann = shop.records("boss"), shop.records("ann")
    quote = boss.create("quote", {"name": "Q", "lines": [{"text": "a"}, {"text": "b", "quantity": 10}]})
    changed = ann.update("quote", quote["id"], {"lines": [{"text": "c"}]})
    assert texts(changed, "text") == ["c"]
    assert sorted(map(str, texts(boss.get("quote", quote["id"]), "text"))) == ["b", "c"]
    with refused(shop, BadInput):
        ann.update("quote", quote["id"], {"lines": [{"id": texts(quote, "id")[1]}]})
    with refused(shop, Forbidden):
        ann.update("quote", quote["id"], {"lines": [{"quantity": 11}]})


SAMPLE = """
---
data: product
records:
  - {_key: bolt, name: Bolt}
---
data: quote
records:
  - name: Sample
    lines:
      - {text: first, product: bolt, parts: [{name: p}, {name: q}]}
      - {text: second, quantity: 4}
"""


def test_sample_data_holds_lines(shop: Running) -> None:
    loaded = package.load([shop.written(QUOTES + SAMPLE)], shop.tenant.plugins.kinds(), shop.tenant.plugins.functions)
    assert [str(problem) for problem in loaded.problems] == []
    assert load(shop.tenant, loaded.definitions.data, NOW) == {"product": 1, "quote": 1, "quote_line": 2, "part": 2}
    [record] = shop.records("boss").list(Query("quote", ("name", "lines", "total"))).records
    assert (texts(record, "text", "quantity"), record["total"]) == ([("first", 1), ("second", 4)], 5)
    first = shop.records("boss").get("quote_line", record["lines"][0]["id"], ("product.name", "parts"))
    assert (first["product.name"], [part["name"] for part in first["parts"]]) == ("Bolt", ["p", "q"])
    assert set(load(shop.tenant, loaded.definitions.data, NOW).values()) == {0}


def test_lines_of_sample_data_are_checked(tmp_path: Path) -> None:
    wrong = SAMPLE.replace("product: bolt", "product: nut").replace("quantity: 4", "quantity: many, colour: red")
    (tmp_path / "package.yaml").write_text(QUOTES + wrong.replace("{name: p}", "{}"))
    plugins = load_plugins()
    problems = package.load([tmp_path], plugins.kinds(), plugins.functions).problems
    assert [(problem.place.path, problem.code) for problem in problems] == [
        ("records[0].lines[0].product", "data.reference"), ("records[0].lines[0].parts[0]", "data.required"),
        ("records[0].lines[1].quantity", "data.value"), ("records[0].lines[1].colour", "field.unknown"),
    ]  # fmt: skip


def test_two_hundred_lines_take_a_few_statements(sqlite_url: str) -> None:
    with running(sqlite_url, [QUOTES], now=NOW) as site:
        site.user("lin", "seller")
        lin = site.records("lin")
        lin.create("quote", {"name": "warm", "lines": [{"text": "a"}]})
        with counted(site) as few:
            quote = lin.create("quote", {"name": "Q", "lines": [{"text": str(i)} for i in range(200)]})
        assert len(quote["lines"]) == 200
        assert few[0] <= 16
        lines = [{"id": line["id"], "quantity": 5} for line in quote["lines"]]
        lin.update("quote", quote["id"], {"lines": lines[:150]})
        with counted(site) as few:
            lin.update("quote", quote["id"], {"lines": [{**line, "quantity": 6} for line in lines[:100]]})
        assert few[0] <= 30


class Counted(list[int]):
    def __enter__(self) -> "Counted":
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    stop = staticmethod(lambda: None)


def counted(site: Running) -> Counted:
    """How many questions the one writer asks; many rows of one text are one call."""
    found = Counted([0])
    with site.tenant.database.write() as connection:
        raw = connection.raw
    raw.set_trace_callback(
        lambda sql: found.__setitem__(0, found[0] + 1) if not sql.startswith(("INSERT", "UPDATE")) else None
    )
    found.stop = lambda: raw.set_trace_callback(None)  # type: ignore[method-assign]
    return found
