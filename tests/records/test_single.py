"""Settings objects: one record, made by the publish, never a second one and never none."""

from collections.abc import Iterator

import pytest

from engine.errors import BadInput, Conflict, Forbidden
from engine.publish import plan
from engine.sampledata import load
from engine.service import Query
from engine.testing import Running, running
from metadata import package
from tests.records.conftest import NOW
from tests.records.state import refused

SETTINGS = """
package: p
version: 1.0.0
label: P
---
object: settings
label: Settings
kind: single
fields:
  name: {type: text, required: true}
  limit: {type: integer, default: 7, required: true}
---
object: thing
label: Thing
fields:
  name: {type: text}
---
role: clerk
label: Clerk
objects:
  settings: [create, read, update, delete]
"""
DATA = """
---
data: settings
records:
  - {name: From the sample}
"""


@pytest.fixture
def site(database_url: str) -> Iterator[Running]:
    with running(database_url, [SETTINGS], now=NOW) as site:
        site.user("boss", "admin")
        site.user("lin", "clerk")
        yield site


def test_a_publish_makes_the_one_record(site: Running) -> None:
    [record] = site.records("lin").list(Query("settings")).records
    assert (record["name"], record["limit"], record["version"]) == (None, 7, 1)
    changed = site.records("lin").update("settings", record["id"], {"name": "Ours"})
    assert (changed["name"], changed["version"]) == ("Ours", 2)
    with refused(site, BadInput):
        site.records("lin").update("settings", record["id"], {"limit": None})
    site.publish(SETTINGS.replace("label: Thing", "label: Things"))
    assert [r["name"] for r in site.records().list(Query("settings")).records] == ["Ours"]


def test_there_is_never_a_second_one_and_never_none(site: Running) -> None:
    for name in ("lin", "boss", ""):
        records = site.records(name)
        [record] = records.list(Query("settings")).records
        for write in (
            lambda records=records: records.create("settings", {"name": "x", "limit": 1}),
            lambda records=records, record=record: records.delete("settings", record["id"]),
            lambda records=records, record=record: records.restore("settings", record["id"]),
            lambda records=records: records.batch("settings", [{"action": "create", "values": {"name": "x"}}] * 2),
        ):
            with refused(site, Conflict) as refusal:
                write()
            assert refusal.value.code == "object.single"
    assert site.context("lin").scope.actions("settings") == ("read", "update")


def test_an_object_becomes_settings_where_it_has_one_record(site: Running) -> None:
    text = SETTINGS.replace("label: Thing\n", "label: Thing\nkind: single\n")
    site.records().create("thing", {"name": "a"})
    second = site.records().create("thing", {"name": "b"})["id"]
    made = plan(site.tenant, [site.written(text)])
    assert [(step.what, step.breaks) for step in made.steps if step.breaks] == [("object thing", 2)]
    site.publish(SETTINGS)
    site.records().delete("thing", second)
    site.publish(text)
    assert [r["name"] for r in site.records().list(Query("thing")).records] == ["a"]
    with refused(site, Conflict):
        site.records().restore("thing", second)


def test_sample_data_sets_it_up_once(site: Running) -> None:
    path = site.written(SETTINGS + DATA)
    loaded = package.load([path], site.tenant.plugins.kinds(), site.tenant.plugins.functions)
    assert load(site.tenant, loaded.definitions.data, NOW) == {"settings": 1}
    [record] = site.records().list(Query("settings")).records
    assert (record["name"], record["limit"]) == ("From the sample", 7)
    assert load(site.tenant, loaded.definitions.data, NOW) == {"settings": 0}


def test_who_may_only_read_is_told_so(site: Running) -> None:
    site.publish(SETTINGS.replace("[create, read, update, delete]", "[read]"))
    [record] = site.records("lin").list(Query("settings")).records
    with refused(site, Forbidden):
        site.records("lin").update("settings", record["id"], {"name": "x"})
