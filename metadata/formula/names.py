"""What names mean in a formula: fields of an object and paths through its references."""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from metadata.model import SYSTEM_FIELDS, Field, Object, ValueType

__all__ = ["DefinitionNames", "Names", "Resolved", "definition_names"]


@dataclass(frozen=True, slots=True)
class Resolved:
    steps: tuple[str, ...]
    field: Field  # of the last step
    value: ValueType


class Names(Protocol):
    """Where a formula looks names up."""

    def resolve(self, steps: tuple[str, ...]) -> Resolved | None:
        """The field that a path leads to, or None."""

    def known(self, prefix: tuple[str, ...]) -> Iterable[str]:
        """Names that may follow `prefix`; () for what may stand first."""


class DefinitionNames:
    """The fields of one object, and of those that its references lead to."""

    def __init__(self, objects: Mapping[str, Object], name: str) -> None:
        self.objects, self.name = objects, name

    def resolve(self, steps: tuple[str, ...]) -> Resolved | None:
        owner, found = self.name, None
        for step in steps:
            found = self._field(owner, step)
            if found is None:
                return None
            owner = found.target
        return Resolved(steps, found, found.value) if found else None

    def known(self, prefix: tuple[str, ...]) -> Iterable[str]:
        owner = self.name
        if prefix:
            found = self.resolve(prefix)
            owner = found.field.target if found else ""
        fields = self.objects[owner].fields if owner in self.objects else {}
        return [*fields, *SYSTEM_FIELDS] if owner in self.objects else []

    def _field(self, owner: str, name: str) -> Field | None:
        if owner not in self.objects:
            return None
        normal = name if name.isascii() else unicodedata.normalize("NFKC", name)
        return self.objects[owner].fields.get(normal) or SYSTEM_FIELDS.get(normal)


def definition_names(objects: Mapping[str, Object], name: str) -> Names:
    """What a formula over the object `name` may use."""
    return DefinitionNames(objects, name)
