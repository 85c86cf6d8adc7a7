"""What a field type must answer. One file in plugins/base/fields/ holds one instance."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from engine.errors import BadValue
from engine.store import types
from metadata.model import ChosenFrom, Field, FieldKind, Source, Text, ValueType

__all__ = ["FieldType", "Parse", "worked_out"]

Parse = Callable[[object], object]
"""A JSON or Python value, never None -> the value as stored (str, int, Decimal, bool, date, datetime UTC, time, list).
Returns None for blank ("" is blank). Raises BadValue."""


def plain_form(field: Field, sent: Sequence[str], zone: ZoneInfo) -> object:
    """The last value that the browser sent, trimmed; None when blank."""
    text = sent[-1].strip() if sent else ""
    return text or None


def plain_text(field: Field, value: Any, zone: ZoneInfo) -> str:
    return "" if value is None else str(value)


def same(value: Any) -> Any:
    return value


UTC_ZONE = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class FieldType:
    """A kind of field: how it is declared, stored, checked, sent and edited.

    `parser`, `column`, `schema` get the field's definition once, when a metadata version is compiled, and must be pure.
    """

    name: str
    label: Text
    value: ValueType
    column: Callable[[Field], sa.types.TypeEngine[Any]]  # one of engine.store.types
    parser: Callable[[Field], Parse]
    schema: Callable[[Field], Mapping[str, object]]  # JSON Schema of a non-blank value in the API
    widget: str  # ui/templates/widgets/<widget>.html
    cell: str  # how lists and pages show it: a key of ui's cells
    good: tuple[tuple[Mapping[str, object], object], ...]  # (options, JSON value) pairs that are taken
    bad: tuple[tuple[Mapping[str, object], object, str], ...]  # (options, JSON value, problem code)
    options: Mapping[str, Mapping[str, object]] = field(default_factory=dict)  # option -> JSON Schema with "default"
    required_options: tuple[str, ...] = ()
    has_choices: bool = False
    chosen_from: ChosenFrom = ""  # its choices are what the definitions have of these: the field lists none
    refers: bool = False
    is_computed: bool = False
    is_searchable: bool = False  # read by the search box
    may_be_title: bool = False
    may_be_unique: bool = True
    may_be_indexed: bool = True
    may_default: bool = True
    default_words: Mapping[str, Callable[[Any], object]] = field(default_factory=dict)  # word -> f(Context) -> value
    check: Callable[[Field], Iterable[tuple[str, str, str, str]]] | None = None
    to_json: Callable[[Any], object] = same  # stored -> JSON-ready (orjson takes str, int, float, bool, date, datetime)
    from_form: Callable[[Field, Sequence[str], ZoneInfo], object] = plain_form  # -> JSON value for `parser`, or None
    to_form: Callable[[Field, Any, ZoneInfo], str | list[str]] = plain_text  # stored -> what the widget holds
    source: Source = "value"  # where values come from; unless they are written, see `worked_out`
    targets: bool = False  # refers to one of several objects, or to several records: `to` is a name or a list
    is_internal: bool = False  # for system fields only: no package may use it
    generate: Callable[[Field, datetime, int, Mapping[str, Any]], str] | None = None
    """(field, now in the person's zone, number, stored values at the paths that `reads` names) -> value"""
    counter_period: Callable[[Field, datetime, Mapping[str, Any]], str] | None = None
    """(field, now, values) -> "2026-11": a new one starts the counter again"""
    reads: Callable[[Field], tuple[str, ...]] | None = None  # paths of the record that `generate` asks for
    counter_start: Callable[[Field], int] | None = None  # the first number of each period; 1 unless said
    check_change: Callable[[Field, Any, Any], None] | None = None
    """(field, stored value to be, stored value before or None): raises BadValue for what may stay but not come anew."""
    keep: Callable[[Field, Any, Any], Any] | None = None
    """(field, parsed value, stored value before or None) -> the value that is meant, where what answers show of a value
    is less than the value: sent back unchanged, it is the value itself."""
    is_secret: bool = False
    """Its parser gives engine.sealed.Unsealed, which is encrypted before it is stored. Only its mask is ever read: no
    filter, order, group, formula or index, and the history keeps that it changed."""
    attaches: Callable[[Any], Sequence[str]] | None = None
    """Stored value -> ids of the files that it holds. The record service checks that the person may have them, puts
    what is known of each in place of {"id"}, and parses again."""

    def kind(self) -> FieldKind:
        """What the loader of definitions needs to know, as plain data."""

        # A sheet of sample data asks for one field many times: its parser is made once.
        parsers: dict[int, tuple[Field, Parse]] = {}

        def check_value(definition: Field, value: object) -> str | None:
            known = parsers.get(id(definition))
            if self.attaches is not None:
                return "files are uploaded: definitions and sample data hold none"
            try:
                if known is None or known[0] is not definition:
                    known = parsers[id(definition)] = (definition, self.parser(definition))
                known[1](value)
            except BadValue as bad:
                return bad.message
            except ValueError:
                return None  # the field's own options are wrong: `check` tells that
            return None

        def read_text(definition: Field, text: str) -> object:
            return self.from_form(definition, [text], UTC_ZONE)

        return FieldKind(
            name=self.name, value=self.value, options=self.options, required_options=self.required_options,
            has_choices=self.has_choices, refers=self.refers, is_computed=self.is_computed,
            may_be_title=self.may_be_title,
            is_searchable=self.is_searchable, may_be_unique=self.may_be_unique, may_be_indexed=self.may_be_indexed,
            may_default=self.may_default, default_words=tuple(self.default_words), check=self.check,
            check_value=check_value,
            is_internal=self.is_internal, read_text=read_text, source=self.source, targets=self.targets,
            reads=self.reads, chosen_from=self.chosen_from,
        )  # fmt: skip


def worked_out(
    name: str, label: Text, source: Source, options: Mapping[str, Mapping[str, object]], *,
    value: ValueType = "text", required_options: tuple[str, ...] = (), widget: str = "readonly", cell: str = "text",
    check: Callable[[Field], Iterable[tuple[str, str, str, str]]] | None = None,
) -> FieldType:  # fmt: skip
    """A type of fields that nobody writes. One that `returns` another type is that one wherever it is read."""

    def refuse(sent: object) -> object:
        raise BadValue("value.read_only", "the engine works this field out", "leave it out")

    return FieldType(
        name=name, label=label, value=value, source=source, options=options, required_options=required_options,
        widget=widget, cell=cell, check=check, column=lambda field: types.Text(), parser=lambda field: refuse,
        schema=lambda field: {"readOnly": True}, is_computed=True, may_default=False, may_be_unique=False,
        may_be_indexed=source == "rollup", good=(), bad=(),
    )  # fmt: skip
