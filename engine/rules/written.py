"""What is asked when records, their lines and the roll-ups that depend on them are written: of them, and of others."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from engine.context import Context
from engine.errors import InputProblem
from engine.rules.validations import judge_written, watchers
from engine.rules.values import Rules
from engine.snapshot import Snapshot
from engine.store import rows_deletion
from engine.store.database import Connection

__all__ = ["judge_after", "judge_others", "owners_of"]


def judge_after(
    ctx: Context, connection: Connection, rules: Rules, befores: Mapping[str, Mapping[str, Any] | None],
    rows: Iterable[Mapping[str, Any]], touched: Mapping[str, Iterable[str]] = {},
) -> list[InputProblem]:  # fmt: skip
    """`befores`: the records that were written, with what they held, None for new ones. `rows`: values of these, now
    and before: they tell whose lines they are. `touched`: other records whose roll-ups have changed.

    Problems of other records are at no field of this one.
    """
    watching = watchers(ctx.snapshot, rules.object)
    if rules.is_plain and not watching and not touched:
        return []
    found = [problem for _, problem in judge_written(ctx, connection, rules.object, befores, befores)]
    others: dict[str, dict[str, None]] = {name: dict.fromkeys(ids) for name, ids in touched.items()}
    for row in rows if watching else ():
        for name, by in watching:
            if (owner := row.get(by)) is not None:
                others.setdefault(name, {})[owner] = None
    return found + judge_others(ctx, connection, others, {rules.object: befores})


def judge_others(
    ctx: Context, connection: Connection, touched: Mapping[str, Iterable[str]],
    judged: Mapping[str, Iterable[str]] = {},
) -> list[InputProblem]:  # fmt: skip
    """Records that were not written themselves, but their lines or roll-ups."""
    found: list[InputProblem] = []
    for name, ids in touched.items():
        known = frozenset(judged.get(name, ()))
        for _, problem in judge_written(ctx, connection, name, [one for one in ids if one not in known]):
            found.append(replace(problem, path="", values=(*problem.values, ("object", name))))
    return found


def owners_of(
    connection: Connection, snapshot: Snapshot, object_name: str, ids: Iterable[str]
) -> dict[str, dict[str, None]]:
    """Object -> those whose lines these records are, deleted ones too."""
    watching = watchers(snapshot, object_name)
    if not watching:
        return {}
    names = list(dict.fromkeys(by for _, by in watching))
    rows = rows_deletion.stored(connection, snapshot, object_name, names, list(ids)).values()
    return {
        name: {row[names.index(by)]: None for row in rows if row[names.index(by)] is not None} for name, by in watching
    }
