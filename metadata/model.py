"""What definitions say, as frozen data. Knows no files, no field types and no database."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from metadata.pages import Cell, Layout, Menu, MenuItem, RelatedList, Section, SortKey, Tab, View
from metadata.problem import Place, Problem
from metadata.processes import Processes
from metadata.rights import (
    ACCESS,
    ACTIONS,
    GRANTABLE,
    REACHES,
    SYSTEM_PERMISSIONS,
    Action,
    Grant,
    RestrictionRule,
    Role,
    SharingRule,
)
from metadata.scenarios import Scenario

__all__ = [
    "Cell", "Choice", "ChosenFrom", "Data", "Definitions", "DuplicateRule", "Field", "FieldKind", "Grant", "Layout",
    "Match", "Menu", "MenuItem", "Object", "Package", "Record", "RecordType", "RelatedList", "RestrictionRule", "Role",
    "Section", "SharingRule", "SortKey", "Source", "Tab", "Text", "Validation", "ValueType", "View", "SYSTEM_FIELDS",
    "ACCESS", "ACTIONS", "EVERY", "Action", "GRANTABLE", "MATCH_WAYS", "MAX_JOINS", "REACHES", "SYSTEM_PERMISSIONS",
    "path_to", "say",
]  # fmt: skip

Text = Mapping[str, str]
"""A text by language: {"en": "Lead", "zh-CN": "线索"}. A plain string in YAML is in the package's first language."""

ValueType = Literal[
    "text", "number", "boolean", "date", "datetime", "time", "choice", "choices", "reference", "json", "lines", "secret"
]
"""What a value is to a formula. A secret is nothing to it: it can only be shown, as a mask."""

Source = Literal["value", "formula", "rollup", "lines", "inverse"]
"""Where a field's value comes from: it is written; worked out where it is read (no column); kept by the engine in a
column; records of a child object that belong to this one; records that refer to this one."""

ChosenFrom = Literal["", "roles", "permission_sets", "objects"]
"""What the choices of a field are, where the definitions as a whole give them: every role, every permission set, every
object of the packages that is no child."""

MAX_JOINS = 50  # references that one list goes through: SQLite takes at most 64 tables in a join

NONE: Mapping[str, str] = MappingProxyType({})
NOWHERE = Place("")
EVERY = "*"  # as a target: whatever object there is


def say(text: Text, language: str) -> str:
    """The text in `language`, else in its base language, else in English, else in whatever there is; "" if empty."""
    if language in text:
        return text[language]
    base = language.split("-")[0]
    for candidate, value in text.items():
        if candidate.split("-")[0] == base:
            return value
    return text.get("en") or next(iter(text.values()), "")


