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
    """Where a formula looks names up. What says nothing of masters, settings, lines and trees has none."""

    def resolve(self, steps: tuple[str, ...]) -> Resolved | None:
        """The field that a path leads to, or None."""

    def known(self, prefix: tuple[str, ...]) -> Iterable[str]:
        """Names that may follow `prefix`; () for what may stand first."""

    def masters(self) -> tuple[str, ...]:
        """The references that `parent` can stand for."""
        return ()

    def settings(self) -> Mapping[str, Mapping[str, Field]]:
        """Fields of the settings objects, which `config` reads."""
        return {}

    def lines(self, field: Field) -> "Names | None":
        """What a formula over the records that a field holds may use."""
        return None

    def tree(self, steps: tuple[str, ...]) -> tuple[str, str] | None:
        """Of the records that a reference, or an id, names: their object and the reference that makes them a tree."""
        return None


class DefinitionNames(Names):
    """The fields of one object, and of those that its references lead to."""

    def __init__(self, objects: Mapping[str, Object], name: str, master: str = "") -> None:
        """`master`: the reference that `parent` is, where the records are known to be those of one field of lines."""
        self.objects, self.name, self.master = objects, name, master

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

    def masters(self) -> tuple[str, ...]:
        if self.master:
            return (self.master,)
        fields = self.objects[self.name].fields if self.name in self.objects else {}
        return tuple(name for name, field in fields.items() if field.is_master)

    def settings(self) -> Mapping[str, Mapping[str, Field]]:
        return {name: object_.fields for name, object_ in self.objects.items() if object_.kind == "single"}

    def lines(self, field: Field) -> Names | None:
        return DefinitionNames(self.objects, field.of, field.by) if field.of in self.objects else None

    def tree(self, steps: tuple[str, ...]) -> tuple[str, str] | None:
        before = self.resolve(steps[:-1])
        owner = self.name if len(steps) == 1 else before.field.target if before else ""
        found = self.resolve(steps)
        name = owner if steps[-1] == "id" else found.field.target if found else ""
        object_ = self.objects.get(name)
        return (name, object_.tree) if object_ and object_.tree else None

    def _field(self, owner: str, name: str) -> Field | None:
        if owner not in self.objects:
            return None
        normal = name if name.isascii() else unicodedata.normalize("NFKC", name)
        return self.objects[owner].fields.get(normal) or SYSTEM_FIELDS.get(normal)


def definition_names(objects: Mapping[str, Object], name: str, master: str = "") -> Names:
    """What a formula over the object `name` may use; `master`: the reference that is `parent`, of several."""
    return DefinitionNames(objects, name, master)
