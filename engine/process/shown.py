"""What those who try processes out, or look after them, are shown of records: no more than they see of these anyway."""

from collections.abc import Mapping
from typing import Any

from engine.context import Context
from engine.errors import EngineError
from engine.rules.messages import HIDDEN
from engine.service import Records

__all__ = ["is_seen", "sees_all", "value_shown", "values_shown"]

Json = dict[str, Any]


def sees_all(ctx: Context) -> bool:
    """Whether nothing of any record is hidden from them."""
    scope = ctx.scope
    return scope.is_full or (
        not scope.limits_fields
        and all(scope.can("read", name) and not scope.rows("read", name) for name in ctx.snapshot.definitions.objects)
    )


def is_seen(ctx: Context, object_name: str, record: str) -> bool:
    """Whether they see the record, deleted or not."""
    if not ctx.scope.can("read", object_name):
        return False
    records = Records(ctx)
    return any(records.titles(object_name, [record], in_trash=in_trash) for in_trash in (False, True))


def values_shown(ctx: Context, object_name: str, values: Mapping[str, Any]) -> Json:
    """JSON values by field, or pairs of such, without hidden fields, and masked."""
    readable, masks = ctx.scope.readable(object_name), ctx.scope.masks(object_name)
    return {
        name: _masked(masks[name], value) if name in masks else value
        for name, value in values.items() if name in readable
    }  # fmt: skip


def _masked(mask: Any, value: Any) -> Any:
    if isinstance(value, list | tuple):
        return type(value)(_masked(mask, one) for one in value)
    return None if value is None else mask(value)


def value_shown(ctx: Context, object_name: str, record: str, path: str, value: Any) -> Any:
    """What stands at the path, as they read it."""
    if value is None or ctx.scope.is_full:
        return value
    try:
        found = Records(ctx).get(object_name, record, (path,)).get(path)
    except EngineError:
        return HIDDEN
    return HIDDEN if found is None else found
