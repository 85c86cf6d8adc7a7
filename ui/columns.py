"""What a list or page shows of records: paths resolved to fields, with the values that each needs from the store."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from engine.access.scope import Scope
from engine.contracts.field import FieldType
from engine.snapshot import Snapshot
from engine.store.query_paths import Target, walk
from metadata.model import SYSTEM_FIELDS, Field, Object, path_to, say
from ui.cells import Cell, Shown, cell_for
from ui.formats import Formats

__all__ = ["Plan", "ShownColumn", "field_of", "plan_of", "readable", "resolve", "title_of"]

KEPT = 1024
UNSORTABLE = frozenset(("choices", "json", "secret"))
UNSORTABLE_CELLS = frozenset(("long", "longtext", "multiline", "html", "rich", "richtext", "markdown", "code"))


@dataclass(frozen=True, slots=True)
class ShownColumn:
    path: str
    label: str
    field: Field
    cell: Cell
    is_numeric: bool
    sort_path: str  # "" when it cannot be sorted by
    is_title: bool  # names the record


@dataclass(frozen=True, slots=True)
class Plan:
    """`paths` are what to ask the store for; each column's cell reads from a row of their values."""

    paths: tuple[str, ...]
    columns: tuple[ShownColumn, ...]
    named: tuple[tuple[int, Field], ...] = ()  # places in a row whose values' records are named by `named_rows`


def field_of(definition: Object, name: str) -> Field | None:
    return definition.fields.get(name) or SYSTEM_FIELDS.get(name)


def readable(snapshot: Snapshot, scope: Scope, object_name: str, name: str) -> Field | None:
    """The field, if there is one of that name that this person may read."""
    definition = snapshot.definitions.objects.get(object_name)
    if definition is None or name not in scope.fields(object_name):
        return None
    return scope.readable(object_name).get(name)


def resolve(snapshot: Snapshot, scope: Scope, object_name: str, path: str) -> tuple[str, Field] | None:
    """(object, field) of a path's last step; None when a step is unknown or may not be read."""
    *references, last = path.split(".")
    for step in references:
        field = readable(snapshot, scope, object_name, step)
        if field is None or not field.target:
            return None
        object_name = field.target
    field = readable(snapshot, scope, object_name, last)
    return (object_name, field) if field else None


def title_of(snapshot: Snapshot, scope: Scope, object_name: str) -> str:
    """The field that names records of the object; "" if this person may not read it."""
    definition = snapshot.definitions.objects.get(object_name)
    if definition is None or definition.title not in scope.fields(object_name):
        return ""
    return definition.title


def plan_of(
    snapshot: Snapshot,
    scope: Scope,
    object_name: str,
    paths: Iterable[str],
    formats: Formats,
    language: str,
    is_full: bool = False,
) -> Plan:
    """Paths that are unknown or hidden to this person are left out."""
    asked: dict[str, int] = {}
    columns: list[ShownColumn] = []

    def ask(path: str) -> int:
        return asked.setdefault(path, len(asked))

    for path in paths:
        found = resolve(snapshot, scope, object_name, path)
        if found is None:
            continue
        owner, field = found
        prefix, _, last = path.rpartition(".")
        label = say(field.label, language)
        if prefix and last == title_of(snapshot, scope, owner):
            # "account.name" is the account itself: shown under the reference's label, as a link.
            above = resolve(snapshot, scope, object_name, prefix)
            if above is None:
                continue
            path, field = prefix, above[1]
            label = say(field.label, language)
        columns.append(column(snapshot, scope, object_name, path, field, label, ask, formats, language, is_full))
    named = tuple({asked[c.path]: (asked[c.path], c.field) for c in columns if c.field.targets}.values())
    return Plan(tuple(asked), tuple(columns), named)


def currency_path(snapshot: Snapshot, scope: Scope, object_name: str, path: str, field: Field) -> str:
    """Where the currency of an amount stands, if the field does not say it; "" where this person may not read that."""
    said, steps = str(field.options.get("currency_from") or ""), tuple(path.split("."))
    found = walk(scope, object_name, steps) if said else None
    if not isinstance(found, Target):
        return ""
    written = (*steps[:-1], *path_to(snapshot.definitions.objects[found.object], said).split("."))
    return ".".join(written) if isinstance(walk(scope, object_name, written), Target) else ""


def as_text(kind: FieldType | None, field: Field, formats: Formats) -> Callable[[Any], str]:
    if kind is None:
        return str
    return lru_cache(KEPT)(lambda value: str(kind.to_form(field, value, formats.zone)))


def column(
    snapshot: Snapshot,
    scope: Scope,
    object_name: str,
    path: str,
    field: Field,
    label: str,
    ask: Callable[[str], int],
    formats: Formats,
    language: str,
    is_full: bool,
) -> ShownColumn:
    kind = snapshot.plugins.fields.get(field.type)
    shape = kind.cell if kind else "text"
    title_at, sort_path = -1, path
    at = ask(path)
    if field.target:
        title = title_of(snapshot, scope, field.target)
        if title:
            title_at, sort_path = ask(f"{path}.{title}"), f"{path}.{title}"
    if field.is_masked or (kind and (field.targets or kind.value in UNSORTABLE or shape in UNSORTABLE_CELLS)):
        sort_path = ""
    shown = Shown(
        field, at, formats, language, shape, title_at, as_text(kind, field, formats), is_full,
        {name: one.icon for name, one in snapshot.definitions.objects.items()} if field.refers_to_any else {},
        code_at=ask(code) if (code := currency_path(snapshot, scope, object_name, path, field)) else -1,
    )  # fmt: skip
    is_title = path == snapshot.definitions.objects[object_name].title
    return ShownColumn(path, label, field, cell_for(shown), shown.is_numeric, sort_path, is_title)
