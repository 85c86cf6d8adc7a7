"""What steps are about: a record with what it was before, and the records that steps before have made or found."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from engine.context import Context
from engine.contracts.function import Here
from engine.numbers import number_json
from engine.process.formulas import Formula, Results, Text, filter_of, formula_of, text_of
from engine.rules.messages import HIDDEN, filled, is_told
from engine.rules.reach import Reach, values_of
from engine.rules.values import rules_of, taken
from engine.store.database import Connection
from engine.store.query import actor_params
from engine.store.rows import columns_of
from metadata.formula import Node, Path, bound
from metadata.formula.results import BODY
from metadata.formula.template import is_template

__all__ = ["Peers", "Subject", "record_of", "records_of"]

Json = dict[str, Any]
Values = Mapping[str, Any]


def records_of(
    ctx: Context, connection: Connection, object_name: str, ids: Sequence[str]
) -> dict[str, dict[str, Any]]:  # fmt: skip
    """id -> all stored values of living records, whoever may read them."""
    names = columns_of(ctx.snapshot, object_name)
    found = values_of(ctx.snapshot, connection, actor_params(ctx), object_name, names, "id", ids)
    return {row["id"]: row for row in found}


def record_of(ctx: Context, connection: Connection, object_name: str, record_id: str) -> dict[str, Any] | None:
    return records_of(ctx, connection, object_name, [record_id]).get(record_id)


class Peers:
    """Records that are asked the same before any of them is written: what they refer to is read for all at once."""

    def __init__(self, records: Sequence[Values]) -> None:
        self.records = records
        self.reaches: dict[tuple[int, str], Reach] = {}  # by what is read, and as whom

    def reach(self, ctx: Context, connection: Connection, object_name: str, read: Formula | Text) -> Reach:
        key = (id(read), ctx.actor.id)
        found = self.reaches.get(key)
        if found is None:
            found = self.reaches[key] = Reach(ctx, connection, object_name, read.needs)
            found.fill(self.records)
        return found


class Subject:
    """Formulas see everything, as rules do; what texts say is what the person of `ctx` may read."""

    def __init__(
        self, ctx: Context, connection: Connection, object_name: str, record: Values, prior: Values | None,
        body: Any = None, results: Mapping[str, tuple[str, str]] | None = None, peers: Peers | None = None,
    ) -> None:  # fmt: skip
        """`prior` is None for a record that is new. `results`: step -> (object, id)."""
        self.ctx, self.connection, self.object = ctx, connection, object_name
        self.record, self.prior, self.body, self.peers = record, prior, body, peers
        self.results: dict[str, tuple[str, str]] = dict(results or {})
        self._here: Here | None = None

    @property
    def shapes(self) -> Results:
        if not self.results and self.body is None:
            return ()
        found = tuple(sorted((name, target) for name, (target, _) in self.results.items()))
        return found if self.body is None else (*found, (BODY, ""))

    def value(self, text: str, *, is_condition: bool = False) -> Any:
        """Raises whatever evaluating raises: what cannot be asked is never taken for "no"."""
        formula = formula_of(self.ctx.snapshot, self.object, text, self.shapes, is_condition=is_condition)
        if isinstance(formula.node, Path) and self.body is not None and formula.node.steps[0] == BODY:
            return self._of_body(formula.node.steps[1:])
        if formula.needs.is_empty and not self.results and self.body is None:  # as most conditions are
            return formula.evaluate(self.here, self.record, self.prior)
        reach, record, prior = self._views(formula)
        return formula.evaluate(reach.here, record, prior)

    @property
    def here(self) -> Here:
        if self._here is None:
            self._here = self.ctx.here
        return self._here

    def holds(self, text: str) -> bool:
        return not text or self.value(text, is_condition=True) is True

    def held_before(self, text: str) -> bool:
        """Whether a condition held for the record as it was; never for one that is new."""
        if self.prior is None:
            return False
        before = Subject(self.ctx, self.connection, self.object, self.prior, self.prior, peers=self.peers)
        return before.holds(text)

    def text(self, said: str) -> str:
        return self._filled(self.ctx, said)

    def told(self, said: str) -> str:
        """The same where it refuses: with what its reader may see, who need not be who acts."""
        return self._filled(self.ctx.told, said)

    def _filled(self, reader: Context, said: str) -> str:
        if not is_template(said):
            return said
        found = text_of(self.ctx.snapshot, self.object, said, self.shapes)
        reach, record, prior = self._views(found)
        return filled(reader, found.parts, reach, record, prior, dict(self.shapes))

    def stored(self, object_name: str, said: Mapping[str, Any]) -> Json:
        """Of a map of literals, `=formula`s and texts with {paths}: JSON as the fields of that object take it."""
        rules = rules_of(self.ctx.snapshot, object_name).fields if object_name else {}
        made: Json = {}
        for name, raw in said.items():
            if isinstance(raw, str) and raw.startswith("="):
                value = self.value(raw[1:])
                if self.ctx.is_tried and not object_name and not self.is_seen(raw[1:]):
                    value = HIDDEN
                rule = rules.get(name)
                is_plain = isinstance(value, str) and self.body is not None
                if rule is not None and value is not None and not is_plain and not isinstance(value, dict):
                    value = taken(self.ctx, rules_of(self.ctx.snapshot, object_name), name, value)
                    value = None if value is None else rule.type.to_json(value)
                made[name] = value if rule is not None else plain(value)
            else:
                is_told = self.ctx.is_tried and not object_name
                made[name] = (self.told if is_told else self.text)(raw) if isinstance(raw, str) else raw
        return made

    def is_seen(self, text: str) -> bool:
        """Whether who reads may see all that a formula reads."""
        formula = formula_of(self.ctx.snapshot, self.object, text, self.shapes, is_condition=False)
        reach, record, prior = self._views(formula)
        return is_told(self.ctx.told, formula.node, reach, record, prior, dict(self.shapes))

    def rule(self, object_name: str, text: str) -> Node | None:
        """A filter over records of that object, with what it asks of this record put in."""
        if not text:
            return None
        found = filter_of(self.ctx.snapshot, object_name, text, self.object, self.shapes)
        return bound(found.node, {key: self.value(path) for key, path in found.outer.items()})

    def _views(self, read: Formula | Text) -> tuple[Reach, Values, Values | None]:
        reach = (
            Reach(self.ctx, self.connection, self.object, read.needs)
            if self.peers is None
            else self.peers.reach(self.ctx, self.connection, self.object, read)
        )
        record = self.record
        if self.results or self.body is not None:
            record = {**record, **self._found(read.found)}
        reach.fill([record] if self.prior is None else [record, self.prior])
        return reach, reach.view(record), None if self.prior is None else reach.view(self.prior)

    def _found(self, read: Mapping[str, tuple[str, ...]]) -> Json:
        """What formulas read of the records of earlier steps, by path."""
        made: Json = {}
        for name, (target, record_id) in self.results.items():
            made[name] = record_id or None
            paths = read.get(name, ())
            made |= {f"{name}.{path}": None for path in paths}
            if paths and record_id:
                bindings = actor_params(self.ctx)
                rows = values_of(self.ctx.snapshot, self.connection, bindings, target, paths, "id", [record_id])
                held = rows[0] if rows else {}
                made |= {f"{name}.{path}": held.get(path) for path in paths}
        for path in read.get(BODY, ()) if self.body is not None else ():
            value = self._of_body(tuple(path.split(".")))
            made[f"{BODY}.{path}"] = None if value is None else str(value)
        return made

    def _of_body(self, steps: tuple[str, ...]) -> Any:
        found = self.body
        for step in steps:
            if isinstance(found, list):
                found = found[int(step)] if step.isdigit() and int(step) < len(found) else None
            else:
                found = found.get(step) if isinstance(found, dict) else None
        return found


def plain(value: Any) -> Any:
    """As JSON has it."""
    return number_json(value) if isinstance(value, Decimal) else value
