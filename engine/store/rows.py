"""The only statements that change records. Each is compiled once per object and set of fields, and its text is kept."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from engine.context import Context
from engine.people.guards import GUARDS
from engine.snapshot import Snapshot
from engine.store import rows_files, rows_locks, rows_people, types
from engine.store.database import Compiled, Connection, compile_sql
from engine.store.query import actor_params
from engine.store.query_build import Builder, rule_on
from engine.store.query_cache import Kept
from engine.store.query_conditions import in_list, padded
from engine.store.query_rows import Convert, loaders
from metadata.formula import paths_in
from metadata.model import SYSTEM_FIELDS, Action

__all__ = [
    "Current",
    "Written",
    "change",
    "change_each",
    "change_many",
    "columns_of",
    "current",
    "failing",
    "insert",
    "insert_many",
    "may_flag",
    "savepoint",
]

CHUNK = 500  # ids in one statement
READ: Action = "read"
UNGUARDED = nullcontext()
Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Written:
    """A row after it was written: JSON-ready values by field, and whether the rules of the Scope let it through."""

    record: dict[str, Any]
    is_allowed: bool  # by the rule of the action
    is_visible: bool  # by the rule of `read`


@dataclass(frozen=True, slots=True)
class Current:
    """A row before it is written."""

    row: tuple[Any, ...]
    shape: "Shape"
    is_allowed: bool

    @property
    def version(self) -> int:
        return int(self.row[1])

    def stored(self, names: Sequence[str]) -> dict[str, Any]:
        """Stored Python values of some fields."""
        found: dict[str, Any] = {}
        for name in names:
            place = self.shape.places[name]
            load = self.shape.python.get(place)
            value = self.row[place]
            found[name] = load(value) if load is not None and value is not None else value
        return found

    def record(self) -> dict[str, Any]:
        """JSON-ready values of all fields."""
        return self.shape.record(self.row)


class Shape:
    """The columns of a whole row of one object: id, version, own fields, then the rest of the system's."""

    def __init__(self, snapshot: Snapshot, object_name: str) -> None:
        self.names = columns_of(snapshot, object_name)
        self.places = {name: place for place, name in enumerate(self.names)}
        column_types = [snapshot.physical.column(object_name, name).type for name in self.names]
        self.json: tuple[tuple[int, Convert], ...] = loaders(column_types, snapshot.dialect, "json_loader")
        self.python: dict[int, Convert] = dict(loaders(column_types, snapshot.dialect, "loader"))

    def record(self, row: Sequence[Any]) -> dict[str, Any]:
        found = dict(zip(self.names, row, strict=False))
        for place, load in self.json:
            if row[place] is not None:
                found[self.names[place]] = load(row[place])
        return found


def columns_of(snapshot: Snapshot, object_name: str) -> tuple[str, ...]:
    fields = snapshot.definitions.objects[object_name].fields.values()
    own = [field.name for field in fields if field.is_stored]
    return ("id", "version", *own, *(name for name in SYSTEM_FIELDS if name not in ("id", "version")))


def shape_of(snapshot: Snapshot, object_name: str) -> Shape:
    key = ("shape", object_name)
    if key not in snapshot.cache:
        snapshot.cache[key] = Shape(snapshot, object_name)
    shape: Shape = snapshot.cache[key]
    return shape


def current(
    ctx: Context, connection: Connection, object_name: str, record_id: str, action: Action, in_trash: bool = False
) -> Current | None:
    """The row with this id, if this person may read it; with whether they may do `action` to it."""
    connection.need(ctx.tenant.database)
    if not types.is_id(record_id):
        return None
    compiled = kept(ctx.snapshot).get(key := ("current", ctx.scope.key, object_name, action, in_trash))
    if compiled is None:
        compiled = kept(ctx.snapshot).put(key, _current_sql(ctx, object_name, action, in_trash))
    rows = connection.rows(compiled.sql, compiled.bind({**actor_params(ctx), "_id": record_id}))
    if not rows:
        return None
    return Current(rows[0], shape_of(ctx.snapshot, object_name), bool(rows[0][-1]))


def _current_sql(ctx: Context, object_name: str, action: Action, in_trash: bool) -> Compiled:
    builder = Builder(ctx.snapshot, ctx.scope, object_name)
    table = builder.joins.root
    columns = [table.c[name] for name in columns_of(ctx.snapshot, object_name)]
    where = [*builder.visible(in_trash), table.c.id == sa.bindparam("_id", type_=types.Id())]
    flag = may_flag(ctx, table, object_name, action)
    statement = sa.select(*columns, flag).select_from(builder.joins.source).where(*where)
    return compile_sql(statement, ctx.snapshot.dialect)


