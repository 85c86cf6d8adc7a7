"""Does a deep formula stay small? Where arguments were written twice, it would double at each level."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from engine.store.database import Database
from tests.formulas.backends import fill, in_database, in_python, opened, read
from tests.formulas.test_examples import BLANK

DEEP: list[tuple[str, Any]] = [
    ("TODAY()" + " + 1" * 11, "2026-12-03"),
    ("1024" + " / 2" * 12, "0.25"),
    ("ADDMONTHS(" * 11 + "TODAY()" + ", 1)" * 11, "2027-10-22"),
    ("START_OF(" * 11 + "TODAY()" + ", 'month')" * 11, "2026-11-01"),
    ("ROUND(" * 12 + "1.25" + ", 1)" * 12, "1.3"),
    ("IF(true, " * 12 + "1" + ", 2)" * 12, "1"),
    ("'a'" + " + 'b'" * 12, "a" + "b" * 12),
    ("SUBSTITUTE(" * 12 + "'aaaaaaaaaa'" + ", 'a', 'aaaaaaaaaa')" * 12, "a" * 100_000),
]


@contextmanager
def open_database(url: str) -> Iterator[Database]:
    database = opened(url)
    try:
        yield database
    finally:
        database.close()


@pytest.mark.parametrize(("text", "wanted"), DEEP, ids=lambda value: str(value)[:12])
def test_as_many_levels_as_there_may_be_are_quick(database_url: str, text: str, wanted: str) -> None:
    node = read(text)
    with open_database(database_url) as database:
        fill(database, [BLANK])
        start = time.perf_counter()
        found = in_database(database, [node])[0][0]
        assert time.perf_counter() - start < 2
    assert found == in_python([node], [BLANK])[0][0]
    assert found == wanted
