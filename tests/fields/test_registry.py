"""Does every registered field type keep its word, by its own good and bad values?"""

import json
from decimal import Decimal
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
import sqlalchemy as sa
from jsonschema import Draft202012Validator

from engine.contracts.field import FieldType
from engine.errors import BadValue
from engine.registry import Plugins, instances
from engine.store.database import Database
from engine.store.types import StoredType
from metadata.model import Field
from tests.fields.cases import BAD, GOOD, KINDS, OPEN, PLUGINS, field_of

SHANGHAI = ZoneInfo("Asia/Shanghai")
CHECKER = Draft202012Validator.FORMAT_CHECKER
# Right in the schema's eyes, refused all the same: what JSON Schema cannot say. docs/fields.md lists them.
BEYOND_SCHEMA = {
    "value.number.scale", "value.number.digits", "value.number.exact", "value.date", "value.datetime",
    "value.date.year", "value.phone", "value.url", "value.email", "value.text.character",
    "value.reference", "value.references.twice", "value.number.finite", "value.json.part", "value.json.long",
    "value.json.deep", "value.address.country", "value.file.size", "value.file.type", "value.secret.character",
}  # fmt: skip


def as_json(value: object) -> Any:
    """What a client gets that reads every digit."""
    return json.loads(orjson.dumps(value), parse_float=Decimal)


def allows(kind: FieldType, field: Field, value: object) -> bool:
    return Draft202012Validator(kind.schema(field), format_checker=CHECKER).is_valid(value)


def test_the_types_that_are_registered() -> None:
    assert sorted(PLUGINS.fields) == [
        "address", "autonumber", "boolean", "choice", "code", "color", "currency", "date", "datetime", "decimal",
        "duration", "email", "file", "formula", "geolocation", "id", "image", "integer", "inverse", "json", "longtext",
        "markdown", "multi_choice", "multi_reference", "objects", "percent", "permission_set", "phone",
        "polymorphic_reference", "rating", "reference", "richtext", "role", "rollup", "secret", "table", "text",
        "time", "url",
    ]  # fmt: skip


def test_two_owners_of_a_name_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"'text': one in plugins\.base\.fields\.text, one in acme\.text"):
        PLUGINS.fields.add(PLUGINS.fields["text"], "acme.text")


def test_a_second_scan_of_the_same_package_is_refused() -> None:
    plugins = Plugins()
    plugins.scan("plugins.base.functions")
    with pytest.raises(ValueError, match="two functions are called 'ABS'"):
        plugins.scan("plugins.base.functions")


def test_a_package_may_get_names_while_it_is_scanned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it does when another thread imports a module of it."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "growing.py").write_text("""
class Odd:
    @property
    def __class__(self):
        globals()["another"] = 1
        return int
