"""Load the sample data of packages: all of it in one transaction, and each record once, however often it is loaded.

A record's id follows from its object and key (or place), so a record that was loaded, changed or deleted is left alone.
"""

import hashlib
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from engine.context import SYSTEM, ZONE_UTC, Actor, Context, context_of
from engine.errors import InputProblem
from engine.rules import duplicates, rollups, single
from engine.rules.conditions import sources_of
from engine.rules.draft import Draft
from engine.rules.numbering import number
from engine.rules.pipeline import automate, derive, draft_of, judge
from engine.rules.uniqueness import as_conflicts
from engine.rules.values import Rules, rules_of
from engine.rules.written import Written
from engine.service import Query, Records, SortKey
from engine.service_lists import order_of
from engine.service_rows import changes_of, refuse
from engine.snapshot import Snapshot
from engine.store import rows, rows_deletion, rows_history
from engine.store.database import Connection
from engine.store.query_paths import field_of
from engine.store.references import written
from engine.tenants import Tenant
from metadata.model import SYSTEM_FIELDS, Data, Field, Record

__all__ = ["Loading", "id_of", "know_people", "load", "resolved"]

PERSON = SYSTEM_FIELDS["owner"].target
CREATED = "_created_at"
SPREAD_DAYS = 90  # records without a time of their own lie so many days back, at most
MORNING = time(9)
UNITS = {"h": "hours", "d": "days", "m": "minutes"}
EPOCH_MS = 1_577_836_800_000  # 2020-01-01: ids of sample data begin with it
PAGE = 1000

Key = tuple[str, str]  # (object, key)


@dataclass(frozen=True, slots=True)
class Entry:
    """One record of the data, or a line within one."""

    object: str
    id: str
    record: Record
    tables: tuple[str, ...]  # names of its values that are lines of their own
    fixed: Mapping[str, Any] = field(default_factory=dict)  # of a line: what follows from where it stands, as stored


@dataclass(slots=True)
class Loading:
    """What is known while sample data is read."""

    ctx: Context
    ids: dict[Key, str] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)  # record -> where it stands in the package
    singles: dict[str, str] = field(default_factory=dict)  # settings object -> its record
    problems: list[InputProblem] = field(default_factory=list)
    is_loaded: bool = False  # all of the sample data is there: whatever has a key has the id that follows from it


def load(
    tenant: Tenant, data: Sequence[Data], now: datetime | None = None, time_zone: ZoneInfo = ZONE_UTC
) -> Mapping[str, int]:
    """Object -> records made. Users that records name must exist, or be among the data.

    Dates such as today-14 are reckoned from `now` in `time_zone`. Raises BadInput with all problems, each at its place
    in the package; then nothing is loaded.
    """
    ctx = replace(context_of(tenant, SYSTEM, now), time_zone=time_zone)
    loading = Loading(ctx)
    know_people(loading)
    with tenant.database.read() as connection:
        for part in data:
            definition = ctx.snapshot.definitions.objects.get(part.object)
            if definition is not None and definition.kind == "single":
                loading.singles[part.object] = single.record_of(ctx, connection, part.object) or ""
    entries = [
        entry
        for part in data for index, record in enumerate(part.records)
        for entry in _entries(loading, part.object, _id(loading, part.object, index, record), record)
    ]  # fmt: skip
    for entry in entries:
        loading.ids.update(_names(entry))
    drafts: dict[str, list[Draft]] = {}
    for entry in entries:
        drafts.setdefault(entry.object, []).append(_draft(loading, entry))
    refuse(loading.problems)
    with tenant.database.write() as connection:
        connection.defer_references()  # records may refer to later ones, and to each other
        made = {name: _write(loading, connection, name, drafts[name]) for name in _in_order(ctx.snapshot, drafts)}
        _judge(loading, connection, made)
        return {name: len(made[name]) for name in drafts}


def _in_order(snapshot: Snapshot, names: Iterable[str]) -> Iterator[str]:
    """Objects whose records others fetch values from come first, as far as that can be."""
    waiting = list(names)
    while waiting:
        free = [name for name in waiting if not sources_of(snapshot, name) & set(waiting) - {name}]
        for name in free or waiting[:1]:
            waiting.remove(name)
            yield name


def know_people(loading: Loading) -> None:
    """Users by name, whoever made them."""
    if PERSON not in loading.ctx.snapshot.definitions.objects:
        return
    title = loading.ctx.snapshot.definitions.objects[PERSON].title
    unique = [name for name, one in loading.ctx.snapshot.definitions.objects[PERSON].fields.items() if one.is_unique]
    name = unique[0] if unique else title
    cursor: str | None = ""
    while cursor is not None:
        query = Query(PERSON, (name,), sort=(SortKey("id"),), limit=PAGE, cursor=cursor)
        page = Records(loading.ctx).page(query)
        loading.ids.update({(PERSON, str(row[0])): one for row, one in zip(page.rows, page.ids, strict=True)})
        cursor = page.next


