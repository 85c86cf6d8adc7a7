"""Do lines, settings and trees give one answer on every back end?"""

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.formulas.backends import fill, in_database, in_node, in_python, opened, place, read
from tests.formulas.test_examples import BLANK, shown

DAY = dt.date(2026, 11, 22)


def line(quantity: int | None, price: str | None, label: str | None = None, **more: Any) -> dict[str, Any]:
    values = {"quantity": quantity, "price": price and Decimal(price), "label": label, "day": None, "is_free": None}
    return {**values, "place": None, **more}


RECORD: dict[str, Any] = {
    **BLANK, "amount": Decimal("100.05"), "count": 3, "name": "bolt", "region": place(3),
    "lines": [
        line(2, "10.50", "bolt", day=DAY, place=place(2)),
        line(3, "0.05", "nut", day=dt.date(2027, 1, 31), is_free=True, place=place(5)),
        line(None, "7.00", None, is_free=False),
    ],
}  # fmt: skip
EMPTY: dict[str, Any] = {**BLANK, "lines": [], "region": None}
CASES: list[tuple[str, object, object]] = [
    ("COUNT(lines)", 3, 0),
    ("COUNT(lines) * 2 + 1", 7, 1),
    ("COUNT(lines) == 0", False, True),
    ("COUNT(lines, quantity > 2)", 1, 0),
    ("COUNT(lines, is_free)", 1, 0),
    ("COUNT(lines, not is_free)", 2, 0),
    ("COUNT(lines, label == parent.name)", 1, 0),
    ("COUNT(lines, deal.amount > 100)", 3, 0),
    ("COUNT(lines, CONTAINS(label, 'T'))", 2, 0),
    ("COUNT(lines, IN_TREE(place, '0199aaaa-0000-7000-8000-000000000001'))", 1, 0),
    ("SUM(lines, quantity)", 5, 0),
    ("SUM(lines, price)", "17.55", 0),
    ("SUM(lines, price * quantity)", "21.15", 0),
    ("SUM(lines, parent.amount)", "300.15", 0),
    ("SUM(lines, parent.amount * quantity + config.house.factor)", "522.75", 0),
    ("SUM(lines, 1)", 3, 0),
    ("SUM(lines, IF(is_free, price))", "0.05", 0),
    ("AVERAGE(lines, quantity)", "2.5", None),
    ("AVERAGE(lines, price)", "5.85", None),
    ("AVERAGE(lines, 1 / 3)", "0.33333333333333333333", None),
    ("AVERAGE(lines, quantity / 4 * 2)", "0.83333333333333333333", None),
    ("HIGHEST(lines, quantity)", 3, None),
    ("LOWEST(lines, price)", "0.05", None),
    ("HIGHEST(lines, -price)", "-0.05", None),
    ("HIGHEST(lines, day)", "2027-01-31", None),
    ("LOWEST(lines, day + 1)", "2026-11-23", None),
    ("ISBLANK(LOWEST(lines, day))", False, True),
    ("SUM(lines, price) > amount", False, False),
    ("ROUND(SUM(lines, price * quantity) / COUNT(lines), 2)", "7.05", None),
    ("config.house.factor", "7.5", "7.5"),
    ("config.house.factor * amount", "750.375", 0),
    ("amount > config.house.factor", True, False),
    ("config.house.factor == 7.5", True, True),
    ("config.house.motto + name", "华东 abolt", "华东 a"),
    ("config.house.day == TODAY()", True, True),
    ("IN_TREE(region, '0199aaaa-0000-7000-8000-000000000001')", True, False),
    ("IN_TREE(region, '0199aaaa-0000-7000-8000-000000000003')", True, False),
    ("IN_TREE(region, '0199aaaa-0000-7000-8000-000000000006')", False, False),
    ("IN_TREE(region, region)", True, False),
    ("IN_TREE(region, user.id)", True, False),
    ("IN_TREE(region, 'x')", False, False),
    ("IN_TREE(region, null)", False, False),
    ("not IN_TREE(region, '0199aaaa-0000-7000-8000-000000000001')", False, True),
    ("IF(IN_TREE(region, '0199aaaa-0000-7000-8000-000000000002'), 1, 2)", 1, 2),
]


@pytest.fixture(params=["python", "sqlite", pytest.param("postgres", marks=pytest.mark.postgres), "javascript"])
def results(request: pytest.FixtureRequest, tmp_path: Path) -> list[list[Any]]:
    nodes, records = [read(text) for text, _, _ in CASES], [RECORD, EMPTY]
    if request.param == "python":
        return in_python(nodes, records)
    if request.param == "javascript":
        return in_node(nodes, records, tmp_path)
    database = opened(request.getfixturevalue(f"{request.param}_url"))
    try:
        fill(database, records)
        return in_database(database, nodes)
    finally:
        database.close()


def test_lines_settings_and_trees_are_read(results: list[list[Any]]) -> None:
    wrong = [
        (text, found, wanted)
        for index, (text, *wanted) in enumerate(CASES)
        if (found := [row[index] for row in results]) != [shown(value) for value in wanted]
    ]
    assert wrong == []


def test_a_tree_with_a_circle_ends(database_url: str) -> None:
    node = read("IN_TREE(region, '0199aaaa-0000-7000-8000-000000000006')")
    records = [{**EMPTY, "region": place(number)} for number in (6, 7, 1)]
    database = opened(database_url)
    try:
        fill(database, records)
        assert in_database(database, [node]) == in_python([node], records) == [[True], [True], [False]]
    finally:
        database.close()


def test_nothing_is_below_what_is_deleted(database_url: str) -> None:
    node = read("IN_TREE(region, '0199aaaa-0000-7000-8000-000000000001')")
    records = [{**EMPTY, "region": place(number)} for number in (5, 2)]
    database = opened(database_url)
    try:
        fill(database, records)
        assert in_database(database, [node]) == in_python([node], records) == [[False], [True]]
    finally:
        database.close()


def test_the_root_of_a_tree_is_that_of_the_same_record(database_url: str) -> None:
    node = read("COUNT(lines, IN_TREE(place, parent.region))")
    lines = [line(1, "1.00", place=place(3))]
    records = [{**EMPTY, "lines": lines, "region": region} for region in (None, place(1))]
    database = opened(database_url)
    try:
        fill(database, records)
        assert in_database(database, [node]) == in_python([node], records) == [["0"], ["1"]]
    finally:
        database.close()
