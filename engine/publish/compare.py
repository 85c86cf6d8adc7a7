"""What differs between two versions of the definitions, in domain words. Pure: knows no database."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeVar

from metadata.build.processes import PLURALS
from metadata.model import EVERY, FUZZY, Choice, Definitions, DuplicateRule, Field, Object, Package

__all__ = ["Changes", "FieldChange", "Note", "ObjectChange", "compare", "is_changed"]

Named = TypeVar("Named", Field, Object)

FLAGS = {
    "is_required": ("required", "no longer required"),
    "is_unique": ("unique", "no longer unique"),
    "is_indexed": ("indexed", "no longer indexed"),
    "is_read_only": ("read-only", "no longer read-only"),
    "is_hidden": ("hidden", "no longer hidden"),
}
SOURCES = {
    "value": "written", "formula": "a formula", "rollup": "a roll-up", "lines": "lines", "inverse": "an inverse list",
}  # fmt: skip
# Properties whose names say enough. What they do is no matter of the tables.
OTHERS = (
    "formula", "of", "by", "operation", "measured", "filter", "is_master", "show_if", "require_if",
    "lock_if", "default_formula", "fetch", "fetches_if_blank", "depends_on", "is_set_once", "is_copied", "is_tracked",
    "is_kept", "mask", "reveals",
    "category", "purpose", "retention_days",
)  # fmt: skip
SILENT = frozenset({"place", "was", "files"})  # changes of these alone change nothing that runs


@dataclass(frozen=True, slots=True)
class Note:
    """A change that touches no table."""

    sign: str
    what: str  # "view lead_open"
    detail: str = ""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field that is new (no `old`), goes (no `new`), or differs."""

    old: Field | None
    new: Field | None
    details: tuple[str, ...] = ()
    is_retargeted: bool = False  # refers to another object, not to the same one under its new name
    objects: Mapping[str, str] = field(default_factory=dict)
    """Of a reference to one of several objects: old name -> new name, of all that it may refer to now."""


@dataclass(frozen=True, slots=True)
class ObjectChange:
    """An object that is new, goes, or stays; one that stays may have no changes."""

    old: Object | None
    new: Object | None
    fields: tuple[FieldChange, ...] = ()
    details: tuple[str, ...] = ()
    kept: Mapping[str, str] | None = None  # new name -> old name of the fields that stay


@dataclass(frozen=True, slots=True)
class Changes:
    packages: tuple[Note, ...]
    objects: tuple[ObjectChange, ...]  # in the new definitions' order, then those that go
    others: tuple[Note, ...]  # layouts, views, menus, roles and other rights


def compare(old: Definitions, new: Definitions, has_other_files: Iterable[str] = ()) -> Changes:
    """`has_other_files`: packages whose texts differ, be it in a comment."""
    renamed = renames(old.objects, new.objects)
    objects = [object_change(renamed, old.objects, found, new.objects) for found in new.objects.values()]
    gone = old.objects.keys() - new.objects.keys() - set(renamed.values())
    objects += [ObjectChange(found, None) for name, found in old.objects.items() if name in gone]
    others = [
        note
        for what, before, after in (
            ("layout", old.layouts, new.layouts),
            ("view", old.views, new.views),
            ("menu", by_name(old.menus), by_name(new.menus)),
            ("role", old.roles, new.roles),
            ("permission_set", old.permission_sets, new.permission_sets),
            ("sharing_rule", old.sharing_rules, new.sharing_rules),
            ("restriction_rule", old.restriction_rules, new.restriction_rules),
            *((kind, getattr(old.processes, name), getattr(new.processes, name)) for kind, name in PLURALS.items()),
        )
        for note in notes(what, before, after)
    ]
    packages = tuple(package_notes(old.packages, new.packages))
    if not (packages or others or any(is_changed(change) for change in objects)):
        others = [
            Note("~", f"package {name}", "its texts, not what they mean")
            for name in has_other_files
            if name in old.packages
        ]
    return Changes(packages, tuple(objects), tuple(others))


def is_changed(change: ObjectChange) -> bool:
    return bool(change.details or change.fields or change.old is None or change.new is None)


