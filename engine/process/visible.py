"""Which fields of a record somebody sees through a node of an approval. Opens no connection."""

from collections.abc import Collection, Iterator

from engine.access.fields import OPEN, reads_of
from engine.access.masks import mask_of
from engine.context import Context
from engine.snapshot import Snapshot
from metadata.model import SYSTEM_FIELDS, Field

__all__ = ["is_masked", "mask_value", "visible_fields"]

SHOWN = ("owner", "created_at", "created_by", "modified_at", "modified_by")
DEPTH = 20  # of what is worked out from what is worked out


def visible_fields(ctx: Context, object_name: str, hidden: Collection[str], prefix: str = "") -> tuple[str, ...]:
    """All fields but those that `hidden` names, what is worked out from these, secrets, and lists of other objects'
    records. `hidden` holds names, and "items.cost" for a field of lines, whose object is asked for with the `prefix`
    "items."."""
    fields = ctx.snapshot.definitions.objects[object_name].fields
    names = {name.removeprefix(prefix) for name in hidden if name.startswith(prefix)}
    found = [
        name for name, field in fields.items()
        if name not in names and not field.is_hidden and field.source != "inverse" and not is_secret(ctx, field)
        and not _tells(ctx, object_name, field, _places(ctx.snapshot, object_name, hidden, names, prefix))
    ]  # fmt: skip
    return (*found, *(name for name in SHOWN if name not in names))


def is_secret(ctx: Context, field: Field) -> bool:
    return bool(ctx.snapshot.plugins.fields[field.type].is_secret)


def _places(
    snapshot: Snapshot, object_name: str, hidden: Collection[str], names: Collection[str], prefix: str
) -> frozenset[tuple[str, str]]:  # fmt: skip
    """(object, field) of all that is hidden, in lines too; "*" stands for all fields of lines that are hidden whole."""
    found = {(object_name, name) for name in names}
    fields = snapshot.definitions.objects[object_name].fields
    for name, field in fields.items():
        if field.source != "lines":
            continue
        if name in names:
            found.add((field.of, "*"))
        inner = f"{prefix}{name}."
        found |= {(field.of, one.removeprefix(inner)) for one in hidden if one.startswith(inner)}
    return frozenset(found)


def _tells(ctx: Context, object_name: str, field: Field, hidden: Collection[tuple[str, str]]) -> bool:
    """Whether it is worked out from what is hidden, or from what the person sees the mask of."""
    if field.source not in ("formula", "rollup") or field.reveals:
        return False
    return any(
        place in hidden or (place[0], "*") in hidden or is_masked(ctx, *place)
        for place in _read(ctx.snapshot, object_name, field, DEPTH)
    )


def _read(snapshot: Snapshot, object_name: str, field: Field, depth: int) -> Iterator[tuple[str, str]]:
    for name, read in reads_of(snapshot, object_name, field):
        yield name, read
        inner = snapshot.definitions.objects[name].fields.get(read)
        if inner is not None and depth and inner.source in ("formula", "rollup"):
            yield from _read(snapshot, name, inner, depth - 1)


def is_masked(ctx: Context, object_name: str, name: str) -> bool:
    """Whether a field with a mask stays masked: unless the person's own rights show what it holds."""
    field = ctx.snapshot.definitions.objects[object_name].fields.get(name) or SYSTEM_FIELDS.get(name)
    if field is None or not field.mask or ctx.scope.is_full:
        return False
    return not ctx.scope.can("read", object_name) or ctx.scope.sees(object_name, name) != OPEN


def mask_value(ctx: Context, object_name: str, name: str, value: object) -> object:
    if value is None or not is_masked(ctx, object_name, name):
        return value
    return mask_of(ctx.snapshot.definitions.objects[object_name].fields[name])(value)
