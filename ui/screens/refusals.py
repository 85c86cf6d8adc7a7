"""What a refusal says, at its fields and as a whole, in the person's language and with the labels that they know."""

from collections.abc import Mapping
from typing import Any

from engine.errors import EngineError, InputProblem, InputWarning
from metadata.model import Field, Object
from ui.columns import field_of
from ui.screens.objects import is_written
from ui.texts import problem_text
from ui.visit import Visit

__all__ = ["at_fields", "label_at", "problems_of", "sentence", "text_of", "whom_to_ask"]

REQUIRED = "value.required"


def problems_of(refusal: EngineError) -> tuple[InputProblem, ...]:
    return refusal.problems or (InputProblem("", refusal.code, str(refusal), refusal.fix),)


def text_of(visit: Visit, definition: Object | None, problem: InputProblem | InputWarning) -> str:
    """One problem, with labels where it quotes names."""
    field = field_at(visit, definition, problem.path)
    labels = {"label": visit.text(field.label) if field else problem.path}
    values = dict(problem.values)
    other = visit.ctx.snapshot.definitions.objects.get(str(values.get("object", "")))
    if other is not None:
        labels["object"] = visit.text(other.plural)
        if named := field_of(other, str(values.get("field", ""))):
            labels["field"] = visit.text(named.label)
    text = problem_text(problem, visit.language, **labels)
    if problem.code == REQUIRED and definition is not None and not may_fill(visit, definition, problem.path):
        text = visit.say("{text}. You may not fill it in: ask an administrator.", text=text)
    return text


def may_fill(visit: Visit, definition: Object, path: str) -> bool:
    """Whether the person writes a field; of lines, which say so in their grid, always."""
    return "." in path or field_of(definition, path) is None or is_written(visit, definition, path)


def field_at(visit: Visit, definition: Object | None, path: str) -> Field | None:
    """The field that a problem is about: of the record, or "lines.0.amount" of a line."""
    if definition is None:
        return None
    name, _, rest = path.partition(".")
    field = field_of(definition, name)
    if not rest or field is None or field.source != "lines":
        return field if not rest else None
    number, _, inner = rest.partition(".")
    child = visit.ctx.snapshot.definitions.objects.get(field.of)
    return field_of(child, inner) if child is not None and number.isdecimal() and inner else None


def label_at(visit: Visit, definition: Object, path: str, text: str = "") -> str:
    """ "Amount", "Items, line 1: Amount"; "" for what is no field. A label that the `text` says already is left out."""
    name, _, rest = path.partition(".")
    owner, field = field_of(definition, name), field_at(visit, definition, path)
    label = visit.text(field.label) if field else ""
    said = "" if label in text else label
    number = rest.partition(".")[0]
    if owner is None or not number.isdecimal():
        return said
    line = visit.say("{lines}, line {n}", lines=visit.text(owner.label), n=int(number) + 1)
    return f"{line}: {said}" if said else line


def at_fields(
    visit: Visit, definition: Object, refusal: EngineError | None, shown: tuple[str, ...]
) -> tuple[dict[str, str], list[str]]:
    """The first problem of each field that the form shows, and those of the whole record."""
    errors: dict[str, str] = {}
    loose: list[str] = []
    for problem in problems_of(refusal) if refusal is not None else ():
        text = text_of(visit, definition, problem)
        name, _, rest = problem.path.partition(".")
        is_of_line = bool(rest) and name in shown and bool(label_at(visit, definition, problem.path))
        if problem.path in shown or is_of_line:
            errors.setdefault(problem.path, text)
        else:
            loose.append(text)
    return errors, loose


def whom_to_ask(visit: Visit, values: Mapping[str, Any]) -> str:
    """What a person can do who may read the record with these values and not change it."""
    owner = values.get("owner") or ""
    name = visit.records.titles("user", [owner]).get(owner, "") if owner and owner != visit.ctx.actor.id else ""
    if name:
        return visit.say("You may read this, not change it. Ask {name}, who owns it, or an administrator.", name=name)
    return visit.say("You may read this, not change it. Ask an administrator.")


def sentence(visit: Visit, definition: Object | None, refusal: EngineError) -> str:
    """All of it in one line, each problem after its field."""
    parts = []
    for problem in problems_of(refusal):
        text = text_of(visit, definition, problem)
        label = label_at(visit, definition, problem.path, text) if definition is not None else ""
        parts.append(f"{label}: {text}" if label else text)
    return " ".join(parts)
