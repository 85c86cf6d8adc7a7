"""What rules read besides a record's own values, fetched for all records of a write at once.

Rules see everything, whatever the person may read: the queries here are trusted. A reference costs one statement for
all records, settings and trees one each; where no rule reads beyond its record there is none.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from engine.access.scope import full_scope
from engine.context import Context
from engine.contracts.function import Here
from engine.rules.reading import Needs, Tree, field_of
from engine.snapshot import Snapshot
from engine.store import types
from engine.store.database import Compiled, Connection, compile_sql
from engine.store.query import actor_params
from engine.store.query_build import Builder
from engine.store.query_conditions import in_list, padded
from engine.store.query_rows import Convert, loaders
from engine.store.rows import chunks

__all__ = ["Reach", "View", "here_of", "values_of"]

Values = Mapping[str, Any]
MISSING = object()


def here_of(ctx: Context) -> Here:
    """When it is and who asks, as formulas know it."""
    return ctx.here


class Reach:
    """`fill` before a formula is asked about records, and again where a reference of theirs has changed since."""

    def __init__(self, ctx: Context, connection: Connection, object_name: str, needs: Needs) -> None:
        self.ctx, self.connection, self.object, self.needs = ctx, connection, object_name, needs
        self.here = here_of(ctx)
        self.others: dict[str, dict[str, Values]] = {name: {} for name in needs.paths}
        self.settings: dict[str, Any] = {}
        self.lines: dict[str, dict[str, list[dict[str, Any]]]] = {key: {} for key in needs.lines}
        self.above: dict[tuple[str, str], dict[str, list[str]]] = {}
        self._has_settings = False

    def view(self, values: Values) -> Values:
        """A record's values with all that can be read from it."""
        return values if self.needs.is_empty else View(self, values)

    def former_view(self, values: Values, held: Mapping[str, Values]) -> Values:
        """The same, of a record whose master has been written by now: `held` tells what records were."""
        return Former(self, values, held) if held and not self.needs.is_empty else self.view(values)

    def fill(self, records: Iterable[Values]) -> None:
        """Fetch what is not known yet."""
        if self.needs.is_empty:
            return
        all_ = list(records)
        if self.needs.settings and not self._has_settings:
            self._has_settings = True
            self._fill_settings()
        for name, paths in self.needs.paths.items():
            self._fill_reference(name, tuple(paths), all_)
        for key in self.needs.lines:
            self._fill_lines(key, all_)
        for tree in self.needs.trees.values():
            self._fill_tree(tree, (View(self, values)[tree.item] for values in all_))

    def _fill_settings(self) -> None:
        for name, fields in self.needs.settings.items():
            found = first_of(self.ctx, self.connection, name, tuple(fields))
            self.settings |= {f"config.{name}.{one}": found.get(one) for one in fields}

    def _fill_reference(self, name: str, paths: tuple[str, ...], records: Sequence[Values]) -> None:
        known, definition = self.others[name], field_of(self.ctx.snapshot, self.object, name)
        target = definition.target or next(iter(definition.targets), "") if definition else ""
        wanted = [one for values in records for one in ids_in(values.get(name)) if one not in known]
        if wanted and target:
            found = values_of(
                self.ctx.snapshot, self.connection, actor_params(self.ctx), target, paths, "id", dict.fromkeys(wanted)
            )
            known.update((row["id"], row) for row in found)
            known.update((one, {}) for one in wanted if one not in known)

    def _fill_lines(self, key: str, records: Sequence[Values]) -> None:
        lines, known = self.needs.lines[key], self.lines[key]
        owners = (View(self, values)[lines.owner] for values in records)
        wanted = [one for one in dict.fromkeys(owners) if one and one not in known]
        if not wanted:
            return
        known.update((one, []) for one in wanted)
        paths = (*lines.paths, lines.by)
        for row in values_of(
            self.ctx.snapshot, self.connection, actor_params(self.ctx), lines.object, paths, lines.by, wanted
        ):
            known[row[lines.by]].append(row)
        for tree in lines.trees.values():
            rows = [row for one in wanted for row in known[one]]
            self._fill_tree(tree, (row[tree.item] for row in rows))
            for row in rows:
                row[tree.key] = self.above[tree.object, tree.by].get(row[tree.item] or "", [])

    def _fill_tree(self, tree: Tree, items: Iterable[Any]) -> None:
        known = self.above.setdefault((tree.object, tree.by), {})
        wanted = [one for one in dict.fromkeys(items) if one and one not in known]
        if wanted:
            known.update((one, []) for one in wanted)
            for start, one in above_in(self.ctx.snapshot, self.connection, tree, wanted):
                known[start].append(one)


