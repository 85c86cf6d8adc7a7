"""Do roles and permission sets grant rights to objects and fields that exist, with row rules that can be read?"""

from collections.abc import Iterator
from itertools import chain

from metadata.assemble import Item
from metadata.check.facts import Facts
from metadata.document import Document
from metadata.model import ACCESS, ACTIONS, Grant, Role
from metadata.problem import Problem, nearest

__all__ = ["check", "roles_exist"]

KEPT_IN_SIGHT = ("id", "version")


def check(facts: Facts) -> Iterator[Problem]:
    sets = {item.built.name for item in facts.assembly.permission_sets}
    for item in chain(facts.assembly.roles, facts.assembly.permission_sets):
        for index, name in enumerate(item.built.permission_sets):
            if name not in sets and ("permission_set", name) not in facts.unread:
                at = item.document.at("permission_sets", index)
                yield facts.no_such("permission set", name, sets, at=at, code="permission_set.unknown")
        for grant in item.built.grants:
            yield from grant_is_sound(facts, item, grant)


def grant_is_sound(facts: Facts, item: Item[Role], grant: Grant) -> Iterator[Problem]:
    document = item.document
    at = document.key("objects", grant.object)
    if grant.object != "*":
        yield from facts.object_exists(grant.object, item.package, at)
    if grant.actions and not grant.actions & {"read", "view_all", "modify_all"}:
        words = ", ".join(action for action in ACTIONS[:1] + ACTIONS[2:] if action in grant.actions)
        if words:
            message = f"'{item.built.name}' may {words} '{grant.object}' but not read it"
            yield Problem(at, "role.read", message, "add read", "warning")
    yield from facts.formula(grant.rows, grant.object, document, "objects", grant.object, "rows")
    found = facts.objects.get(grant.object)
    types = [one.name for one in found.record_types] if found else []
    for name in grant.record_types if found or grant.object == "*" else ():
        if name not in types:
            place = document.at("objects", grant.object, "record_types")
            code = "record_type.unknown"
            yield facts.no_such("record type", name, types, at=place, code=code, within=grant.object)
    yield from fields_are_sound(facts, item, grant)


def fields_are_sound(facts: Facts, item: Item[Role], grant: Grant) -> Iterator[Problem]:
    for name, access in grant.fields.items():
        at = item.document.key("objects", grant.object, "fields", name)
        if access not in ACCESS:
            guess = nearest(access, ACCESS)
            message = f"no access '{access}' to a field; there are hidden, masked, read and edit"
            yield Problem(at, "access.unknown", message, f"write '{guess}'?" if guess else "")
            continue
        if name == "*":
            continue
        if name in KEPT_IN_SIGHT and access == "hidden":
            message = f"'{name}' is read with every record and cannot be hidden"
            yield Problem(at, "access.field", message, "leave it out")
        if grant.object != "*":
            yield from facts.path_exists(name, grant.object, at, most=1)
            field = facts.field(name, grant.object)
            if field is not None and "masked" in access and not field.mask:
                message = f"'{name}' has no mask that could be shown"
                yield Problem(at, "access.mask", message, f"write 'mask: …' at the field '{name}', or hide it")


def roles_exist(
    facts: Facts, names: tuple[str, ...], document: Document, *steps: str | int
) -> Iterator[Problem]:  # fmt: skip
    roles = {role.built.name for role in facts.assembly.roles}
    for index, name in enumerate(names):
        if name not in roles and ("role", name) not in facts.unread:
            at = document.at(*steps, index)
            yield facts.no_such("role", name, roles, at=at, code="role.unknown")
