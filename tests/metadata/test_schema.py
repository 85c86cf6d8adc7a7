"""Do the published schemas take what the loader takes, and does the quick check agree with jsonschema?"""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.cli import main
from engine.registry import Plugins
from metadata.schema import field_schema, kind_schema, published, shared
from metadata.schema.quick import quick
from metadata.shape import Validator
from metadata.sources import KINDS, read

CRM = Path(__file__).parents[2] / "examples" / "crm"


@pytest.fixture(scope="module")
def schemas(plugins: Plugins) -> dict[str, dict[str, Any]]:
    return published(plugins.kinds(), plugins.parts())


def test_there_is_a_schema_for_every_kind_and_one_for_any(schemas: dict[str, Any]) -> None:
    assert sorted(schemas) == sorted([*(f"{kind}.json" for kind in KINDS), "definition.json"])
    for schema in schemas.values():
        jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("file", ["definition.json", ""])
def test_the_example_is_valid_for_editors(schemas: dict[str, Any], file: str) -> None:
    source = read(CRM)
    for kind, documents in source.documents.items():
        validator = jsonschema.Draft202012Validator(schemas[file or f"{kind}.json"])
        for document in documents:
            assert [error.message for error in validator.iter_errors(document.data)] == [], document.file


@pytest.mark.parametrize(
    "definition",
    [
        {"object": "a", "fields": {"x": {"type": "text", "lenght": 3}}},
        {"object": "a", "fields": {"x": {"type": "txet"}}},
        {"object": "a", "fields": {"x": {"type": "choice"}}},
        {"object": "a", "fields": {"x": {"type": "id"}}},
        {"object": "a b", "fields": {}},
        {"view": "v", "object": "a"},
        {"field": "a.x", "type": "date", "length": 3},
        {"role": "r", "objects": {"a": ["raed"]}},
        {"layout": "l", "object": "a", "sections": [{"fields": ["x"], "columns": 5}]},
        {"object": "a", "color": "bleu", "fields": {}},
        {"approval": "a", "object": "b", "flow": [{"approve": "c"}]},
        {"approval": "a", "object": "b", "flow": [{"approve": "c", "approvers": "manager"}]},
        {"approval": "a", "object": "b", "flow": [{"approve": "c", "approvers": {"manager_chain": {"levle": 1}}}]},
        {"approval": "a", "object": "b", "flow": [{"approve": "c", "approvers": [{"role": {}}]}]},
        {"approval": "a", "object": "b", "flow": [{"approve": "c", "approvers": "owner", "mode": "most"}]},
        {"approval": "a", "object": "b", "flow": [], "on": {"approve": [{"sett": {"stage": "won"}}]}},
    ],
)
def test_an_editor_marks_what_the_loader_refuses(schemas: dict[str, Any], definition: dict[str, Any]) -> None:
    assert not jsonschema.Draft202012Validator(schemas["definition.json"]).is_valid(definition)


def test_an_editor_takes_an_added_field(schemas: dict[str, Any]) -> None:
    added = {"field": "a.x", "type": "text", "length": 3}
    assert jsonschema.Draft202012Validator(schemas["definition.json"]).is_valid(added)


def test_an_editor_takes_sources_of_approvers_with_options_and_without(schemas: dict[str, Any]) -> None:
    sources = ["owner", {"role": "finance"}, {"manager_chain": {"level": 2}, "when": "amount > 5"}, {"owner": None}]
    flow = [{"approve": "a", "approvers": sources, "mode": {"vote": "60%"}}, {"handle": "b", "approvers": "submitter"}]
    approval = {"approval": "a", "object": "b", "calendar": "c", "flow": flow, "on": {"approve": {"set": {"x": 1}}}}
    validator = jsonschema.Draft202012Validator(schemas["definition.json"])
    assert [error.message for error in validator.iter_errors(approval)] == []


def test_a_schema_holds_only_what_it_needs(schemas: dict[str, Any]) -> None:
    assert sorted(schemas["menu.json"]["$defs"]) == ["icon", "name", "text"]


def test_the_command_writes_the_schemas(tmp_path: Path) -> None:
    assert main(["check", "--schema", str(tmp_path / "out")]) == 0
    written = json.loads((tmp_path / "out" / "object.json").read_text("utf-8"))
    assert "text_field" in written["$defs"]


def test_every_schema_has_a_quick_check(plugins: Plugins) -> None:
    for kind in KINDS:
        assert quick(kind_schema(kind), shared()) is not None
    for kind in plugins.kinds().values():
        assert quick(field_schema(kind), shared()) is not None


@pytest.mark.parametrize(
    "schema",
    [
        {"minimum": 2}, {"maximum": 2}, {"exclusiveMinimum": 2}, {"exclusiveMaximum": 2}, {"minLength": 2},
        {"maxLength": 2}, {"minItems": 2}, {"maxItems": 2}, {"minProperties": 1}, {"maxProperties": 1},
        {"pattern": "^a+$"}, {"enum": [1, "aa", None]}, {"const": True}, {"const": 1}, {"required": ["a"]},
        {"items": {"type": "integer"}}, {"type": ["string", "null"]}, {"type": "number"}, {"type": "boolean"},
        {"properties": {"a": {"type": "integer"}}, "additionalProperties": False},
        {"properties": {"a": {}}, "additionalProperties": {"type": "string"}},
        {"allOf": [{"type": "string"}, {"minLength": 2}]}, {"anyOf": [{"type": "null"}, {"minimum": 2}]},
    ],
)  # fmt: skip
def test_every_keyword_of_the_quick_check_means_what_jsonschema_says(schema: dict[str, Any]) -> None:
    check = quick(schema, {})
    assert check is not None
    values: list[Any] = [
        0, 1, 2, 3, 1.5, 2.0, -1, True, False, None, "", "a", "aa", "aaa", "b",
        [], [1], [1, 2], ["a", 1], [1, 2, 3], {}, {"a": 1}, {"b": "x"}, {"a": "x", "b": "y"}, {"a": 1, "b": 2},
    ]  # fmt: skip
    assert [check(value) for value in values] == [Validator(schema).is_valid(value) for value in values]


def test_a_keyword_that_the_quick_check_does_not_know_is_left_to_jsonschema() -> None:
    assert quick({"properties": {"a": {"multipleOf": 3}}}, {}) is None


scalar = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 200), st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", "a", "text", "choice", "blue", "read", "en", "x y", "yes"]),
)  # fmt: skip
keys = st.sampled_from(
    ["type", "label", "required", "length", "choices", "to", "min", "fields", "columns", "sections", "tabs", "object",
     "view", "layout", "can", "rows", "items", "order", "unique", "default", "color", "records", "objects", "en"]
)  # fmt: skip
anything = st.recursive(scalar, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4))


@given(st.sampled_from(KINDS), st.dictionaries(keys, anything, max_size=6))
def test_the_quick_check_agrees_with_jsonschema(kind: str, data: dict[str, Any]) -> None:
    schema = kind_schema(kind)
    check = quick(schema, shared())
    assert check is not None
    assert check(data) == Validator(schema).is_valid(data)


@given(data=st.dictionaries(keys, anything, max_size=6))
def test_the_quick_check_of_fields_agrees_with_jsonschema(plugins: Plugins, data: dict[str, Any]) -> None:
    for kind in plugins.kinds().values():
        schema = field_schema(kind)
        check = quick(schema, shared())
        assert check is not None
        assert check(data) == Validator({**schema, "$defs": shared()}).is_valid(data)