odd = Odd()
from plugins.base.functions.abs import ABS
""")
    package = ModuleType("growing_package")
    package.__path__ = [str(tmp_path)]
    monkeypatch.setattr("pkgutil.walk_packages", lambda *_: [SimpleNamespace(name="growing")])
    assert [(one.name, module) for one, module in instances(package)] == [("ABS", "growing")]


@pytest.mark.parametrize("kind", KINDS)
def test_a_type_brings_cases_labels_and_sound_options(kind: FieldType) -> None:
    assert len(kind.good) >= (2 if kind.value == "boolean" else 4)
    assert len(kind.bad) >= 4
    assert set(kind.label) == {"en", "zh-CN"}
    assert kind.name.isidentifier()
    for schema in kind.options.values():
        Draft202012Validator.check_schema(schema)
        assert "default" not in schema or Draft202012Validator(schema).is_valid(schema["default"])


@pytest.mark.parametrize("kind", KINDS)
def test_blank_text_is_blank_for_every_type(kind: FieldType) -> None:
    assert kind.parser(field_of(kind, {"choices": ("new",)}))("") is None


@pytest.mark.parametrize("kind", KINDS)
def test_a_form_without_a_value_is_blank(kind: FieldType) -> None:
    field = field_of(kind, {"choices": ("new",)})
    shown = kind.to_form(field, None, SHANGHAI)
    assert shown in ("", [])
    assert kind.from_form(field, [shown] if isinstance(shown, str) else shown, SHANGHAI) is None


@pytest.mark.parametrize(("kind", "field", "value"), GOOD)
def test_a_good_value_is_taken_and_read_again_alike(kind: FieldType, field: Field, value: object) -> None:
    stored = kind.parser(field)(value)
    assert stored is not None
    assert kind.parser(field)(stored) == stored
    assert list(kind.check(field) if kind.check else ()) == []


@pytest.mark.parametrize(("kind", "field", "value"), OPEN)
def test_a_good_value_passes_through_json(kind: FieldType, field: Field, value: object) -> None:
    stored = kind.parser(field)(value)
    sent = as_json(kind.to_json(stored))
    assert kind.parser(field)(sent) == stored
    assert allows(kind, field, sent)


@pytest.mark.parametrize(("kind", "field", "value"), OPEN)
def test_a_good_value_passes_through_a_browser_form(kind: FieldType, field: Field, value: object) -> None:
    stored = kind.parser(field)(value)
    shown = kind.to_form(field, stored, SHANGHAI)
    sent = [shown.replace("\n", "\r\n")] if isinstance(shown, str) else shown
    assert kind.parser(field)(kind.from_form(field, sent, SHANGHAI)) == stored


@pytest.mark.parametrize(("kind", "field", "value"), OPEN)
def test_a_good_value_passes_through_the_database(
    database: Database, kind: FieldType, field: Field, value: object
) -> None:
    stored = kind.parser(field)(value)
    column_type = kind.column(field)
    assert isinstance(column_type, StoredType)
    table = sa.Table("good", sa.MetaData(), sa.Column("value", column_type))
    with database.write() as connection:
        connection.sa.execute(sa.schema.CreateTable(table))
        connection.sa.execute(table.insert(), [{"value": stored}, {"value": None}])
        kept = connection.sa.scalars(sa.select(table.c.value)).all()
        found = connection.sa.scalar(sa.select(sa.func.count()).where(table.c.value == stored))
        raw = connection.rows("SELECT value FROM good WHERE value IS NOT NULL")[0][0]
        connection.sa.execute(sa.schema.DropTable(table))
    assert kept == [stored, None]
    assert type(kept[0]) is type(stored)
    assert found == 1
    load = column_type.json_loader(database.dialect)
    assert as_json(load(raw) if load else raw) == as_json(kind.to_json(stored))


@pytest.mark.parametrize(("kind", "field", "value"), GOOD)
def test_the_schema_allows_a_good_value(kind: FieldType, field: Field, value: object) -> None:
    assert allows(kind, field, value)


@pytest.mark.parametrize(("kind", "field", "value", "code"), BAD)
def test_a_bad_value_is_refused_with_its_code(kind: FieldType, field: Field, value: object, code: str) -> None:
    with pytest.raises(BadValue) as refused:
        kind.parser(field)(value)
    assert refused.value.code == code
    message = refused.value.message
    assert message.isprintable()
    assert len(message) < 300
    assert message[-1] not in ".!"
    hash(refused.value.values)


@pytest.mark.parametrize(("kind", "field", "value", "code"), BAD)
def test_the_schema_forbids_a_bad_value(kind: FieldType, field: Field, value: object, code: str) -> None:
    is_number_as_text = kind.value == "number" and isinstance(value, str)
    assert code in BEYOND_SCHEMA or is_number_as_text or not allows(kind, field, value)


@pytest.mark.parametrize(("kind", "field", "value", "code"), BAD)
def test_a_bad_text_is_refused_in_a_form_too(kind: FieldType, field: Field, value: object, code: str) -> None:
    """A form may mend what JSON may not ("1,000", "12.5%", a line's end), but never lets another thing pass."""
    if not isinstance(value, str):
        return
    sent = kind.from_form(field, [value], SHANGHAI)
    try:
        stored = kind.parser(field)(sent) if sent is not None else None
    except BadValue:
        return
    assert stored is None or kind.parser(field)(kind.to_json(stored)) == stored
