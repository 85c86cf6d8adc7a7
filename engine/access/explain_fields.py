"""Why a person sees a field, sees its mask, writes it, or does not. Opens no connection of its own."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from engine.access.explain import Explanation, explained, grants
from engine.access.fields import ALWAYS, HIDDEN, LEVELS, MASKED, OPEN, covers, reads_of, said
from engine.access.reasons import Link, Reason
from engine.access.telling import HIDDEN_NAME, Teller
from engine.context import Context
from engine.errors import NotFound
from metadata.model import SYSTEM_FIELDS, Action, Field

__all__ = ["FIELD_ACTIONS", "FieldAction", "FieldExplanation", "explain_field"]

FieldAction = Literal["see", "edit", "unmask"]
FIELD_ACTIONS: tuple[FieldAction, ...] = ("see", "edit", "unmask")
ASKED: dict[FieldAction, Action] = {"see": "read", "edit": "update", "unmask": "unmask"}


@dataclass(frozen=True, slots=True)
class FieldExplanation:
    """Of a record that the person may see, edit or unmask a field of: `reasons` say it whichever way it is."""

    is_allowed: bool
    reasons: tuple[Reason, ...]
    record: Explanation


def explain_field(
    asker: Context, person: Context, object_name: str, record_id: str, action: FieldAction, field_name: str
) -> FieldExplanation:
    """Raises NotFound for a field that the asker does not know."""
    if field_name not in asker.scope.readable(object_name):
        raise NotFound(f"'{object_name}' has no field '{field_name}'", code="field.unknown")
    with person.tenant.database.read() as connection:
        teller = Teller(asker, person, connection)
        record = explained(teller, object_name, record_id, ASKED[action])
        definition = person.snapshot.definitions.objects[object_name]
        field = definition.fields.get(field_name) or SYSTEM_FIELDS[field_name]
        is_open, reasons = of_field(teller, object_name, field, action)
    return FieldExplanation(record.is_allowed and is_open, tuple(reasons), record)


def of_field(teller: Teller, object_name: str, field: Field, action: FieldAction) -> tuple[bool, list[Reason]]:
    scope, label = teller.person.scope, teller.label(field.label)
    sees = scope.sees(object_name, field.name)
    if action == "see":
        code = {HIDDEN: "field.hidden", MASKED: "field.masked", OPEN: "field.open"}[sees]
        is_allowed = sees == OPEN
    elif action == "edit":
        is_allowed = scope.writes(object_name, field.name, False) and not field.is_read_only
        code = "field.written" if is_allowed else "field.not_written"
    else:
        is_allowed = sees == MASKED
        code = "field.not_masked" if sees == OPEN else "field.masked" if is_allowed else "field.hidden"
    reasons = [teller.reason(code, field=label)]
    if action == "edit" and field.is_read_only:
        return is_allowed, [*reasons, teller.reason("field.read_only", field=label)]
    reasons += worked_out(teller, object_name, field)
    return is_allowed, reasons + list(by_grants(teller, object_name, field, "update" if action == "edit" else "read"))


def worked_out(teller: Teller, object_name: str, field: Field) -> Iterator[Reason]:
    """What a formula field or a roll-up reads that the person does not see."""
    scope = teller.person.scope
    if field.source not in ("formula", "rollup") or field.reveals or scope.sees(object_name, field.name) != HIDDEN:
        return
    for name, read in sorted(reads_of(teller.snapshot, object_name, field)):
        if not scope.can("read", name) or scope.sees(name, read) != OPEN:
            definition = teller.snapshot.definitions.objects[name]
            other = definition.fields.get(read) or SYSTEM_FIELDS.get(read)
            is_known = read in teller.asker.scope.readable(name)
            named = (
                HIDDEN_NAME
                if not is_known
                else f"{teller.label(definition.label)} · {teller.label(other.label) if other else read}"
            )
            yield teller.reason("field.worked_out", field=teller.label(field.label), other=named)


def by_grants(teller: Teller, object_name: str, field: Field, action: Action) -> Iterator[Reason]:
    """What each grant says of the field: first those that decide."""
    scope = teller.person.scope
    asked = scope._field_grants(action, object_name)
    given = [one for one in grants(teller.person, object_name, action) if one.grant in asked]
    if field.name in ALWAYS or not given:
        return
    sharing = teller.snapshot.definitions.objects[object_name].sharing
    widest = [one for one in given if all(covers(one.grant, other.grant, action, sharing) for other in given)]
    if not widest:
        yield teller.reason("field.least")
    for one in widest or given:
        level = said(one.grant, field)
        access = next(name for name, other in LEVELS.items() if other == level)
        link = Link("permission_set", one.permission_set) if one.permission_set else Link("role", one.role)
        yield teller.reason("field.of_grant", [link], grant=teller.brief(one), field=teller.label(field.label),
                            access=access)  # fmt: skip
