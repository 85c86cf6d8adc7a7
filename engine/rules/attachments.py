"""Whether the files that new values hold exist and are this person's to give; and what is known of them."""

from collections.abc import Sequence
from typing import Any

from engine.context import Context
from engine.errors import BadValue, InputProblem
from engine.files.catalogue import known_to
from engine.rules.values import FieldRule
from engine.store.database import Connection

__all__ = ["settle"]


def settle(
    ctx: Context, connection: Connection, fields: Sequence[FieldRule], rows: Sequence[dict[str, Any]]
) -> list[tuple[int, InputProblem]]:
    """Puts name, type and size beside the ids in the rows; (index of the row, problem) of each value that cannot be."""
    held = [(index, rule, row[rule.field.name]) for index, row in enumerate(rows) for rule in fields
            if row.get(rule.field.name) is not None]  # fmt: skip
    if not held:
        return []
    files = known_to(ctx, connection, {file for _, rule, value in held for file in ids_of(rule, value)})
    problems: list[tuple[int, InputProblem]] = []
    for index, rule, value in held:
        name = rule.field.name
        missing = [file for file in ids_of(rule, value) if file not in files]
        if missing:
            message = f"'{name}': no file has the id '{missing[0]}'"
            problem = InputProblem(name, "value.file.unknown", message, "upload it again", (("id", missing[0]),))
            problems.append((index, problem))
            continue
        plain = rule.type.to_json(value)
        views = {file: files[file].view() for file in ids_of(rule, value)}
        whole = [views[one["id"]] for one in plain] if isinstance(plain, list) else next(iter(views.values()))
        try:
            rows[index][name] = rule.parse(whole)
        except BadValue as bad:
            problems.append((index, InputProblem(name, bad.code, bad.message, bad.fix, bad.values)))
    return problems


def ids_of(rule: FieldRule, value: Any) -> Sequence[str]:
    assert rule.type.attaches is not None
    return rule.type.attaches(value)