def may_flag(ctx: Context, table: sa.FromClause, object_name: str, action: Action) -> sa.ColumnElement[Any]:
    """1 where the Scope lets the row through for this action, else 0."""
    if not ctx.scope.can(action, object_name):
        return sa.literal_column("0").label(f"may_{action}")
    rules = ctx.scope.rows(action, object_name)
    if not rules:
        return sa.literal_column("1").label(f"may_{action}")
    condition = rule_on(ctx.snapshot, table, object_name, rules)
    return sa.case((condition, sa.literal_column("1")), else_=sa.literal_column("0")).label(f"may_{action}")


def _flag_after(ctx: Context, table: sa.Table, object_name: str, action: Action) -> sa.ColumnElement[Any]:
    """The same for RETURNING; -1 where only another statement can tell: SQLAlchemy has no subqueries there."""
    rules = ctx.scope.rows(action, object_name) if ctx.scope.can(action, object_name) else ()
    if rules and ctx.scope.is_shared(action, object_name):
        return sa.literal_column("-1").label(f"may_{action}")
    if any(len(path.steps) > 1 or not path.fields[-1].is_stored for rule in rules for path in paths_in(rule)):
        return sa.literal_column("-1").label(f"may_{action}")
    return may_flag(ctx, table, object_name, action)


def guarded(
    ctx: Context, connection: Connection, object_name: str, changes: Mapping[str, Values], *, is_new: bool = False
) -> AbstractContextManager[None]:
    """Stands around every statement that writes records: what else is asked of rows of this object."""
    connection.need(ctx.tenant.database)
    guard = GUARDS.get(object_name)
    inner = UNGUARDED if guard is None else guard(ctx, connection, changes, is_new)
    return rows_locks.guarded(ctx, connection, object_name, changes, is_new, inner)


def insert(ctx: Context, connection: Connection, object_name: str, values: Values) -> Written:
    """`values` holds every column but `deleted_at`; what is missing is blank."""
    compiled = _insert_sql(ctx, object_name, is_returning=True)
    params = {**actor_params(ctx), **_params(ctx.snapshot, object_name, values)}
    with guarded(ctx, connection, object_name, {values["id"]: values}, is_new=True):
        row = connection.rows(compiled.sql, compiled.bind(params))[0]
    rows_files.note(ctx, connection, object_name, [(values["id"], values)], is_new=True)
    return _written(ctx, connection, object_name, row, "create")


def insert_many(ctx: Context, connection: Connection, object_name: str, rows: Sequence[Values]) -> None:
    """Without a look at the row rules: see `failing`."""
    compiled = _insert_sql(ctx, object_name, is_returning=False)
    bind, snapshot = compiled.bind, ctx.snapshot
    with guarded(ctx, connection, object_name, {values["id"]: values for values in rows}, is_new=True):
        connection.run_many(compiled.sql, [bind(_params(snapshot, object_name, values)) for values in rows])
    rows_files.note(ctx, connection, object_name, [(values["id"], values) for values in rows], is_new=True)


def _params(snapshot: Snapshot, object_name: str, values: Values) -> dict[str, Any]:
    get = values.get
    return {name: get(name[3:]) for name in _param_names(snapshot, object_name)}


def _param_names(snapshot: Snapshot, object_name: str) -> tuple[str, ...]:
    key = ("params", object_name)
    if key not in snapshot.cache:
        snapshot.cache[key] = tuple(f"_f_{name}" for name in columns_of(snapshot, object_name))
    names: tuple[str, ...] = snapshot.cache[key]
    return names


def _insert_sql(ctx: Context, object_name: str, is_returning: bool) -> Compiled:
    key = ("insert", ctx.scope.key if is_returning else "", object_name, is_returning)
    found = kept(ctx.snapshot).get(key)
    if found is not None:
        return found
    table = ctx.snapshot.physical.table(object_name)
    names = columns_of(ctx.snapshot, object_name)
    statement: Any = sa.insert(table).values({table.c[name]: _param(table, name) for name in names})
    if is_returning:
        statement = statement.returning(*_returned(ctx, table, object_name, "create"))
    return kept(ctx.snapshot).put(key, compile_sql(statement, ctx.snapshot.dialect))


def _param(table: sa.Table, name: str) -> sa.BindParameter[Any]:
    return sa.bindparam(f"_f_{name}", type_=table.c[name].type)