def _entries(loading: Loading, object_name: str, record_id: str, record: Record) -> Iterator[Entry]:
    """A record, and after it the lines that stand in it."""
    definition = loading.ctx.snapshot.definitions.objects.get(object_name)
    fields = definition.fields if definition is not None else {}
    tables = {name: fields[name] for name in record.values if name in fields and fields[name].source == "lines"}
    yield Entry(object_name, record_id, record, tuple(tables))
    for name, table in tables.items():
        by, position = field_of(loading.ctx.snapshot, table.of, table.by), order_of(loading.ctx, table.of)
        lines = record.values[name]
        for index, line in enumerate(lines if isinstance(lines, list) else ()):
            values = {key: value for key, value in line.items() if key != "_key"}
            own = Record(str(line.get("_key", "")), values, record.place)
            line_id = _id_of(f"{record_id}\0{name}\0{index}")
            fixed = {table.by: written(by, object_name, record_id), **dict.fromkeys(position, index + 1)}
            for entry in _entries(loading, table.of, line_id, own):
                yield replace(entry, fixed=fixed) if entry.record is own else entry


def _names(entry: Entry) -> Mapping[Key, str]:
    """What other records may call this one."""
    record = entry.record
    names = {(entry.object, record.key): entry.id} if record.key else {}
    if entry.object == PERSON and "username" in record.values:
        names[entry.object, str(record.values["username"])] = entry.id
    return names


def _id(loading: Loading, object_name: str, index: int, record: Record) -> str:
    """A UUID of version 7 whose random part is not random: the same at each loading. Settings have theirs already."""
    if object_name in loading.singles:
        return loading.singles[object_name]
    return _id_of(f"{object_name}\0{record.key}" if record.key else f"{object_name}\0\0{record.place.file}\0{index}")


def id_of(object_name: str, key: str) -> str:
    """The id that a record of the sample data gets by its key."""
    return _id_of(f"{object_name}\0{key}")


def _id_of(name: str) -> str:
    digest = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=16).digest(), "big")
    low = digest & ((1 << 80) - 1)
    low = (low & ~(0xF << 76)) | (7 << 76)
    low = (low & ~(0x3 << 62)) | (2 << 62)
    return str(uuid.UUID(int=EPOCH_MS << 80 | low))


def _draft(loading: Loading, entry: Entry) -> Draft:
    """A whole row; what is wrong with it becomes problems at its place in the package."""
    rules, record, record_id = rules_of(loading.ctx.snapshot, entry.object), entry.record, entry.id
    place = f"{record.place.file}:{record.place.line}"
    sent: dict[str, object] = {}
    system: dict[str, Any] = {}
    for name, value in record.values.items():
        if name in entry.tables:
            continue
        field = _field(rules, name)
        if field is None:
            sent[name] = value  # refused below, in the words of every other refusal
            continue
        try:
            found = resolved(loading, field, value)
        except LookupError as error:
            loading.problems.append(InputProblem(f"{place} {name}", "data.reference", str(error)))
            continue
        if name in rules.fields:
            sent[name] = found
        else:
            system[name.removeprefix("_")] = found
    draft = draft_of(loading.ctx, rules, sent, None)
    wrong = [one for one in draft.problems if one.path not in entry.fixed]
    loading.problems += [replace(one, path=f"{place} {one.path}") for one in wrong]
    draft.problems.clear()
    loading.places[record_id] = place
    stored = {**draft.stored, **entry.fixed}
    created = _moment(system.get("created_at")) or _spread(loading.ctx, record_id)
    person = system.get("created_by") or stored.get("owner")
    draft.stored = {
        **rollups.beginning(loading.ctx.snapshot, entry.object),
        **stored,
        "id": record_id,
        "version": 1,
        "created_at": created,
        "created_by": person,
        "modified_at": _moment(system.get("modified_at")) or created,
        "modified_by": system.get("modified_by") or person,
    }
    return draft


def _field(rules: Rules, name: str) -> Field | None:
    if name in rules.fields:
        return rules.fields[name].field
    known = name.removeprefix("_") if name == CREATED else name
    return SYSTEM_FIELDS.get(known) if known not in ("id", "version") else None


def resolved(loading: Loading, field: Field, value: object) -> object:
    """A JSON value: keys become ids, relative dates become dates. Raises LookupError for a key that leads nowhere."""
    if field.target and isinstance(value, str) and value:
        return _known(loading, field.target, value)
    if field.refers_to_many and isinstance(value, list):
        return [_known(loading, field.targets[0], one) if isinstance(one, str) else one for one in value]
    if field.refers_to_any and value:
        name, _, key = value.partition("/") if isinstance(value, str) else ("", "", "")
        if isinstance(value, dict):
            name, key = str(value.get("object")), str(value.get("id"))
        return f"{name}/{_known(loading, name, key)}" if name else value
    if isinstance(value, str) and field.value in ("date", "datetime") and value.startswith(("today", "now")):
        return _relative(loading.ctx, value, is_date=field.value == "date")
    return value


