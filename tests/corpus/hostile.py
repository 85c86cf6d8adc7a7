"""Packages that nobody should write and somebody will: each a text of definitions."""

import json

from tests.depth import at_depth

__all__ = ["HOSTILE", "MANIFEST"]

MANIFEST = """\
package: hostile
version: 1.0.0
label: {en: Hostile, zh-CN: 敌意}
languages: [en, zh-CN]
---
"""

RESERVED = (
    "class", "from", "group", "select", "user", "rowid", "oid", "ctid", "xmin", "xmax", "cmin", "cmax",
    "tableoid", "_rowid_"[1:],
    "no", "on", "null", "true", "false", "None", "True", "False", "and", "or", "not", "in", "is", "if", "else",
    "def", "lambda",
    "order", "where", "table", "column", "limit", "offset", "index", "primary", "references", "default",
    "check", "constraint",
    "import", "self", "this", "type", "name", "label", "fields", "object", "key", "values", "items", "get",
    "c", "t", "f0", "j1",
    "csrf", "only", "like", "view", "sort", "search", "q", "cursor", "count", "filter", "page", "add",
    "remove", "next", "ids",
    "action", "method", "submit", "length", "constructor", "prototype", "toString", "hasOwnProperty",
    "deleted", "metadata", "version_",
)  # fmt: skip

LONG = "a" * 62


def document(object_name: str, fields: dict[str, object], **more: object) -> str:
    """JSON is YAML."""
    return json.dumps({"object": object_name, **more, "fields": fields}, ensure_ascii=False)


def reserved(kind: str) -> str:
    return document("order", {name: {"type": kind} for name in RESERVED}, title="name")


def many_fields() -> str:
    types = (
        "text",
        "integer",
        "decimal",
        "boolean",
        "date",
        "datetime",
        "time",
        "email",
        "url",
        "longtext",
        "currency",
        "percent",
    )
    return document("wide", {f"f{n:03}": {"type": types[n % len(types)], "label": f"Field {n}"} for n in range(500)})


def many_doubles() -> str:
    """Types of which a form sends two values per field."""
    return document(
        "wide", {"name": {"type": "text"}, **{f"f{n:03}": {"type": ("datetime", "boolean")[n % 2]} for n in range(500)}}
    )


def alike() -> str:
    names = [LONG + end for end in "abcdefgh"]
    one = document(LONG + "a", {name: {"type": "text", "unique": True, "index": True} for name in names},
    unique=[names[:2], names[1:3]],
                   indexes=[names[:3], names[2:5]])  # fmt: skip
    two = document(
        LONG + "b",
        {names[0]: {"type": "text"}, names[1]: {"type": "reference", "to": LONG + "a", "on_delete": "cascade"}},
    )
    return f"{one}\n---\n{two}"


CASES = """\
object: Case
fields: {Name: {type: text, required: true}, name: {type: text}, NAME: {type: text}, parent: {type: reference,
  to: case}}
title: Name
---
object: case
fields: {name: {type: text, required: true}, Parent: {type: reference, to: Case, on_delete: restrict},
  parent: {type: reference, to: case}}
---
object: CASE
fields: {名称: {type: text, required: true}, 名稱: {type: text}, größe: {type: integer},
  grosse: {type: integer}, çà: {type: text}}
"""

LABELS = (
    "🚀" * 40,
    "\u202eevil\u202c",
    "<script>alert(1)</script>",
    "x" * 10_000,
    "مرحبا بالعالم",
    "' \" & < > ` ${7*7} {{7*7}} {% if %}",
    " ",
    "",
)


