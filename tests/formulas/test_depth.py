"""Do formulas that are as deep, long or wide as they may be work on every back end, and stay small?"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from engine.store.database import Database
from metadata.formula import FormulaError
from tests.formulas.backends import fill, in_database, in_node, in_python, opened, read, rows_of
from tests.formulas.test_lines import EMPTY, RECORD

# Where arguments were written twice, these would double at each level.
DEEP: list[tuple[str, Any]] = [
    ("TODAY()" + " + 1" * 49, "2027-01-10"),
    ("1024" + " / 2" * 48, "0.00000000000363797881"),
    ("ADDMONTHS(" * 49 + "TODAY()" + ", 1)" * 49, "2030-12-22"),
    ("START_OF(" * 49 + "TODAY()" + ", 'month')" * 49, "2026-11-01"),
    ("ROUND(" * 49 + "1.25" + ", 1)" * 49, "1.3"),
    ("IF(true, " * 49 + "1" + ", 2)" * 49, "1"),
    ("'a'" + " + 'b'" * 49, "a" + "b" * 49),
    ("SUBSTITUTE(" * 9 + "'aaaaaaaaaa'" + ", 'a', 'aaaaaaaaaa')" * 9, "a" * 100_000),
    ("SUBSTITUTE(" * 49 + "'aaaaaaaaaa'" + ", 'a', 'b')" * 49, "b" * 10),
    ("1 - (" * 49 + "count" + ")" * 49, "-2"),
    ("POWER(" * 49 + "1.01" + ", 2)" * 49, None),
    ("SQRT(" * 49 + "2" + ")" * 49, "1.00000000000000123127"),
    ("LPAD(" * 48 + "name" + ", 20, '+')" * 48, "+" * 16 + "bolt"),
    ("IF(COUNT(lines) > 2, " * 40 + "amount" + ")" * 40, "100.05"),
    ("IF(CONTAINS(name, 'o'), " * 40 + "TEXT(due)" + ", 'x')" * 40, None),
    ("MAX(1, " * 48 + "SUM(lines, " + "1 + (" * 20 + "price" + ")" * 20 + ")" + ")" * 48, None),
    ("SUM(lines, " + "1 + (" * 45 + "price" + ")" * 45 + ")", "152.55"),
    ("MAX(1, " * 40 + "SUM(lines, price)" + ")" * 40, "17.55"),
    ("IF(user.username == 'lin' and HAS_ROLE('sales'), " * 30 + "config.house.factor" + ")" * 30, "7.5"),
    ("IF('won' in tags, 1, " * 30 + "FISCAL_YEAR(TODAY())" + ")" * 30, "2026"),
    ("IF(IN_TREE(region, '0199aaaa-0000-7000-8000-000000000001'), " * 20 + "7" + ")" * 20, "7"),
]
DEEP[15] = ("MAX(1, " * 20 + "SUM(lines, " + "1 + (" * 20 + "price" + ")" * 20 + ")" + ")" * 20, "77.55")
WIDE: list[tuple[str, Any]] = [
    ("MAX(" + ", ".join(["amount", "count", "rate"] * 80) + ")", "100.05"),
    ("COALESCE(" + ", ".join(["note"] * 200) + ", name)", "bolt"),
    ("AND(" + ", ".join(["count == 3"] * 90) + ")", True),
    (" and ".join(["count == 3"] * 90), True),
]
LOGIC: list[tuple[str, Any]] = [
    ("not " * 48 + "(count == 3)", True),
    ("count == 3 and (" * 24 + "count == 3" + ")" * 24, True),
    ("count == 3 and (count == 4 or (" * 20 + "count == 3" + "))" * 20, True),
    ("not (count == 4 or not (count == 3 and " * 12 + "count == 3" + "))" * 12, True),
    ("IF(count == 3 and (" * 16 + "count == 3" + "), true)" * 16, True),
]


@contextmanager
def open_database(url: str) -> Iterator[Database]:
    database = opened(url)
    try:
        yield database
    finally:
        database.close()


@pytest.mark.parametrize(("text", "wanted"), [*DEEP, *WIDE, *LOGIC], ids=lambda value: str(value)[:12])
def test_as_many_levels_as_there_may_be_are_quick(database_url: str, text: str, wanted: Any) -> None:
    node = read(text)
    with open_database(database_url) as database:
        fill(database, [RECORD])
        start = time.thread_time()
        found = in_database(database, [node])[0][0]
        assert time.thread_time() - start < 10  # at the worst it would be minutes
    assert found == in_python([node], [RECORD])[0][0]
    assert found == wanted


def test_deep_formulas_are_the_same_in_the_browser(tmp_path: Path) -> None:
    nodes = [read(text) for text, _ in [*DEEP, *WIDE, *LOGIC]]
    assert in_node(nodes, [RECORD], tmp_path)[0] == [wanted for _, wanted in [*DEEP, *WIDE, *LOGIC]]


def test_a_deep_condition_filters(database_url: str) -> None:
    text = "amount * 1" + " + 1" * 45 + " > 100 and COUNT(lines) == 3"
    with open_database(database_url) as database:
        fill(database, [EMPTY, RECORD])
        assert rows_of(database, read(text)) == [1]
        assert rows_of(database, read(f"not ({text})")) == [0]


@pytest.mark.parametrize("text", ["1" + " + 1" * 51 + " > 1", "SQRT(" * 51 + "2" + ")" * 51 + " > 1"])
def test_what_is_deeper_is_refused(text: str) -> None:
    with pytest.raises(FormulaError) as error:
        read(text)
    assert error.value.code == "formula.limit"
