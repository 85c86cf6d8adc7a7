"""Do lines, inverse lists, roll-ups, masters and trees lead to objects that fit?"""

from collections.abc import Iterator, Mapping

from metadata.assemble import FieldItem, Item
from metadata.check.facts import Facts
from metadata.check.fields import place, way_back
from metadata.model import EVERY, Object
from metadata.problem import Problem

__all__ = ["check"]


def check(facts: Facts) -> Iterator[Problem]:
    for item in facts.assembly.fields:
        if item.built.of:
            yield from leads_back(facts, item)
        if item.built.targets:
            yield from targets_exist(facts, item)
        if item.built.target or item.built.targets:
            yield from single_stays(facts, item)
    for thing in facts.assembly.objects:
        yield from tree_works(facts, thing)
    yield from masters_work(facts)


def leads_back(facts: Facts, item: FieldItem) -> Iterator[Problem]:
    """That `of` names an object with one reference to this one, or `by` says which."""
    field, at = item.built, place(item, "of")
    if field.of not in facts.objects:
        yield from facts.object_exists(field.of, item.package, at)
        return
    yield from facts.object_exists(field.of, item.package, at)
    other = facts.objects[field.of]
    ways = [name for name, one in other.fields.items() if one.refers_to(item.owner)]
    fix = f"write {' or '.join(repr(name) for name in ways)}" if ways else ""
    if not ways:
        message = f"no field of '{field.of}' refers to '{item.owner}'"
        yield Problem(at, "relation.by", message, f"add a reference to '{item.owner}' there")
        return
    if not field.by:
        message = f"'{field.of}' refers to '{item.owner}' by {', '.join(repr(name) for name in ways)}"
        yield Problem(at, "relation.by", message, f"write 'by: {ways[0]}'")
        return
    if field.by not in ways:
        said = place(item, "by") if "by" in said_keys(item) else at
        if field.by in other.fields:
            message = f"'{field.by}' of '{field.of}' does not refer to '{item.owner}'"
            yield Problem(said, "relation.by", message, fix)
        else:
            yield facts.no_such("field", field.by, ways, at=said, code="field.unknown", within=field.of)
        return
    if field.source == "lines":
        reference = other.fields[field.by]
        if not reference.is_master:
            message = f"'{field.by}' of '{field.of}' is no master, so its records are no lines"
            yield Problem(
                at, "table.master", message, f"write 'master: true' at {field.of}.{field.by}, or 'inverse' here"
            )
        elif other.kind == "single":
            message = f"'{field.of}' has one record only, so it holds no lines"
            yield Problem(at, "table.master", message, "name another object")


def said_keys(item: FieldItem) -> Mapping[str, object]:
    data: object = item.document.data
    for step in item.steps:
        data = data[step]  # type: ignore[index]
    return data if isinstance(data, dict) else {}


def targets_exist(facts: Facts, item: FieldItem) -> Iterator[Problem]:
    field = item.built
    is_list = isinstance(said_keys(item).get("to"), list)
    for index, name in enumerate(field.targets):
        if name != EVERY:
            at = item.document.at(*item.steps, "to", index) if is_list else place(item, "to")
            yield from facts.object_exists(name, item.package, at)
    if field.is_required and field.on_delete == "set_null" and field.refers_to_any:
        message = f"'{field.name}' is required, so it cannot be emptied when its record is deleted"
        yield Problem(place(item, "on_delete"), "field.on_delete", message, "write 'restrict' or 'cascade'")


def single_stays(facts: Facts, item: FieldItem) -> Iterator[Problem]:
    """The record of a settings object is never deleted: nothing follows it."""
    field = item.built
    single = [
        name
        for name in (field.target, *field.targets)
        if name in facts.objects and facts.objects[name].kind == "single"
    ]
    if single and (field.is_master or field.on_delete == "cascade"):
        message = f"'{single[0]}' has one record, which is never deleted, so nothing belongs to it"
        key = "master" if field.is_master else "on_delete"
        yield Problem(place(item, key), "single.reference", message, f"leave '{key}' out")


def tree_works(facts: Facts, item: Item[Object]) -> Iterator[Problem]:
    name, built = item.built.tree, item.built
    if not name:
        return
    at, field = item.document.at("tree"), built.fields.get(name)
    own = [one.name for one in built.fields.values() if one.target == built.name]
    if field is None:
        yield facts.no_such("field", name, own or built.fields, at=at, code="field.unknown", within=built.name)
    elif field.target != built.name:
        message = f"'{name}' does not refer to '{built.name}' itself, so it makes no tree"
        yield Problem(at, "object.tree", message, f"write '{own[0]}'?" if own else f"add a reference to '{built.name}'")
    elif field.is_required:
        message = f"'{name}' is required, so no record can be the first of the tree"
        yield Problem(at, "object.tree", message, f"leave 'required' out of '{name}'")


def masters_work(facts: Facts) -> Iterator[Problem]:
    ways: dict[str, list[str]] = {}
    for item in facts.assembly.fields:
        if item.built.is_master and not item.built.refers_to_many:
            ways.setdefault(item.owner, []).extend(filter(None, (item.built.target, *item.built.targets)))
    for item in facts.assembly.fields:
        field = item.built
        if not field.is_master or field.refers_to_many:
            continue
        owner = facts.objects[item.owner]
        if field.is_required and len(owner.masters) > 1 and not owner.belongs_to_all:
            names = ", ".join(f"'{one.name}'" for one in owner.masters)
            message = f"a record of '{item.owner}' belongs to one of {names}, or to all where all are required"
            fix = "leave 'required' out, or write it at all of them"
            yield Problem(place(item, "required"), "reference.master.required", message, fix)
        for target in filter(None, (field.target, *field.targets)):
            trail = way_back(target, item.owner, ways)
            if trail:
                message = f"a record of '{item.owner}' would belong to itself: {' -> '.join([item.owner, *trail])}"
                yield Problem(place(item, "master"), "reference.master.circle", message, "leave 'master' out")
