"""The JSON Schema of every kind of definition: for the loader, and for editors with the field types filled in."""

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from metadata.model import FieldKind
from metadata.processes import PartKind, Parts

__all__ = ["COLORS", "COMMON_FIELD_KEYS", "field_schema", "kind_schema", "published"]

KINDS = (
    "package", "object", "field", "layout", "view", "menu", "role", "permission_set", "sharing_rule",
    "restriction_rule", "calendar", "template", "workflow", "automation", "approval", "translation", "data",
    "scenario",
)  # fmt: skip
SHARED = "common.json#/$defs/"
REFERENCE_KEYS = ("to", "on_delete", "master", "filter")
CHOICE_KEYS = ("choices", "depends_on")
# Of what is not sent, no value is required, given or unique; of what has no column, none is indexed either.
VALUE_KEYS = ("required", "read_only", "unique", "default", "require_if", "lock_if", "fetch", "fetch_when", "set_once",
              "copy", "history", "mask")  # fmt: skip
WORKED_OUT_KEYS = ("reveals",)
DIALECT = "https://json-schema.org/draft/2020-12/schema"

# What the loader checks in words of its own, as an editor's pattern.
FORMATS: Mapping[str, str] = {
    "name": "^[A-Za-z\\u00aa-\\uffdc][A-Za-z0-9_\\u00aa-\\uffdc]{0,62}$",
    "icon": "^[a-z0-9-]+$",
    "version": "^[0-9]+(\\.[0-9]+){0,2}$",
    "language": "^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$",
}