def renames(old: Mapping[str, Named], new: Mapping[str, Named]) -> dict[str, str]:
    """New name -> earlier name, for what was under another name in the old version and is not there any more."""
    found: dict[str, str] = {}
    for name, item in new.items():
        if name not in old:
            earlier = next(
                (w for w in reversed(item.was) if w in old and w not in new and w not in found.values()), None
            )
            if earlier is not None:
                found[name] = earlier
    return found


def object_change(
    renamed: Mapping[str, str], old: Mapping[str, Object], new: Object, objects: Iterable[str]
) -> ObjectChange:
    before = old.get(renamed.get(new.name, new.name))
    if before is None:
        return ObjectChange(None, new)
    field_names = renames(before.fields, new.fields)
    stay: dict[str, str] = dict.fromkeys(old, "")
    stay |= {was: name for name in objects if (was := renamed.get(name, name)) in old}
    kept = {name: field_names.get(name, name) for name in new.fields if field_names.get(name, name) in before.fields}
    changes = [
        change
        for name, one in new.fields.items()
        if (change := field_change(renamed, stay, before.fields.get(kept.get(name, "")), one)) is not None
    ]
    changes += [FieldChange(one, None) for name, one in before.fields.items() if name not in kept.values()]
    details = tuple(object_details(before, new, {earlier: name for name, earlier in kept.items()}))
    return ObjectChange(before, new, tuple(changes), details, kept)


def object_details(old: Object, new: Object, now: Mapping[str, str]) -> Iterator[str]:
    """`now`: old field name -> new one."""
    if old.name != new.name:
        yield f"renamed from {old.name}"
    order = [now[name] for name in old.fields if name in now]
    if order != [name for name in new.fields if name in set(order)]:
        yield "order of fields"
    if now.get(old.title, old.title) != new.title:
        yield f"title {old.title} -> {new.title}"
    for name in ("unique", "unique_with_blank", "indexes"):
        before = {tuple(now.get(part, part) for part in group) for group in getattr(old, name)}
        after = set(getattr(new, name))
        word = {"unique": "unique", "indexes": "index"}.get(name, "unique with blanks")
        yield from (f"{word} ({', '.join(group)})" for group in sorted(after - before))
        yield from (f"no longer {word} ({', '.join(group)})" for group in sorted(before - after))
    # Unless the object says otherwise, the search box reads what is like text; fields that come or go have their step.
    same = {name for was, name in now.items() if old.fields[was].type == new.fields[name].type}
    if [now[n] for n in old.search if now.get(n) in same] != [n for n in new.search if n in same]:
        yield "search"
    yield from duplicate_details(old, new, now)
    for name in ("kind", "tree", "is_data_subject", "record_types", "validations", "sharing", "hierarchy", "label",
                 "plural", "icon", "color", "description", "package"):  # fmt: skip
        if getattr(old, name) != getattr(new, name):
            yield name.replace("_", " ")


def duplicate_details(old: Object, new: Object, now: Mapping[str, str]) -> Iterator[str]:
    """Duplicate rules that are new, go, or differ."""
    before, after = by_name(old.duplicates), by_name(new.duplicates)
    for name, rule in after.items():
        if name not in before:
            yield f"duplicate rule {name} ({matched(rule)}): {rule.action}"
            continue
        was: DuplicateRule = before[name]
        was = replace(was, matches=tuple(replace(one, field=now.get(one.field, one.field)) for one in was.matches))
        if set(was.matches) != set(rule.matches):
            yield f"duplicate rule {name}: {matched(was)} -> {matched(rule)}"
        if was.action != rule.action:
            yield f"duplicate rule {name}: {was.action} -> {rule.action}"
        for part in ("filter", "message"):
            if getattr(was, part) != getattr(rule, part):
                yield f"duplicate rule {name}: {part}"
    yield from (f"no longer duplicate rule {name}" for name in before if name not in after)
    if not before.keys() ^ after.keys() and list(before) != list(after):
        yield "order of duplicate rules"


def matched(rule: DuplicateRule) -> str:
    """Its fields and how each is compared: name by fuzzy 85, email by email."""
    return ", ".join(
        f"{one.field} by {one.how}" + (f" {one.threshold}" if one.how == FUZZY else "") for one in rule.matches
    )


