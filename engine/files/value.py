"""The value of a field that holds files: what field types of files share.

Stored is what answers show: {"id", "name", "size", "type"}, or a list of such, as canonical JSON. A file never changes,
so that names need not be looked up. What is sent names files by their ids; the record service puts in the rest.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from engine.contracts.field import Parse
from engine.errors import BadValue
from engine.files.kinds import UNKNOWN, safe_name, size_text
from engine.store.types import Json, JsonText, is_id
from engine.values import brief, wrong_type
from metadata.model import Field

__all__ = ["MEGABYTE", "FileValue"]

MEGABYTE = 1024 * 1024
MEDIA_TYPE = re.compile(r"[a-z]+/[a-z0-9.+-]{1,100}")
EXAMPLE = "0199f2c4-5d1e-7a3b-8c4d-5e6f708192a3"
KEYS = frozenset(("id", "name", "type", "size"))
SIZE_MAX = 2**53
Entry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class FileValue:
    """All that a field type of files needs. `accept` limits what it takes: media types, or endings of names."""

    accept: tuple[str, ...] = ()
    accept_schema: Mapping[str, object] | None = None

    @property
    def options(self) -> Mapping[str, Mapping[str, object]]:
        anything = {"type": "string", "pattern": r"^(\.[A-Za-z0-9]{1,20}|[a-z]+/([a-z0-9.+-]+|\*))$"}
        return {
            "max_bytes": {"type": "integer", "minimum": 1, "maximum": 100 * MEGABYTE, "default": 10 * MEGABYTE},
            "accept": {"type": "array", "maxItems": 50, "items": dict(self.accept_schema or anything),
                       "default": list(self.accept)},
            "multiple": {"type": "boolean", "default": False},
            "max_files": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20},
        }  # fmt: skip

    def column(self, field: Field) -> Json:
        return Json()

    def parser(self, field: Field) -> Parse:
        limits = Limits.of(field)

        def parse(value: object) -> JsonText | None:
            if isinstance(value, JsonText):
                value = value.value
            if value == "":
                return None
            if not limits.is_multiple:
                return JsonText.of(limits.checked(entry(value)))
            if not isinstance(value, list | tuple):
                raise wrong_type(value, "a list of files", f'write ["{EXAMPLE}"]')
            if len(value) > limits.max_files:
                message = f"{len(value)} files; at most {limits.max_files} are allowed"
                raise BadValue("value.file.many", message, "leave some out", count=len(value), max=limits.max_files)
            found = {one["id"]: one for one in map(entry, value)}
            return JsonText.of([limits.checked(one) for one in found.values()]) if found else None

        return parse

    def schema(self, field: Field) -> dict[str, object]:
        limits = Limits.of(field)
        one: dict[str, object] = {"anyOf": [
            {"type": "string", "format": "uuid"},
            {"type": "object", "required": ["id"], "additionalProperties": False, "properties": {
                "id": {"type": "string", "format": "uuid"}, "name": {"type": "string"}, "type": {"type": "string"},
                "size": {"type": "integer", "minimum": 0, "maximum": SIZE_MAX},
            }},
        ]}  # fmt: skip
        return {"type": "array", "items": one, "maxItems": limits.max_files} if limits.is_multiple else one

    def to_json(self, value: JsonText) -> object:
        return value.value

    def from_form(self, field: Field, sent: Sequence[str], zone: ZoneInfo) -> object:
        """Each hidden input holds an id, or what an answer shows of a file."""
        found = [read_input(text) for text in sent if text.strip()]
        if not found:
            return None
        return found if Limits.of(field).is_multiple else found[-1]

    def to_form(self, field: Field, value: JsonText | None, zone: ZoneInfo) -> list[str]:
        return [orjson.dumps(one).decode() for one in entries(value)]

    @staticmethod
    def ids(value: JsonText) -> list[str]:
        return [one["id"] for one in entries(value)]

    def keep(self, field: Field, value: JsonText, old: JsonText | None) -> JsonText:
        """Files that were there already stay as they are, however they were named."""
        known = {one["id"]: one for one in entries(old)}
        if not known:
            return value
        plain = value.value
        if isinstance(plain, list):
            return JsonText.of([known.get(one["id"], one) for one in plain])
        return JsonText.of(known.get(plain["id"], plain))


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one field."""

    max_bytes: int
    accept: tuple[str, ...]
    is_multiple: bool
    max_files: int

    @classmethod
    def of(cls, field: Field) -> "Limits":
        options = field.options
        accept = options.get("accept")
        return cls(
            int(str(options.get("max_bytes", 10 * MEGABYTE))),
            tuple(str(one).lower() for one in accept) if isinstance(accept, list | tuple) else (),
            options.get("multiple") is True,
            int(str(options.get("max_files", 20))),
        )

    def checked(self, one: Entry) -> Entry:
        """The same. What only an id is known of is checked when the file has been looked up."""
        if len(one) < len(KEYS):
            return one
        name = brief(one["name"])
        if one["size"] > self.max_bytes:
            has, most = size_text(one["size"]), size_text(self.max_bytes)
            message = f"'{name}' has {has}; at most {most} are allowed"
            raise BadValue("value.file.size", message, "choose a smaller file", name=name, size=has, max=most)
        if self.accept and not any(fits(one, wanted) for wanted in self.accept):
            wanted = ", ".join(self.accept)
            message = f"'{name}' is not one of {wanted}"
            raise BadValue("value.file.type", message, "choose another file", name=name, accept=wanted)
        return one


def fits(one: Entry, wanted: str) -> bool:
    if wanted.startswith("."):
        return str(one["name"]).lower().endswith(wanted)
    kind = str(one["type"])
    return kind.startswith(wanted[:-1]) if wanted.endswith("/*") else kind == wanted


def entries(value: JsonText | None) -> list[Entry]:
    if value is None:
        return []
    plain = value.value
    return plain if isinstance(plain, list) else [plain]


def entry(value: object) -> Entry:
    """One file as it was sent: {"id"}, or all four where they were sent along."""
    given = {"id": value} if isinstance(value, str) else value
    if not isinstance(given, dict):
        raise wrong_type(value, "the id of a file", f'write "{EXAMPLE}"')
    if unknown := given.keys() - KEYS:
        raise wrong_type(value, f"an object with id, name, type and size, without '{brief(min(map(str, unknown)))}'")
    found = given.get("id")
    if not isinstance(found, str) or not is_id(found.lower()):
        message = f"'{brief(found)}' is not the id of a file"
        raise BadValue("value.file", message, "upload the file and write the id of the answer", value=brief(found))
    name, kind, size = given.get("name"), given.get("type"), given.get("size")
    if not all(isinstance(text, str | None) for text in (name, kind)) or not is_size(size):
        raise wrong_type(value, "an object with id, name, type and size")
    if name is None or kind is None or size is None:
        return {"id": found.lower()}
    kind = kind if MEDIA_TYPE.fullmatch(kind) else UNKNOWN
    return {"id": found.lower(), "name": safe_name(name), "type": kind, "size": int(size)}


def is_size(size: object) -> bool:
    if size is None:
        return True
    return isinstance(size, int | float) and not isinstance(size, bool) and 0 <= size <= SIZE_MAX and size == int(size)


def read_input(text: str) -> object:
    if text.lstrip().startswith("{"):
        try:
            return orjson.loads(text)
        except ValueError:
            return text
    return text.strip()