class View(Mapping[str, Any]):
    """A record as formulas read it: by name, by path, `config.`, lines, what is above it in a tree."""

    __slots__ = ("held", "reach")

    def __init__(self, reach: Reach, values: Values) -> None:
        self.reach, self.held = reach, values

    def __getitem__(self, key: str) -> Any:
        found = self.held.get(key, MISSING)
        return self._further(key) if found is MISSING else found

    def _further(self, key: str) -> Any:
        reach = self.reach
        if (formula := reach.needs.formulas.get(key)) is not None:
            return formula(reach.here, self, None)
        if (lines := reach.needs.lines.get(key)) is not None:
            return reach.lines[key].get(self[lines.owner], ())
        if (tree := reach.needs.trees.get(key)) is not None:
            return reach.above[tree.object, tree.by].get(self[tree.item], ())
        if key in reach.settings:
            return reach.settings[key]
        name, dot, rest = key.partition(".")
        if not dot:
            raise KeyError(key)
        record = self.held[name]
        if record is None:
            return None
        other = reach.others[name][record]
        return other[rest] if other else None

    def __iter__(self) -> Iterator[str]:
        return iter(self.held)

    def __len__(self) -> int:
        return len(self.held)


class Former(View):
    """With the records that it refers to as they were before this request."""

    __slots__ = ("before",)

    def __init__(self, reach: Reach, values: Values, before: Mapping[str, Values]) -> None:
        super().__init__(reach, values)
        self.before = before

    def _further(self, key: str) -> Any:
        name, _, rest = key.partition(".")
        former = self.before.get(self.held.get(name) or "", {}) if rest and key not in self.reach.needs.formulas else {}
        return former[rest] if rest in former else super()._further(key)


class Behind(Mapping[str, Any]):
    """One of the records behind a reference, for the filter of that reference; the record that refers is `record.`."""

    __slots__ = ("name", "other", "record")

    def __init__(self, record: Values, name: str, other: str) -> None:
        self.record, self.name, self.other = record, name, other

    def __getitem__(self, key: str) -> Any:
        if key.startswith("record."):
            return self.record[key[len("record.") :]]
        if key.startswith("config."):
            return self.record[key]
        if isinstance(self.record, View):  # with one record of several in the reference's place
            return View(self.record.reach, {**self.record.held, self.name: self.other})[f"{self.name}.{key}"]
        return self.record[f"{self.name}.{key}"]

    def __iter__(self) -> Iterator[str]:
        return iter(self.record)

    def __len__(self) -> int:
        return len(self.record)


def ids_in(value: Any) -> Iterable[str]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else value


def values_of(
    snapshot: Snapshot, connection: Connection, bound: Values, object_name: str, paths: Sequence[str], by: str,
    ids: Iterable[str],
) -> list[dict[str, Any]]:  # fmt: skip
    """Stored values at some paths of all living records whose `by`, or whose id, is one of these; in order of ids."""
    found: list[dict[str, Any]] = []
    for chunk in chunks(list(ids)):
        wanted = padded(chunk)
        compiled, names, load = _values_sql(snapshot, object_name, tuple(dict.fromkeys(paths)), by, len(wanted))
        params = {**bound, **{f"_i{index}": one for index, one in enumerate(wanted)}}
        for row in connection.rows(compiled.sql, compiled.bind(params)):
            values = dict(zip(names, row, strict=True))
            for place, convert in load:
                if row[place] is not None:
                    values[names[place]] = convert(row[place])
            found.append(values)
    return found


