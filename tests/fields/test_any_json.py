"""Whatever is sent, a parser gives a value that it takes again, or refuses; and its schema tells which."""

import math
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from engine.contracts.field import FieldType
from engine.errors import BadValue
from tests.depth import at_depth
from tests.fields.cases import KINDS, field_of
from tests.fields.test_registry import BEYOND_SCHEMA, as_json

HARD_TEXTS = st.sampled_from([
    "", " ", "\x00", "\ud800", "\u2028", "\ufeff", "1e999", "NaN", "-", "0x1F", "1_000", "१२", "+5", "2026-02-30",
    "0000-01-01", "2026-11-22T24:00:00Z", "2026-11-22T23:59:60Z", "2026-11-22T10:00:00+24:00", "10000-01-01",
    "https://[", "https://a:b", "https://\u2100/", "+", "+1", "0" * 40, "-" * 40, "a@b", "<" * 50, "&#x0;", "-0.0",
    "9" * 19, "転", "12:30\n", "new\n",
])  # fmt: skip
NUMBERS = st.one_of(st.integers(), st.floats(), st.integers(-(2**70), 2**70), st.just(10**5000), st.decimals(places=3))
SCALARS = st.one_of(
    st.none().map(lambda _: ""), st.booleans(), NUMBERS, st.text(), st.text(st.characters(), max_size=300), HARD_TEXTS,
    st.dates().map(str), st.datetimes(timezones=st.timezones()).map(lambda moment: moment.isoformat()),
    st.times().map(str), st.emails(), st.uuids().map(str), st.from_regex(r"https?://[a-z]{1,9}\.[a-z]{2,3}/\S{0,9}"),
    st.from_regex(r"\+?[0-9 \-()]{3,20}", fullmatch=True), st.decimals(allow_nan=False).map(str),
)  # fmt: skip
ANY_JSON = st.one_of(SCALARS, st.lists(SCALARS, max_size=3), st.dictionaries(st.text(max_size=3), SCALARS, max_size=2))
TIGHT = {
    "length": 12,
    "min": -5,
    "max": 100,
    "precision": 6,
    "scale": 2,
    "pattern": "[A-Z]*-?[0-9]+",
    "choices": ("new", "old"),
}


def options_of(kind: FieldType, is_tight: bool) -> dict[str, object]:
    return {name: TIGHT[name] for name in TIGHT if is_tight and name in kind.options} | {"choices": TIGHT["choices"]}


def is_json(value: object) -> bool:
    """Whether it could come over the wire as it is: no NaN, no half characters, no Python numbers.

    Of whole numbers, those that jsonschema can name in its message."""
    if isinstance(value, list):
        return all(map(is_json, value))
    if isinstance(value, str):
        return not any("\ud800" <= character <= "\udfff" for character in value)
    if isinstance(value, int):
        return value.bit_length() < 1000
    return not isinstance(value, Decimal | dict) and not (isinstance(value, float) and not math.isfinite(value))


@pytest.mark.parametrize("is_tight", [False, True])
@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=at_depth(20, 400), deadline=None)
@given(value=ANY_JSON)
def test_a_parser_takes_or_refuses_and_agrees_with_its_schema(kind: FieldType, is_tight: bool, value: object) -> None:
    field = field_of(kind, options_of(kind, is_tight))
    schema = Draft202012Validator(kind.schema(field), format_checker=Draft202012Validator.FORMAT_CHECKER)
    parse = kind.parser(field)
    try:
        stored = parse(value)
    except BadValue as refused:
        is_beyond = refused.code in BEYOND_SCHEMA or (kind.value == "number" and isinstance(value, str))
        is_beyond |= refused.code == "value.text.long" and "contentMediaType" in kind.schema(field)  # it has grown
        # jsonschema matches with Python's "$", which lets a line break follow; JavaScript's does not.
        is_line = isinstance(value, str) and value.endswith("\n")
        assert is_beyond or is_line or not is_json(value) or not schema.is_valid(value)
        return
    if stored is None:
        return
    assert schema.is_valid(value) or not is_json(value)
    assert parse(stored) == stored
    if kind.is_secret:
        return  # its answer is not the value
    sent = as_json(kind.to_json(stored))
    assert parse(sent) == stored
    assert schema.is_valid(sent) or is_tight
