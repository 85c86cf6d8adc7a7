"""A record on its way into the table."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.errors import InputProblem
from engine.rules.values import Values

__all__ = ["Draft"]


@dataclass(slots=True, eq=False)
class Draft:
    """One record. `stored` is what is written of it, `before` all that it held, None for a new one."""

    sent: Values
    stored: dict[str, Any]
    problems: list[InputProblem]
    before: Mapping[str, Any] | None = None
    record: dict[str, Any] = field(default_factory=dict)  # as it would be, by name
    path: str = ""  # of a line where it stands: "lines.0"

    def put(self, name: str, value: Any) -> None:
        self.stored[name] = self.record[name] = value

    def changes(self, name: str) -> bool:
        return self.before is None or self.record[name] != self.before[name]

    @property
    def refused(self) -> frozenset[str]:
        return frozenset(problem.path for problem in self.problems)

    @property
    def changed(self) -> dict[str, Any]:
        """What is written of a record that was there before."""
        before = self.before or {}
        return {name: value for name, value in self.stored.items() if value != before.get(name)}