def _returned(ctx: Context, table: sa.Table, object_name: str, action: Action) -> list[Any]:
    columns: list[Any] = [table.c[name] for name in columns_of(ctx.snapshot, object_name)]
    return [*columns, _flag_after(ctx, table, object_name, action), _flag_after(ctx, table, object_name, "read")]


def _written(ctx: Context, connection: Connection, object_name: str, row: tuple[Any, ...], action: Action) -> Written:
    record = shape_of(ctx.snapshot, object_name).record(row)
    is_allowed, is_visible = (
        not failing(ctx, connection, object_name, [record["id"]], one) if flag < 0 else bool(flag)
        for flag, one in zip(row[-2:], (action, READ), strict=True)
    )
    return Written(record, is_allowed, is_visible)


def change(
    ctx: Context, connection: Connection, object_name: str, record_id: str, version: int, values: Values, action: Action
) -> Written | None:
    """Set some columns of a row, and count up its version; None when it is not at `version` any more."""
    names = tuple(sorted(values))
    key = ("change", ctx.scope.key, object_name, names, action)
    compiled = kept(ctx.snapshot).get(key)
    if compiled is None:
        table = ctx.snapshot.physical.table(object_name)
        statement = (
            _touching(table, names)
            .where(table.c.id == sa.bindparam("_id", type_=types.Id()))
            .where(table.c.version == sa.bindparam("_at_version", type_=types.Integer()))
            .returning(*_returned(ctx, table, object_name, action))
        )
        compiled = kept(ctx.snapshot).put(key, compile_sql(statement, ctx.snapshot.dialect))
    params = {**actor_params(ctx), **{f"_f_{name}": value for name, value in values.items()}}
    with guarded(ctx, connection, object_name, {record_id: values}):
        rows = connection.rows(compiled.sql, compiled.bind(params | {"_id": record_id, "_at_version": version}))
    if not rows:
        return None
    rows_files.note(ctx, connection, object_name, [(record_id, values)])
    rows_people.note(connection, object_name, [record_id], values)
    return _written(ctx, connection, object_name, rows[0], action)


def _touching(table: sa.Table, names: Sequence[str]) -> sa.Update:
    """UPDATE … SET these columns, and who changed the row when, and the next version."""
    changed = {
        table.c.modified_at: sa.bindparam("_now", type_=types.DateTime()),
        table.c.modified_by: sa.bindparam("_actor_id", type_=types.Id()),
        table.c.version: sa.type_coerce(table.c.version, sa.Integer()) + sa.literal_column("1"),
    }
    return sa.update(table).values({table.c[name]: _param(table, name) for name in names} | changed)


def change_many(
    ctx: Context, connection: Connection, object_name: str, ids: Sequence[str], values: Values
) -> dict[str, int]:
    """Set the same values in many rows; id -> the new version."""
    names = tuple(sorted(values))
    versions: dict[str, int] = {}
    for chunk in chunks(ids):
        wanted = padded(chunk)
        key = ("change many", object_name, names, len(wanted))
        compiled = kept(ctx.snapshot).get(key)
        if compiled is None:
            table = ctx.snapshot.physical.table(object_name)
            statement = _touching(table, names).where(_among(table, len(wanted))).returning(table.c.id, table.c.version)
            compiled = kept(ctx.snapshot).put(key, compile_sql(statement, ctx.snapshot.dialect))
        params = {**actor_params(ctx), **{f"_f_{name}": value for name, value in values.items()}, **_ids(wanted)}
        with guarded(ctx, connection, object_name, dict.fromkeys(chunk, values)):
            versions.update(connection.rows(compiled.sql, compiled.bind(params)))
    rows_files.note(ctx, connection, object_name, [(one, values) for one in versions])
    rows_people.note(connection, object_name, list(versions), values)
    return versions


def change_each(
    ctx: Context, connection: Connection, object_name: str, changes: Mapping[str, Values]
) -> dict[str, int]:  # fmt: skip
    """Set in each row values of its own: id -> values. One text for each set of fields; id -> the new version."""
    by_names: dict[tuple[str, ...], list[str]] = {}
    for record_id, values in changes.items():
        by_names.setdefault(tuple(sorted(values)), []).append(record_id)
    shared = actor_params(ctx)
    for names, ids in by_names.items():
        key = ("change each", object_name, names)
        compiled = kept(ctx.snapshot).get(key)
        if compiled is None:
            table = ctx.snapshot.physical.table(object_name)
            statement = _touching(table, names).where(table.c.id == sa.bindparam("_id", type_=types.Id()))
            compiled = kept(ctx.snapshot).put(key, compile_sql(statement, ctx.snapshot.dialect))
        rows = [{**shared, "_id": one, **{f"_f_{name}": changes[one][name] for name in names}} for one in ids]
        with guarded(ctx, connection, object_name, {one: changes[one] for one in ids}):
            connection.run_many(compiled.sql, [compiled.bind(row) for row in rows])
    rows_files.note(ctx, connection, object_name, list(changes.items()))
    for record_id, values in changes.items():
        rows_people.note(connection, object_name, [record_id], values)
    return versions_of(ctx.snapshot, connection, object_name, list(changes))


