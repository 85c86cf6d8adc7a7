"""What a refusal says, at its fields and as a whole, in the person's language and with the labels that they know."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from engine.errors import EngineError, InputProblem, InputWarning
from engine.rules.told import error_told
from metadata.model import Field, Object
from ui.columns import field_of
from ui.screens.objects import is_written
from ui.texts import problem_text
from ui.visit import Visit

__all__ = ["at_fields", "failure_text", "label_at", "problems_of", "sentence", "text_of", "whom_to_ask"]

REQUIRED = "value.required"
STEP, BROKEN = "automation.step", "automation.broken"
STAGES = "workflow."  # codes whose values name stages and transitions


def problems_of(refusal: EngineError) -> tuple[InputProblem, ...]:
    return refusal.problems or (InputProblem("", refusal.code, str(refusal), refusal.fix),)


def text_of(visit: Visit, definition: Object | None, problem: InputProblem | InputWarning) -> str:
    """One problem, with labels where it quotes names."""
    if "within" in dict(problem.values):
        return automation_text(visit, definition, problem)
    field = field_at(visit, definition, problem.path)
    labels = {"label": visit.text(field.label) if field else problem.path}
    values = dict(problem.values)
    other = visit.ctx.snapshot.definitions.objects.get(str(values.get("object", "")))
    if other is not None:
        labels["object"] = visit.text(other.plural)
        if named := field_of(other, str(values.get("field", ""))):
            labels["field"] = visit.text(named.label)
    if definition is not None and problem.code.startswith(STAGES):
        labels |= stage_labels(visit, definition, values)
    text = problem_text(problem, visit.language, **labels)
    if problem.code == REQUIRED and definition is not None and not may_fill(visit, definition, problem.path):
        text = visit.say("{text}. You may not fill it in: ask an administrator.", text=text)
    return text


def automation_text(visit: Visit, definition: Object | None, problem: InputProblem | InputWarning) -> str:
    """What kept a step from its work: the automation by its label, and its problems as they are told by themselves."""
    values: dict[str, Any] = dict(problem.values)
    label = process_label(visit, str(values["automation"]))
    reason = " ".join(text_of(visit, there, said) for there, said in reasons(visit, definition, problem))
    if problem.code == STEP:
        return problem_text(problem, visit.language, automation=label, reason=reason)
    return visit.say("{automation}: {text}", automation=label, text=reason)


def reasons(
    visit: Visit, definition: Object | None, problem: InputProblem | InputWarning
) -> Iterator[tuple[Object | None, InputProblem]]:  # fmt: skip
    """What is within the problem of a step, each with its object, in words that name no hidden field."""
    values: dict[str, Any] = dict(problem.values)
    for one in values["within"]:
        named = str(dict(one.values).get("object", "")) or (definition.name if definition is not None else "")
        there = visit.ctx.snapshot.definitions.objects.get(named)
        yield from ((there, said) for said in error_told(visit.ctx, named, EngineError("", problems=[one])).problems)


def failure_text(visit: Visit, definition: Object | None, problems: Sequence[InputProblem]) -> str:
    """Why a run of an automation failed, on the page that names the automation and the step already."""
    texts: list[str] = []
    for one in problems:
        told = reasons(visit, definition, one) if "within" in dict(one.values) else [(definition, one)]
        # Of a formula that broke, whoever looks after it is told which, and how.
        texts += [said.message if said.code == BROKEN else labelled(visit, there, said) for there, said in told]
    return " ".join(texts)


def process_label(visit: Visit, name: str) -> str:
    """Of an automation, of "workflow: stage", or of "approval name: action"."""
    processes = visit.ctx.snapshot.definitions.processes
    whole, _, part = name.partition(": ")
    if name in processes.automations:
        return visit.text(processes.automations[name].label)
    if (approval := processes.approvals.get(whole.removeprefix("approval "))) is not None:
        return visit.text(approval.label)
    flow = processes.workflows.get(whole)
    if flow is None:
        return name
    field = field_of(visit.ctx.snapshot.definitions.objects[flow.object], flow.field)
    stages = {one.value: visit.text(one.label) for one in field.choices} if field is not None else {}
    return f"{visit.text(flow.label)}: {stages.get(part, part)}"


def stage_labels(visit: Visit, definition: Object, values: Mapping[str, Any]) -> dict[str, str]:
    """Labels of the stages and the transition that a problem names, and of the roles that the transition is for."""
    definitions = visit.ctx.snapshot.definitions
    flows = [one for one in definitions.processes.workflows.values() if one.object == definition.name]
    found: dict[str, str] = {}
    for flow in flows:
        field = field_of(definition, flow.field)
        labels = {one.value: visit.text(one.label) for one in field.choices} if field is not None else {}
        for name in ("state", "from", "to"):
            if values.get(name) in labels:
                found.setdefault(name, labels[values[name]])
        taken = next((one for one in flow.transitions if one.name == values.get("transition")), None)
        if taken is not None:
            roles = [visit.text(definitions.roles[one].label) for one in taken.roles if one in definitions.roles]
            found |= {"transition": visit.text(taken.label), "roles": visit.say(", ").join(roles)}
    return {name: values.get(name) or visit.say("empty") for name in ("state", "from", "to") if name in values} | found


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
    return " ".join(labelled(visit, definition, problem) for problem in problems_of(refusal))


def labelled(visit: Visit, definition: Object | None, problem: InputProblem) -> str:
    text = text_of(visit, definition, problem)
    label = label_at(visit, definition, problem.path, text) if definition is not None else ""
    return f"{label}: {text}" if label else text
