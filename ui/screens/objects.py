"""What all screens ask of an object: is it there for this person, how is it called, what may be written."""

from collections.abc import Mapping, Sequence
from typing import Any

from engine.contracts.field import FieldType
from engine.errors import Forbidden, NotFound
from metadata.model import Action, Object
from ui.columns import field_of
from ui.visit import Visit

__all__ = ["CLEAR", "head", "is_masked", "is_written", "keeps_hidden", "need_update", "object_of", "title_in"]

CLEAR = "._clear"  # after the name of a field whose value a form does not show: take it away


def object_of(visit: Visit, name: str) -> Object:
    """Raises NotFound in the same words for an object that does not exist and for one that may not be read."""
    definition = visit.ctx.snapshot.definitions.objects.get(name)
    if definition is None or not visit.ctx.scope.can("read", name):
        raise NotFound(f"no object '{name}'")
    return definition


def need_update(visit: Visit, definition: Object, record_id: str) -> None:
    """Raises Forbidden for who sees a record and may not change it; of one that they do not see nothing is said."""
    if not visit.ctx.scope.can("update", definition.name):
        raise Forbidden(f"you may not change {definition.name} records")
    asked: tuple[Action, ...] = ("read", "update")
    if visit.records.allowed(definition.name, record_id, asked) == {"read"}:
        raise Forbidden(f"you may not change this {definition.name}")


def head(visit: Visit, definition: Object) -> dict[str, str]:
    return {
        "name": definition.name,
        "label": visit.text(definition.label),
        "plural": visit.text(definition.plural),
        "icon": definition.icon,
        "color": definition.color,
        "description": visit.text(definition.description),
    }


def is_written(visit: Visit, definition: Object, name: str, is_new: bool | None = None) -> bool:
    """Whether this person writes the field in a new record, in one that is there, or (None) in either."""
    field = field_of(definition, name)
    seen = visit.ctx.scope.readable(definition.name).get(name)
    if field is None or seen is None or seen.is_read_only or visit.ctx.snapshot.plugins.fields[field.type].is_computed:
        return False
    if is_new is not None and not visit.ctx.scope.writes(definition.name, name, is_new):
        return False
    return name in definition.fields or name == "owner"


def is_masked(visit: Visit, definition: Object, name: str) -> bool:
    """Whether this person sees the mask of the field's value in place of it."""
    seen = visit.ctx.scope.readable(definition.name).get(name)
    return seen is not None and seen.is_masked


def keeps_hidden(visit: Visit, definition: Object, name: str, kind: FieldType, cleared: Sequence[str]) -> bool:
    """Whether an input that was left empty leaves the value as it is: of a secret or a mask, unless it is to go."""
    return (kind.is_secret or is_masked(visit, definition, name)) and not any(cleared)


def title_in(visit: Visit, definition: Object, values: Mapping[str, Any], otherwise: str) -> str:
    """What names a record whose values these are: its id where the person may not see its title."""
    return str(values.get(visit.ctx.scope.title(definition.name)) or otherwise)