def labels() -> str:
    fields: dict[str, object] = {"name": {"type": "text", "label": LABELS[2], "help": LABELS[2] * 40}}
    for number, label in enumerate(LABELS):
        fields[f"f{number}"] = {"type": "text", "label": label, "help": label}
        fields[f"c{number}"] = {"type": "choice", "choices": {"a": {"label": label}, "b": label}, "default": "a"}
        fields[f"m{number}"] = {"type": "multi_choice", "choices": {"a": {"label": label}, "b": label}}
        fields[f"r{number}"] = {"type": "reference", "to": "labelled", "label": label}
    view = {"view": "all", "object": "labelled", "label": LABELS[2], "columns": ["name", "c2", "r2.name",
    "owner"], "default": True,
            "quick_filters": ["c2", "r2"]}  # fmt: skip
    menu = {"menu": "m", "label": LABELS[2], "items": [{"object": "labelled", "label": LABELS[2]}]}
    layout = {"layout": "l", "object": "labelled", "path": "c2", "highlights": ["c2", "r2", "m2"],
              "tabs": [{"label": LABELS[2], "sections": [{"label": LABELS[1], "fields": list(fields)}],
                        "related": [{"object": "labelled", "field": "r2", "label": LABELS[2],
                        "columns": ["name"]}]}]}  # fmt: skip
    parts = [
        document("labelled", fields, label=LABELS[2], plural=LABELS[2], description=LABELS[3]),
        *map(json.dumps, (view, menu, layout)),
    ]
    return "\n---\n".join(parts)


CHOICES = (
    "no", "on", "off", "yes", "1", "01", "1.0", "1e3", "0x1f", "null", "None", "~", "true", "True", "False",
    "[]", "{}", "a,b", "a;b",
    "a|b", "a\\b", "it's", 'say "so"', "`", "%s", "%(a)s", ":x", "?", "$1", "a/b", "a b", "<b>", "&amp;",
    "华东", "ñ", "🚀", "-", "=1+1",
    "__proto__", "2026-11-22", "12:30:00", "A", "a",
)  # fmt: skip


def many_choices() -> str:
    values = [*CHOICES, *(f"选项{n}, {n}|{n}" for n in range(414 - len(CHOICES)))]
    both = {value: {"label": value} for value in values}
    return document("poll", {
        "name": {"type": "text"},
        "one": {"type": "choice", "choices": both, "default": "no"},
        "some": {"type": "multi_choice", "choices": both, "default": ["on", "1"]},
        "only": {"type": "choice", "choices": dict.fromkeys(values[:2], "Same"), "required": True},
    })  # fmt: skip


def knot(size: int = 30) -> str:
    """Each object refers to all others, twice to the next; what is required never goes round."""
    parts = []
    for here in range(size):
        fields: dict[str, object] = {
            "name": {"type": "text", "required": True},
            "self": {"type": "reference", "to": f"k{here}"},
        }
        for there in range(size):
            fields[f"to{there}"] = {
                "type": "reference", "to": f"k{there}", "required": there < here and there % 5 == 0,
                "on_delete": ("restrict", "cascade")[there % 2] if there < here else "set_null",
            }  # fmt: skip
        fields["again"] = {"type": "reference", "to": f"k{(here + 1) % size}", "label": "Again"}
        parts.append(document(f"k{here}", fields))
    return "\n---\n".join(parts)


HIDDEN = """\
object: ghost
fields: {name: {type: text, hidden: true}, age: {type: integer, hidden: true}, of: {type: reference, to: ghost,
  hidden: true}}
---
object: dumb
fields: {flag: {type: boolean}}
---
object: pair
fields: {left: {type: reference, to: ghost, required: true, on_delete: restrict}, right: {type: reference,
  to: ghost}, back: {type: reference, to: pair}}
---
object: locked
fields: {code: {type: autonumber}, note: {type: text, read_only: true, default: "x"}}
"""

HOSTILE = {
    "reserved_texts": reserved("text"),
    "reserved_numbers": reserved("integer").replace('"name": {"type": "integer"}', '"name": {"type": "text"}'),
    "reserved_references": reserved("text")
    .replace('{"type": "text"}', '{"type": "reference", "to": "order"}')
    .replace(', "title": "name"', ""),
    "many_fields": many_fields(),
    "many_doubles": many_doubles(),
    "alike": alike(),
    "cases": CASES,
    "labels": labels(),
    "many_choices": many_choices(),
    "knot": knot(at_depth(14, 30)),
    "hidden": HIDDEN,
}
