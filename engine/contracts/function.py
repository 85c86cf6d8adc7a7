"""What a formula function must answer. One file in plugins/base/functions/ holds one instance."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from metadata.model import ValueType

__all__ = ["Function"]


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the formula language: `CONTAINS(name, 'soft')`."""

    name: str  # capitals, as in a spreadsheet
    doc: str  # one sentence
    takes: tuple[ValueType | str, ...]  # a type per argument; "any" takes each
    returns: ValueType
    sql: Callable[[Any, Sequence[Any]], Any]
    """(SqlContext: dialect, now, today, actor; SQLAlchemy expressions of the arguments) -> expression.
    A boolean must be two-valued: never NULL."""
    examples: tuple[tuple[str, object], ...] = ()  # ("CONTAINS('abc', 'b')", True)
