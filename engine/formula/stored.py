"""Values as SQLite keeps them -> as formulas reckon with them, and back. Numbers are their shortest text. Pure."""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from engine.formula import exact
from engine.store import types

__all__ = ["CODES", "LOAD", "dumped"]

# How SQLite is told what an argument is: one letter each.
CODES: Mapping[str, str] = {
    "number": "n", "boolean": "b", "date": "d", "datetime": "m", "time": "t", "text": "s", "choice": "s",
    "reference": "s", "pattern": "s", "json": "o",
}  # fmt: skip
LOAD: Mapping[str, Callable[[Any], Any]] = {
    "n": exact.number_of, "b": bool, "d": dt.date.fromisoformat, "m": dt.datetime.fromisoformat,
    "t": dt.time.fromisoformat, "s": lambda text: text, "j": orjson.loads,
    "o": types.JsonText,
}  # fmt: skip


def dumped(value: Any) -> Any:
    match value:
        case None | "":
            return None
        case bool():
            return int(value)
        case str():
            return value
        case dt.datetime():
            return types.utc_text(value)
        case dt.date() | dt.time():
            return value.isoformat()
    return exact.text_of(value)
