"""How much a formula may do: characters that its functions read and make, counted, so that the answer never hangs.

Numbers need no count: what the limits of the parser let through is quick.
"""

from collections.abc import Iterable
from typing import Any

from metadata.formula.errors import FormulaError

__all__ = ["CHARACTERS_MOST", "TooMuch", "Work"]

CHARACTERS_MOST = 2_000_000  # of one evaluation: 20 texts as long as a formula makes them
SHORT = 200  # not worth counting
WEIGHTED_MOST = 2_000  # a function that takes long reads no more


class TooMuch(FormulaError, OverflowError):
    """As an OverflowError it passes through SQLite, which says no more of other errors than that there was one."""

    def __init__(self) -> None:
        message = f"the formula reads and makes more than {CHARACTERS_MOST:,} characters of text"
        super().__init__("formula.limit", message, "shorten the texts, or do less with them")


class Work:
    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = CHARACTERS_MOST

    def begin(self) -> None:
        self.left = CHARACTERS_MOST

    def read(self, values: Iterable[Any], weight: int = 1) -> None:
        """Raises TooMuch. What is no text costs nothing."""
        for value in values:
            if type(value) is str and (weight > 1 or len(value) > SHORT):
                self.left -= len(value) if weight == 1 else min(len(value), WEIGHTED_MOST) * weight
        if self.left < 0:
            raise TooMuch
