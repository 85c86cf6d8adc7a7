"""Names of steps that were carried out before, beside those of the record: `=task.due_date` after `as: task`."""

from collections.abc import Iterable, Mapping

from metadata.formula.names import Names, Resolved, definition_names
from metadata.model import Field, Object

__all__ = ["BODY", "WithResults"]

BODY = "body"  # what a webhook brought: `=body.customer.name` is a text


class WithResults(Names):
    """`results`: step -> the object of the record that it made or found. `has_body`: what is below `body` is a text."""

    def __init__(
        self, objects: Mapping[str, Object], inner: Names, results: Mapping[str, str], has_body: bool = False
    ) -> None:
        self.inner, self.results, self.has_body = inner, results, has_body
        self._there = {name: definition_names(objects, target) for name, target in results.items()}

    def resolve(self, steps: tuple[str, ...]) -> Resolved | None:
        first, rest = steps[0], steps[1:]
        if self.has_body and first == BODY:
            return Resolved(steps, Field(steps[-1], "text", {}), "text")
        if first not in self.results:
            return self.inner.resolve(steps)
        if not rest:
            field = Field(first, "reference", {}, target=self.results[first], value="reference")
            return Resolved(steps, field, "reference")
        found = self._there[first].resolve(rest)
        return Resolved(steps, found.field, found.value) if found else None

    def known(self, prefix: tuple[str, ...]) -> Iterable[str]:
        if prefix and prefix[0] in self.results:
            return self._there[prefix[0]].known(prefix[1:])
        own = () if prefix else (*self.results, *([BODY] if self.has_body else ()))
        return [*self.inner.known(prefix), *own]

    def masters(self) -> tuple[str, ...]:
        return self.inner.masters()

    def settings(self) -> Mapping[str, Mapping[str, Field]]:
        return self.inner.settings()

    def lines(self, field: Field) -> Names | None:
        return self.inner.lines(field)

    def tree(self, steps: tuple[str, ...]) -> tuple[str, str] | None:
        return None if steps[0] in self.results or (self.has_body and steps[0] == BODY) else self.inner.tree(steps)
