"""Trees in statements: records whose reference to their own object says what is above each. Opens no connection."""

from typing import Any

import sqlalchemy as sa

from engine.snapshot import Snapshot

__all__ = ["below"]


def below(snapshot: Snapshot, object_name: str, root: sa.ColumnElement[Any], name: str) -> sa.Select[Any]:
    """Ids of the living record `root` and of all below it; `name` is one that nothing else of the statement has."""
    by = snapshot.definitions.objects[object_name].tree
    table = snapshot.physical.table(object_name)
    first, child = table.alias(f"{name}a"), table.alias(f"{name}b")
    start = sa.select(first.c.id.label("id")).where(first.c.id == root, first.c.deleted_at.is_(None))
    tree = start.cte(name, recursive=True)
    # UNION, not UNION ALL: it ends even if the records went round in a circle.
    tree = tree.union(sa.select(child.c.id).where(child.c[by] == tree.c.id, child.c.deleted_at.is_(None)))
    return sa.select(tree.c.id)
