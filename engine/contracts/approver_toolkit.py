"""What sources of approvers share: whose managers or department is meant, how far one looks, who may choose whom."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engine.contracts.approver import Asked

__all__ = [
    "CHOICE", "IN", "SCOPE", "choosable", "departments_of", "in_department", "persons_of", "those_chosen",
    "within_scope",
]  # fmt: skip

Options = Mapping[str, Any]

IN: Mapping[str, Any] = {
    "in": {
        "type": "string",
        "minLength": 1,
        "description": "A department by its name, or by those above it, too: Sales / North; in place of 'of'.",
    }
}
SCOPE: Mapping[str, Any] = {
    "scope": {
        "enum": ["any", "department", "department_and_below", "nearest"],
        "description": "Where they are looked for: everywhere unless said; in a department; also in those below it; or "
        "in the department and, while there is nobody, in the one above it.",
    },
    "of": {"enum": ["submitter", "owner"], "description": "Whose department; the submitter's unless said."},
    "department": {"type": "string", "minLength": 1, "description": "A path to a department, in place of 'of'."},
    **IN,
}
"""Options of sources that look for people in departments."""

CHOICE: Mapping[str, Any] = {
    "role": {"type": "string", "minLength": 1, "description": "Only people who have this role."},
    **SCOPE,
    "min": {"type": "integer", "minimum": 0, "maximum": 100, "description": "How many at least; 1 unless said."},
    "max": {"type": "integer", "minimum": 1, "maximum": 100, "description": "How many at most."},
}
"""Options of sources of which somebody chooses the people."""


def persons_of(asked: Asked, options: Options) -> Sequence[str]:
    """Above whom, or in whose department, one looks: the submitter unless `of` or `person` says somebody else."""
    if "person" in options:
        return asked.users_at(options["person"])
    if options.get("of") == "owner":
        return [asked.owner] if asked.owner else []
    return [asked.submitter] if asked.submitter else []


def departments_of(asked: Asked, options: Options) -> Sequence[str]:
    """Ids of departments: those called `in`, or that at the path `department`, else those of the people that are
    meant."""
    if "in" in options:
        return asked.departments(options["in"])
    if "department" in options:
        found = asked.value(options["department"])
        return [found] if isinstance(found, str) else list(found or ())
    found = [asked.department_of(one) for one in persons_of(asked, options)]
    return [one for one in found if one is not None]


def within_scope(asked: Asked, options: Options, find: Callable[..., Sequence[str]]) -> Sequence[str]:
    """`find()` looks everywhere, `find(department, below)` in a department, with those below it or without."""
    scope = options.get("scope") or ("department" if in_department(options) else "any")
    if scope == "any":
        return find()
    found: list[str] = []
    for department in departments_of(asked, options):
        if scope == "nearest":
            found += nearest(asked, department, find)
        else:
            found += find(department, scope == "department_and_below")
    return found


def in_department(options: Options) -> bool:
    """Whether one looks in a department, not everywhere."""
    return options.get("scope", "any") != "any" or "department" in options or "in" in options


def nearest(asked: Asked, department: str, find: Callable[..., Sequence[str]]) -> Sequence[str]:
    place: str | None = department
    seen: set[str] = set()
    while place is not None and place not in seen:
        if found := find(place, False):
            return found
        seen.add(place)
        place = asked.department_above(place)
    return ()


def choosable(asked: Asked, options: Options) -> Sequence[str] | None:
    """Among whom one chooses; None is among everybody."""
    if "role" in options:
        role = options["role"]
        return within_scope(asked, options, lambda *where: asked.role(role, *where))
    if not in_department(options):
        return None
    return within_scope(asked, {"scope": "department", **options}, lambda *where: asked.members(*where))


def those_chosen(asked: Asked, options: Options) -> Sequence[str]:
    """Those who were chosen, of whom the definition lets be chosen."""
    offered = choosable(asked, options)
    return [one for one in asked.chosen if offered is None or one in offered]
