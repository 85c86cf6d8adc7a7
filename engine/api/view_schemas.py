"""JSON Schemas of frozen dataclasses that are answered as they are: one component each, under names of their own."""

import types
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from engine.api.openapi_parts import reference

__all__ = ["schemas_of_views", "view"]

Json = dict[str, Any]
PLAIN: dict[Any, Json] = {
    str: {"type": "string"}, bool: {"type": "boolean"}, int: {"type": "integer"}, float: {"type": "number"},
    datetime: {"type": "string", "format": "date-time"},
}  # fmt: skip


def view(group: str, kind: type) -> Json:
    """A reference to the schema of a dataclass."""
    return {"$ref": reference(name_of(group, kind))}


def schemas_of_views(group: str, *kinds: type) -> Json:
    """Of these dataclasses and of all that they hold, by name."""
    made: Json = {}
    waiting = list(kinds)
    while waiting:
        kind = waiting.pop()
        if (name := name_of(group, kind)) in made:
            continue
        hints = get_type_hints(kind)
        properties = {one.name: schema_of(group, hints[one.name], waiting) for one in fields(kind)}
        made[name] = {"type": "object", "required": list(properties), "properties": properties}
    return made


def name_of(group: str, kind: type) -> str:
    """With a capital and a point: no object of a tenant is called so, in whatever case a client writes its classes."""
    return f"{group}.{kind.__name__.removesuffix('View')}"


def schema_of(group: str, hint: Any, found: list[type]) -> Json:
    """Of a type; dataclasses that it names are added to `found`."""
    if hint in PLAIN:
        return dict(PLAIN[hint])
    if isinstance(hint, type) and is_dataclass(hint):
        found.append(hint)
        return view(group, hint)
    origin, args = get_origin(hint), get_args(hint)
    if origin is Literal:
        return {"enum": list(args)}
    if origin in (Union, types.UnionType):
        schemas = [schema_of(group, one, found) for one in args if one is not type(None)]
        return {"anyOf": [*schemas, {"type": "null"}]} if type(None) in args else {"anyOf": schemas}
    if origin is tuple and args[-1:] != (...,):
        return {"type": "array", "minItems": len(args), "maxItems": len(args), "items": {}}
    if origin in (tuple, list, Sequence):
        return {"type": "array", "items": schema_of(group, args[0], found)}
    if origin in (dict, Mapping):
        inner = schema_of(group, args[1], found)
        return {"type": "object", **({"additionalProperties": inner} if inner else {})}
    return {}
