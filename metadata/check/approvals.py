"""Are approvals sound: does what they name exist, and can their formulas be read?"""

from collections.abc import Iterator, Mapping
from typing import Any

from metadata.assemble import Item
from metadata.build.approvals import EVENTS, NODE_TYPES, Steps, node_places, node_type
from metadata.check.approvals_branches import branches_fit, priorities_differ
from metadata.check.approvals_flow import flow_works
from metadata.check.approvals_people import people_are_found
from metadata.check.approvals_times import subprocesses_end, times_fit
from metadata.check.facts import Facts, steps_value
from metadata.check.parts import named, parts_work, template_fits
from metadata.document import Document
from metadata.formula import FormulaError
from metadata.problem import Problem, nearest
from metadata.processes import Approval, Node, nodes_in

__all__ = ["check"]


def check(facts: Facts) -> Iterator[Problem]:
    """Warnings are for those who work on a package: what is installed already was its authors' to read."""
    for item in facts.assembly.processes["approval"]:
        is_given = item.package in facts.given
        yield from (problem for problem in of_one(facts, item) if is_given or problem.level == "error")
    yield from subprocesses_end(facts)
    yield from priorities_differ(facts)


def of_one(facts: Facts, item: Item[Approval]) -> Iterator[Problem]:
    yield from head_is_sound(facts, item)
    yield from nodes_are_nodes(item.document, ("flow",), item.document.data.get("flow"))
    yield from nodes_are_sound(facts, item)
    yield from flow_works(facts, item)
    yield from branches_fit(facts, item)
    yield from times_fit(facts, item)
    yield from people_are_found(facts, item)


def head_is_sound(facts: Facts, item: Item[Approval]) -> Iterator[Problem]:
    approval, document, object_ = item.built, item.document, item.built.object
    data: Mapping[str, Any] = document.data
    yield from facts.object_exists(object_, item.package, document.at("object"))
    yield from condition(facts, approval.when, object_, document, "when")
    if isinstance(data.get("submit_by"), dict):
        yield from condition(facts, approval.submit_if, object_, document, "submit_by", "if")
        yield from all_named(facts, "role", document, "submit_by", "roles")
    else:
        yield from all_named(facts, "role", document, "submit_by")
    yield from all_named(facts, "role", document, "history")
    yield from condition(facts, approval.trigger_if, object_, document, "trigger", "update", has_prior=True)
    if approval.trigger == "delete" and approval.storage != "before_save":
        message = f"'{approval.name}' could only begin once the record is gone"
        yield Problem(document.at("trigger"), "approval.trigger", message, "write 'storage: before_save'")
    if approval.storage == "before_save" and approval.trigger not in ("create", "update", "delete"):
        message = f"'{approval.name}' keeps a change aside, and begins with none"
        fix = "write 'trigger: create', 'trigger: {update: …}' or 'trigger: delete', or leave 'storage' out"
        yield Problem(document.at("storage"), "approval.trigger", message, fix)
    yield from records_are_there(item)
    material = approval.resubmission.material_if
    yield from condition(facts, material, object_, document, "resubmit", "material_if", has_prior=True)
    yield from paths_exist(facts, object_, document, "resubmit", "material")
    yield from fields_exist(facts, object_, document, "lock", "exempt")
    for index, path in enumerate(approval.summary):
        yield from facts.path_exists(path, object_, document.at("summary", index))
    yield from all_named(facts, "calendar", document, "calendar")
    for event, template in approval.notify.items():
        if template != "none":
            yield from named(facts, "template", template, document, ("notify", event), item.package)
            yield from template_fits(facts, template, object_, document, ("notify", event))
    for event in EVENTS:
        if event in approval.on:
            parts = approval.on[event]
            yield from parts_work(facts, parts, "action", object_, document, "on", event, package=item.package)


def records_are_there(item: Item[Approval]) -> Iterator[Problem]:
    """Of a new record that waits there is none before it is approved: no step can be about it until then."""
    approval, document = item.built, item.document
    if approval.storage != "before_save" or approval.trigger != "create":
        return
    fix = "do it at 'on: approve', or leave 'storage' out"
    for event in EVENTS:
        if event != "approve" and approval.on.get(event):
            message = f"there is no record yet that the steps at '{event}' could be about"
            yield Problem(document.at("on", event), "approval.no_record", message, fix)
    for here, type_, name in node_places(document):
        if type_ in ("action", "subprocess"):
            message = f"there is no record yet that '{name}' could be about"
            yield Problem(document.at(*here), "approval.no_record", message, fix)


def condition(
    facts: Facts, text: str, object_: str, document: Document, *steps: str | int, has_prior: bool = False
) -> Iterator[Problem]:
    """That a formula over the record can be read and is true or false. PRIOR is what it was at the submission before,
    or before the change that starts it."""
    if not text or object_ not in facts.objects:
        return
    try:
        facts.read(text, facts.names(object_), has_prior=has_prior)
    except FormulaError as error:
        at = facts.within(document.at(*steps), text, error.column)
        yield Problem(at, error.code, error.message, error.fix)


