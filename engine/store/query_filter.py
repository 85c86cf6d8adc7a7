"""A filter's text, read in the words of a Scope: what it does not let through is unknown. Opens no connection."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.access.scope import Scope
from engine.context import Context
from engine.errors import BadInput, InputProblem
from engine.formula.fields import lifted
from engine.store.query_cache import Kept
from engine.store.query_paths import Target, walk
from metadata.formula import FormulaError, Names, Node, Resolved, parse
from metadata.model import Field

__all__ = ["Filter", "ScopeNames", "read_filter"]


@dataclass(frozen=True, slots=True)
class Filter:
    node: Node  # its literals lifted out
    shape: Hashable
    values: Mapping[str, Any]


class ScopeNames(Names):
    """The names of one object's formulas, as far as the Scope reads."""

    def __init__(self, scope: Scope, object_name: str, master: str = "") -> None:
        self.scope, self.object, self.master = scope, object_name, master

    def resolve(self, steps: tuple[str, ...]) -> Resolved | None:
        found = walk(self.scope, self.object, steps)
        if not isinstance(found, Target):
            return None
        # What is masked to this person is as a secret to their formulas: they cannot find it out by asking.
        return Resolved(steps, found.field, "secret" if found.field.is_masked else found.field.value)

    def known(self, prefix: tuple[str, ...]) -> Iterable[str]:
        here = self.object
        if prefix:
            found = walk(self.scope, self.object, prefix)
            here = found.field.target if isinstance(found, Target) else ""
        return self.scope.readable(here)

    def masters(self) -> tuple[str, ...]:
        readable = self.scope.readable(self.object)
        return (self.master,) if self.master else tuple(name for name, field in readable.items() if field.is_master)

    def settings(self) -> Mapping[str, Mapping[str, Field]]:
        objects = self.scope.snapshot.definitions.objects
        return {name: self.scope.readable(name) for name in self.scope.objects() if objects[name].kind == "single"}

    def lines(self, field: Field) -> Names | None:
        return ScopeNames(self.scope, field.of, field.by) if self.scope.can("read", field.of) else None

    def tree(self, steps: tuple[str, ...]) -> tuple[str, str] | None:
        found = walk(self.scope, self.object, steps)
        name = "" if not isinstance(found, Target) else found.object if steps[-1] == "id" else found.field.target
        readable = self.scope.readable(name) if name else {}
        by = self.scope.snapshot.definitions.objects[name].tree if readable else ""
        return (name, by) if by in readable else None


def read_filter(ctx: Context, object_name: str, text: str) -> Filter:
    """The filter, its literals lifted. Raises BadInput with the formula's own code, at `filter`."""
    caches: dict[Any, Any] = ctx.snapshot.cache
    kept: Kept[Filter] = caches.get("filters") or caches.setdefault("filters", Kept(2000))
    key = (ctx.scope.key, object_name, text)
    found = kept.get(key)
    if found is None:
        try:
            node = parse(text, ScopeNames(ctx.scope, object_name), functions=ctx.snapshot.plugins.functions)
        except FormulaError as error:
            message = f"filter, column {error.column}: {error.message}"
            problem = InputProblem("filter", error.code, message, error.fix, (("column", error.column),))
            raise BadInput(message, code=error.code, fix=error.fix, problems=[problem]) from error
        made = lifted(ctx.snapshot, object_name, node)
        found = kept.put(key, Filter(made.node, made.shape, made.values))
    return found