def _known(loading: Loading, object_name: str, key: str) -> str:
    found = loading.ids.get((object_name, key)) or (id_of(object_name, key) if loading.is_loaded else None)
    if found is None:
        raise LookupError(f"no {object_name} is called '{key}'")
    return found


def _relative(ctx: Context, text: str, is_date: bool) -> str:
    """today, today-14, today+1T06:30Z, now, now-3h -> the date or moment as JSON; other text as it is."""
    try:
        if text.startswith("now"):
            amount = timedelta(**{UNITS[text[-1]]: int(text[3:-1])}) if text != "now" else timedelta()
            moment = ctx.now + amount
            return ctx.today.isoformat() if is_date else _json(moment)
        days, _, clock = text[5:].partition("T")
        day = ctx.today + timedelta(days=int(days or 0))
        if is_date:
            return day.isoformat()
        if clock:
            return f"{day.isoformat()}T{clock.removesuffix('Z')}:00Z"
        return _json(datetime.combine(day, MORNING, ctx.time_zone))
    except (ValueError, KeyError, OverflowError):
        return text


def _json(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _moment(value: object) -> datetime | None:
    return datetime.fromisoformat(value).astimezone(UTC) if isinstance(value, str) else None


def _spread(ctx: Context, record_id: str) -> datetime:
    """Some moment of the last weeks, the same for the same record and day."""
    number = int(record_id[-8:], 16)
    return ctx.now - timedelta(days=1 + number % SPREAD_DAYS, minutes=number // SPREAD_DAYS % 480)


def _write(loading: Loading, connection: Connection, object_name: str, new: list[Draft]) -> list[Draft]:
    """Those that are not there yet."""
    ctx = loading.ctx
    if object_name in loading.singles:
        return _set_up(ctx, connection, object_name, new[-1])
    known = rows_deletion.stored(connection, ctx.snapshot, object_name, ["owner"], [one.stored["id"] for one in new])
    fresh = [draft for draft in new if draft.stored["id"] not in known]
    fresh.sort(key=lambda draft: draft.stored["created_at"])
    if not fresh:
        return []
    rules = rules_of(ctx.snapshot, object_name)
    if not rules.is_plain:
        automate(ctx, connection, rules, fresh, derive(ctx, connection, rules, fresh))
        loading.problems += [
            replace(one, path=f"{loading.places[draft.stored['id']]} {one.path}".strip())
            for draft in fresh for one in draft.problems
        ]  # fmt: skip
        refuse(loading.problems)
    new_rows = [draft.stored for draft in fresh]
    number(ctx, connection, rules, new_rows)
    with as_conflicts(ctx.snapshot, object_name):
        rows.insert_many(ctx, connection, object_name, new_rows)
    duplicates.keep(ctx, connection, object_name, new_rows)
    duplicates.check(ctx, connection, object_name, new_rows)
    for row in new_rows:
        _remember(ctx, connection, rules, row)
    return fresh


def _judge(loading: Loading, connection: Connection, written: Mapping[str, Sequence[Draft]]) -> None:
    """Asked when everything is there, as records may refer to later ones. Raises BadInput."""
    ctx, seen = loading.ctx, Written()
    for name, drafts in written.items():
        if not drafts:
            continue
        rules = rules_of(ctx.snapshot, name)
        for draft in drafts:
            seen.add(ctx.snapshot, rules, draft.stored["id"], None, draft.stored, loading.places[draft.stored["id"]])
        if rollups.concerns(ctx.snapshot, name):
            seen.touch(rollups.after_change(connection, ctx.snapshot, name, [one.stored["id"] for one in drafts]))
        if not rules.is_plain:
            judge(ctx, connection, rules, drafts)
        for draft in drafts:
            place = loading.places[draft.stored["id"]]
            loading.problems += [replace(one, path=f"{place} {one.path}".strip()) for one in draft.problems]
    refuse([*loading.problems, *seen.problems(ctx, connection)])


def _set_up(ctx: Context, connection: Connection, object_name: str, draft: Draft) -> list[Draft]:
    """Settings that nobody has changed yet."""
    rules, row = rules_of(ctx.snapshot, object_name), draft.stored
    record_id = row["id"]
    if rows.versions_of(ctx.snapshot, connection, object_name, [record_id]).get(record_id) != 1:
        return []
    if not rules.is_plain:
        derive(ctx, connection, rules, [draft])
    values = {name: row[name] for name in rules.fields if name in row}
    versions = rows.change_each(ctx, connection, object_name, {record_id: values})
    entry = (record_id, versions[record_id], "update", changes_of(rules, {}, values))
    rows_history.write(ctx, connection, object_name, [entry])
    return [draft]


def _remember(ctx: Context, connection: Connection, rules: Rules, row: Mapping[str, Any]) -> None:
    by = Actor(id=row["created_by"] or "", username="", is_system=True)
    then = replace(ctx, actor=by, now=row["created_at"])
    entry = (row["id"], 1, "create", changes_of(rules, {}, row))
    rows_history.write(then, connection, rules.object, [entry], noted=ctx)
