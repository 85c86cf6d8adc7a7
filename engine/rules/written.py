"""What one request has written, to be judged when all of it is there: records, their lines, and roll-ups of others."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from engine.context import Context
from engine.errors import InputProblem
from engine.process.automation.book import book_of
from engine.rules.validations import judge_written, watchers
from engine.rules.values import Rules
from engine.snapshot import Snapshot
from engine.store import rows_deletion
from engine.store.database import Connection

__all__ = ["Written", "owners_of"]

Values = Mapping[str, Any]


@dataclass(slots=True)
class Written:
    befores: dict[str, dict[str, Values | None]] = field(default_factory=dict)
    """Object -> record -> what it held, None of a new one. Objects without rules that are asked late are not here."""
    held: dict[str, Values] = field(default_factory=dict)  # record -> what it held, of all that existed
    paths: dict[str, str] = field(default_factory=dict)  # record -> where it stands in what was sent: "lines.0"
    saved: dict[str, dict[str, tuple[str, Values | None]]] = field(default_factory=dict)
    """Object -> record -> what was done to it, and what it held: of objects with automations."""
    touched: dict[str, dict[str, None]] = field(default_factory=dict)
    """Object -> records whose lines or roll-ups have changed."""

    def add(
        self, snapshot: Snapshot, rules: Rules, record: str, before: Values | None, values: Values, path: str = ""
    ) -> None:
        """`values`: those that are new. `before` and they tell whose line the record was and is."""
        if before is not None:
            self.held[record] = before
        if not rules.is_plain:
            self.befores.setdefault(rules.object, {})[record] = before
            if book_of(snapshot, rules.object) is not None:
                action = "create" if before is None else "update"
                self.saved.setdefault(rules.object, {}).setdefault(record, (action, before))
            if path:
                self.paths[record] = path
        for name, by in watchers(snapshot, rules.object):
            for owner in (values.get(by), before.get(by) if before is not None else None):
                if owner is not None:
                    self.touched.setdefault(name, {})[owner] = None

    def remove(self, snapshot: Snapshot, object_name: str, held: Mapping[str, Values]) -> None:
        """Records that were deleted, with what they held."""
        if book_of(snapshot, object_name) is not None:
            self.saved.setdefault(object_name, {}).update({one: ("delete", values) for one, values in held.items()})

    def touch(self, touched: Mapping[str, Iterable[str]]) -> None:
        for name, ids in touched.items():
            self.touched.setdefault(name, {}).update(dict.fromkeys(ids))

    def problems(self, ctx: Context, connection: Connection) -> list[InputProblem]:
        """Those of records that were not sent themselves stand at no field."""
        if not self.befores and not self.touched:
            return []
        return [*self._own(ctx, connection), *self._others(ctx, connection)]

    def _own(self, ctx: Context, connection: Connection) -> Iterator[InputProblem]:
        for name, befores in self.befores.items():
            for record, problem in judge_written(ctx, connection, name, befores, befores, self.paths):
                path = ".".join(filter(None, (self.paths.get(record, ""), problem.path)))
                yield replace(problem, path=path)

    def _others(self, ctx: Context, connection: Connection) -> Iterator[InputProblem]:
        for name, ids in self.touched.items():
            known = self.befores.get(name, {})
            for _, problem in judge_written(ctx, connection, name, [one for one in ids if one not in known]):
                yield replace(problem, path="", values=(*problem.values, ("object", name)))


def owners_of(
    connection: Connection, snapshot: Snapshot, object_name: str, ids: Iterable[str]
) -> dict[str, dict[str, None]]:
    """Object -> those whose lines these records are, deleted ones too."""
    watching = watchers(snapshot, object_name)
    if not watching:
        return {}
    names = list(dict.fromkeys(by for _, by in watching))
    rows = rows_deletion.stored(connection, snapshot, object_name, names, list(ids)).values()
    return {
        name: {row[names.index(by)]: None for row in rows if row[names.index(by)] is not None} for name, by in watching
    }
