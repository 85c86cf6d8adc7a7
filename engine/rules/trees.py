"""Records that make a tree: none is below itself, and a tree is not too deep."""

from collections.abc import Mapping
from typing import Any

from engine.context import Context
from engine.errors import InputProblem
from engine.rules.values import Rules
from engine.store import trees
from engine.store.database import Connection

__all__ = ["take_turns", "wrong_places"]


def take_turns(ctx: Context, connection: Connection, rules: Rules, changed: Mapping[str, Any]) -> None:
    """Before a record is moved within its tree."""
    if rules.tree and changed.get(rules.tree) is not None:
        trees.lock(connection, ctx.snapshot, rules.object, ctx.tenant.database.schema)


def wrong_places(
    ctx: Context, connection: Connection, rules: Rules, placed: Mapping[str, Mapping[str, Any]], is_new: bool = False
) -> Mapping[str, InputProblem]:
    """What is wrong with the places of records that were written: id -> problem. `placed`: id -> what was written."""
    moved = [one for one, values in placed.items() if rules.tree and values.get(rules.tree) is not None]
    if not moved:
        return {}
    above = trees.ways_up(connection, ctx.snapshot, rules.object, moved)
    under = {} if is_new else trees.heights(connection, ctx.snapshot, rules.object, moved)
    problems: dict[str, InputProblem] = {}
    for one in moved:
        levels, is_circle = above.get(one, (0, False))
        if is_circle:
            message = f"'{rules.tree}' would put this {rules.object} below itself"
            problems[one] = InputProblem(rules.tree, "tree.circle", message, "choose one that is not below it")
        elif levels + 1 + under.get(one, 0) > trees.LEVELS:
            message = f"a tree has at most {trees.LEVELS} levels"
            values = (("max", trees.LEVELS),)
            problems[one] = InputProblem(rules.tree, "tree.depth", message, "choose one further up", values)
    return problems
