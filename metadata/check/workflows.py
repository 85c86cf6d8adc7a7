"""Are workflows sound: is each state a choice, can each be reached, and does each lead on or is the end?"""

from collections.abc import Iterator, Mapping

from metadata.assemble import Item
from metadata.check.conditions import read
from metadata.check.facts import Facts
from metadata.check.parts import parts_work
from metadata.check.roles import roles_exist
from metadata.moves import ways_of
from metadata.problem import Problem
from metadata.processes import Workflow

__all__ = ["check"]


def check(facts: Facts) -> Iterator[Problem]:
    taken: dict[tuple[str, str], str] = {}
    for item in facts.assembly.processes["workflow"]:
        flow, document = item.built, item.document
        for kind in flow.record_types or ("",):
            other = taken.setdefault((flow.object, kind), flow.name)
            if other != flow.name:
                what = f"records of the type '{kind}'" if kind else f"'{flow.object}'"
                message = f"'{other}' is the workflow of {what} already"
                yield Problem(document.at("object"), "workflow.second", message, "say other 'record_types'")
        yield from facts.object_exists(flow.object, item.package, document.at("object"))
        if flow.object in facts.objects:
            yield from field_works(facts, item)
            yield from states_work(facts, item)
            yield from transitions_work(facts, item)
            yield from leads_on(item)


def field_works(facts: Facts, item: Item[Workflow]) -> Iterator[Problem]:
    flow, document = item.built, item.document
    owner = facts.objects[flow.object]
    types = [one.name for one in owner.record_types]
    for name in flow.record_types:
        if name not in types:
            at = document.at("record_types")
            yield facts.no_such("record type", name, types, at=at, code="record_type.unknown", within=flow.object)
    yield from facts.path_exists(flow.field, flow.object, document.at("field"), most=1)
    field = owner.fields.get(flow.field)
    if field is None:
        return
    if field.value != "choice" or not field.is_written:
        message = f"'{flow.field}' is a field of type '{field.type}'; states are choices of a field of type choice"
        yield Problem(document.at("field"), "workflow.field", message)
        return
    known = [choice.value for choice in field.choices]
    states = [state.value for state in flow.states]
    for index, name in enumerate(states):
        if name not in known:
            at = document.at("states", index, "state")
            yield facts.no_such("choice", name, known, at=at, code="choice.unknown", within=flow.field)
        elif name in states[:index]:
            at = document.at("states", index, "state")
            yield Problem(at, "name.duplicate", f"the state '{name}' stands here twice", "take one of them out")
    offered = {one.name: one.choices.get(flow.field) for one in owner.record_types if one.name in flow.record_types}
    wanted = {value for values in offered.values() for value in values or known} if offered else set(known)
    for choice in field.choices:
        if choice.value in wanted and choice.value not in states and not choice.is_retired:
            message = f"'{choice.value}' is a choice of '{flow.field}', and no state"
            fix = f"write '- {{state: {choice.value}}}', or retire the choice"
            yield Problem(document.at("states"), "workflow.state.missing", message, fix)


def states_work(facts: Facts, item: Item[Workflow]) -> Iterator[Problem]:
    flow, document = item.built, item.document
    for index, state in enumerate(flow.states):
        for place, name in enumerate(state.required):
            at = document.at("states", index, "required", place)
            yield from facts.path_exists(name, flow.object, at, most=1)
        if state.steps:
            yield from parts_work(facts, state.steps, "action", flow.object, document, "states", index, "on_enter",
                                  package=item.package, phase="after_save")  # fmt: skip
    if flow.initial:
        yield from state_exists(facts, item, flow.initial, "initial")


def state_exists(facts: Facts, item: Item[Workflow], name: str, *steps: str | int) -> Iterator[Problem]:
    known = [state.value for state in item.built.states]
    if name and name not in known:
        at = item.document.at(*steps)
        yield facts.no_such("state", name, known, at=at, code="workflow.state.unknown", within=item.built.name)


def transitions_work(facts: Facts, item: Item[Workflow]) -> Iterator[Problem]:
    flow, document = item.built, item.document
    names: dict[str, int] = {}
    for index, one in enumerate(flow.transitions):
        here = ("transitions", index)
        if names.setdefault(one.name, index) != index:
            message = f"two transitions of '{flow.name}' are called '{one.name}'"
            yield Problem(document.at(*here, "transition"), "name.duplicate", message, "rename one of the two")
        is_list = isinstance(document.data["transitions"][index].get("from"), list)
        for place, name in enumerate(one.sources):
            if name != "*":
                yield from state_exists(facts, item, name, *here, "from", *((place,) if is_list else ()))
        yield from state_exists(facts, item, one.target, *here, "to")
        if one.when:
            at = document.at(*here, "when")
            yield from read(facts, one.when, facts.names(flow.object), at, has_prior=True)
        yield from roles_exist(facts, one.roles, document, "transitions", index, "roles")
        for place, name in enumerate(one.required):
            yield from facts.path_exists(name, flow.object, document.at(*here, "required", place), most=1)
        if one.steps:
            yield from parts_work(facts, one.steps, "action", flow.object, document, *here, "do",
                                  package=item.package, phase="after_save")  # fmt: skip


def leads_on(item: Item[Workflow]) -> Iterator[Problem]:
    flow, document = item.built, item.document
    if not flow.states:
        return
    ways: Mapping[str, set[str]] = ways_of(flow)
    first = flow.initial or flow.states[0].value
    reached, waiting = {first}, [first]
    while waiting:
        for name in ways.get(waiting.pop(), set()) - reached:
            reached.add(name)
            waiting.append(name)
    for index, state in enumerate(flow.states):
        at = document.at("states", index, "state")
        if state.value not in reached:
            message = f"no way leads from '{first}' to '{state.value}'"
            yield Problem(at, "workflow.unreachable", message, "add a transition to it, or 'moves'")
        elif not ways.get(state.value) and not state.is_final:
            message = f"nothing leads out of '{state.value}', and it is not the end"
            yield Problem(at, "workflow.dead_end", message, "add a transition, or 'final: true'")
