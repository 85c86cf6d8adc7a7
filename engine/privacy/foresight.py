"""What an erasure of one person would do, told before it is asked for. Writes nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.context import Context
from engine.privacy.around import said
from engine.privacy.erase import can_go
from engine.privacy.subject import USER, gather, need_privacy, personal
from engine.store import rows_deletion

__all__ = ["Foreseen", "foresee"]


@dataclass(frozen=True, slots=True)
class Foreseen:
    """`fields` and `kept`: object -> names, as `Erased` will tell; `mentions`: object -> how many records of other
    persons refer to it, which stay as they are."""

    records: Mapping[str, int]
    fields: Mapping[str, Sequence[str]]
    kept: Mapping[str, Sequence[str]]
    comments: int
    mentions: Mapping[str, int]
    is_active: bool  # of a user: not erased before somebody deactivates them


def foresee(ctx: Context, object_name: str, record_id: str) -> Foreseen:
    """Raises Forbidden, NotFound, BadInput, as the erasure does."""
    need_privacy(ctx)
    with ctx.tenant.database.read() as connection:
        person = gather(ctx, connection, object_name, record_id)
        wanted = {name: personal(ctx.snapshot, name) for name, ids in person.records.items() if ids}
        mentions: dict[str, int] = {}
        for (name, _), ids in person.mentions.items():
            mentions[name] = mentions.get(name, 0) + len(ids)
        is_active = False
        if object_name == USER:
            [(is_active,)] = rows_deletion.stored(connection, ctx.snapshot, USER, ["is_active"], [record_id]).values()
        goes = {name: [one for one in fields if can_go(fields[one])] for name, fields in wanted.items()}
        stays = {name: [one for one in fields if not can_go(fields[one])] for name, fields in wanted.items()}
        return Foreseen(
            {name: len(ids) for name, ids in person.records.items() if ids}, held(goes), held(stays),
            sum(1 for _ in said(ctx, connection, person)), mentions, bool(is_active),
        )  # fmt: skip


def held(fields: Mapping[str, Sequence[str]]) -> dict[str, Sequence[str]]:
    return {name: names for name, names in fields.items() if names}
