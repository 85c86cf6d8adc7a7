"""Definitions to JSON text and back, for storing them compiled. Reads only what it wrote: it checks nothing."""

import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

import orjson

from metadata import model
from metadata.model import Definitions

__all__ = ["decode", "dump", "load"]

Convert = Callable[[Any], Any]


def dump(definitions: Definitions) -> bytes:
    """The same definitions give the same bytes. Properties at their default are left out."""
    return orjson.dumps(encoder(Definitions)(definitions))


def load(text: bytes) -> Definitions:
    return decode(orjson.loads(text))


def decode(plain: dict[str, Any]) -> Definitions:
    """From parsed JSON, which it uses up."""
    return decoder(Definitions)(plain)  # type: ignore[no-any-return]


@cache
def encoder(kind: Any) -> Convert:
    if is_dataclass(kind):
        parts = [(name, encoder(of), default) for name, of, default in members(kind)]

        def encode(value: Any) -> dict[str, Any]:
            found = ((name, of, getattr(value, name), default) for name, of, default in parts)
            return {name: of(item) for name, of, item, default in found if item != default}

        return encode
    return container(kind, encoder, {"frozenset": sorted})


@cache
def decoder(kind: Any) -> Convert:
    if is_dataclass(kind):
        parts = {name: of for name, of in ((name, decoder(of)) for name, of, _ in members(kind)) if of is not same}

        def decode(plain: dict[str, Any]) -> Any:
            for name, of in parts.items():
                if name in plain:
                    plain[name] = of(plain[name])
            return kind(**plain)

        return decode
    return container(kind, decoder, {"tuple": tuple, "frozenset": frozenset})


def members(kind: Any) -> list[tuple[str, Any, Any]]:
    """(name, type, default or MISSING) of each."""
    hints = get_type_hints(kind, vars(model))
    found = []
    for item in fields(kind):
        default = item.default if item.default_factory is MISSING else item.default_factory()
        found.append((item.name, hints[item.name], default))
    return found


def container(kind: Any, inner: Callable[[Any], Convert], make: Mapping[str, Convert]) -> Convert:
    """How to convert a value of a type from the model that is no dataclass."""
    origin, given = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        kinds = [of for of in given if of is not type(None)]
        of = inner(kinds[0]) if len(kinds) == 1 else same
        return of if of is same else lambda value: None if value is None else of(value)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        of = inner(given[1])
        return same if of is same else lambda value: {name: of(item) for name, item in value.items()}
    if origin in (tuple, frozenset):
        build = make.get(origin.__name__, list)
        if origin is tuple and given[-1] is not Ellipsis:
            return build
        of = inner(given[0])
        return build if of is same else lambda value: build([of(item) for item in value])
    return same


def same(value: Any) -> Any:
    return value
