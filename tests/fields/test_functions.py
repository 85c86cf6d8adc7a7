"""Is every function of the built-in plugins whole? What they give is tried in tests/formulas, on all back ends."""

import re

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


@ALL
def test_a_function_that_asks_for_time_zone_or_person_is_volatile(function: Function) -> None:
    asks = re.search(r"here\.(now|today|zone|roles|departments|userId)|fs\.(within|isWithin|isNear)\(here", function.js)
    assert function.is_volatile == (asks is not None)
