"""Names of a formula -> the nodes that they mean: fields, `parent.`, `user.`, `config.`, `record.`."""

from collections.abc import Iterable, Mapping

from metadata.formula.errors import FormulaError
from metadata.formula.names import Names
from metadata.formula.nodes import Actor, Config, Node, Outer, Path
from metadata.model import Field, ValueType
from metadata.problem import nearest

__all__ = ["LINES", "Lookup"]

ACTOR: Mapping[str, ValueType] = {"id": "reference", "username": "text"}
LINES = ("lines", "inverse")  # sources of fields that hold records
UNKNOWN = "formula.name.unknown"


class Lookup:
    """`outer`: the record that refers, where the formula is the filter of a reference."""

    def __init__(self, scope: Names, functions: Iterable[str], steps_most: int, outer: Names | None = None) -> None:
        self.scope, self.functions, self.steps_most, self.outer = scope, functions, steps_most, outer

    def within(self, scope: Names) -> "Lookup":
        """The same in the words of lines."""
        return Lookup(scope, self.functions, self.steps_most, self.outer)

    def named(self, steps: tuple[str, ...], column: int) -> Node:
        """What a name stands for. A field of the name `parent`, `config` or `record` comes before these words."""
        first = steps[0]
        if first == "user" and len(steps) > 1:
            return self._actor(steps, column)
        if len(steps) > 1 and first in ("config", "record") and self.scope.resolve((first,)) is None:
            if first == "config":
                return self._config(steps, column)
            if self.outer is not None:
                found = self._path(self.outer, steps[1:], column + len("record."))
                return Outer(self._one_value(found), found.type, column)
        return self._one_value(self.path(steps, column))

    def path(self, steps: tuple[str, ...], column: int) -> Path:
        """Of the record itself; it may lead to lines."""
        if steps[0] == "this" and len(steps) > 1:
            return self._path(self.scope, steps[1:], column + len("this."))
        return self._path(self.scope, steps, column)

    def _path(self, scope: Names, written: tuple[str, ...], column: int) -> Path:
        if len(written) > self.steps_most:
            message = f"a path has at most {self.steps_most} steps, not {len(written)}"
            raise FormulaError("formula.limit", message, "", column)
        steps = self._with_master(scope, written, column)
        fields: list[Field] = []
        for count in range(1, len(steps) + 1):
            found = scope.resolve(steps[:count])
            if found is None:
                raise self._unknown(scope, written, count - 1, fields, column)
            fields.append(found.field)
        assert found is not None
        if found.value == "secret":
            message = f"'{'.'.join(written)}' is a secret, which no formula reads"
            raise FormulaError("formula.secret", message, "leave it out", column)
        return Path(found.steps, tuple(fields), found.value, column)

    def _with_master(self, scope: Names, steps: tuple[str, ...], column: int) -> tuple[str, ...]:
        if steps[0] != "parent" or scope.resolve(("parent",)) is not None:
            return steps
        masters = scope.masters()
        if len(masters) > 1:
            shown = " and ".join(f"'{name}'" for name in masters)
            message = f"'parent' may be {shown}: the record belongs to any of them"
            raise FormulaError(UNKNOWN, message, f"write '{'.'.join((masters[0], *steps[1:]))}'?", column)
        return (masters[0], *steps[1:]) if masters else steps

    def _one_value(self, path: Path) -> Path:
        if path.fields[-1].source in LINES:
            message = f"'{path.key}' holds records, and one value is wanted"
            raise FormulaError("formula.type", message, f"write COUNT({path.key})", path.column)
        return path

    def _actor(self, steps: tuple[str, ...], column: int) -> Actor:
        if len(steps) == 2 and steps[1] in ACTOR:
            return Actor(steps[1], ACTOR[steps[1]], column)
        name = ".".join(steps)
        fix = f"write user.id, user.username, or this.{name} for the field"
        raise FormulaError(UNKNOWN, f"'{name}' is not known of the person acting", fix, column)

    def _config(self, steps: tuple[str, ...], column: int) -> Config:
        settings = self.scope.settings()
        known = [f"config.{name}.{field}" for name, fields in settings.items() for field in fields]
        _, name, *rest = steps
        field = settings[name].get(rest[0]) if name in settings and len(rest) == 1 else None
        if field is None:
            written = ".".join(steps)
            guess = nearest(written, known)
            fix = f"write '{guess}'?" if guess else "write config.object.field, of an object of the kind 'single'"
            raise FormulaError(UNKNOWN, f"no setting '{written}'", fix, column)
        if not field.is_stored:
            message = f"'{'.'.join(steps)}' is worked out; `config` reads what is written in a settings object"
            raise FormulaError("formula.type", message, "", column)
        return Config(name, field, field.value, column)

    def _unknown(self, scope: Names, steps: tuple[str, ...], at: int, fields: list[Field], column: int) -> FormulaError:
        name, before = steps[at], steps[:at]
        column += sum(len(step) + 1 for step in before)
        if before and fields[-1].source in LINES:
            message = f"'{'.'.join(before)}' holds records, so '{name}' cannot follow it"
            return FormulaError(UNKNOWN, message, f"write SUM({'.'.join(before)}, {name})", column)
        if before and not fields[-1].target:
            message = f"'{'.'.join(before)}' is no reference, so '{name}' cannot follow it"
            return FormulaError(UNKNOWN, message, f"write {'.'.join(before)}", column)
        guess = nearest(name, list(scope.known(tuple(field.name for field in fields))))
        fix = f"write '{'.'.join((*before, guess))}'?" if guess else ""
        if not before and self.outer is not None and scope is not self.outer and self.outer.resolve((name,)):
            fix = f"write 'record.{'.'.join(steps)}'?"
        elif not before and not guess and name == "user":
            fix = "write user.id"
        elif not before and name == "parent":
            fix = "say which reference it is: master: true"
        elif not before and name.upper() in self.functions:
            fix = f"write {name.upper()}()"
        where = f" in '{fields[-1].target}'" if before else ""
        return FormulaError(UNKNOWN, f"no field '{name}'{where}", fix, column)
