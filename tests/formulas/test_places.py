"""PART and DISTANCE on values of every kind, with the same answer on all back ends."""

import math
import random
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from engine.store.types import JsonText
from tests.formulas.backends import fill, in_database, in_node, in_python, opened, read
from tests.formulas.test_examples import BLANK

DRAWN = random.Random(20261122)
CORNERS = [(90, 0), (-90, 0), (0, 180), (0, -180), (0, 0), (31.23, 121.47), (-31.23, -58.53), (89.999999, 10)]
VALUES: list[Any] = [
    {"city": "上海市"}, {"city": ""}, {"city": " a'\"\\b "}, {"city": 7}, {"city": None}, {"city": ["a"]},
    {"city": {"city": "a"}}, {"City": "a"}, {"latitude": "31", "longitude": 121}, {"latitude": 91, "longitude": 0},
    {"latitude": True, "longitude": 0}, {"latitude": 1e300, "longitude": 0}, {"latitude": 1}, ["city"], "city", 7, True,
    {}, [], {"city": "\U0001f600 e\u0301"},
]  # fmt: skip


def located(latitude: float, longitude: float) -> JsonText:
    return JsonText.of({"latitude": round(latitude, 6), "longitude": round(longitude, 6)})


def anywhere() -> JsonText:
    return located(math.degrees(math.asin(DRAWN.uniform(-1, 1))), DRAWN.uniform(-180, 180))


def near(place: JsonText) -> JsonText:
    there = place.value
    return located(min(90, there["latitude"] + DRAWN.uniform(0, 0.001)), there["longitude"])


def opposite(place: JsonText) -> JsonText:
    there = place.value
    return located(-there["latitude"], there["longitude"] - math.copysign(180, there["longitude"]))


def records() -> list[dict[str, Any]]:
    corners = [located(*corner) for corner in CORNERS]
    pairs = [(one, other) for one in corners for other in corners]
    for place in (anywhere() for _ in range(80)):
        pairs += [(place, anywhere()), (place, near(place)), (place, opposite(place)), (place, place)]
    pairs += [(JsonText.of(value), corners[5]) for value in VALUES]
    return [{**BLANK, "shop": one, "depot": other, "home": one} for one, other in pairs]


def test_all_back_ends_agree(sqlite_url: str, postgres_server: sa.URL, tmp_path: Path) -> None:
    nodes = [read(text) for text in ("DISTANCE(shop, depot)", "PART(home, 'city')", "PART(home, 'City') + '!'",
                                     "DISTANCE(shop, depot) < 1000 or PART(home, 'city') == '上海市'")]  # fmt: skip
    rows = records()
    expected = in_python(nodes, rows)
    assert [row[0] for row in expected[:8]] == [
        "0", "20015.114", "10007.557", "10007.557", "10007.557", "6534.935", "13480.18", "0",
    ]  # fmt: skip
    assert in_node(nodes, rows, tmp_path) == expected
    for url in (sqlite_url, postgres_server.render_as_string(hide_password=False)):
        database = opened(url)
        try:
            fill(database, rows)
            assert in_database(database, nodes) == expected
        finally:
            database.close()


@pytest.mark.parametrize("text", ["PART(home, 7)", "PART(name, 'city')", "DISTANCE(name, shop)", "PART(home)"])
def test_what_is_no_structured_data_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"PART|DISTANCE"):
        read(text)