def field_change(
    renamed: Mapping[str, str], stay: Mapping[str, str], old: Field | None, new: Field
) -> FieldChange | None:
    """`stay`: old name -> new name of all objects; "" for one that goes."""
    if old is None:
        return FieldChange(None, new)
    target = renamed.get(new.target, new.target)
    targets = tuple(renamed.get(name, name) for name in new.targets)
    objects = {was: name for was, name in stay.items() if name and new.refers_to(name)} if new.refers_to_any else {}
    details = tuple(field_details(old, new, target, targets))
    is_moved = any(was != name for was, name in objects.items()) or (EVERY in old.targets and "" in stay.values())
    if new.refers_to_any and old.refers_to_any and is_moved:
        details = (*details, "objects have another name, or go")
    is_retargeted = target != old.target
    if new.refers_to_many:
        is_retargeted = targets != (old.targets or (old.target,))
    return FieldChange(old, new, details, is_retargeted, objects) if details else None


def field_details(old: Field, new: Field, target: str, targets: tuple[str, ...]) -> Iterator[str]:
    """`target` and `targets`: the new ones under their names in the old version."""
    if old.name != new.name:
        yield f"renamed from {old.name}"
    if old.type != new.type:
        yield f"type {old.type} -> {new.type}"
    if old.source != new.source:
        yield f"{SOURCES[old.source]} -> {SOURCES[new.source]}"
    if old.target != target:
        yield f"to {old.target or 'nothing'} -> {new.target or 'nothing'}"
    if sorted(old.targets) != sorted(targets):
        yield f"to {', '.join(old.targets) or 'nothing'} -> {', '.join(new.targets) or 'nothing'}"
    for name, (now, no_longer) in FLAGS.items():
        if getattr(old, name) != getattr(new, name):
            yield now if getattr(new, name) else no_longer
    if old.default != new.default:
        yield f"default {say_value(old.default)} -> {say_value(new.default)}"
    own = old.options.keys() | new.options.keys() if old.type == new.type else set()
    for option in sorted(own - {"to", "on_delete", "choices"}):
        if old.options.get(option) != new.options.get(option):
            yield f"{option} {say_value(old.options.get(option))} -> {say_value(new.options.get(option))}"
    if not new.chosen_from:  # what those are has steps of its own
        yield from choice_details(old.choices, new.choices)
    for name in (*OTHERS, "on_delete", "label", "help", "package"):
        if getattr(old, name) != getattr(new, name):
            yield name.removeprefix("is_").replace("_", " ")


def choice_details(old: Sequence[Choice], new: Sequence[Choice]) -> Iterator[str]:
    before, after = {c.value: c for c in old}, {c.value: c for c in new}
    parts = [f"+{value}" for value in after if value not in before]
    parts += [f"-{value}" for value in before if value not in after]
    parts += [f"~{value}" for value, choice in after.items() if value in before and before[value] != choice]
    if not parts and list(before) != list(after):
        parts = ["order"]
    if parts:
        yield "choices " + " ".join(parts)


def package_notes(old: Mapping[str, Package], new: Mapping[str, Package]) -> Iterator[Note]:
    for name, package in new.items():
        if name not in old:
            yield Note("+", f"package {name}", package.version)
        elif old[name].version != package.version:
            yield Note("~", f"package {name}", f"{old[name].version} -> {package.version}")
        elif details := different(old[name], replace(package, demo_users=old[name].demo_users)):
            yield Note("~", f"package {name}", ", ".join(details))
    yield from (Note("-", f"package {name}", package.version) for name, package in old.items() if name not in new)


def notes(what: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Note]:
    for name, item in new.items():
        if name not in old:
            yield Note("+", f"{what} {name}")
        elif details := different(old[name], item):
            yield Note("~", f"{what} {name}", ", ".join(details))
    yield from (Note("-", f"{what} {name}") for name in old if name not in new)


def different(old: Any, new: Any) -> list[str]:
    """Names of the properties in which two things of one kind differ."""
    names = [item.name for item in fields(new) if item.name not in SILENT]
    return [name.removeprefix("is_") for name in names if getattr(old, name) != getattr(new, name)]


def by_name(items: Iterable[Any]) -> dict[str, Any]:
    return {item.name: item for item in items}


def say_value(value: object) -> str:
    return "none" if value is None else str(value)
