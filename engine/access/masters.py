"""Row rules of a record's master, asked of the record itself: their paths begin with the reference to it."""

import dataclasses
from typing import Any, get_args

from metadata.formula import Compare, Const, Node, Path
from metadata.model import SYSTEM_FIELDS, Field

__all__ = ["VIA", "belongs", "through", "via"]

VIA = ":"
"""Stands in the step of a path that goes through a reference to one of several objects: `regarding:project`."""

KINDS = get_args(Node)
APART = frozenset({"inner"})  # formulas over other records than the one that the rule is about


def via(field: Field, object_name: str) -> Field:
    """The reference as one that leads to this one object."""
    if field.target:
        return field
    return dataclasses.replace(field, name=f"{field.name}{VIA}{object_name}", target=object_name, targets=())


def belongs(field: Field, master: str) -> Node:
    """Whether the reference leads to a living record of the master."""
    step = via(field, master)
    path = Path((step.name, "id"), (step, SYSTEM_FIELDS["id"]), "reference")
    return Compare("!=", path, Const(None, "null"))


def through(field: Field, master: str, node: Node) -> Node:
    """A formula over the master as one over the record."""
    step = via(field, master)
    if isinstance(node, Path):
        return dataclasses.replace(node, steps=(step.name, *node.steps), fields=(step, *node.fields))
    changed: dict[str, Any] = {}
    for part in dataclasses.fields(node):
        value = getattr(node, part.name)
        if part.name in APART:
            continue
        if isinstance(value, KINDS):
            changed[part.name] = through(field, master, value)
        elif isinstance(value, tuple) and value and all(isinstance(one, KINDS) for one in value):
            changed[part.name] = tuple(through(field, master, one) for one in value)
    return dataclasses.replace(node, **changed) if changed else node
