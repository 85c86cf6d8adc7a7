"""The list of an object opens in the order of an index: a publish makes the one that its default view needs."""

from pathlib import Path

import pytest

from engine.context import context_of
from engine.errors import BadInput
from engine.service import Query, Records, SortKey
from tests.publish.stage import Stage

VISIT = """
object: visit
label: Visit
fields:
  name: {type: text, label: Name, required: true}
  planned_on: {type: date, label: Planned on, required: true}
  score: {type: integer, label: Score}
---
view: visit_all
object: visit
label: All visits
columns: [name, planned_on]
default: true
sort: SORT
"""


def indexes(stage: Stage) -> set[str]:
    """The indexes of `visit`, their columns in order, without those that every object has."""
    with stage.tenant.database.read() as connection:
        if connection.dialect == "sqlite":
            found = connection.rows(
                "SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'visit' AND sql > ''"
            )
        else:
            found = connection.rows("SELECT indexdef FROM pg_indexes WHERE schemaname = 'main' AND tablename = 'visit'")
    inner = {text[text.index("(") + 1 : text.index(") WHERE")] for (text,) in found if " WHERE " in text}
    plain = {text.replace("`", "").replace('"', "").replace("(name)::text", "name") for text in inner}
    return plain - {"owner, id", "created_at, id", "deleted_at"}


def test_the_default_view_brings_the_index_of_its_order(stage: Stage) -> None:
    stage.publish(VISIT.replace("SORT", "-planned_on"))
    assert indexes(stage) == {"planned_on, id"}


def test_another_order_brings_another_index_and_takes_the_old_one(stage: Stage) -> None:
    stage.publish(VISIT.replace("SORT", "-planned_on"))
    stage.publish(VISIT.replace("SORT", "name"))
    assert indexes(stage) == {"lower(name), id"}
    stage.publish(VISIT.replace("SORT", "owner.name"))  # no index of ours can hold another object's values
    assert indexes(stage) == set()


def test_the_list_reads_in_index_order(stage: Stage) -> None:
    stage.publish(VISIT.replace("SORT", "name"))
    records = Records(context_of(stage.tenant))
    for name in ("beta", "Alpha", "gamma"):
        records.create("visit", {"name": name, "planned_on": "2026-11-22"})
    page = records.list(Query("visit", ("name",), sort=(SortKey("name"),)))
    assert [record["name"] for record in page.records] == ["Alpha", "beta", "gamma"]
    if stage.tenant.database.dialect == "sqlite":
        with stage.tenant.database.read() as connection:
            text = "SELECT id FROM visit WHERE deleted_at IS NULL ORDER BY lower(name), id LIMIT 50"
            steps = [row[3] for row in connection.rows(f"EXPLAIN QUERY PLAN {text}")]
        assert len(steps) == 1
        assert "ix_visit_lower_name" in steps[0]


def test_a_value_too_long_for_an_index_stops_the_publish(postgres_url: str, tmp_path: Path) -> None:
    stage = Stage(postgres_url, tmp_path)
    text = "object: visit\nlabel: Visit\nfields:\n  name: {type: text, label: Name, length: 9000}\n"
    stage.publish(text)
    long = "".join(chr(0x4E00 + n * 7 % 20000) for n in range(5000))  # does not compress
    stage.insert("visit", {"name": long})
    with pytest.raises(BadInput, match="too long for an index") as refusal:
        stage.publish(text.replace("length: 9000", "length: 9000, index: true"))
    assert refusal.value.code == "publish.index.length"
    assert stage.tenant.version() == 1
    assert stage.values("visit", "name") == [long]
    stage.tenant.close()
