"""What a cell is made of: a value's field, where it stands in a row, and how the person reads."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from metadata.model import Field
from ui.formats import Formats

__all__ = ["Cell", "Row", "Shown"]

Row = Sequence[Any]
Cell = Callable[[Row], str]
"""A row of stored values -> HTML of one of them; "" when it is blank."""

NUMERIC = frozenset(("number", "integer", "decimal", "currency", "duration", "percent"))


@dataclass(frozen=True, slots=True)
class Shown:
    """A value to be shown: its field, where it stands in the row, and how this person reads."""

    field: Field
    at: int  # index into the row
    formats: Formats
    language: str
    kind: str  # the field type's cell
    title_at: int = -1  # of a reference: where the target's title stands; -1 when it may not be read
    as_text: Callable[[Any], str] = str  # as a form holds it: a telephone number in groups
    is_full: bool = False  # on a page of its own: long texts whole, links live
    icons: Mapping[str, str] | None = None  # of objects by name, for a reference to one of several
    code_at: int = -1  # of an amount: where its currency stands; -1 where the field says it

    @property
    def is_part(self) -> bool:
        """Whether it is a part of a whole, which a bar shows: a percentage that goes from 0 to 100."""
        options = self.field.options
        return self.kind == "percent" and (options.get("min"), options.get("max")) == (0, 100)

    @property
    def is_numeric(self) -> bool:
        """Whether it stands at the right of its column."""
        return self.kind in NUMERIC and not self.is_part
