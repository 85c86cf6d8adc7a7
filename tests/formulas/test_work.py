"""Can anything that a tenant writes run long or take much memory? What it does is counted, not timed."""

import json
import subprocess
import tracemalloc
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.errors import BadInput
from engine.formula.evaluate import evaluator
from engine.formula.js import module
from engine.formula.work import CHARACTERS_MOST, TooMuch
from metadata.formula import FormulaError
from tests.formulas.backends import FUNCTIONS, HERE, RUNTIME, fill, in_database, in_python, opened, read, whole
from tests.formulas.test_lines import EMPTY

LONG = "\U0001f600" * 100_000
RECORD: dict[str, Any] = {**EMPTY, "name": LONG, "note": "aB" * 50_000, "amount": Decimal("1.01")}
MEMORY_MOST = 16 * 1024 * 1024
# Within the limits of the parser, and more than an evaluation may do.
HEAVY = [
    "LEN(" + " + ".join(["UPPER(name)"] * 45) + ")",
    "COALESCE(null, " + ", ".join(["CASE(UPPER(name), LOWER(note), 'x')"] * 50) + ")",
    "IN(UPPER(name), " + ", ".join(["LOWER(name)"] * 150) + ")",
    "SUBSTITUTE(" * 40 + "name" + ", 'a', 'bbbbbbbb')" * 40,
    "SUBSTITUTE(" * 49 + "'aaaaaaaaaa'" + ", 'a', 'aaaaaaaaaa')" * 49,
    "AND(" + ", ".join(["CONTAINS(note, 'x') == false"] * 60) + ")",
    " or ".join(["REGEX(LEFT(note, 2000), '(aB|aBaB|.)*x')"] * 40),
    "IF(" * 12 + "FIND('x', note) > 0" + ", TRIM(name), RIGHT(name, 99999)) == LEFT(name, 99998)" * 12,
]
# Heavy to look at, and done in no time.
LIGHT = [
    "POWER(" * 49 + "1.0000001" + ", 1000)" * 49,
    " * ".join(["1e29"] * 50),
    "(" + " * 1e29) * (".join([" * ".join(["1e29"] * 9)] * 12) + ") / 3",
    "LEN(LPAD('a', 1e20, 'bc')) + LEN(RPAD('a', 1e29, 'd'))",
    "SUBSTITUTE(" * 8 + "'aaaaaaaaaa'" + ", 'a', 'aaaaaaaaaa')" * 8,
    "REGEX('" + "a" * 1500 + "c', '(a+)+b')",
    "REGEX(note, '(a|B)*a(a|B){120}')",
    "ADDDAYS(TODAY(), 1e29) == null and LAST_N_MONTHS(TODAY(), 1e29)",
    "SQRT(" + " * ".join(["1e29"] * 49) + ")",
]


def memory_of(text: str) -> int:
    """Bytes at the highest point of one evaluation. The record's own texts are there before."""
    evaluate, record = evaluator(read(text), FUNCTIONS), whole(RECORD)
    tracemalloc.start()
    try:
        evaluate(HERE, record, None)
    except TooMuch:
        pass
    finally:
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return most


@pytest.mark.parametrize("text", HEAVY, ids=lambda text: text[:20])
def test_what_does_too_much_is_refused(text: str) -> None:
    with pytest.raises(TooMuch) as refused:
        in_python([read(text)], [RECORD])
    assert refused.value.code == "formula.limit"


@pytest.mark.parametrize("text", [*HEAVY, *LIGHT], ids=lambda text: text[:20])
def test_no_formula_takes_much_memory(text: str) -> None:
    assert memory_of(text) < MEMORY_MOST


@pytest.mark.parametrize("text", LIGHT, ids=lambda text: text[:20])
def test_what_only_looks_heavy_is_worked_out(text: str) -> None:
    in_python([read(text)], [RECORD])


def test_the_count_begins_anew_with_each_evaluation() -> None:
    node = read("LEN(UPPER(name) + LOWER(name))")
    assert in_python([node] * 30, [RECORD, RECORD]) == [["100000"] * 30] * 2


def test_the_browser_refuses_what_does_too_much(tmp_path: Path) -> None:
    formulas = {str(index): read(text) for index, text in enumerate([*HEAVY, *LIGHT])}
    call = """
const row = { name: "\\u{1F600}".repeat(100000), note: "aB".repeat(50000), amount: "1.01", lines: [] };
const here = { today: "2026-11-22", now: "2026-11-21T23:15:00.123Z", zone: "UTC", roles: [], departments: [] };
const wanted = [...Array(HEAVY_ONES).fill(true), ...Array(LIGHT_ONES).fill(false)];
const refused = Object.values(formulas).map((one) => {
  try { one(here, row); return false; } catch (error) { return error.message.includes("too much text"); }
});
console.log(JSON.stringify(refused.map((one, at) => one === wanted[at])));
"""
    call = call.replace("HEAVY_ONES", str(len(HEAVY))).replace("LIGHT_ONES", str(len(LIGHT)))
    (tmp_path / "formula.mjs").write_text(RUNTIME.read_text(encoding="utf-8"), encoding="utf-8")
    file = tmp_path / "work.mjs"
    file.write_text(module(formulas, FUNCTIONS, "./formula.mjs") + call, encoding="utf-8")
    done = subprocess.run(["node", str(file)], capture_output=True, text=True, timeout=60, check=False)
    assert (json.loads(done.stdout), done.stderr) == ([True] * len(formulas), "")


def test_sqlite_says_so_for_a_formula_that_python_works_out(sqlite_url: str) -> None:
    database = opened(sqlite_url)
    try:
        fill(database, [RECORD])
        with pytest.raises(Exception, match=r"too big|too much text") as refused:
            in_database(database, [read(HEAVY[3])])
        assert isinstance(refused.value, BadInput) or "too big" in str(refused.value)
    finally:
        database.close()


@pytest.mark.parametrize(
    "text",
    ["'" + "x" * 2001 + "'", " + ".join(["1"] * 170), "1" + " + 1" * 51, "not " * 51 + "is_hot",
     "region" + ".within" * 6],
    ids=["characters", "parts", "calls", "levels", "steps"],
)  # fmt: skip
def test_what_is_over_a_limit_is_refused_before_it_runs(text: str) -> None:
    with pytest.raises(FormulaError) as refused:
        read(text)
    assert refused.value.code == "formula.limit"


assert CHARACTERS_MOST == 20 * 100_000