def names_at(document: Document, steps: Steps) -> Iterator[tuple[Steps, str]]:
    """A name or a list of names, with the places."""
    found: Any = document.data
    for step in steps:
        found = found.get(step) if isinstance(found, dict) else found[step] if isinstance(step, int) else None
        if found is None:
            return
    if isinstance(found, str):
        yield steps, found
    elif isinstance(found, list):
        for index, one in enumerate(found):
            yield (*steps, index), one


def all_named(facts: Facts, of: str, document: Document, *steps: str | int) -> Iterator[Problem]:
    for here, name in names_at(document, steps):
        yield from named(facts, of, name, document, here)


def fields_exist(facts: Facts, object_: str, document: Document, *steps: str | int) -> Iterator[Problem]:
    for here, name in names_at(document, steps):
        yield from facts.path_exists(name, object_, document.at(*here), most=1)


def paths_exist(facts: Facts, object_: str, document: Document, *steps: str | int) -> Iterator[Problem]:
    """Fields, or those of lines: items.cost."""
    for here, name in names_at(document, steps):
        lines, dot, rest = name.partition(".")
        field = facts.objects[object_].fields.get(lines) if dot and object_ in facts.objects else None
        if field is not None and field.source == "lines":
            yield from facts.path_exists(rest, field.of, document.at(*here), most=1)
        else:
            yield from facts.path_exists(name, object_, document.at(*here), most=1)


def nodes_are_nodes(document: Document, steps: Steps, said: Any) -> Iterator[Problem]:
    """That each entry of a flow says what it is, by one of its keys."""
    for index, one in enumerate(said or ()):
        here = (*steps, index)
        if node_type(one) is None:
            key = next(iter(one), "")
            guess = nearest(key, NODE_TYPES)
            fix = f"write '{guess}: …'?" if guess else f"begin it with one of {', '.join(NODE_TYPES)}"
            message = f"'{key}' is no kind of node, and no other key here is"
            yield Problem(document.key(*here, key), "approval.node.type", message, fix)
        for number, branch in enumerate(one.get("branches") or ()):
            if isinstance(branch, dict):
                yield from nodes_are_nodes(document, (*here, "branches", number, "flow"), branch.get("flow"))


def nodes_are_sound(facts: Facts, item: Item[Approval]) -> Iterator[Problem]:
    document, object_ = item.document, item.built.object
    for (here, _, _), node in zip(node_places(document), nodes_in(item.built.flow), strict=True):
        yield from all_named(facts, "calendar", document, *here, "calendar")
        yield from fields_fit(facts, object_, document, here)
        yield from parts_fit(facts, item, here, node)
        for number, branch in enumerate(node.branches):
            yield from condition(facts, branch.when, object_, document, *here, "branches", number, "when")
        if node.until:
            yield from facts.path_exists(node.until, object_, document.at(*here, "until"))
        if node.type == "subprocess":
            said: Any = steps_value(document, here)
            at = (*here, "process" if "process" in said else "subprocess")
            yield from named(facts, "approval", node.process, document, at)


def fields_fit(facts: Facts, object_: str, document: Document, here: Steps) -> Iterator[Problem]:
    """That fields of a node exist, that those can be changed that may be, and seen that must be filled in."""
    for key in ("editable", "required", "reset_on_change"):
        yield from fields_exist(facts, object_, document, *here, key)
    yield from paths_exist(facts, object_, document, *here, "hidden")
    for steps, name in names_at(document, (*here, "editable")):
        field = facts.objects[object_].fields.get(name) if object_ in facts.objects else None
        if field is not None and field.source != "value":
            message = f"'{name}' is worked out, so nobody can change it"
            if field.source == "lines":
                message = f"'{name}' holds lines, and approvers change fields of the record itself"
            yield Problem(document.at(*steps), "approval.field.computed", message, "leave it out")
    required = {name for _, name in names_at(document, (*here, "required"))}
    for steps, name in names_at(document, (*here, "hidden")):
        if name in required:
            message = f"'{name}' is required of those who are asked, and hidden from them"
            yield Problem(document.at(*steps), "approval.field.hidden", message, "leave it out of one of the two")


def parts_fit(facts: Facts, item: Item[Approval], here: Steps, node: Node) -> Iterator[Problem]:
    """The sources of approvers and the actions of a node and of its timers."""
    document, object_, package = item.document, item.built.object, item.package
    key = "to" if node.type == "cc" else "approvers"
    if node.approvers:
        yield from parts_work(
            facts, node.approvers, "approver", object_, document, *here, key, has_prior=False, package=package
        )
    if node.steps:
        yield from parts_work(facts, node.steps, "action", object_, document, *here, "do", package=package)
    timers = {timer.place: timer for timer in node.timers}
    said: Any = steps_value(document, here)
    for index in range(len(said.get("timers") or ())):
        timer = timers.get(document.at(*here, "timers", index))
        if timer is not None and timer.to:
            yield from parts_work(
                facts, timer.to, "approver", object_, document, *here, "timers", index, "to", has_prior=False,
                package=package,
            )  # fmt: skip
