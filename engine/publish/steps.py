"""What a publish would do, step by step in domain words; the rows that it would lose, or that stop it. Only reads."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import sqlalchemy as sa

from engine.errors import BadValue
from engine.publish.compare import Changes, FieldChange, Note, ObjectChange, is_changed
from engine.publish.convert import Convert, converter, show
from engine.publish.migration import ColumnWork, Work, column_works
from engine.registry import Plugins
from engine.snapshot import Snapshot
from engine.store.database import Connection
from engine.store.references import id_in
from metadata.model import Field, Object

__all__ = ["Step", "convert_of", "rows_of", "steps"]

EXAMPLES = 20
CHUNK = 2000

Sign = Literal["+", "~", "-"]


@dataclass(frozen=True, slots=True)
class Step:
    sign: Sign
    what: str  # "field lead.score"
    detail: str = ""
    loses: int = 0  # rows whose value would be lost
    stops: tuple[str, ...] = ()  # rows that will not convert or break the new rule: the first few, quoted
    breaks: int = 0  # how many such rows there are

    def __str__(self) -> str:
        lines = [f"{self.sign} {self.what}" + (f": {self.detail}" if self.detail else "")]
        if self.loses:
            lines.append(f"    loses {counted(self.loses, 'row' if self.what.startswith('object ') else 'value')}")
        lines += [f"    stops: {stop}" for stop in self.stops]
        if self.breaks > len(self.stops):
            lines.append(f"    stops: and {self.breaks - len(self.stops)} more")
        return "\n".join(lines)


def steps(
    connection: Connection | None, old: Snapshot, changes: Changes, has_default: Callable[[Field], bool]
) -> list[Step]:
    """`connection` is None where nothing is stored yet. `has_default`: whether blank rows can be filled."""
    found = [step_of(note) for note in changes.packages]
    for change in filter(is_changed, changes.objects):
        census = Census(connection, old, change, has_default) if connection and change.old else None
        found += object_steps(change, census, old.plugins)
    return found + [step_of(note) for note in changes.others]


def step_of(note: Note) -> Step:
    return Step(note.sign, note.what, note.detail)  # type: ignore[arg-type]


def object_steps(change: ObjectChange, census: "Census | None", plugins: Plugins) -> Iterator[Step]:
    if change.new is None:
        assert change.old is not None
        yield Step("-", f"object {change.old.name}", loses=census.rows() if census else 0)
        return
    name = change.new.name
    if change.old is None:
        yield Step("+", f"object {name}", counted(len(change.new.fields), "field"))
        return
    assert census is not None
    details, broken = list(change.details), [census.repeated(group) for group in census.new_groups()]
    if change.new.kind == "single" and change.old.kind != "single":
        broken.append(census.several())
    if details:
        yield stopped(Step("~", f"object {name}", "; ".join(details)), broken)
    for field, work in zip(change.fields, column_works(change, plugins), strict=True):
        yield field_step(name, field, work, census)


def field_step(object_name: str, change: FieldChange, work: ColumnWork, census: "Census") -> Step:
    loses = census.values(work.old) if work.work is Work.DROP and work.old else census.without_target(work)
    if change.new is None:
        assert change.old is not None
        return Step("-", f"field {object_name}.{change.old.name}", loses=loses)
    what = f"field {object_name}.{change.new.name}"
    detail = "; ".join(change.details) if change.old else kind_of(change.new)
    step = Step("~" if change.old else "+", what, detail, loses)
    if work.new is None or work.is_worked_out:
        return step
    emptied = (
        Broken(loses, ("it is required, and some of its values would be lost",))
        if loses and work.new.is_required
        else Broken()
    )
    return stopped(step, [census.unconverted(work), census.blank(work), census.repeated_values(work), emptied])


def kind_of(field: Field) -> str:
    return field.type if field.is_written else f"{field.source} of {field.of or field.type}"


def stopped(step: Step, broken: Sequence["Broken"]) -> Step:
    stops = tuple(text for one in broken for text in one.examples)[:EXAMPLES]
    return replace(step, stops=stops, breaks=sum(one.count for one in broken))


@dataclass(frozen=True, slots=True)
class Broken:
    """Rows that stop a publish: how many, and the first few in words."""

    count: int = 0
    examples: tuple[str, ...] = ()


class Census:
    """Counts and quotes the rows of an object that a publish would change."""

    def __init__(
        self, connection: Connection, old: Snapshot, change: ObjectChange, has_default: Callable[[Field], bool]
    ) -> None:
        assert change.old is not None
        self.connection, self.old, self.change, self.has_default = connection, old, change, has_default
        self.before: Object = change.old
        self.table = old.physical.table(change.old.name)
        self.works = (
            {work.new.name: work for work in column_works(change, old.plugins) if work.new} if change.new else {}
        )

    def rows(self) -> int:
        return self._count(sa.true())

    def values(self, field: Field) -> int:
        return self._count(self.table.c[field.name].is_not(None))

    def without_target(self, work: ColumnWork) -> int:
        """How many values of a reference to one of several objects lead to objects that it does not refer to now."""
        if not (work.old and work.new and work.old.refers_to_any and work.new.refers_to_any):
            return 0
        column, lost = self.table.c[work.old.name], self.old.definitions.objects.keys() - work.objects.keys()
        if not lost or work.work is Work.KEEP:
            return 0
        return self._count(sa.or_(*(id_in(self.old.dialect, column, name).is_not(None) for name in sorted(lost))))

    def unconverted(self, work: ColumnWork) -> Broken:
        """Values that are none of the new definition. What is in the trash counts only where it would be lost."""
        if work.work not in (Work.COPY, Work.REWRITE):
            return Broken()
        assert work.old
        assert work.new
        convert, column = convert_of(work, self.old.plugins), self.table.c[work.old.name]
        is_rule = work.old.type == work.new.type and work.work is Work.REWRITE and not work.new.targets
        examples, count = [], 0
        where = sa.and_(column.is_not(None), self.table.c.deleted_at.is_(None)) if is_rule else column.is_not(None)
        for key, title, deleted_at, value in rows_of(self.connection, self.table, self._quoted(column), where):
            try:
                convert(value)
            except BadValue as bad:
                count += 1
                if count <= EXAMPLES:
                    examples.append(f"{self._name(title, key, deleted_at)}: {show(value)}: {bad.message}")
        return Broken(count, tuple(examples))

    def blank(self, work: ColumnWork) -> Broken:
        """Records without a value where one is now required, unless the default fills them."""
        if not work.becomes_required or (work.new and self.has_default(work.new)):
            return Broken()
        where: sa.ColumnElement[bool] = self.table.c.deleted_at.is_(None)
        if work.old:
            where = sa.and_(where, self.table.c[work.old.name].is_(None))
        count = self._count(where)
        if not count:
            return Broken()
        quoted = self._first(where)
        return Broken(count, tuple(f"{name}: has no value, and there is no default" for name in quoted))

    def repeated_values(self, work: ColumnWork) -> Broken:
        """Values that two records share where they are now unique."""
        assert work.new
        is_new = not (work.old and work.old.is_unique) or work.work in (Work.COPY, Work.REWRITE)
        if not (work.old and work.new.is_unique and is_new):
            return self._repeated_default(work)
        return self.repeated((work.new.name,))

    def _repeated_default(self, work: ColumnWork) -> Broken:
        if not (work.new and work.new.is_unique and work.becomes_required and self.has_default(work.new)):
            return Broken()
        blank = self.table.c[work.old.name].is_(None) if work.old else sa.true()
        count = self._count(sa.and_(self.table.c.deleted_at.is_(None), blank))
        if count < 2:
            return Broken()
        return Broken(count, (f"{counted(count, 'record')} would share the default of a unique field",))

    def several(self) -> Broken:
        """Records where there is to be one."""
        alive = self.table.c.deleted_at.is_(None)
        count = self._count(alive)
        if count < 2:
            return Broken()
        return Broken(count, tuple(f"{name}: one record is to be left" for name in self._first(alive)))

    def new_groups(self) -> Iterator[tuple[str, ...]]:
        """Fields that together are newly unique, or of which a value may change."""
        assert self.change.new
        kept = self.change.kept or {}
        was = (*self.before.unique, *self.before.unique_with_blank)
        for group in (*self.change.new.unique, *self.change.new.unique_with_blank):
            changed = [work for name in group if (work := self.works.get(name)) and work.work is not Work.KEEP]
            if changed or tuple(kept.get(name, name) for name in group) not in was:
                yield group

    def repeated(self, group: tuple[str, ...]) -> Broken:
        kept = self.change.kept or {}
        known = [name for name in group if name in kept or name in self.table.c]
        if len(known) < len(group):  # a new field in it is blank in every record: nothing is repeated
            return Broken()
        columns = [self.table.c[kept.get(name, name)] for name in group]
        converts = [self._convert_of(name) for name in group]
        where = sa.and_(self.table.c.deleted_at.is_(None), *(column.is_not(None) for column in columns))
        seen: Counter[tuple[Any, ...]] = Counter()
        first: dict[tuple[Any, ...], str] = {}
        examples: list[str] = []
        for key, title, deleted_at, *values in rows_of(self.connection, self.table, self._quoted(*columns), where):
            new = tuple(converted(value, convert) for value, convert in zip(values, converts, strict=True))
            if None in new:
                continue
            new = tuple(tuple(value) if isinstance(value, list) else value for value in new)
            seen[new] += 1
            name = self._name(title, key, deleted_at)
            if seen[new] == 1:
                first[new] = name
            elif len(examples) < EXAMPLES:
                shown = ", ".join(map(show, new))
                examples.append(f"{name}: {shown}: {first[new]} has it, too")
        return Broken(sum(count - 1 for count in seen.values()), tuple(examples))

    def _convert_of(self, name: str) -> Convert | None:
        work = self.works.get(name)
        return convert_of(work, self.old.plugins) if work and work.work in (Work.COPY, Work.REWRITE) else None

    def _quoted(self, *columns: sa.Column[Any]) -> list[sa.Column[Any]]:
        c = self.table.c
        return [c.id, c.get(self.before.title, c.id), c.deleted_at, *columns]

    def _first(self, where: sa.ColumnElement[bool]) -> list[str]:
        wanted = sa.select(*self._quoted()).where(where).order_by(self.table.c.id).limit(EXAMPLES)
        return [self._name(title, key, deleted_at) for key, title, deleted_at in self.connection.sa.execute(wanted)]

    def _count(self, where: sa.ColumnElement[bool]) -> int:
        return self.connection.sa.scalar(sa.select(sa.func.count()).select_from(self.table).where(where)) or 0

    def _name(self, title: object, key: object, deleted_at: object) -> str:
        trash = ", in the trash" if deleted_at else ""
        return f"{self.before.name} {show(title) if title not in (None, key) else ''} ({key}{trash})".replace("  ", " ")


def convert_of(work: ColumnWork, plugins: Plugins) -> Convert:
    assert work.old
    assert work.new
    return converter(work.old, work.new, plugins, is_retargeted=work.is_retargeted, objects=work.objects)


def converted(value: Any, convert: Convert | None) -> Any:
    """None for what does not convert: that is told of elsewhere."""
    if convert is None:
        return value
    try:
        return convert(value)
    except BadValue:
        return None


def rows_of(
    connection: Connection, table: sa.Table, columns: Sequence[sa.Column[Any]], where: sa.ColumnElement[bool]
) -> Iterator[Sequence[Any]]:
    """Rows in order of their ids, which is the first of `columns`; read in pieces, so that memory does not grow."""
    wanted = sa.select(*columns).where(where).order_by(table.c.id).limit(CHUNK)
    found: Sequence[Any] = connection.sa.execute(wanted).all()
    while found:
        yield from found
        if len(found) < CHUNK:
            return
        found = connection.sa.execute(wanted.where(table.c.id > found[-1][0])).all()


def counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
