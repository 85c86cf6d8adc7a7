"""Definitions as JSON bytes and back, and the hash of what they mean. Places, sample data and files stay behind."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, fields
from typing import Any, Generic, TypeVar

import orjson

from metadata.codec_typed import read as typed
from metadata.model import (
    Cell,
    Choice,
    Definitions,
    DemoUser,
    DuplicateRule,
    Field,
    Grant,
    Layout,
    Match,
    Menu,
    MenuItem,
    Object,
    Package,
    RecordType,
    RelatedList,
    RestrictionRule,
    Role,
    Section,
    SharingRule,
    SortKey,
    Tab,
    Validation,
    View,
)
from metadata.processes import Processes

__all__ = ["LazyMapping", "digest", "dump", "parse"]

FORMAT = 1
NOT_MEANING = frozenset({"place", "files"})

T = TypeVar("T")


def dump(definitions: Definitions) -> bytes:
    """Compiled definitions, to be stored with a version. Each object is a text of its own, to be read alone."""
    return orjson.dumps(
        {
            "format": FORMAT,
            "packages": [_package(package) for package in definitions.packages.values()],
            "objects": {name: _json(built).decode() for name, built in definitions.objects.items()},
            "layouts": {name: _json(built).decode() for name, built in definitions.layouts.items()},
            "views": {name: _json(built).decode() for name, built in definitions.views.items()},
            "menus": [_plain(menu) for menu in definitions.menus],
            "roles": [_plain(role) for role in definitions.roles.values()],
            "languages": list(definitions.languages),
            "permission_sets": [_plain(one) for one in definitions.permission_sets.values()],
            "sharing_rules": [_plain(one) for one in definitions.sharing_rules.values()],
            "restriction_rules": [_plain(one) for one in definitions.restriction_rules.values()],
            "processes": _json(definitions.processes).decode(),
        }
    )


def parse(data: bytes) -> Definitions:
    """What `dump` gave: no places, sample data or demo users. Objects, layouts and views are read when asked for."""
    read = orjson.loads(data)
    if read.get("format") != FORMAT:
        raise ValueError(f"definitions of format {read.get('format')}, not {FORMAT}")
    return Definitions(
        packages={package["name"]: _read_package(package) for package in read["packages"]},
        objects=LazyMapping(read["objects"], _read_object),
        layouts=LazyMapping(read["layouts"], _read_layout),
        views=LazyMapping(read["views"], _read_view),
        menus=tuple(_read_menu(menu) for menu in read["menus"]),
        roles={role["name"]: _read_role(role) for role in read["roles"]},
        languages=tuple(read["languages"]),
        permission_sets={one["name"]: _read_role(one) for one in read.get("permission_sets", ())},
        sharing_rules={one["name"]: _read_rule(SharingRule, one) for one in read.get("sharing_rules", ())},
        restriction_rules={one["name"]: _read_rule(RestrictionRule, one) for one in read.get("restriction_rules", ())},
        processes=typed(Processes, orjson.loads(read["processes"])) if "processes" in read else Processes(),
    )


def digest(definitions: Definitions) -> str:
    """SHA-256 over the meaning: the same for the same definitions, however they are written and in whatever file."""
    whole = {
        "packages": {name: _package(package) for name, package in definitions.packages.items()},
        "objects": {name: _ordered(built) for name, built in definitions.objects.items()},
        "layouts": {name: _plain(built) for name, built in definitions.layouts.items()},
        "views": {name: _plain(built) for name, built in definitions.views.items()},
        "menus": [_plain(menu) for menu in definitions.menus],
        "roles": {name: _role(role) for name, role in definitions.roles.items()},
        "languages": list(definitions.languages),
    }
    # Left out where there are none: versions that were published before have the hash that they had.
    for name, rules in (
        ("permission_sets", {name: _role(one) for name, one in definitions.permission_sets.items()}),
        ("sharing_rules", {name: _plain(one) for name, one in definitions.sharing_rules.items()}),
        ("restriction_rules", {name: _plain(one) for name, one in definitions.restriction_rules.items()}),
        ("processes", _plain(definitions.processes)),
    ):
        if rules:
            whole[name] = rules
    return hashlib.sha256(orjson.dumps(whole, option=orjson.OPT_SORT_KEYS)).hexdigest()


class LazyMapping(Mapping[str, T], Generic[T]):
    """Names -> things that are parsed when first asked for, and kept."""

    def __init__(self, texts: Mapping[str, str], build: Callable[[Any], T]) -> None:
        self._texts, self._build = texts, build
        self._built: dict[str, T] = {}

    def __getitem__(self, name: str) -> T:
        try:
            return self._built[name]
        except KeyError:
            return self._built.setdefault(name, self._build(orjson.loads(self._texts[name])))

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)

    def __contains__(self, name: object) -> bool:
        return name in self._texts

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mapping) and dict(self) == dict(other)

    __hash__ = None  # type: ignore[assignment]


_NAMES: dict[type, tuple[tuple[str, Any, bool], ...]] = {}  # field, its default, whether it may be left out


def _plain(built: Any) -> Any:
    """A dataclass as a dict without places and without what it leaves at an empty default; sets in order."""
    if isinstance(built, (str, int, float, bool)) or built is None:
        return built
    if isinstance(built, Mapping):
        return {key: _plain(value) for key, value in built.items()}
    if isinstance(built, frozenset):
        return sorted(built)
    if isinstance(built, (list, tuple)):
        return [_plain(value) for value in built]
    kind = type(built)
    if kind not in _NAMES:
        _NAMES[kind] = tuple(
            (
                f.name,
                f.default if f.default_factory is MISSING else f.default_factory(),
                f.default is not MISSING or f.default_factory is not MISSING,
            )
            for f in fields(built)
            if f.name not in NOT_MEANING
        )
    plain = {}
    for name, default, may_go in _NAMES[kind]:
        value = getattr(built, name)
        is_default = value is default or value == default or (_is_empty(value) and _is_empty(default))
        if not may_go or not is_default:
            plain[name] = _plain(value)
    return plain


def _is_empty(value: Any) -> bool:
    return isinstance(value, (str, tuple, list, Mapping)) and not value


def _json(built: Any) -> bytes:
    return orjson.dumps(_plain(built))


def _package(package: Package) -> Any:
    plain = _plain(package)
    plain.pop("demo_users", None)
    return plain


def _ordered(built: Object) -> Any:
    """Fields in their order, which is meaning: forms and lists follow it."""
    plain = _plain(built)
    plain["fields"] = [[name, field] for name, field in plain["fields"].items()]
    for _, field in plain["fields"]:
        field.setdefault("choices", [])
    return plain


def _role(role: Role) -> Any:
    plain = _plain(role)
    plain["grants"] = sorted(plain.get("grants", []), key=lambda grant: str(grant["object"]))
    return plain


def _tuples(value: Any) -> tuple[Any, ...]:
    return tuple(tuple(part) for part in value)


def _read_package(data: dict[str, Any]) -> Package:
    data["languages"] = tuple(data.get("languages", ("en",)))
    data["demo_users"] = tuple(DemoUser(**user) for user in data.get("demo_users", ()))
    return Package(**data)


def _read_object(data: dict[str, Any]) -> Object:
    data["fields"] = {name: _read_field(field) for name, field in data["fields"].items()}
    for key in ("unique", "unique_with_blank", "indexes"):
        if key in data:
            data[key] = _tuples(data[key])
    for key in ("search", "was", "hierarchy"):
        if key in data:
            data[key] = tuple(data[key])
    if "duplicates" in data:
        data["duplicates"] = tuple(_read_duplicate_rule(rule) for rule in data["duplicates"])
    if "record_types" in data:
        data["record_types"] = tuple(_read_record_type(one) for one in data["record_types"])
    if "validations" in data:
        data["validations"] = tuple(Validation(**one) for one in data["validations"])
    return Object(**data)


def _read_duplicate_rule(data: dict[str, Any]) -> DuplicateRule:
    data["matches"] = tuple(Match(**match) for match in data["matches"])
    return DuplicateRule(**data)


def _read_record_type(data: dict[str, Any]) -> RecordType:
    data["choices"] = {field: tuple(values) for field, values in data.get("choices", {}).items()}
    return RecordType(**data)


def _read_field(data: dict[str, Any]) -> Field:
    if "choices" in data:
        data["choices"] = tuple(_read_choice(choice) for choice in data["choices"])
    for key in ("was", "targets"):
        if key in data:
            data[key] = tuple(data[key])
    return Field(**data)


def _read_choice(data: dict[str, Any]) -> Choice:
    if "only_for" in data:
        data["only_for"] = tuple(data["only_for"])
    return Choice(**data)


def _read_sort(data: dict[str, Any]) -> None:
    if "sort" in data:
        data["sort"] = tuple(SortKey(**key) for key in data["sort"])


def _read_layout(data: dict[str, Any]) -> Layout:
    data["tabs"] = tuple(_read_tab(tab) for tab in data.get("tabs", ()))
    for key in ("highlights", "record_types"):
        if key in data:
            data[key] = tuple(data[key])
    return Layout(**data)


def _read_tab(data: dict[str, Any]) -> Tab:
    data["sections"] = tuple(_read_section(section) for section in data.get("sections", ()))
    data["related"] = tuple(_read_related(related) for related in data.get("related", ()))
    return Tab(**data)


def _read_section(data: dict[str, Any]) -> Section:
    data["cells"] = tuple(Cell(**cell) for cell in data["cells"])
    return Section(**data)


def _read_related(data: dict[str, Any]) -> RelatedList:
    data["columns"] = tuple(data["columns"])
    _read_sort(data)
    return RelatedList(**data)


def _read_view(data: dict[str, Any]) -> View:
    data["columns"] = tuple(data["columns"])
    _read_sort(data)
    if "quick_filters" in data:
        data["quick_filters"] = tuple(data["quick_filters"])
    return View(**data)


def _read_menu(data: dict[str, Any]) -> Menu:
    data["items"] = tuple(MenuItem(**item) for item in data.get("items", ()))
    return Menu(**data)


def _read_role(data: dict[str, Any]) -> Role:
    data["grants"] = tuple(_read_grant(grant) for grant in data.get("grants", ()))
    for key in ("permission_sets", "system"):
        if key in data:
            data[key] = tuple(data[key])
    return Role(**data)


R = TypeVar("R", SharingRule, RestrictionRule)


def _read_rule(kind: type[R], data: dict[str, Any]) -> R:
    for key in ("roles", "departments", "teams", "spares"):
        if key in data:
            data[key] = tuple(data[key])
    return kind(**data)


def _read_grant(data: dict[str, Any]) -> Grant:
    return Grant(
        data["object"], frozenset(data.get("actions", ())), data.get("rows", ""), tuple(data.get("record_types", ())),
        data.get("fields", {}), data.get("reach", ""),
    )  # fmt: skip
