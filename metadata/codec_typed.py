"""Frozen dataclasses out of the plain data that codec makes of them, by what their fields are declared to be."""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

__all__ = ["read"]

T = TypeVar("T")


def read(kind: Callable[..., T], data: Mapping[str, Any]) -> T:
    """An instance of the dataclass `kind`; what is missing has its default, and what is unknown is left out."""
    readers = readers_of(kind)
    return kind(**{name: readers[name](value) for name, value in data.items() if name in readers})


@cache
def readers_of(kind: Any) -> dict[str, Callable[[Any], Any]]:
    hints = get_type_hints(kind)
    return {one.name: reader_of(hints[one.name]) for one in fields(kind)}


def reader_of(hint: Any) -> Callable[[Any], Any]:
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        wanted = next(one for one in inner if one is not type(None))
        load = reader_of(wanted)
        return lambda value: None if value is None else load(value)
    if origin is tuple:
        if inner[-1] is Ellipsis:
            load = reader_of(inner[0])
            return lambda value: tuple(load(one) for one in value)
        return tuple
    if origin is frozenset:
        return frozenset
    if origin is Mapping:
        load = reader_of(inner[1])
        return lambda value: {key: load(one) for key, one in value.items()}
    return nested(hint) if is_dataclass(hint) else lambda value: value


def nested(hint: Any) -> Callable[[Any], Any]:
    """Its readers are made when they are first needed: it may hold others of its own kind."""
    return lambda value: read(hint, value)
