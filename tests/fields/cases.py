"""The built-in plugins and their own good and bad values, as pytest parameters."""

from collections.abc import Mapping
from typing import Any

import pytest

from engine.contracts.field import FieldType
from engine.registry import Plugins
from metadata.model import Choice, Field

PLUGINS = Plugins()
PLUGINS.scan("plugins.base")


def field_of(kind: FieldType, given: Mapping[str, Any]) -> Field:
    """A field as the loader makes it: the type's defaults filled in, `choices` taken out of the options."""
    options = {name: option["default"] for name, option in kind.options.items() if "default" in option}
    options |= {name: value for name, value in given.items() if name != "choices"}
    choices = tuple(Choice(value, {"en": value}) for value in given.get("choices", ()))
    return Field("value", kind.name, {"en": "Value"}, options=options, choices=choices)


def short(value: object) -> str:
    return ascii(value)[:40]


GOOD = [
    pytest.param(kind, field_of(kind, given), value, id=f"{kind.name}-{short(value)}")
    for kind in PLUGINS.fields.values()
    for given, value in kind.good
]
BAD = [
    pytest.param(kind, field_of(kind, given), value, code, id=f"{kind.name}-{short(value)}")
    for kind in PLUGINS.fields.values()
    for given, value, code in kind.bad
]
OPEN = [case for case in GOOD if not case.values[0].is_secret]  # type: ignore[attr-defined]
"""Of types whose answers hold the whole value."""
KINDS = [pytest.param(kind, id=kind.name) for kind in PLUGINS.fields.values() if kind.source == "value"]
