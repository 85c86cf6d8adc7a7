"""Do roles grant rights to objects that exist, with row rules that can be read?"""

from collections.abc import Iterator

from metadata.check.facts import Facts
from metadata.problem import Problem

__all__ = ["check"]


def check(facts: Facts) -> Iterator[Problem]:
    for item in facts.assembly.roles:
        document = item.document
        for grant in item.built.grants:
            at = document.key("objects", grant.object)
            if grant.object != "*":
                yield from facts.object_exists(grant.object, item.package, at)
            if grant.actions and "read" not in grant.actions:
                words = ", ".join(action for action in ("create", "update", "delete") if action in grant.actions)
                message = f"'{item.built.name}' may {words} '{grant.object}' but not read it"
                yield Problem(at, "role.read", message, "add read", "warning")
            yield from facts.formula(grant.rows, grant.object, document, "objects", grant.object, "rows")
