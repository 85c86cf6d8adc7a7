"""Values as long as their fields allow are stored, or refused at their field where PostgreSQL cannot index them."""

import random

import pytest

from engine.errors import BadInput
from engine.service import Query, SortKey
from engine.testing import running
from tests.corpus.hostile import MANIFEST

LONG_KEYS = """\
object: doc
fields:
  name: {type: text, unique: true, length: 10000}
  path: {type: text, index: true, length: 10000}
  a: {type: text}
  b: {type: text}
  c: {type: text}
  site: {type: url, unique: true}
unique: [[a, b, c]]
indexes: [[a, b, c]]
"""


def scattered(length: int, seed: int = 7) -> str:
    """Text that no compression makes short, of signs of four bytes."""
    chance = random.Random(seed)
    return "".join(chr(chance.randrange(0x20000, 0x2A000)) for _ in range(length))


def test_long_values_fit_into_indexes_of_sqlite(sqlite_url: str) -> None:
    with running(sqlite_url, [MANIFEST + LONG_KEYS]) as site:
        records = site.records()
        parts = {"a": scattered(255, 1), "b": scattered(255, 2), "c": scattered(255, 3)}
        made = records.create("doc", {"name": scattered(10_000), "path": scattered(10_000), **parts})["id"]
        assert records.get("doc", made, ("name", "c"))["c"] == parts["c"]
        asked = Query("doc", ("id",), sort=(SortKey("path"),), conditions=(("name", "=", scattered(10_000)),))
        assert [record["id"] for record in records.list(asked).records] == [made]


@pytest.mark.postgres
@pytest.mark.parametrize("fields", [("name",), ("path",), ("a", "b", "c")])
@pytest.mark.parametrize("longest", [1000, 10_000])
def test_values_too_long_for_an_index_are_refused_at_their_fields(
    postgres_url: str, fields: tuple[str, ...], longest: int
) -> None:
    with running(postgres_url, [MANIFEST + LONG_KEYS]) as site:
        records = site.records()
        made = records.create("doc", dict.fromkeys(fields, scattered(220)))["id"]
        length = longest if len(fields) == 1 else 255
        values = {name: scattered(length, seed) for seed, name in enumerate(fields)}
        for write in (lambda: records.create("doc", values), lambda: records.update("doc", made, values)):
            with pytest.raises(BadInput) as refusal:
                write()
            paths = [problem.path for problem in refusal.value.problems]
            assert paths == (list(fields) if length < 2000 else [""])
            assert refusal.value.code == "value.index.length"
            assert all(f"'{name}'" in str(refusal.value) for name in fields)
        assert records.get("doc", made, ("version",))["version"] == 1
        assert records.list(Query("doc", ("id",), count="exact")).count == 1
