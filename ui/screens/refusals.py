"""What a refusal says, at its fields and as a whole, in the person's language and with the labels that they know."""

from engine.errors import EngineError, InputProblem, InputWarning
from metadata.model import Object
from ui.columns import field_of
from ui.texts import problem_text
from ui.visit import Visit

__all__ = ["at_fields", "problems_of", "sentence", "text_of"]


def problems_of(refusal: EngineError) -> tuple[InputProblem, ...]:
    return refusal.problems or (InputProblem("", refusal.code, str(refusal), refusal.fix),)


def text_of(visit: Visit, definition: Object | None, problem: InputProblem | InputWarning) -> str:
    """One problem, with labels where it quotes names."""
    field = field_of(definition, problem.path) if definition is not None else None
    labels = {"label": visit.text(field.label) if field else problem.path}
    values = dict(problem.values)
    other = visit.ctx.snapshot.definitions.objects.get(str(values.get("object", "")))
    if other is not None:
        labels["object"] = visit.text(other.plural)
        if named := field_of(other, str(values.get("field", ""))):
            labels["field"] = visit.text(named.label)
    return problem_text(problem, visit.language, **labels)


def at_fields(
    visit: Visit, definition: Object, refusal: EngineError | None, shown: tuple[str, ...]
) -> tuple[dict[str, str], list[str]]:
    """The first problem of each field that the form shows, and those of the whole record."""
    errors: dict[str, str] = {}
    loose: list[str] = []
    for problem in problems_of(refusal) if refusal is not None else ():
        text = text_of(visit, definition, problem)
        if problem.path in shown:
            errors.setdefault(problem.path, text)
        else:
            loose.append(text)
    return errors, loose


def sentence(visit: Visit, definition: Object | None, refusal: EngineError) -> str:
    """All of it in one line, each problem after its field."""
    parts = []
    for problem in problems_of(refusal):
        text = text_of(visit, definition, problem)
        field = field_of(definition, problem.path) if definition is not None else None
        label = visit.text(field.label) if field else ""
        parts.append(text if not label or label in text else f"{label}: {text}")
    return " ".join(parts)