@dataclass(frozen=True, slots=True)
class FieldKind:
    """What definitions must know of a field type. The registry of field types hands these in as plain data."""

    name: str
    value: ValueType
    options: Mapping[str, Mapping[str, object]] = field(default_factory=dict)  # option -> JSON Schema, with "default"
    required_options: tuple[str, ...] = ()
    has_choices: bool = False  # takes `choices`
    refers: bool = False  # takes `to`, which names an object, and `on_delete`
    is_computed: bool = False  # the engine writes it (autonumber): never required, never defaulted
    may_be_title: bool = False  # a record's title can be this field
    is_searchable: bool = False  # read by the search box, unless the object says which fields are
    may_be_unique: bool = True
    may_be_indexed: bool = True
    may_default: bool = True
    default_words: tuple[str, ...] = ()  # words that a default may be besides a literal: ("today",)
    check: Callable[["Field"], Iterable[tuple[str, str, str, str]]] | None = None
    """Further checks of a field's options: yields (path below the field, code, message, fix)."""
    check_value: Callable[["Field", object], str | None] | None = None
    """Why a literal (a default, a value of sample data) is not one of this field, or None if it is."""
    is_internal: bool = False  # the type of a system field: packages may not use it
    read_text: Callable[["Field", str], object] | None = None  # a cell of CSV -> the JSON value that it means
    reads: Callable[["Field"], tuple[str, ...]] | None = None  # paths of the record that its values are made of
    source: Source = "value"
    targets: bool = False  # takes `to`, which names one object or several, and has no column that refers to one table
    chosen_from: ChosenFrom = ""


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    label: Text
    color: str = ""  # a name of the palette: "blue"; "" is neutral
    is_retired: bool = False  # kept for old records, no longer offered
    only_for: tuple[str, ...] = ()  # values of the field `depends_on` with which it is offered; () is all


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    type: str
    label: Text
    package: str = ""
    help: Text = field(default_factory=dict)
    is_required: bool = False
    is_read_only: bool = False
    is_hidden: bool = False
    is_unique: bool = False
    is_indexed: bool = False
    default: object = None  # a literal as JSON, or one of its kind's default_words
    options: Mapping[str, object] = field(default_factory=dict)  # the type's own, checked, defaults filled in
    choices: tuple[Choice, ...] = ()
    chosen_from: ChosenFrom = ""  # where its choices come from, if it does not list them
    target: str = ""  # of a reference: the object that it points to
    on_delete: Literal["set_null", "restrict", "cascade"] = "set_null"
    was: tuple[str, ...] = ()  # earlier names, oldest first
    value: ValueType = "text"  # its type's: what the field is to a formula
    source: Source = "value"
    formula: str = ""  # of a formula field, whose `type` and `options` are those of what it gives
    of: str = ""  # of a roll-up, of lines and of an inverse list: the object whose records these are
    by: str = ""  # ... and the reference of that object that points here
    operation: str = ""  # of a roll-up: count, sum, min, max, average
    measured: str = ""  # ... and the field that is summed
    filter: str = ""  # a formula: of a reference, what may be chosen; of a roll-up, which records count
    targets: tuple[str, ...] = ()  # of a reference to one of several objects, or to several records
    is_master: bool = False  # of a reference: the record belongs to that one, whose rights and deletion it follows
    show_if: str = ""  # formulas
    require_if: str = ""
    lock_if: str = ""
    default_formula: str = ""
    fetch: str = ""  # a path whose value is taken over when the reference that it begins with is set or changed
    fetches_if_blank: bool = False  # ... only where there is no value yet
    depends_on: str = ""  # the choice field on which it depends which choices are offered
    is_set_once: bool = False
    is_kept: bool = False  # the engine alone writes it, whoever asks for it
    is_copied: bool = True
    is_tracked: bool = True  # the history tells what it was
    mask: str = ""  # what whoever may not see the value is shown of it: a word of engine.access.masks, or a pattern
    reveals: bool = False  # worked out: shown to whoever may not see all that it is worked out from
    is_masked: bool = False  # never defined: how a Scope marks a field of which a person sees the mask only
    category: str = ""  # of the personal data that it holds; "" is none
    purpose: str = ""  # ... and what that is kept for
    retention_days: int = 0  # ... and how long after the last change of its record; 0 is not said
    place: Place = NOWHERE

    @property
    def is_stored(self) -> bool:
        """Whether it has a column."""
        return self.source in ("value", "rollup")

    @property
    def is_written(self) -> bool:
        """Whether a value is sent for it; else the engine works it out."""
        return self.source == "value"

    @property
    def is_needed(self) -> bool:
        """Whether a new record must be sent with it: nothing else gives it a value, and no condition spares it."""
        return self.is_required and self.default is None and not (self.default_formula or self.fetch or self.show_if)

    @property
    def is_list_of_records(self) -> bool:
        """Whether it stands for records that refer to this one: it is no column, and read apart."""
        return self.source in ("lines", "inverse")

    @property
    def refers_to_many(self) -> bool:
        """Whether it holds ids of several records of one object."""
        return bool(self.targets) and self.value == "choices"

    @property
    def refers_to_any(self) -> bool:
        """Whether it refers to a record of one of several objects: it holds "object/id"."""
        return bool(self.targets) and self.value != "choices"

    def refers_to(self, object_name: str) -> bool:
        """Whether a record of that object may be what it refers to."""
        return object_name in (self.target, *self.targets) or EVERY in self.targets


