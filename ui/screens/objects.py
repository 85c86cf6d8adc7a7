"""What all screens ask of an object: is it there for this person, how is it called, what may be written."""

from collections.abc import Sequence

from engine.contracts.field import FieldType
from engine.errors import NotFound
from metadata.model import Object
from ui.columns import field_of
from ui.visit import Visit

__all__ = ["CLEAR", "head", "is_written", "keeps_secret", "object_of"]

CLEAR = "._clear"  # after the name of a secret in a form: take it away


def object_of(visit: Visit, name: str) -> Object:
    """Raises NotFound in the same words for an object that does not exist and for one that may not be read."""
    definition = visit.ctx.snapshot.definitions.objects.get(name)
    if definition is None or not visit.ctx.scope.can("read", name):
        raise NotFound(f"no object '{name}'")
    return definition


def head(visit: Visit, definition: Object) -> dict[str, str]:
    return {
        "name": definition.name,
        "label": visit.text(definition.label),
        "plural": visit.text(definition.plural),
        "icon": definition.icon,
        "color": definition.color,
        "description": visit.text(definition.description),
    }


def is_written(visit: Visit, definition: Object, name: str) -> bool:
    field = field_of(definition, name)
    seen = visit.ctx.scope.readable(definition.name).get(name)
    if field is None or seen is None or seen.is_read_only or visit.ctx.snapshot.plugins.fields[field.type].is_computed:
        return False
    return name in definition.fields or name == "owner"


def keeps_secret(kind: FieldType, cleared: Sequence[str]) -> bool:
    """Whether an input that was left empty leaves the value as it is: of a secret, unless it is to go."""
    return kind.is_secret and not any(cleared)
