"""Does each role grant something, and does somebody see what a menu leads to?"""

from collections.abc import Iterator

from metadata.check.facts import Facts
from metadata.problem import Problem

__all__ = ["check"]


def check(facts: Facts) -> Iterator[Problem]:
    yield from roles_grant(facts)
    if not any(kind == "role" for kind, _ in facts.unread):
        yield from menus_lead(facts)


def roles_grant(facts: Facts) -> Iterator[Problem]:
    for item in facts.assembly.roles:
        role = item.built
        has_more = role.permission_sets or role.system
        if item.package in facts.given and not has_more and not any(grant.actions for grant in role.grants):
            quoted = (f"'{role.name}'", f'"{role.name}"')
            if not any(text.count(word) for text in facts.texts.values() for word in quoted):  # HAS_ROLE('…')
                message = f"the role '{role.name}' grants nothing"
                fix = "write 'objects: {…: [read]}', or delete the role"
                yield Problem(item.document.at("role"), "role.empty", message, fix, "warning")


def menus_lead(facts: Facts) -> Iterator[Problem]:
    """Where a package has roles, people get its rights by them. What every tenant has may be for administrators."""
    own = {item.package for item in facts.assembly.roles if item.package in facts.given}
    readable = {
        grant.object
        for item in (*facts.assembly.roles, *facts.assembly.permission_sets)
        for grant in item.built.grants
        if item.package != "system" and grant.actions & {"read", "view_all", "modify_all"}
    }
    for item in facts.assembly.menus:
        for index, entry in enumerate(item.built.items if item.package in own else ()):
            found = facts.objects.get(entry.object)
            if found is not None and found.package != "system" and not {"*", entry.object} & readable:
                message = f"no role but 'admin' reads '{entry.object}', so nobody else sees this entry"
                fix = f"write '{entry.object}: [read]' in a role"
                at = item.document.at("items", index, "object")
                yield Problem(at, "menu.unread", message, fix, "warning")