@cache
def _file(name: str) -> dict[str, Any]:
    text = resources.files("metadata").joinpath("schema", f"{name}.json").read_text("utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def _inner(node: Any) -> Any:
    """A schema whose references to common.json point into its own $defs."""
    if isinstance(node, dict):
        return {key: _inner(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_inner(value) for value in node]
    return node.replace(SHARED, "#/$defs/") if isinstance(node, str) else node


@cache
def shared() -> dict[str, Any]:
    defs: dict[str, Any] = _inner(_file("common")["$defs"])
    return defs


COLORS: tuple[str, ...] = tuple(shared()["color"]["enum"])
COMMON_FIELD_KEYS = tuple(key for key in shared()["field"]["properties"] if key not in (*CHOICE_KEYS, *REFERENCE_KEYS))


@cache
def kind_schema(kind: str) -> dict[str, Any]:
    """The schema of one kind, complete in itself, in which a field may still have any options."""
    return {**_inner(_file(kind)), "$defs": {**shared(), **own_parts(kind)}}


def own_parts(kind: str) -> dict[str, Any]:
    """What only the schema of this kind refers to."""
    defs: dict[str, Any] = _inner(_file(kind).get("$defs", {}))
    return defs


def field_schema(kind: FieldKind) -> dict[str, Any]:
    """The schema of a field of one type: the common keys and the type's own options, nothing else."""
    base = shared()["field"]["properties"]
    own = {**base, "type": {"const": kind.name}, **{option: dict(schema) for option, schema in kind.options.items()}}
    gone = {*(() if kind.has_choices else CHOICE_KEYS), *(() if kind.refers or kind.targets else REFERENCE_KEYS)}
    if kind.source != "value":
        gone |= {*VALUE_KEYS, *(() if kind.source == "rollup" else ("index",))}
    if kind.source not in ("formula", "rollup"):
        gone |= {*WORKED_OUT_KEYS}
    for key in gone - kind.options.keys():
        own.pop(key, None)
    if kind.refers:
        description = "The object that the reference points to."
        own["to"] = {"type": "string", "minLength": 1, "description": description}
    if kind.targets:
        own["to"] = {
            "type": ["string", "array"], "minLength": 1, "minItems": 1, "items": {"type": "string", "minLength": 1},
            "description": "The object that it points to, or several; \"*\" is every object.",
        }  # fmt: skip
    required = ["type", *kind.required_options]
    required += ["choices"] if kind.has_choices and "choices" not in required else []
    required += ["to"] if (kind.refers or kind.targets) and "to" not in required else []
    return {"type": "object", "properties": own, "required": required, "additionalProperties": False}


def published(kinds: Mapping[str, FieldKind], parts: Parts | None = None) -> dict[str, dict[str, Any]]:
    """File name -> schema: one per kind, and `definition.json`, which takes a file of any kind. With `parts` lists of
    sources of approvers and of actions are what these take."""
    usable = {name: kind for name, kind in sorted(kinds.items()) if not kind.is_internal}
    defs = {name: _patterned(schema) for name, schema in shared().items()}
    names = {f"{name}_field": field_schema(kind) for name, kind in usable.items()}
    defs.update({name: _patterned(schema) for name, schema in names.items()})
    defs["field"] = _choosing(usable, {})
    if parts is not None:
        defs |= {"approver": _part(parts.approvers), "part": _part(parts.actions)}
    schemas = {
        f"{kind}.json": {**_patterned(_inner(_file(kind))), "$defs": {**defs, **_patterned(own_parts(kind))}}
        for kind in KINDS
    }
    place = _file("field")["properties"]
    schemas["field.json"] = {
        "$schema": DIALECT, "title": "field", "description": _file("field")["description"],
        **_choosing(usable, place), "$defs": {**defs, **_with_place(names, place)},
    }  # fmt: skip
    schemas["definition.json"] = _any_kind(schemas)
    return {name: {**schema, "$defs": _used(schema)} for name, schema in schemas.items()}


def _part(kinds: Mapping[str, PartKind]) -> dict[str, Any]:
    """One entry: the name of a plugin that needs no options, or a map of its name and options."""
    shared_ = shared()["part"]
    alone = sorted(name for name, kind in kinds.items() if not kind.schema.get("required"))
    return {
        "type": ["string", "object"], "if": {"type": "string"}, "then": {"enum": alone}, "minProperties": 1,
        "properties": {
            **_patterned(shared_["properties"]), **{name: _options(kind) for name, kind in sorted(kinds.items())},
        },
        "additionalProperties": False, "description": shared_["description"],
    }  # fmt: skip


def _options(kind: PartKind) -> dict[str, Any]:
    """What stands below a plugin's name: its options, a lone value, or nothing where none is needed."""
    properties: Any = kind.schema.get("properties") or {}
    ways: list[Any] = [dict(kind.schema)]
    if kind.short in properties or "value" in properties:
        ways.append(properties[kind.short if kind.short in properties else "value"])
    if not kind.schema.get("required"):
        ways += [{"type": "null"}, {"const": True}]
    return {"anyOf": ways, "description": kind.doc} if len(ways) > 1 else {**kind.schema, "description": kind.doc}


def _used(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The parts that a schema refers to, directly or through others."""
    found: dict[str, Any] = {}
    waiting: list[Any] = [value for key, value in schema.items() if key != "$defs"]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
        elif isinstance(node, str) and node.startswith("#/$defs/"):
            name = node.removeprefix("#/$defs/")
            if name not in found:
                found[name] = schema["$defs"][name]
                waiting.append(found[name])
    return dict(sorted(found.items()))


def _choosing(kinds: Mapping[str, FieldKind], place: Mapping[str, Any]) -> dict[str, Any]:
    """A field whose other keys depend on its type."""
    suffix = "_added" if place else ""
    return {
        "type": "object",
        "properties": {**place, "type": {"enum": list(kinds), "description": "The field's type."}},
        "required": [*place, "type"],
        "allOf": [
            {
                "if": {"properties": {"type": {"const": name}}, "required": ["type"]},
                "then": {"$ref": f"#/$defs/{name}_field{suffix}"},
            }
            for name in kinds
        ],
    }


def _with_place(fields: Mapping[str, Any], place: Mapping[str, Any]) -> dict[str, Any]:
    return {
        f"{name}_added": _patterned({**schema, "properties": {**place, **schema["properties"]}})
        for name, schema in fields.items()
    }


def _any_kind(schemas: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """Which kind it is, the first key says; here: which of the kinds' keys is there."""
    defs: dict[str, Any] = {}
    for kind in KINDS:
        schema = {key: value for key, value in schemas[f"{kind}.json"].items() if key != "$schema"}
        defs.update(schema.pop("$defs"))
        defs[f"{kind}_definition"] = schema
    branches: dict[str, Any] = {}
    # An object is named in layouts and views too: it comes last.
    for kind in sorted(KINDS, key=lambda kind: kind != "object"):
        branch = {"if": {"required": [kind]}, "then": {"$ref": f"#/$defs/{kind}_definition"}}
        branches = {**branch, "else": branches} if branches else branch
    return {"$schema": DIALECT, "title": "A Fieldstone definition", "type": "object", **branches, "$defs": defs}


def _patterned(node: Any) -> Any:
    """Formats that are ours as patterns, which every editor knows."""
    if isinstance(node, dict):
        found = {key: _patterned(value) for key, value in node.items()}
        if isinstance(named := found.get("format"), str) and named in FORMATS:
            found["pattern"] = FORMATS[found.pop("format")]
        return found
    return [_patterned(value) for value in node] if isinstance(node, list) else node
