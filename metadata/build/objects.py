"""Build objects and their fields."""

from collections.abc import Mapping
from typing import Any

from metadata.build.wording import Translations, Wording
from metadata.document import Document
from metadata.model import THRESHOLD, Choice, DuplicateRule, Field, FieldKind, Match, Object
from metadata.names import humanised

__all__ = ["COMMON_KEYS", "build_field", "build_object", "names_in"]

COMMON_KEYS = ("type", "label", "help", "required", "read_only", "hidden", "unique", "index", "default", "was")


def names_in(value: Any) -> tuple[str, ...]:
    """A name or a list of names."""
    return (value,) if isinstance(value, str) else tuple(value or ())


def build_object(
    document: Document, fields: Mapping[str, Field], package: str, kinds: Mapping[str, FieldKind],
    wording: Wording, translations: Translations,
) -> Object:  # fmt: skip
    data, name = document.data, document.name
    label = wording.text(data.get("label"), translations.label_of(name), humanised(name))
    plural = {**label, **wording.text(data.get("plural"), translations.of(name, "plural"))}
    title = data.get("title") or default_title(fields, kinds)
    search = names_in(data.get("search")) or default_search(title, fields, kinds)
    return Object(
        name=name, label=label, plural=plural, fields=fields, title=title, package=package,
        icon=data.get("icon") or "file", color=data.get("color") or "blue",
        description=wording.text(data.get("description"), translations.of(name, "description")),
        unique=tuple(tuple(group) for group in data.get("unique") or ()),
        indexes=tuple(tuple(group) for group in data.get("indexes") or ()),
        search=search, was=names_in(data.get("was")), place=document.at(),
        duplicates=tuple(build_duplicate_rule(rule, wording) for rule in data.get("duplicates") or ()),
    )  # fmt: skip


def build_duplicate_rule(data: Mapping[str, Any], wording: Wording) -> DuplicateRule:
    return DuplicateRule(
        name=data.get("rule") or "",
        matches=tuple(build_match(name, said) for name, said in (data.get("match") or {}).items()),
        action=data.get("action") or "warn",
        message=wording.text(data.get("message")), filter=data.get("filter") or "",
    )  # fmt: skip


def build_match(field: str, said: Any) -> Match:
    """`name: fuzzy` and `name: {how: fuzzy, threshold: 85}` are the same."""
    more = said if isinstance(said, dict) else {"how": said}
    return Match(field, more.get("how") or "", more.get("threshold") or THRESHOLD)


def default_title(fields: Mapping[str, Field], kinds: Mapping[str, FieldKind]) -> str:
    """`name`, else the first field that may be a title, else the record's id."""
    able = [name for name, field in fields.items() if field.type in kinds and kinds[field.type].may_be_title]
    return "name" if "name" in able else able[0] if able else "id"


def default_search(title: str, fields: Mapping[str, Field], kinds: Mapping[str, FieldKind]) -> tuple[str, ...]:
    found = [name for name, field in fields.items() if field.type in kinds and kinds[field.type].is_searchable]
    return tuple(sorted(found, key=lambda name: name != title))


def build_field(
    document: Document, steps: tuple[str, ...], owner: str, name: str, package: str, kinds: Mapping[str, FieldKind],
    wording: Wording, translations: Translations,
) -> Field:  # fmt: skip
    """The field that stands at `steps` of a document and belongs to the object `owner`."""
    data: Any = document.data
    for step in steps:
        data = data[step]
    type_ = data.get("type") or ""
    kind = kinds.get(type_)
    options = {
        option: data.get(option, schema.get("default"))
        for option, schema in (kind.options.items() if kind else ())
        if data.get(option, schema.get("default")) is not None
    }
    here = (owner, "fields", name)
    is_required = data.get("required") is True
    on_delete: Any = data.get("on_delete") or ("restrict" if is_required else "set_null")
    return Field(
        name=name, type=type_, package=package,
        label=wording.text(data.get("label"), translations.label_of(*here), humanised(name)),
        help=wording.text(data.get("help"), translations.of(*here, "help")),
        is_required=is_required, is_read_only=data.get("read_only") is True,
        is_hidden=data.get("hidden") is True, is_unique=data.get("unique") is True,
        is_indexed=data.get("index") is True, default=plain(data.get("default")), options=options,
        choices=build_choices(data.get("choices"), here, wording, translations) if kind and kind.has_choices else (),
        target=(data.get("to") or "") if kind and kind.refers else "",
        on_delete=on_delete if kind and kind.refers else "set_null",
        was=names_in(data.get("was")), value=kind.value if kind else "text", place=document.key(*steps),
    )  # fmt: skip


def build_choices(data: Any, here: tuple[str, ...], wording: Wording, translations: Translations) -> tuple[Choice, ...]:
    """`new: New` and `new: {label: New, color: gray}` are the same choice."""
    choices = []
    for value, said in (data or {}).items():
        more = said if isinstance(said, dict) and is_choice(said) else {"label": said}
        over = translations.label_of(*here, "choices", value)
        label = wording.text(more.get("label"), over, humanised(value))
        choices.append(Choice(value, label, more.get("color") or "", more.get("retired") is True))
    return tuple(choices)


def is_choice(said: Mapping[str, Any]) -> bool:
    """Whether a map is a choice; else it is a label by language."""
    return not said or bool(said.keys() & {"label", "color", "retired"})


def plain(value: Any) -> Any:
    """A value without its places."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list) else value
