"""JSON, code, Markdown, colours and ratings through the record service, the API and a publish, on both databases."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest

from engine.errors import BadInput, EngineError
from engine.publish import plan
from engine.sampledata import load
from engine.service import Query, SortKey
from engine.testing import Running, running
from tests.fields.cases import PLUGINS, field_of

PACKAGE = """
package: shop
version: 1.0.0
label: Shop
---
object: page
label: Page
search: [name, source]
fields:
  name: {type: text, label: Name}
  extra: {type: json, label: Extra}
  source: {type: code, label: Source, language: python}
  story: {type: markdown, label: Story}
  paint: {type: color, label: Paint, unique: true}
  stars: {type: rating, label: Stars}
  length: {type: duration, label: Length}
  number: {type: integer, label: Number}
  words: {type: longtext, label: Words}
"""
DATA = """
---
data: page
records:
  - {_key: one, name: sample, extra: {a: [1, {b: 2.5}]}, stars: 2}
"""


@pytest.fixture
def shop(database_url: str) -> Iterator[Running]:
    with running(database_url, [PACKAGE]) as site:
        site.user("ann", "admin", language="en", time_zone="UTC")
        yield site


def test_each_value_comes_back_as_it_was_meant(shop: Running) -> None:
    sent = {
        "extra": {"z": [1, True, None, "销售"], "a": {"b": 1.5}}, "source": "\n    if x:\r\n\ty()\n\n", "story": "# Hi",
        "paint": "#AABBCC", "stars": 4,
    }  # fmt: skip
    client = shop.client("ann")
    made = client.post("/api/v1/records/page", json=sent)
    assert made.status_code == 201, made.text
    read = client.get(f"/api/v1/records/page/{made.json()['id']}").json()
    assert {name: read[name] for name in sent} == {
        "extra": {"a": {"b": 1.5}, "z": [1, True, None, "销售"]}, "source": "    if x:\n\ty()", "story": "# Hi",
        "paint": "#aabbcc", "stars": 4,
    }  # fmt: skip
    assert list(read["extra"]) == ["a", "z"]


def test_true_is_another_value_than_1_inside_json(shop: Running) -> None:
    records = shop.records()
    made = records.create("page", {"extra": {"is_open": 1}})
    records.update("page", made["id"], {"extra": {"is_open": True}})
    assert records.get("page", made["id"])["extra"] == {"is_open": True}
    assert records.history("page", made["id"])[0].changes == {"extra": ({"is_open": 1}, {"is_open": True})}


def test_false_zero_and_empty_json_are_values_and_null_is_blank(shop: Running) -> None:
    records = shop.records()
    for value in (False, 0, [], {}, None):
        assert records.get("page", records.create("page", {"name": "v", "extra": value})["id"])["extra"] == value
    found = records.list(Query("page", ("extra",), filter="name == 'v' and extra == null", count="exact"))
    assert found.count == 1


def test_a_formula_only_asks_whether_json_is_blank(shop: Running) -> None:
    for text in ("extra == 'a'", "extra > 'a'", "extra in ['a']", "CONTAINS(extra, 'a')", "extra == extra"):
        with pytest.raises(BadInput):
            shop.records().list(Query("page", filter=text))


def test_pages_in_the_order_of_json_follow_one_another(shop: Running) -> None:
    records = shop.records()
    for value in ({"a": 1}, {"a": 2}, [1], "x"):
        records.create("page", {"extra": value})
    seen: list[object] = []
    cursor = ""
    while True:
        page = records.list(Query("page", ("extra",), sort=(SortKey("extra"),), limit=2, cursor=cursor))
        seen += [record["extra"] for record in page.records]
        if page.next is None:
            break
        cursor = page.next
    assert len(seen) == 4
    assert {"a": 1} in seen


def test_code_is_searched_and_a_colour_is_unique_in_any_letters(shop: Running) -> None:
    records = shop.records()
    records.create("page", {"source": "import orders", "paint": "#abcdef"})
    assert len(records.list(Query("page", search="ORDERS")).records) == 1
    assert len(records.list(Query("page", conditions=(("paint", "=", "#ABCDEF"),))).records) == 1
    refused = shop.client("ann").post("/api/v1/records/page", json={"paint": "#ABCDEF"})
    assert refused.status_code == 409


@pytest.mark.parametrize(
    ("field", "before", "type_after", "after"),
    [
        ("words", '{"a": [1, 2]}', "json", {"a": [1, 2]}),
        ("words", "no JSON", "json", "no JSON"),
        ("extra", {"a": [1, 2]}, "longtext", '{"a":[1,2]}'),
        ("extra", "text", "longtext", "text"),
        ("extra", 12, "longtext", "12"),
        ("words", "# Title", "markdown", "# Title"),
        ("source", "x = 1", "longtext", "x = 1"),
        ("number", 3, "rating", 3),
        ("stars", 3, "integer", 3),
        ("number", 5400, "duration", 5400),
        ("length", "PT1H30M", "integer", 5400),
        ("words", "#AABBCC", "color", "#aabbcc"),
    ],
)
def test_a_field_changes_its_type_and_keeps_its_values(
    shop: Running, field: str, before: object, type_after: str, after: object
) -> None:
    made = shop.records().create("page", {field: before})
    kinds = {
        "words": "longtext",
        "extra": "json",
        "source": "code, label: Source, language: python",
        "number": "integer",
        "length": "duration",
    }
    old = f"{field}: {{type: {kinds.get(field, 'rating')}"
    assert old in PACKAGE
    search = PACKAGE.replace("search: [name, source]", "search: [name]") if field == "source" else PACKAGE
    shop.publish(search.replace(old, f"{field}: {{type: {type_after}" + (", label: S" if field == "source" else "")))
    assert shop.records().get("page", made["id"])[field] == after


def test_a_rating_that_does_not_fit_stops_a_publish(shop: Running) -> None:
    shop.records().create("page", {"number": 17})
    with pytest.raises(EngineError, match="a row stops this publish"):
        shop.publish(PACKAGE.replace("number: {type: integer", "number: {type: rating"))


def test_sample_data_may_hold_json(database_url: str) -> None:
    with running(database_url, [PACKAGE + DATA]) as site:
        made = plan(site.tenant, [site.written(PACKAGE + DATA)])
        load(site.tenant, made.definitions.data, site.now)
        found = site.records().list(Query("page", ("extra", "stars"))).records
        assert [(record["extra"], record["stars"]) for record in found] == [({"a": [1, {"b": 2.5}]}, 2)]


@pytest.mark.parametrize(
    ("typed", "seconds"),
    [
        ("1h 30m", 5400), ("90m", 5400), ("1.5 hours", 5400), ("1:30", 5400), ("01:30:00", 5400), ("1小时30分", 5400),
        ("１小时３０分钟", 5400), ("2d", 172800), ("45 秒", 45), ("1h, 5s", 3605), ("0m", 0),
        ("90", "90"), ("30m 1h", "30m 1h"), ("1.00001s", "1.00001s"), ("-1h", "-1h"), ("", None), ("  ", None),
    ],
)  # fmt: skip
def test_a_duration_is_typed_as_people_write_it(typed: str, seconds: object) -> None:
    kind = PLUGINS.fields["duration"]
    assert kind.from_form(field_of(kind, {}), [typed], ZoneInfo("UTC")) == seconds