@dataclass(frozen=True, slots=True)
class Validation:
    """A rule that records must meet: `error_if` says what is wrong."""

    name: str
    error_if: str
    message: Text
    field: str = ""  # where the message stands; "" is the whole record
    level: Literal["error", "warning"] = "error"
    unless: str = ""
    each: str = ""  # a field of lines: the rule is about each of them


@dataclass(frozen=True, slots=True)
class RecordType:
    """A kind of records of one object, with its own layout and its own part of the choices."""

    name: str
    label: Text
    description: Text = field(default_factory=dict)
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # field -> the values that it offers
    is_default: bool = False
    is_retired: bool = False


MATCH_WAYS: tuple[str, ...] = ("exact", "phone", "email", "company", "name", "fuzzy")
FUZZY, THRESHOLD = "fuzzy", 85


@dataclass(frozen=True, slots=True)
class Match:
    """How a duplicate rule compares the values of one field."""

    field: str
    how: str  # one of MATCH_WAYS
    threshold: int = THRESHOLD  # of fuzzy: how much two values must have in common, 60-100


@dataclass(frozen=True, slots=True)
class DuplicateRule:
    """When two records are taken for the same thing: all of `matches` hold. A blank value matches nothing."""

    name: str
    matches: tuple[Match, ...]
    action: Literal["warn", "block"] = "warn"
    message: Text = field(default_factory=dict)
    filter: str = ""  # a formula: which of the existing records count; "" is all


