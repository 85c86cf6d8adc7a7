"""Do functions and operators give what their examples say, on every back end?"""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.formula.exact import text_of
from tests.formulas.backends import FUNCTIONS, PLACES, fill, in_database, in_node, in_python, opened, read

BLANK: dict[str, Any] = (
    dict.fromkeys(("count", "amount", "rate", "name", "note", "stage", "due", "start", "at", "is_hot", "opens", "tags"))
    | PLACES
)
EXAMPLES = [(text, wanted) for function in FUNCTIONS.values() for text, wanted in function.examples]
RULES: list[tuple[str, object]] = [
    ("1 + 2 * 3", 7),
    ("7 / 2", "3.5"),
    ("1 / 3", "0.33333333333333333333"),
    ("2 / 3", "0.66666666666666666667"),
    ("-2 / 3", "-0.66666666666666666667"),
    ("1 / 0", None),
    ("5 % 0", None),
    ("-7 % 3", -1),
    ("0.1 + 0.2 == 0.3", True),
    ("1e-20 * 0.5", "0.00000000000000000001"),
    ("1e-20 * 0.4", 0),
    ("1e29 * 1e29 / 1e29", "100000000000000000000000000000"),
    ("-amount", 0),
    ("amount + 1", 1),
    ("amount * 2", 0),
    ("5 / amount", None),
    ("amount", None),
    ("name + 'a'", "a"),
    ("name + note", None),
    ("'华东' + '精密'", "华东精密"),
    ("amount > -1", False),
    ("amount != 5", True),
    ("amount == null", True),
    ("'a' if is_hot else 'b'", "b"),
    ("due + 1", None),
    ("TODAY() + amount", "2026-11-22"),
    ("TODAY() - 1.9", "2026-11-21"),
    ("NOW() - 1", "2026-11-20T23:15:00.123Z"),
    ("user.username", "lin"),
    ("'\U0001f600' > '\uffee'", True),
    ("UPPER('b') > 'A' + 'z'", True),
    ("ROUND(1.5) in [1, 2]", True),
    ("CASE(1, 1, TEXT(5), 'a')", "5"),
    ("CASE(2, 1, TEXT(5), 'a')", "a"),
    ("FLOOR(FIND('b', 'abc'))", 2),
    ("MIN('2026-12-01', TODAY(), '2026-10-30')", "2026-10-30"),
]


def shown(value: object) -> object:
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    return text_of(value if isinstance(value, int) else Decimal(str(value)))


@pytest.fixture(params=["python", "sqlite", pytest.param("postgres", marks=pytest.mark.postgres), "javascript"])
def results(request: pytest.FixtureRequest, tmp_path: Path) -> list[Any]:
    nodes = [read(text) for text, _ in [*EXAMPLES, *RULES]]
    if request.param == "python":
        return in_python(nodes, [BLANK])[0]
    if request.param == "javascript":
        return in_node(nodes, [BLANK], tmp_path)[0]
    database = opened(request.getfixturevalue(f"{request.param}_url"))
    try:
        fill(database, [BLANK])
        parts = [in_database(database, nodes[start : start + 50])[0] for start in range(0, len(nodes), 50)]
        return [value for part in parts for value in part]
    finally:
        database.close()


def test_examples_and_rules_are_true(results: list[Any]) -> None:
    wrong = [
        (text, found, wanted)
        for (text, wanted), found in zip([*EXAMPLES, *RULES], results, strict=True)
        if found != shown(wanted)
    ]
    assert wrong == []
