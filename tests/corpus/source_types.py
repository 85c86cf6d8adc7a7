"""Field types of other products, and ours that come next to them."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["TYPES", "choices", "flavour_of", "literal", "on_delete", "targets"]

Json = dict[str, Any]

# Source type -> ours. "?" looks at the field's other keys, "-" is left out, "a|~b": `a` where there is such a type,
# else the nearest, `b`.
TYPES: Mapping[str, Mapping[str, str]] = {
    "frappe": {
        "Check": "boolean", "Link": "reference", "Data": "?text", "Select": "?choice", "Datetime": "datetime",
        "Int": "integer", "Float": "decimal", "Currency": "currency", "Percent": "percent", "Code": "code",
        "Text Editor": "richtext", "Text": "longtext", "Small Text": "longtext", "Long Text": "longtext",
        "Date": "date", "Time": "time", "Duration": "duration", "Rating": "rating", "Color": "color", "JSON": "json",
        "Markdown Editor": "markdown", "HTML Editor": "code", "Attach": "file|~text", "Attach Image": "image|~text",
        "Dynamic Link": "?dynamic", "Table": "table", "Table MultiSelect": "table", "Password": "secret|~text",
        "Phone": "phone", "Geolocation": "geolocation|~text", "Barcode": "text", "Autocomplete": "text",
        "Signature": "image|~text", "Read Only": "text",
    },
    "salesforce": {
        "Text": "text", "TextArea": "longtext", "LongTextArea": "longtext", "Html": "richtext", "Url": "url",
        "Email": "email", "Phone": "phone", "Picklist": "?choice", "MultiselectPicklist": "?multi_choice",
        "Lookup": "reference", "Hierarchy": "reference", "MasterDetail": "reference",
        "MetadataRelationship": "reference", "Number": "?number", "Currency": "currency", "Percent": "percent",
        "Date": "date", "DateTime": "datetime", "Time": "time", "Checkbox": "boolean", "AutoNumber": "autonumber",
        "Summary": "rollup", "Location": "geolocation|~text", "EncryptedText": "secret|~text",
    },
    "steedos": {
        "text": "text", "textarea": "longtext", "select": "?choice", "lookup": "reference",
        "master_detail": "reference", "number": "?number", "currency": "currency", "boolean": "boolean",
        "date": "date", "datetime": "datetime", "time": "time", "autonumber": "autonumber", "formula": "formula",
        "summary": "rollup", "object": "json", "grid": "json", "url": "url", "email": "email", "percent": "percent",
        "file": "file|~text", "image": "image|~text", "html": "richtext", "markdown": "markdown", "code": "code",
        "color": "color", "password": "secret|~text",
    },
    "corteza": {
        "String": "?text", "Select": "?choice", "Record": "reference", "User": "reference", "Number": "?number",
        "Bool": "boolean", "DateTime": "?datetime", "Url": "url", "Email": "email", "File": "file|~text",
        "Geometry": "geolocation|~text",
    },
}  # fmt: skip
SCRIPT = re.compile(r"function (anonymous)?\(")  # of Steedos; other functions are texts
WORDS = {"date": {"today": "today", "today()": "today", "now": "today"}, "datetime": {"now": "now", "now()": "now"}}


def flavour_of(digest: Sequence[Json]) -> str:
    types = {each.get("type") for one in digest for each in one.get("fields", ())}
    return max(TYPES, key=lambda name: len(types & set(TYPES[name])))


def targets(source: Json) -> list[str]:
    found = source.get("reference") or []
    return [found] if isinstance(found, str) else list(found)


def on_delete(source: Json) -> str:
    if source.get("reference_kind") == "owner":
        return "cascade"
    said = {"SetNull": "set_null", "Restrict": "restrict", "Cascade": "cascade"}.get(
        str(source.get("on_delete")), "set_null"
    )
    return "restrict" if source.get("required") and said == "set_null" else said


def choices(source: Json) -> dict[str, object]:
    """Without blank options."""
    pairs = [
        (one, one) if isinstance(one, str) else (one.get("value"), one.get("label"))
        for one in source.get("options") or ()
    ]
    return {str(value): {"label": str(label or value)} for value, label in pairs if str(value or "").strip()}


def literal(text: str, kind: str) -> object:
    """The default as a value of the type; None if it is a formula or a script, or does not fit."""
    if SCRIPT.match(text):
        return WORDS.get(kind, {}).get("now") if "return new Date()" in text else None
    if kind in WORDS:
        return WORDS[kind].get(text.casefold())
    if kind == "boolean":
        return {"1": True, "true": True, "0": False, "false": False}.get(text.casefold())
    if kind in ("integer", "decimal", "currency", "percent", "duration", "rating"):
        if not re.fullmatch(r"-?\d+(\.0*)?", text):
            return None
        return int(float(text)) if kind in ("integer", "duration", "rating") else float(text)
    return None if ("\n" in text and kind == "text") or ("(" in text and kind == "text") else text