@dataclass(frozen=True, slots=True)
class Object:
    name: str
    label: Text
    plural: Text
    fields: Mapping[str, Field]  # in the definition's order; without system fields
    title: str  # the field whose value names a record
    package: str = ""
    icon: str = "file"
    color: str = "blue"
    description: Text = field(default_factory=dict)
    kind: Literal["", "child", "single"] = ""  # child: lines of other records; single: settings, one record
    tree: str = ""  # the reference to its own object that makes the records a tree
    record_types: tuple[RecordType, ...] = ()  # with them, the object has a field `record_type`
    validations: tuple[Validation, ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()  # of several fields
    unique_with_blank: tuple[tuple[str, ...], ...] = ()  # ... where two blanks count as the same value
    indexes: tuple[tuple[str, ...], ...] = ()
    search: tuple[str, ...] = ()  # fields that the search box reads; title and text-like fields unless said
    duplicates: tuple[DuplicateRule, ...] = ()
    was: tuple[str, ...] = ()
    is_data_subject: bool = False  # each record is about one person
    expected_records: int = 0  # how many there will be, for the linter; 0 is not said
    sharing: Literal["private", "read", "edit"] = "edit"  # what whoever has the grant may do to records of others
    hierarchy: tuple[str, ...] = ("managers",)  # who has what others own: "managers", "departments"
    place: Place = NOWHERE

    @property
    def masters(self) -> tuple[Field, ...]:
        """The references to what its records belong to."""
        return tuple(field for field in self.fields.values() if field.is_master)

    @property
    def belongs_to_all(self) -> bool:
        """Whether a record has all of several masters, as a line between two records does; else it has one of them."""
        masters = self.masters
        return len(masters) > 1 and all(field.is_required for field in masters)


def path_to(definition: Object, path: str) -> str:
    """A path with `parent.` spelled out, where the object's records have one master."""
    first, dot, rest = path.partition(".")
    masters = definition.masters
    is_parent = first == "parent" and dot and "parent" not in definition.fields and len(masters) == 1
    return f"{masters[0].name}.{rest}" if is_parent else path


@dataclass(frozen=True, slots=True)
class Record:
    """One record of sample data. Values are as written; a reference holds the `key` of the record it points to."""

    key: str  # "" if nothing refers to it
    values: Mapping[str, object]
    place: Place


@dataclass(frozen=True, slots=True)
class Data:
    object: str
    records: tuple[Record, ...]
    package: str
    place: Place


@dataclass(frozen=True, slots=True)
class DemoUser:
    username: str
    name: str
    roles: tuple[str, ...]
    email: str = ""
    language: str = "en"
    time_zone: str = "UTC"
    department: str = ""  # keys of sample data
    position: str = ""
    manager: str = ""  # a user name


@dataclass(frozen=True, slots=True)
class Package:
    name: str
    version: str  # semantic: "1.4.0"
    label: Text
    description: Text = field(default_factory=dict)
    requires: Mapping[str, str] = field(default_factory=dict)  # package -> range: {"system": ">=1.0"}
    languages: tuple[str, ...] = ("en",)
    demo_users: tuple[DemoUser, ...] = ()  # made by `fieldstone demo` only
    fiscal_year_start: int = 0  # the month, 1-12; 0 where the package does not say
    files: Mapping[str, str] = field(default_factory=dict)  # path -> text: what was read, to be stored with the version
    place: Place = NOWHERE


@dataclass(frozen=True, slots=True)
class Definitions:
    """All that one tenant runs: the system package and every installed one, put together and checked."""

    packages: Mapping[str, Package]
    objects: Mapping[str, Object]
    layouts: Mapping[str, Layout]
    views: Mapping[str, View]
    menus: tuple[Menu, ...]  # in display order
    roles: Mapping[str, Role]
    languages: tuple[str, ...] = ("en",)
    data: tuple[Data, ...] = ()  # sample data: loaded by `demo`, never published
    permission_sets: Mapping[str, Role] = field(default_factory=dict)
    sharing_rules: Mapping[str, SharingRule] = field(default_factory=dict)
    restriction_rules: Mapping[str, RestrictionRule] = field(default_factory=dict)
    processes: Processes = field(default_factory=Processes)
    scenarios: tuple[Scenario, ...] = ()  # what people do with the sample data: as data, never published

    @property
    def fiscal_year_start(self) -> int:
        """The month in which fiscal years begin: what the first package says that says one."""
        return next((p.fiscal_year_start for p in self.packages.values() if p.fiscal_year_start), 1)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load yields. With an error among the problems, the definitions hold what could be read."""

    definitions: Definitions
    problems: tuple[Problem, ...]

    @property
    def has_errors(self) -> bool:
        return any(problem.level == "error" for problem in self.problems)


def _system(name: str, type_: str, en: str, zh: str, **more: object) -> Field:
    return Field(name, type_, {"en": en, "zh-CN": zh}, package="system", is_read_only=True, **more)  # type: ignore[arg-type]


SYSTEM_FIELDS: Mapping[str, Field] = MappingProxyType({
    f.name: f
    for f in (
        _system("id", "id", "ID", "编号", value="reference"),
        Field("owner", "reference", {"en": "Owner", "zh-CN": "负责人"}, package="system", target="user",
              is_indexed=True, default="user", on_delete="restrict", value="reference",
              options={"to": "user", "on_delete": "restrict"}),
        _system("created_at", "datetime", "Created", "创建时间", value="datetime"),
        _system("created_by", "reference", "Created by", "创建人", target="user", value="reference",
                options={"to": "user"}),
        _system("modified_at", "datetime", "Changed", "修改时间", value="datetime"),
        _system("modified_by", "reference", "Changed by", "修改人", target="user", value="reference",
                options={"to": "user"}),
        _system("version", "integer", "Version", "版本", value="number"),
    )
})  # fmt: skip
"""Fields of every record, kept by the engine: usable in views, filters, formulas, layouts; only `owner` is written."""