Selected = tuple[Compiled, tuple[str, ...], tuple[tuple[int, Convert], ...]]


def _values_sql(snapshot: Snapshot, object_name: str, paths: tuple[str, ...], by: str, count: int) -> Selected:
    key = ("reach", object_name, paths, by, count)
    if key not in snapshot.cache:
        builder = Builder(snapshot, full_scope(snapshot), object_name)
        names = ("id", *(path for path in paths if path != "id"))
        columns = [builder.joins.column(tuple(path.split(".")), trusted=True) for path in names]
        table = builder.joins.root
        where = [table.c.deleted_at.is_(None), in_list(table.c[by], [f"_i{index}" for index in range(count)])]
        labelled = [column.label(f"f{index}") for index, column in enumerate(columns)]
        statement = sa.select(*labelled).select_from(builder.joins.source).where(*where).order_by(table.c.id)
        load = loaders([column.type for column in columns], snapshot.dialect, "loader")
        snapshot.cache[key] = (compile_sql(statement, snapshot.dialect), names, load)
    found: Selected = snapshot.cache[key]
    return found


def first_of(ctx: Context, connection: Connection, object_name: str, fields: tuple[str, ...]) -> Values:
    """The one record of a settings object; {} while there is none."""
    key = ("reach first", object_name, fields)
    snapshot = ctx.snapshot
    if key not in snapshot.cache:
        table = snapshot.physical.table(object_name)
        columns = [table.c[name] for name in fields]
        statement = sa.select(*columns).where(table.c.deleted_at.is_(None)).order_by(table.c.id).limit(1)
        load = loaders([column.type for column in columns], snapshot.dialect, "loader")
        snapshot.cache[key] = (compile_sql(statement, snapshot.dialect), load)
    compiled, load = snapshot.cache[key]
    rows = connection.rows(compiled.sql, compiled.bind({}))
    if not rows:
        return {}
    values = dict(zip(fields, rows[0], strict=True))
    for place, convert in load:
        if rows[0][place] is not None:
            values[fields[place]] = convert(rows[0][place])
    return values


def above_in(
    snapshot: Snapshot, connection: Connection, tree: Tree, ids: Sequence[str]
) -> Iterator[tuple[str, str]]:  # fmt: skip
    """(record, it or one above it) of some records of a tree. A circle ends."""
    for chunk in chunks(ids):
        wanted = padded(chunk)
        key = ("reach tree", tree.object, tree.by, len(wanted))
        if key not in snapshot.cache:
            table = snapshot.physical.table(tree.object).alias("t")
            names = [f"_i{index}" for index in range(len(wanted))]
            up = sa.select(table.c.id.label("start"), table.c.id.label("id"), table.c[tree.by].label("next"))
            up_cte = up.where(in_list(table.c.id, names), table.c.deleted_at.is_(None)).cte("up", recursive=True)
            higher = snapshot.physical.table(tree.object).alias("h")
            step = sa.select(up_cte.c.start, higher.c.id, higher.c[tree.by])
            step = step.select_from(higher.join(up_cte, higher.c.id == up_cte.c.next))
            up_cte = up_cte.union(step.where(higher.c.deleted_at.is_(None)))
            snapshot.cache[key] = compile_sql(sa.select(up_cte.c.start, up_cte.c.id), snapshot.dialect)
        compiled: Compiled = snapshot.cache[key]
        params = {f"_i{index}": one for index, one in enumerate(wanted)}
        load = types.blank_kept(types.Id().loader(snapshot.dialect))
        for start, one in connection.rows(compiled.sql, compiled.bind(params)):
            yield (load(start), load(one)) if load else (start, one)
