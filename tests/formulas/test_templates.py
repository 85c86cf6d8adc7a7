"""Do texts with formulas in them come out the same everywhere, and is a wrong one refused at its column?"""

from pathlib import Path

import pytest

from metadata.formula import FormulaError, Node
from metadata.formula.template import as_node, parse
from tests.formulas.backends import FUNCTIONS, NAMES, fill, in_database, in_node, in_python, opened
from tests.formulas.test_lines import EMPTY, RECORD

TEXTS: list[tuple[str, object, object]] = [
    ("{name} - {count}", "bolt - 3", " - "),
    ("{amount * 2} EUR", "200.1 EUR", "0 EUR"),
    ("no formula", "no formula", "no formula"),
    ("", None, None),
    ("{note}", None, None),
    ("{{{name}}}", "{bolt}", "{}"),
    ("{IF(count > 2, '{many}', 'few')}: {COUNT(lines)}", "{many}: 3", "few: 0"),
    ("{'it\\'s }'}{TODAY()}", "it's }2026-11-22", "it's }2026-11-22"),
    ("{name}" * 50, "bolt" * 50, None),
    ("{config.house.motto}/{user.username}", "华东 a/lin", "华东 a/lin"),
]


def read(text: str) -> Node:
    return as_node(parse(text, NAMES, FUNCTIONS))


def test_a_text_is_the_same_everywhere(database_url: str, tmp_path: Path) -> None:
    nodes = [read(text) for text, _, _ in TEXTS]
    records = [RECORD, EMPTY]
    wanted = [[first for _, first, _ in TEXTS], [second for _, _, second in TEXTS]]
    assert in_python(nodes, records) == wanted
    assert in_node(nodes, records, tmp_path) == wanted
    database = opened(database_url)
    try:
        fill(database, records)
        assert in_database(database, nodes) == wanted
    finally:
        database.close()


def test_parts_are_texts_and_formulas() -> None:
    parts = parse("a{{b {name}c", NAMES, FUNCTIONS)
    assert [part if isinstance(part, str) else part.type for part in parts] == ["a{b ", "text", "c"]


@pytest.mark.parametrize(
    ("text", "column", "code", "message", "fix"),
    [
        ("Dear {nmae}", 7, "formula.name.unknown", "no field 'nmae'", "write 'name'?"),
        ("a } b", 3, "formula.syntax", "a '}' closes nothing", "write '}}' for the sign"),
        ("a {name", 3, "formula.syntax", "a '{' is not closed", "write '{{' for the sign"),
        ("a {name {b}", 3, "formula.syntax", "a '{' within a formula", "write '{{' for the sign"),
        ("{}", 2, "formula.syntax", "the formula is empty", "leave it out"),
        ("in {region}", 5, "formula.type",
         "'region' is a reference, where TEXT takes a number or a date or a time or a text", "write region.name?"),
        ("is {is_hot}", 5, "formula.type",
         "'is_hot' is true or false, where TEXT takes a number or a date or a time or a text", ""),
        ("x" * 10_001, 1, "formula.limit", "a text with formulas has at most 10,000 characters, not 10,001", ""),
        ("{name}" * 51, 1, "formula.limit", "a text has at most 50 formulas", ""),
    ],
)  # fmt: skip
def test_a_wrong_text_is_refused(text: str, column: int, code: str, message: str, fix: str) -> None:
    with pytest.raises(FormulaError) as error:
        read(text)
    found = error.value
    assert (found.column, found.code, found.message, found.fix) == (column, code, message, fix)
