"""Build objects and their fields."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from metadata.build.titles import DISPLAY_NAME
from metadata.build.wording import Translations, Wording
from metadata.document import Document
from metadata.formula.template import is_template
from metadata.model import (
    THRESHOLD,
    Choice,
    DuplicateRule,
    Field,
    FieldKind,
    Match,
    Object,
    RecordType,
    Validation,
)  # fmt: skip
from metadata.names import humanised

__all__ = ["RECORD_TYPE", "build_field", "build_object", "joined", "names_in"]

RECORD_TYPE = "record_type"
POSITION = "position"


def names_in(value: Any) -> tuple[str, ...]:
    """A name or a list of names."""
    return (value,) if isinstance(value, str) else tuple(value or ())


def build_object(
    document: Document, fields: Mapping[str, Field], package: str, kinds: Mapping[str, FieldKind],
    wording: Wording, translations: Translations,
) -> Object:  # fmt: skip
    data, name = document.data, document.name
    types = build_record_types(data.get("record_types"), name, wording, translations)
    fields = {**fields, **dict(extra_fields(data.get("kind") or "", types, fields, package))}
    label = wording.text(data.get("label"), translations.label_of(name), humanised(name))
    plural = {**label, **wording.text(data.get("plural"), translations.of(name, "plural"))}
    title = data.get("title") or default_title(fields, kinds)
    title = DISPLAY_NAME if is_template(title) else title
    search = names_in(data.get("search")) or default_search(title, fields, kinds)
    return Object(
        name=name, label=label, plural=plural, fields=fields, title=title, package=package,
        icon=data.get("icon") or "file", color=data.get("color") or "blue",
        description=wording.text(data.get("description"), translations.of(name, "description")),
        kind=data.get("kind") or "", tree=data.get("tree") or "", record_types=types,
        validations=build_validations(data.get("validations"), name, wording, translations),
        unique=tuple(tuple(group) for group in data.get("unique") or () if isinstance(group, list)),
        unique_with_blank=tuple(
            tuple(group.get("fields") or ()) for group in data.get("unique") or () if isinstance(group, dict)
        ),
        indexes=tuple(tuple(group) for group in data.get("indexes") or ()),
        is_data_subject=data.get("data_subject") is True, search=search, was=names_in(data.get("was")),
        expected_records=data.get("expected_records") or 0,
        place=document.at(),
        duplicates=tuple(build_duplicate_rule(rule, wording) for rule in data.get("duplicates") or ()),
        sharing=data.get("sharing") or "edit",
        hierarchy=tuple(data["hierarchy"]) if isinstance(data.get("hierarchy"), list) else ("managers",),
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


def extra_fields(
    kind: str, types: tuple[RecordType, ...], fields: Mapping[str, Field], package: str
) -> Iterator[tuple[str, Field]]:
    """Fields that the object has because of what it is, unless it has fields of these names."""
    if types and RECORD_TYPE not in fields:
        first = next((one.name for one in types if one.is_default), types[0].name)
        offered = tuple(Choice(one.name, one.label, is_retired=one.is_retired) for one in types)
        yield RECORD_TYPE, Field(
            RECORD_TYPE, "choice", {"en": "Record type", "zh-CN": "记录类型"}, package, is_required=True,
            default=first, choices=offered, value="choice",
        )  # fmt: skip
    if kind == "child" and POSITION not in fields:
        label = {"en": "Position", "zh-CN": "序号"}
        yield POSITION, Field(POSITION, "integer", label, package, is_hidden=True, is_tracked=False, value="number")


def build_record_types(
    data: Any, owner: str, wording: Wording, translations: Translations
) -> tuple[RecordType, ...]:  # fmt: skip
    """`service: Service` and `service: {label: Service}` are the same type."""
    types = []
    for name, said in (data or {}).items():
        more = said if isinstance(said, dict) else {"label": said}
        here = (owner, "record_types", name)
        types.append(RecordType(
            name, wording.text(more.get("label"), translations.label_of(*here), humanised(name)),
            wording.text(more.get("description"), translations.of(*here, "description")),
            {field: tuple(values) for field, values in (more.get("choices") or {}).items()},
            more.get("default") is True, more.get("retired") is True,
        ))  # fmt: skip
    return tuple(types)


def build_validations(
    data: Any, owner: str, wording: Wording, translations: Translations
) -> tuple[Validation, ...]:  # fmt: skip
    return tuple(
        Validation(
            said.get("rule") or "", said.get("error_if") or "",
            wording.text(said.get("message"), translations.label_of(owner, "validations", said.get("rule") or "")),
            said.get("field") or "", said.get("level") or "error", said.get("unless") or "", said.get("each") or "",
        )
        for said in data or ()
    )  # fmt: skip


def joined(fields: Mapping[str, Field], others: Mapping[str, Mapping[str, Field]], owner: str) -> dict[str, Field]:
    """The fields, now that all objects' are known. Their `of` is a field of lines of this object, `object.field`, or an
    object with one way here; the only master is required."""
    found = dict(fields)
    for name, field in fields.items():
        if not field.of:
            continue
        source = fields.get(field.of)
        of, _, by = (source.of, "", source.by) if source is not None and source.of else field.of.partition(".")
        of, by = (of.partition(".")[0], by or of.partition(".")[2])
        by = by or field.by
        if not by:
            ways = [f for f in others.get(of, {}).values() if f.refers_to(owner)]
            masters = [f for f in ways if f.is_master] or ways
            by = masters[0].name if len(masters) == 1 else ""
        found[name] = replace(field, of=of, by=by)
    owners = [name for name, field in fields.items() if field.is_master]
    if len(owners) == 1:  # of several masters a record has one
        found[owners[0]] = replace(found[owners[0]], is_required=True)
    return found


def default_title(fields: Mapping[str, Field], kinds: Mapping[str, FieldKind]) -> str:
    """`name`, else the first field that may be a title, else the record's id."""
    able = [name for name, field in fields.items() if field.type in kinds and kinds[field.type].may_be_title]
    return "name" if "name" in able else able[0] if able else "id"


