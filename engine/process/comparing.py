"""What differs between what was submitted or decided on and the record as it is now, of its lines, too."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson

from engine.context import SYSTEM, Context, context_of
from engine.process.reading import Reading, common, read_for, titles_of
from engine.process.snapshots import WHOLE, Kept, data_of, seen_data, taken
from engine.rules.messages import HIDDEN
from engine.store import rows_history
from engine.store.database import Connection
from metadata.model import SYSTEM_FIELDS, Field, say
from metadata.processes import APPROVAL_STATUS, Approval, Node

__all__ = ["Difference", "Held", "Known", "changed_paths", "compare", "differences", "line_object"]

Json = dict[str, Any]
Known = Callable[[str, str], bool]
USER = "user"


@dataclass(frozen=True, slots=True)
class Held:
    """What a line that was added or removed holds or held."""

    field: str
    label: str
    value: Any
    text: str


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that is not what it was. `line`: the id of a line, where it is one's, and `title` what that is called."""

    field: str
    label: str
    before: Any
    after: Any
    before_text: str
    after_text: str
    by: str = ""  # the user who changed it last, where that is known
    by_name: str = ""
    at: datetime | None = None
    line: str = ""
    kind: str = "changed"  # or "added" or "removed", of a line
    title: str = ""
    values: tuple[Held, ...] = ()  # of a line that was added or removed


def compare(
    ctx: Context, connection: Connection, kept: Kept, node: Node | Sequence[Node] = WHOLE,
    known: Known | None = None, now: Json | None = None,
) -> list[Difference]:  # fmt: skip
    """What differs between a snapshot and the record as it is now, through nodes; in the definition's order.

    `known`: whether the title of a record (object, id) may be told; that of all unless said. `now`: what a snapshot
    would hold of a new record that waits. Raises NotFound for a record that is deleted.
    """
    hidden = sorted(common([one.hidden for one in ([node] if isinstance(node, Node) else node)]))
    before = seen_data(ctx, kept.object, kept.data, hidden, "")
    if now is not None:
        return list(differences(ctx, kept.object, before, seen_data(ctx, kept.object, now, hidden, ""), known))
    current = read_for(ctx, connection, Approval("", {}, kept.object, ()), node, kept.object, kept.record)
    changed = list(differences(ctx, kept.object, before, data_of(ctx, current), known))
    return _with_authors(ctx, connection, kept, changed, _line_authors(current))


def changed_paths(
    ctx: Context, connection: Connection, kept: Kept, now: Json | None = None
) -> tuple[frozenset[str], frozenset[str]]:
    """(what differs now: fields, lines, and fields of lines such as "items.amount"; lines of which there are more than
    a snapshot holds). A line that was added or removed counts for all fields of the lines. `now`: as above."""
    system = context_of(ctx.tenant, SYSTEM, ctx.now, ctx.snapshot)
    current = now if now is not None else taken(ctx, connection, kept.object, kept.record)[0]
    found: set[str] = set()
    for one in differences(system, kept.object, kept.data, current):
        steps = one.field.split(".")
        found |= {".".join(steps[:count]) for count in range(1, len(steps) + 1)}
        if one.kind != "changed":
            child = _object_at(ctx, kept.object, steps)
            found |= {f"{one.field}.{name}" for name in ctx.snapshot.definitions.objects[child].fields}
    cut = {name for data in (kept.data, current) for name in _cut(data, "")}
    return frozenset(found), frozenset(cut)


def line_object(ctx: Context, object_name: str, one: Difference) -> str:
    """The object of the line that it is about."""
    steps = one.field.split(".")
    return _object_at(ctx, object_name, steps if one.kind != "changed" else steps[:-1])


def _object_at(ctx: Context, object_name: str, steps: Sequence[str]) -> str:
    for step in steps:
        object_name = ctx.snapshot.definitions.objects[object_name].fields[step].of
    return object_name


def _cut(data: Json, prefix: str) -> Iterator[str]:
    yield from (f"{prefix}{name}" for name in data.get("cut", ()))
    for name, lines in data.get("lines", {}).items():
        for line in lines:
            yield from _cut(line, f"{prefix}{name}.")


def differences(
    ctx: Context, object_name: str, before: Json, after: Json, known: Known | None = None, line: str = "",
    title: str = "",
) -> Iterator[Difference]:  # fmt: skip
    """Between two snapshots' data. How far approvals are is none: they themselves write that."""
    for name, field, label in _named(ctx, object_name):
        if name == APPROVAL_STATUS:
            continue
        if field.source == "lines":
            yield from _lines_differ(ctx, field.of, name, label, before.get("lines", {}), after.get("lines", {}), known)
            continue
        key, part = _place(ctx, object_name, name)
        if key not in after.get(part, {}) and key not in before.get(part, {}):
            continue
        old, new = before.get(part, {}).get(key), _plain(after.get(part, {}).get(key))
        if old != new:
            texts = (_text(ctx, field, before, key, old, known), _text(ctx, field, after, key, new, known))
            yield Difference(name, label, old, new, *texts, line=line, title=title)


