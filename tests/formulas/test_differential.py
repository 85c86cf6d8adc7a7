"""Do all back ends agree on formulas and records that nobody thought of? FORMULAS=100000 tries that many others."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from engine.store.database import Database
from metadata.formula import FormulaError, Node, Not
from tests.formulas import backends, generator
from tests.formulas.backends import FUNCTIONS, fill, in_database, in_node, in_python, opened, read, rows_of
from tests.formulas.generator import formulas, records

TOGETHER = 40  # formulas in one statement and one run of Node
ROWS = 6
CASES = int(os.environ.get("FORMULAS", "600"))
KINDS = formulas(3)
HERE = replace(backends.HERE, fiscal_start=4)
any_formula = st.one_of(*KINDS.values())


@contextmanager
def databases(*urls: str) -> Iterator[list[Database]]:
    found = [opened(url) for url in urls]
    try:
        yield found
    finally:
        for database in found:
            database.close()


def readable(texts: list[str]) -> dict[str, Node]:
    """Those within the limits: a formula that grew too long is refused alike everywhere, by the parser."""
    found: dict[str, Node] = {}
    for text in texts:
        try:
            found[text] = read(text)
        except FormulaError as error:
            assert error.code == "formula.limit", (text, error.message)  # noqa: PT017
    return found


@pytest.mark.postgres
def test_all_back_ends_agree(sqlite_url: str, postgres_url: str) -> None:
    with databases(sqlite_url, postgres_url) as found, tempfile.TemporaryDirectory() as folder:

        @settings(max_examples=max(1, CASES // TOGETHER), deadline=None, database=None, phases=[Phase.generate],
                  derandomize="FORMULAS" not in os.environ,
                  suppress_health_check=list(HealthCheck))  # fmt: skip
        @given(
            st.lists(any_formula, min_size=TOGETHER, max_size=TOGETHER), st.lists(records, min_size=ROWS, max_size=ROWS)
        )
        def agree(texts: list[str], rows: list[dict[str, object]]) -> None:
            made = readable(texts)
            nodes = list(made.values())
            answers = {"python": in_python(nodes, rows, HERE), "javascript": in_node(nodes, rows, Path(folder), HERE)}
            for database in found:
                fill(database, rows)
                answers[database.dialect] = in_database(database, nodes, HERE)
            for row, record in enumerate(rows):
                for index, text in enumerate(made):
                    each = {name: answer[row][index] for name, answer in answers.items()}
                    if len({repr(value) for value in each.values()}) > 1:
                        pytest.fail(f"{text}\n{each}\n{record}", pytrace=False)

        agree()


@pytest.mark.postgres
def test_rows_of_a_condition_and_rows_of_its_opposite_are_all_rows(sqlite_url: str, postgres_url: str) -> None:
    with databases(sqlite_url, postgres_url) as found:

        @settings(max_examples=max(1, CASES // 60), deadline=None, database=None, phases=[Phase.generate],
                  derandomize="FORMULAS" not in os.environ,
                  suppress_health_check=list(HealthCheck))  # fmt: skip
        @given(st.lists(KINDS["boolean"], min_size=5, max_size=5), st.lists(records, min_size=ROWS, max_size=ROWS))
        def complete(texts: list[str], rows: list[dict[str, object]]) -> None:
            made = readable(texts)
            for database in found:
                fill(database, rows)
                for text, node in made.items():
                    both = (rows_of(database, node, HERE), rows_of(database, Not(node), HERE))
                    assert sorted([*both[0], *both[1]]) == [*range(ROWS)], (text, both)

        complete()


def test_generated_formulas_are_of_all_functions() -> None:
    """So that none is compared by its examples only. Places: test_places.py; ids: tests/records/test_titles.py."""
    source = Path(generator.__file__ or "").read_text(encoding="utf-8")
    elsewhere = {"DISTANCE", "PART", "ID_TEXT"}
    assert [name for name in FUNCTIONS if name not in source and name not in elsewhere] == []