def default_search(title: str, fields: Mapping[str, Field], kinds: Mapping[str, FieldKind]) -> tuple[str, ...]:
    found = [
        name for name, field in fields.items()
        if field.is_stored and field.type in kinds and kinds[field.type].is_searchable
    ]  # fmt: skip
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
    asked = kinds.get(type_)
    source = asked.source if asked else "value"
    # A formula or roll-up field is of the type that it gives; where its value comes from is another matter.
    if source in ("formula", "rollup") and data.get("returns") in kinds:
        type_ = data["returns"]
    kind = kinds.get(type_)
    options = {
        option: data.get(option, schema.get("default"))
        for option, schema in (kind.options.items() if kind else ())
        if data.get(option, schema.get("default")) is not None
    }
    here = (owner, "fields", name)
    is_required = data.get("required") is True
    is_master = data.get("master") is True and kind is not None and (kind.refers or kind.targets)
    on_delete: Any = data.get("on_delete") or (
        "cascade" if is_master else "restrict" if is_required else "set_null"
    )  # fmt: skip
    default = data.get("default")
    privacy: Any = data.get("privacy") or {}
    has_formula = (
        isinstance(default, dict) and default.keys() == {"formula"} and isinstance(default["formula"], str)
        and default["formula"] != ""
    )  # fmt: skip
    return Field(
        name=name, type=type_, package=package,
        label=wording.text(data.get("label"), translations.label_of(*here), humanised(name)),
        help=wording.text(data.get("help"), translations.of(*here, "help")),
        is_required=is_required, is_read_only=data.get("read_only") is True or source != "value",
        is_hidden=data.get("hidden") is True, is_unique=data.get("unique") is True,
        is_indexed=data.get("index") is True, default=None if has_formula else plain(default), options=options,
        choices=build_choices(data.get("choices"), here, wording, translations) if kind and kind.has_choices else (),
        chosen_from=kind.chosen_from if kind else "",
        target=data["to"] if kind and kind.refers and isinstance(data.get("to"), str) else "",
        on_delete=on_delete if kind and (kind.refers or kind.targets) else "set_null",
        was=names_in(data.get("was")), value=kind.value if kind else "text", source=source,
        formula=data.get("formula") or "" if source == "formula" else "",
        of=data.get("of") or "" if source in ("rollup", "lines", "inverse") else "", by=data.get("by") or "",
        operation=data.get("operation") or "" if source == "rollup" else "",
        measured=data.get("field") or "" if source == "rollup" and isinstance(data.get("field"), str) else "",
        filter=data.get("filter") or "", targets=names_in(data.get("to")) if kind and kind.targets else (),
        is_master=is_master, show_if=data.get("show_if") or "", require_if=data.get("require_if") or "",
        lock_if=data.get("lock_if") or "", default_formula=default["formula"] if has_formula else "",
        fetch=data.get("fetch") or "", fetches_if_blank=data.get("fetch_when") == "blank",
        depends_on=data.get("depends_on") or "",
        is_set_once=data.get("set_once") is True, is_copied=data.get("copy") is not False,
        is_tracked=data.get("history") is not False, reveals=data.get("reveals") is True,
        mask=data.get("mask") or "" if kind and "mask" not in kind.options else "", place=document.key(*steps),
        category=privacy.get("category") or "", purpose=privacy.get("purpose") or "",
        retention_days=privacy.get("retention") or 0,
    )  # fmt: skip


def build_choices(data: Any, here: tuple[str, ...], wording: Wording, translations: Translations) -> tuple[Choice, ...]:
    """`new: New` and `new: {label: New, color: gray}` are the same choice."""
    choices = []
    for value, said in (data or {}).items():
        more = said if isinstance(said, dict) and is_choice(said) else {"label": said}
        over = translations.label_of(*here, "choices", value)
        label = wording.text(more.get("label"), over, humanised(value))
        choices.append(Choice(value, label, more.get("color") or "", more.get("retired") is True,
                              names_in(more.get("for"))))  # fmt: skip
    return tuple(choices)


def is_choice(said: Mapping[str, Any]) -> bool:
    """Whether a map is a choice; else it is a label by language."""
    return not said or bool(said.keys() & {"label", "color", "retired", "for"})


def plain(value: Any) -> Any:
    """A value without its places."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list) else value
