"""What a request says, checked strictly: query, body, preconditions. Raises HttpRefusal 400, 413, 415."""

import json
import re
from collections.abc import Callable, Collection, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

import orjson

from engine.api.errors import HttpRefusal, bad_request
from metadata.problem import nearest

__all__ = ["is_unchanged", "json_object", "query_values", "segments_of", "version_wanted", "whole_number"]

MAX_PARAMETERS = 50
MAX_DEPTH = 8  # a batch's multi-choice value lies 5 deep
LONG_NUMBER = re.compile(rb"[0-9][0-9.]{15}")  # more digits than a float keeps
ENTITY_TAG = re.compile(r'\s*(W/)?"([\x21\x23-\x7e\x80-\xff]*)"\s*(?:,|$)')
JSON_TYPE = re.compile(r"application/(json|[a-z0-9.!#$&^_-]+\+json)")


def query_values(query: bytes, known: Collection[str]) -> dict[str, str]:
    """Parameters by name; each at most once, none that the operation does not have."""
    if not query:
        return {}
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS)
    except ValueError as error:
        message = f"the query is not percent-encoded UTF-8 with at most {MAX_PARAMETERS} parameters"
        raise bad_request("query.malformed", message) from error
    values: dict[str, str] = {}
    for name, value in pairs:
        if name not in known:
            guess = nearest(name, known)
            fix = f"write '{guess}'?" if guess else f"known are: {', '.join(known) or 'none'}"
            raise bad_request("query.unknown", f"no parameter '{name}'", fix=fix, path=name)
        if name in values:
            raise bad_request("query.twice", f"parameter '{name}' is given twice", path=name)
        if "\0" in value:
            raise bad_request("query.malformed", f"parameter '{name}' holds a NUL character", path=name)
        values[name] = value
    return values


def whole_number(values: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = values.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and low <= int(text) <= high):
        raise bad_request("query.value", f"{name} is a whole number from {low} to {high}, not '{text[:40]}'", path=name)
    return int(text)


def segments_of(path: bytes) -> list[str]:
    """The parts of a raw path between slashes, decoded one by one: an encoded slash stays in its part."""
    try:
        parts = [unquote_to_bytes(part).decode() if b"%" in part else part.decode("ascii") for part in path.split(b"/")]
    except UnicodeDecodeError as error:
        raise bad_request("path.malformed", "the path is not percent-encoded UTF-8") from error
    if any("\0" in part for part in parts):
        raise bad_request("path.malformed", "the path holds a NUL character")
    return parts


def json_object(body: bytes, content_type: str, *, is_optional: bool = False) -> dict[str, Any]:
    """The JSON object that was sent. Numbers with more digits than a float keeps come as Decimal."""
    if not body and is_optional:
        return {}
    kind, _, parameters = content_type.lower().partition(";")
    if not JSON_TYPE.fullmatch(kind.strip()) or parameters.strip() not in ("", "charset=utf-8", 'charset="utf-8"'):
        sent = f"'{content_type[:60]}'" if content_type else "nothing"
        message = f"the body must be JSON in UTF-8; Content-Type says {sent}"
        raise HttpRefusal(415, "body.type", message, fix="send Content-Type: application/json")
    try:
        value = orjson.loads(body)
        if LONG_NUMBER.search(body):
            value = json.loads(body, parse_float=Decimal, parse_constant=refuse_constant)
    except (ValueError, RecursionError) as error:
        raise bad_request("body.malformed", f"the body is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise bad_request("body.malformed", "the body must be a JSON object: {...}")
    if not is_flat(value, MAX_DEPTH):
        raise bad_request("body.depth", f"the body is nested more than {MAX_DEPTH} deep")
    return value


def is_flat(value: Any, depth: int) -> bool:
    """Whether lists and objects lie within each other at most `depth` deep."""
    inner = value.values() if isinstance(value, dict) else value
    nested = [item for item in inner if isinstance(item, dict | list)]
    return depth > 0 if not nested else depth > 1 and all(is_flat(item, depth - 1) for item in nested)


def refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def version_wanted(header: str | None, current: Callable[[], int]) -> int | None:
    """The version that If-Match allows; None for any, -1 for none that can be. RFC 9110, 13.1.1.

    `current` is asked only where the header lists several.
    """
    if header is None or header.strip() == "*":
        return None
    versions = strong_versions(header, "If-Match")
    if len(versions) <= 1:
        return versions.pop() if versions else -1
    now = current()
    return now if now in versions else -1


def strong_versions(header: str, name: str, *, weak_too: bool = False) -> set[int]:
    """Versions in a list of entity tags; tags that we never gave out are none."""
    at, versions = 0, set()
    while at < len(header):
        if not (found := ENTITY_TAG.match(header, at)):
            message = f"{name} is '*' or a list of entity tags in double quotes, not '{header[:60]}'"
            raise bad_request("precondition.malformed", message, fix=f'write {name}: "3"')
        is_weak, tag = found.groups()
        if tag.isascii() and tag.isdigit() and len(tag) < 18 and (weak_too or not is_weak):
            versions.add(int(tag))
        at = found.end()
    if not header.strip():
        raise bad_request("precondition.malformed", f"{name} is empty", fix=f'write {name}: "3"')
    return versions


def is_unchanged(header: str | None, version: int) -> bool:
    """Whether If-None-Match names the version: weak tags count too. RFC 9110, 13.1.2."""
    if header is None:
        return False
    return header.strip() == "*" or version in strong_versions(header, "If-None-Match", weak_too=True)