def _named(ctx: Context, object_name: str) -> Iterator[tuple[str, Field, str]]:
    fields = ctx.snapshot.definitions.objects[object_name].fields
    for name, field in {**fields, "owner": SYSTEM_FIELDS["owner"]}.items():
        yield name, field, say(field.label, ctx.language)


def _place(ctx: Context, object_name: str, name: str) -> tuple[str, str]:
    """Where a snapshot's data has a field: (key, part)."""
    columns = ctx.snapshot.physical.names.columns[object_name]
    return (columns.get(name, name), "values") if name in columns or name == "owner" else (name, "reckoned")


def _plain(value: Any) -> Any:
    return orjson.loads(orjson.dumps(value, default=str))


def _lines_differ(
    ctx: Context, child: str, name: str, label: str, before: Json, after: Json, known: Known | None
) -> Iterator[Difference]:  # fmt: skip
    was = {line["id"]: line for line in before.get(name, ())}
    now = {line["id"]: line for line in after.get(name, ())}
    for key in [*was, *(one for one in now if one not in was)]:
        if key not in now:
            values = tuple(_told(ctx, child, was[key], known))
            title = was[key]["title"]
            yield Difference(name, label, key, None, title, "", line=key, kind="removed", title=title, values=values)
        elif key not in was:
            values = tuple(_told(ctx, child, now[key], known))
            title = now[key]["title"]
            yield Difference(name, label, None, key, "", title, line=key, kind="added", title=title, values=values)
        else:
            title = now[key]["title"] or was[key]["title"]
            colon = "：" if ctx.language.startswith("zh") else ": "
            for one in differences(ctx, child, was[key], now[key], known, key, title):
                yield replace(one, field=f"{name}.{one.field}", label=f"{label}{colon}{one.label}")


def _told(ctx: Context, child: str, data: Json, known: Known | None) -> Iterator[Held]:
    """What a line holds, but for its title and the record that it belongs to."""
    definition = ctx.snapshot.definitions.objects[child]
    masters = {field.name for field in definition.masters}
    for name, field, label in _named(ctx, child):
        key, part = _place(ctx, child, name)
        value = _plain(data.get(part, {}).get(key))
        if name not in (definition.title, "owner", "position") and name not in masters and value not in (None, "", []):
            yield Held(name, label, value, _text(ctx, field, data, key, value, known))


def _text(ctx: Context, field: Field, data: Json, key: str, value: Any, known: Known | None) -> str:
    """As it was called then."""
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(_text(ctx, field, data, key, one, known) for one in value)
    labels = data.get("choices", {}).get(key, {})
    if isinstance(value, str):
        if value in labels:
            return say(labels[value], ctx.language)
        if not field.target and not field.targets:
            return value
        target, _, record = value.rpartition("/")
        title = data.get("titles", {}).get(record)
        is_known = known is None or known(target or field.target or field.targets[0], record)
        return str(title) if title is not None and is_known else HIDDEN
    if isinstance(value, dict):
        return str(value.get("name") or value)
    return str(value)


def _line_authors(reading: Reading) -> dict[str, tuple[str, datetime | None]]:
    """Line -> who wrote it last, and when."""
    found: dict[str, tuple[str, datetime | None]] = {}
    for lines in reading.lines.values():
        for line in lines:
            at = line.values.get("modified_at")
            moment = datetime.fromisoformat(at) if isinstance(at, str) else at
            found[line.id] = (str(line.values.get("modified_by") or ""), moment)
            found |= _line_authors(line)
    return found


def _with_authors(
    ctx: Context, connection: Connection, kept: Kept, changed: Sequence[Difference],
    of_lines: Mapping[str, tuple[str, datetime | None]],
) -> list[Difference]:  # fmt: skip
    history = [
        entry for entry in rows_history.read(connection, ctx.snapshot, kept.object, kept.record)
        if entry["version"] > kept.record_version
    ]  # fmt: skip
    removed = [one.line for one in changed if one.kind == "removed"]
    of_lines = {**of_lines, **(rows_history.deletions(connection, removed) if removed else {})}
    told: list[Difference] = []
    for one in changed:
        if one.line:
            by, at = of_lines.get(one.line, ("", None))
            told.append(replace(one, by=by, at=at))
            continue
        entry = next((each for each in history if one.field in each["changes"]), None)
        told.append(replace(one, by=entry["by"] or "", at=entry["at"]) if entry is not None else one)
    system = context_of(ctx.tenant, SYSTEM, ctx.now, ctx.snapshot)
    names = titles_of(system, connection, USER, sorted({one.by for one in told if one.by}))
    return [replace(one, by_name=names.get(one.by, "")) for one in told]
