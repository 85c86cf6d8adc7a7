"""Values for every field of every object, made from definitions alone; others where rules of the object refuse them."""

from collections.abc import Callable, Mapping
from typing import Any

from engine.errors import BadInput
from metadata.model import Field, Object

__all__ = ["LONG", "UNSORTED", "UPLOADED", "VALUES", "mended", "same", "value_of"]

Json = dict[str, Any]

LONG = "Ünïcode 华东 <script>alert(1)</script> '\"; -- %s {{7*7}} "

VALUES: Mapping[str, Callable[[Field, int], object]] = {
    "text": lambda field, number: text(field, number),
    "longtext": lambda field, number: f"{LONG}{number}\nsecond line"[: length(field)],
    "richtext": lambda field, number: f"<p>rich {number}</p>"[: length(field)],
    "email": lambda field, number: f"person{number}@example.com",
    "url": lambda field, number: f"https://example.com/{number}?a=1&b=2",
    "phone": lambda field, number: f"+86 21 5555 01{number:02}",
    "integer": lambda field, number: number,
    "decimal": lambda field, number: number % 10 if room(field) else 0,
    "currency": lambda field, number: number % 10 if room(field) else 0,
    "percent": lambda field, number: number % 10 if room(field) else 0,
    "boolean": lambda field, number: number % 2 == 0,
    "date": lambda field, number: f"2026-11-{number % 28 + 1:02}",
    "datetime": lambda field, number: f"2026-11-{number % 28 + 1:02}T10:15:00Z",
    "time": lambda field, number: f"10:{number % 60:02}",
    "choice": lambda field, number: field.choices[number % len(field.choices)].value,
    "code": lambda field, number: f"if a < {number}:\n\tpass"[: length(field)],
    "markdown": lambda field, number: f"# Title {number}\n\n<script>alert(1)</script>"[: length(field)],
    "json": lambda field, number: {"number": number, "text": "<script>alert(1)</script>"},
    "color": lambda field, number: f"#0000{number % 256:02x}",
    "rating": lambda field, number: number % int(str(field.options.get("max", 5))) + 1,
    "duration": lambda field, number: number * 60,
    "secret": lambda field, number: f"secret {number}"[: length(field)],
    "geolocation": lambda field, number: {"latitude": number % 90, "longitude": 121.47},
    "address": lambda field, number: {"city": f"City {number}", "street": "1 <script>alert(1)</script>"},
    "multi_choice": lambda field, number: [field.choices[number % len(field.choices)].value],
}

UPLOADED: Mapping[str, tuple[str, bytes]] = {
    "file": ("manual.pdf", b"%PDF-1.7\n1 0 obj\n"),
    "image": ("photo.png", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + b"\x01" * 20),
}
UNSORTED = frozenset({"multi_choice", "longtext", "richtext", "code", "markdown", "json", "secret", "geolocation",
                      "address", *UPLOADED})  # fmt: skip


def length(field: Field) -> int:
    return int(str(field.options.get("length", 255)))


def room(field: Field) -> bool:
    return int(str(field.options.get("precision", 18))) > int(str(field.options.get("scale", 0)))


def text(field: Field, number: int) -> str:
    return f"{number} {field.name} {LONG}"[: length(field)].strip()


def value_of(field: Field, number: int, ids: Mapping[str, list[str]]) -> object:
    """A value; None for a reference to an object that has no records yet."""
    if field.target:
        there = ids.get(field.target, [])
        return there[number % len(there)] if there else None
    if field.targets:
        found = [
            (name, there) for name, there in ids.items() if there and (name in field.targets or "*" in field.targets)
        ]
        if not found:
            return None
        name, there = found[number % len(found)]
        return [there[0]] if field.value == "choices" or is_list(field) else f"{name}/{there[number % len(there)]}"
    if field.type in UPLOADED:
        return ids[field.type][0]
    return VALUES[field.type](field, number)


def is_list(field: Field) -> bool:
    return field.type == "multi_reference"


def mended(
    one: Object, values: Json, error: BadInput, number: int, choose: Callable[[Field, Json], object]
) -> Json:  # fmt: skip
    """Other values for what was refused. `choose` gives a record that a reference may hold."""
    found = dict(values)
    for problem in error.problems:
        name = problem.path.partition(".")[0]
        field = one.fields.get(name)
        if field is None:  # a rule of the whole record: amounts are the likeliest to break one
            found |= {key: 0 for key in found if one.fields[key].value == "number" and found[key] is not None}
        elif field.target or field.targets:
            found[name] = choose(field, found)
        elif problem.code == "value.required" and field.is_written:
            found[name] = VALUES[field.type](field, number)
        else:
            found.pop(name, None)
    return found


def same(made: object, sent: object, field: Field) -> bool:
    if field.type in (
        "datetime",
        "phone",
        "time",
        "url",
        "longtext",
        "email",
        "richtext",
        "code",
        "markdown",
        *UPLOADED,
    ):
        return bool(made)
    if field.type == "secret":
        return bool(made) and made != sent  # its mask
    return made == sent or (field.type == "date" and str(made) == sent) or (sent == "" and made is None)
