"""Is what the databases reckon in their own numbers what Python reckons exactly, up to where these overflow?"""

import random
from collections.abc import Iterator
from decimal import Decimal

import pytest

from engine.contracts.function import Here
from engine.formula.evaluate import evaluator
from engine.formula.exact import fitted
from engine.formula.fields import tree_of
from engine.service import Query
from engine.testing import Running, running

NUMBERS = ("a", "b", "c", "d")
EDGES = {
    "a": (None, "0", "0.01", "-0.01", "9999999999999999.99", "-9999999999999999.99", "123.45", "-2.50", "0.05"),
    "b": (None, "0", "1", "-1", "9223372036854775807", "-9223372036854775808", "3000000000", "7", "-13"),
    "c": (None, "0", "0.000001", "99999.999999", "-0.5", "1.5", "2.5", "-99999.999999", "0.333333"),
    "d": (None, "0", "100", "12.5", "-12.5", "33.33", "0.01", "9999999.99", "50"),
}


def grown(chance: random.Random, depth: int) -> str:
    if depth == 0 or chance.random() < 0.2:
        return chance.choice((*NUMBERS, "2", "0.5", "100", "0.125", "3.14159", "-1", "1000000"))
    left, right = (grown(chance, depth - 1) for _ in range(2))
    match chance.randrange(8):
        case 0:
            return f"ROUND({left}, {chance.randrange(4)})"
        case 1:
            return f"IF({left} > {right}, {left}, {right})"
        case 2:
            return f"({left} / {chance.choice(('100', '8', '0.5', '1000', '-4', '0.2'))})"
        case number:
            return f"({left} {'+-**+'[number - 3]} {right})"


FORMULAS = [grown(random.Random(seed), 3) for seed in range(120)]
RETURNS = (("integer", 0), ("decimal", 4), ("currency", 2), ("decimal", 10))


def package() -> str:
    fields = "\n".join(
        f'  f{n}: {{type: formula, formula: "{text}", returns: {kind}{f", scale: {scale}" if scale else ""}}}'
        for n, text in enumerate(FORMULAS)
        for kind, scale in [RETURNS[n % 4]]
    )
    return f"""
package: numbers
version: 1.0.0
label: Numbers
---
object: row
label: Row
fields:
  name: {{type: text}}
  a: {{type: currency}}
  b: {{type: integer}}
  c: {{type: decimal, precision: 11, scale: 6}}
  d: {{type: percent}}
{fields}
"""


@pytest.fixture
def numbers(database_url: str) -> Iterator[Running]:
    with running(database_url, [package()]) as site:
        yield site


def test_all_agree_with_python(numbers: Running) -> None:
    chance = random.Random(5)
    rows = [{name: chance.choice(EDGES[name]) for name in NUMBERS} for _ in range(60)]
    numbers.records().batch("row", [
        {"action": "create", "values": {**row, "b": None if row["b"] is None else int(row["b"])}} for row in rows
    ])  # fmt: skip
    snapshot = numbers.tenant.snapshot()
    definition = snapshot.definitions.objects["row"]
    names = [name for name in definition.fields if name.startswith("f")]
    wrong = []
    for start in range(0, len(names), 40):
        part = tuple(names[start : start + 40])
        found = numbers.records().page(Query("row", (*NUMBERS, *part), limit=100))
        for row in found.rows:
            record = dict(zip(NUMBERS, row, strict=False))
            for name, value in zip(part, row[len(NUMBERS) :], strict=True):
                field = definition.fields[name]
                exact = evaluator(tree_of(snapshot, "row", field), snapshot.plugins.functions)(Here(), record, None)
                scale = RETURNS[int(name[1:]) % 4][1]
                if value != fitted(exact, scale):
                    wrong.append((field.formula, record, value, fitted(exact, scale)))
    assert wrong == []


def test_the_fast_way_is_taken_and_left_where_it_overflows(numbers: Running) -> None:
    numbers.records().create("row", {"name": "x", "a": "9999999999999999.99", "b": 2**62})
    numbers.publish(package() + "  big: {type: formula, formula: a * b - a * b + a, returns: currency}\n")
    found = numbers.records().page(Query("row", ("big",)))
    assert found.rows == [(Decimal("9999999999999999.99"),)]
