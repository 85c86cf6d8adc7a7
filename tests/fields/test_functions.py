"""Is every function of the built-in plugins whole? What they give is tried in tests/formulas, on all back ends."""

import pytest

from engine.contracts.function import Function
from tests.fields.cases import PLUGINS

ALL = pytest.mark.parametrize("function", PLUGINS.functions.values(), ids=lambda function: function.name)


@ALL
def test_a_function_has_a_sentence_and_an_example(function: Function) -> None:
    assert function.name.isupper()
    assert function.doc.endswith(".")
    assert function.examples


@ALL
def test_a_function_works_in_python_and_in_the_browser(function: Function) -> None:
    assert function.python is not None
    assert function.js.startswith("(here")