def versions_of(snapshot: Snapshot, connection: Connection, object_name: str, ids: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for chunk in chunks(ids):
        wanted = padded(chunk)
        key = ("versions", object_name, len(wanted))
        compiled = kept(snapshot).get(key)
        if compiled is None:
            table = snapshot.physical.table(object_name)
            statement = sa.select(table.c.id, table.c.version).where(_among(table, len(wanted)))
            compiled = kept(snapshot).put(key, compile_sql(statement, snapshot.dialect))
        found.update(connection.rows(compiled.sql, compiled.bind(_ids(wanted))))
    return found


def hold(connection: Connection, snapshot: Snapshot, object_name: str, ids: Sequence[str]) -> None:
    """Nobody else changes these rows until the transaction ends. SQLite has one writer."""
    if connection.dialect == "sqlite":
        return
    for chunk in chunks(ids):
        wanted = padded(chunk)
        key = ("hold", object_name, len(wanted))
        compiled = kept(snapshot).get(key)
        if compiled is None:
            table = snapshot.physical.table(object_name)
            statement = sa.select(table.c.id).where(_among(table, len(wanted))).order_by(table.c.id).with_for_update()
            compiled = kept(snapshot).put(key, compile_sql(statement, snapshot.dialect))
        connection.rows(compiled.sql, compiled.bind(_ids(wanted)))


def failing(
    ctx: Context, connection: Connection, object_name: str, ids: Sequence[str], action: Action, own: bool = False
) -> set[str]:
    """Those of these rows that the rule of `action` does not let through; `own`: whatever their masters' rules say."""
    connection.need(ctx.tenant.database)
    rules = ctx.scope.own_rows(action, object_name) if own else ctx.scope.rows(action, object_name)
    if not rules:
        return set()
    passed: set[str] = set()
    for chunk in chunks(ids):
        wanted = padded(chunk)
        key = ("passing", ctx.scope.key, object_name, action, own, len(wanted))
        compiled = kept(ctx.snapshot).get(key)
        if compiled is None:
            table = ctx.snapshot.physical.table(object_name).alias("t")
            rule = rule_on(ctx.snapshot, table, object_name, rules)
            statement = sa.select(table.c.id).where(_among(table, len(wanted)), rule)
            compiled = kept(ctx.snapshot).put(key, compile_sql(statement, ctx.snapshot.dialect))
        found = connection.rows(compiled.sql, compiled.bind({**actor_params(ctx), **_ids(wanted)}))
        passed.update(row[0] for row in found)
    return set(ids) - passed


def _among(table: sa.FromClause, size: int) -> sa.ColumnElement[bool]:
    return in_list(table.c.id, [f"_i{index}" for index in range(size)])


def _ids(wanted: Sequence[str]) -> dict[str, str]:
    return {f"_i{index}": one for index, one in enumerate(wanted)}


def chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK))


@contextmanager
def savepoint(connection: Connection) -> Iterator[None]:
    """What is written inside is taken back when it raises; the transaction goes on."""
    connection.run("SAVEPOINT fs_row")
    noted, saving, reckoned = len(connection.notes), connection.saving, dict(connection.reckoned)
    mark = None if saving is None else saving.mark()
    try:
        yield
    except BaseException:
        connection.run("ROLLBACK TO SAVEPOINT fs_row")
        del connection.notes[noted:]
        connection.saving, connection.reckoned = saving, reckoned
        if saving is not None:
            saving.go_back(mark)
        connection.run("RELEASE SAVEPOINT fs_row")
        raise
    connection.run("RELEASE SAVEPOINT fs_row")


def kept(snapshot: Snapshot) -> Kept[Compiled]:
    caches: dict[Any, Any] = snapshot.cache
    kept: Kept[Compiled] = caches.get("rows") or caches.setdefault("rows", Kept(3000))
    return kept
