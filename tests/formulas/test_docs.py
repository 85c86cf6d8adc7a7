"""Does docs/formulas.md say what each function does, with its examples, and name no other?"""

import re
from pathlib import Path

import pytest

from engine.contracts.function import Function
from tests.fields.cases import PLUGINS

DOCS = (Path(__file__).parents[2] / "docs" / "formulas.md").read_text(encoding="utf-8")


def shown(value: object) -> str:
    if value is None or isinstance(value, bool):
        return {None: "blank", True: "true", False: "false"}[value]
    return f"`{value!r}`" if not isinstance(value, str) else f"`'{value}'`"


@pytest.mark.parametrize("function", PLUGINS.functions.values(), ids=lambda function: function.name)
def test_a_function_is_described_with_its_examples(function: Function) -> None:
    found = re.search(rf"^\*\*`{function.name}\([^`]*\)`\*\* (.*)\n\n((?:- .*\n)+)", DOCS, re.MULTILINE)
    assert found is not None
    assert found[1] == function.doc
    assert found[2] == "".join(f"- `{text}` is {shown(value)}\n" for text, value in function.examples)


def test_only_functions_that_exist_are_described() -> None:
    assert {*re.findall(r"^\*\*`(\w+)\(", DOCS, re.MULTILINE)} == {*PLUGINS.functions}
