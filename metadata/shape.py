"""Hold documents against their kind's schema, say in plain words what does not fit, and take it out of the data.

What is left has the right shape, so that building and checking go on with the rest of the package.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import orjson
from jsonschema import Draft202012Validator, validators
from jsonschema.exceptions import ValidationError

from metadata.document import Document, Map, Seq, show
from metadata.model import FieldKind
from metadata.problem import Problem, nearest
from metadata.schema import field_schema, kind_schema, shared
from metadata.schema.quick import Check, quick

__all__ = ["Shapes", "misfits", "part_misfits"]

Steps = tuple[str | int, ...]
MOST_GUESSES = 20  # unknown keys of one map that get a nearest name

STRICT = Draft202012Validator.TYPE_CHECKER.redefine(
    "integer", lambda checker, value: isinstance(value, int) and not isinstance(value, bool)
)
Validator: Any = validators.extend(Draft202012Validator, type_checker=STRICT)  # type: ignore[no-untyped-call]


class Shapes:
    """The schemas of all kinds and field types, compiled once per load."""

    def __init__(self, kinds: Mapping[str, FieldKind]) -> None:
        self._documents: dict[str, _Schema] = {}
        self._fields = {name: _compiled(field_schema(kind)) for name, kind in kinds.items()}
        place = {"field": {"type": "string"}}
        self._added = {
            name: _compiled({**schema.schema, "properties": {**schema.schema["properties"], **place}})
            for name, schema in self._fields.items()
        }

    def mend(self, document: Document) -> tuple[bool, list[Problem]]:
        """Whether the document can be built, and its problems; what was wrong is gone from its data."""
        kind = document.kind
        if kind not in self._documents:
            self._documents[kind] = _compiled(kind_schema(kind))
        gone: set[Steps] = set()
        problems = list(_mended(document, (), self._documents[kind], gone))
        if document.kind != kind or not isinstance(document.data.get(kind), str):
            return False, problems
        if kind == "object":
            for name in document.data.get("fields") or ():
                problems += self._field(document, ("fields", name), self._fields, gone)
        elif kind == "field":
            problems += self._field(document, (), self._added, gone)
        return True, problems

    def _field(
        self, document: Document, steps: Steps, schemas: Mapping[str, "_Schema"], gone: set[Steps]
    ) -> Iterable[Problem]:
        data = _value(document.data, steps)
        schema = schemas.get(data.get("type"))
        return _mended(document, steps, schema, gone) if schema else ()


def misfits(value: Any, schema: Mapping[str, Any], document: Document, steps: Steps) -> Iterator[Problem]:
    """How a value does not fit a schema that a plugin brought along; it stands at `steps`, and nothing is taken out."""
    for error in _leaves(Validator(schema).iter_errors(value)):
        yield from _explained(error, document, steps, set())


def part_misfits(value: Any, document: Document, steps: Steps) -> Iterator[Problem]:
    """The same of a list of approver sources that stands in an option of an action."""
    yield from misfits(value, {"$ref": "#/$defs/approvers", "$defs": shared()}, document, steps)


class _Schema:
    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.schema: dict[str, Any] = {**schema, "$defs": {**shared(), **schema.get("$defs", {})}}
        self.check: Check | None = quick(schema, shared())
        self.validator = Validator(self.schema)


def _compiled(schema: Mapping[str, Any]) -> _Schema:
    return _compiled_text(orjson.dumps(schema, default=str))


@lru_cache(512)
def _compiled_text(schema: bytes) -> _Schema:
    """Once in a process: what a field type takes does not change from load to load."""
    return _Schema(orjson.loads(schema))


def _mended(document: Document, steps: Steps, schema: _Schema, gone: set[Steps]) -> Iterator[Problem]:
    """`gone`: paths of what was taken out already; it is not said to be missing."""
    data, kind = _value(document.data, steps), document.kind
    if schema.check is not None and schema.check(data):
        return
    for _ in range(3):  # taking out one value may empty what holds it
        drops: set[Steps] = set()
        for error in _leaves(schema.validator.iter_errors(data)):
            if not _is_gone(error, steps, gone):
                yield from _explained(error, document, steps, drops)
        if not drops:
            return
        gone |= {(*steps, *path) for path in drops}
        for path in sorted(drops, key=_indexes, reverse=True):
            _drop(data, path)
        if document.kind != kind:  # its name was wrong: nothing can be built
            return


def _is_gone(error: Any, steps: Steps, gone: set[Steps]) -> bool:
    """Whether a key is missed only because its value was wrong, which was said."""
    if error.validator != "required":
        return False
    missed = [key for key in error.validator_value if key not in error.instance]
    return all((*steps, *error.absolute_path, key) in gone for key in missed)


def _indexes(path: Steps) -> list[int]:
    """Items of a list go from its end, or the others' indexes would shift."""
    return [step if isinstance(step, int) else -1 for step in path]


def _leaves(errors: Iterable[ValidationError]) -> Iterator[ValidationError]:
    """Errors of the parts that `allOf` joins, rather than that it fails."""
    for error in errors:
        if error.validator == "allOf" and error.context:
            yield from _leaves(error.context)
        else:
            yield error


def _value(data: Any, steps: Steps) -> Any:
    for step in steps:
        data = data[step]
    return data


def _drop(data: Any, path: Steps) -> None:
    for step in path[:-1]:
        inside = isinstance(data, Map) and step in data
        inside = inside or (isinstance(data, Seq) and isinstance(step, int) and step < len(data))
        if not inside:
            return
        data = data[step]
    if isinstance(data, (Map, Seq)):
        data.drop(path[-1])  # type: ignore[arg-type]


def _explained(error: Any, document: Document, base: Steps, drops: set[Steps]) -> Iterator[Problem]:
    inner: Steps = tuple(error.absolute_path)
    steps = base + inner
    match error.validator:
        case "additionalProperties":
            known = list(error.schema.get("properties", {}))
            for count, key in enumerate([key for key in error.instance if key not in known]):
                drops.add((*inner, key))
                yield _unknown_key(key, known if count < MOST_GUESSES else [], error.instance[key], document, steps)
        case "required":
            for key in error.validator_value:
                if key not in error.instance:
                    yield _missing_key(key, document, steps)
        case _:
            drops.add(inner)
            yield _wrong_value(error, document, steps)


def _whole(document: Document, steps: Steps) -> str:
    """What holds a key, in words."""
    data = _value(document.data, steps)
    names = [step for step in steps if isinstance(step, str)]
    if (document.kind == "field" and not steps) or (len(steps) == 2 and steps[0] == "fields"):
        type_ = data.get("type")
        return f"a field of type '{type_}'" if isinstance(type_, str) else "a field"
    if not names:
        return f"a {document.kind}" if document.kind[0] not in "aeiou" else f"an {document.kind}"
    if isinstance(steps[-1], int):
        return f"an entry of '{names[-1]}'"
    return f"'{names[-1]}'"


def _is_field(document: Document, steps: Steps) -> bool:
    return (document.kind == "field" and not steps) or (
        document.kind == "object" and len(steps) == 2 and steps[0] == "fields"
    )


def _unknown_key(key: str, known: list[str], value: Any, document: Document, steps: Steps) -> Problem:
    guess = nearest(key, known)
    fix = f"write '{guess}'?" if guess else ""
    if not fix and value is None and not key.isidentifier():
        fix = "if it belongs to the text before it, put all of that in quotes: a comma ends it inside { }"
    elif not fix and 0 < len(known) <= 12:
        fix = f"write one of {', '.join(known)}"
    code = "field.option.unknown" if _is_field(document, steps) else "key.unknown"
    return Problem(document.key(*steps, key), code, f"{_whole(document, steps)} has no key '{key}'", fix)


def _missing_key(key: str, document: Document, steps: Steps) -> Problem:
    code = "field.option.missing" if _is_field(document, steps) and key != "type" else "key.missing"
    at = document.key(*steps) if steps else document.at()
    return Problem(at, code, f"{_whole(document, steps)} needs the key '{key}'", f"add '{key}: …'")


WORDS: Mapping[str, str] = {
    "string": "a text", "object": "a map", "array": "a list", "boolean": "true or false", "null": "blank",
    "number": "a number", "integer": "a whole number",
}  # fmt: skip
BOUNDS: Mapping[str, str] = {
    "minimum": "at least {}", "maximum": "at most {}", "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}", "minLength": "at least {} characters long",
    "maxLength": "at most {} characters long", "minItems": "a list of at least {}", "maxItems": "a list of at most {}",
    "minProperties": "a map of at least {}", "maxProperties": "a map of at most {}",
}  # fmt: skip
WORD = re.compile(r"\w+")
TRUTH = {"yes": "true", "y": "true", "on": "true", "true": "true", "1": "true",
         "no": "false", "n": "false", "off": "false", "false": "false", "0": "false"}  # fmt: skip


def _wrong_value(error: Any, document: Document, steps: Steps) -> Problem:
    at, value, said = document.at(*steps), error.instance, error.validator_value
    name = next((step for step in reversed(steps) if isinstance(step, str)), document.kind)
    what = f"an entry of '{name}'" if steps and isinstance(steps[-1], int) else f"'{name}'"
    match error.validator:
        case "type":
            wanted = [said] if isinstance(said, str) else list(said)
            words = " or ".join(WORDS.get(word, word) for word in wanted)
            fix = _mending(wanted, value, steps)
            if value is None and " " in name:
                fix = "put the whole text in quotes: a comma ends it inside { }"
            elif sign := NO_SPACE.search(name):
                fix = f"write '{name[: sign.start()]}: ' with a space"
            return Problem(at, "value.type", f"{what} is {words}, not {_shown(value)}", fix)
        case "enum" | "const":
            choices = [str(choice) for choice in (said if error.validator == "enum" else [said])]
            guess = nearest(value, choices) if isinstance(value, str) else ""
            fix = f"write '{guess}'?" if guess else ""
            message = f"{what} is one of {', '.join(choices)}; not {show(value)}"
            return Problem(at, "value.unknown", message, fix)
        case "pattern" if examples := error.schema.get("examples"):
            message = f"{what} is written like {', '.join(examples)}; not {show(value)}"
            return Problem(at, "value.pattern", message)
        case "pattern":
            return Problem(at, "value.pattern", f"{what} matches {said}, which {show(value)} does not")
        case str(keyword) if keyword in BOUNDS:
            shown = "empty" if value in ("", [], {}) else _size(keyword, value)
            return Problem(at, "value.range", f"{what} is {BOUNDS[keyword].format(said)}, not {shown}")
    return Problem(at, "value.type", f"{what} cannot be {show(value)}")


def _size(keyword: str, value: Any) -> str:
    return str(len(value)) if isinstance(value, (str, list, dict)) else show(value)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"the number {value}" if isinstance(value, (int, float)) else show(value)


NO_SPACE = re.compile(r"[:：]")  # in a key: `name:{type: text}`


def _mending(wanted: list[str], value: Any, steps: Steps) -> str:
    if value is None:
        return "give it a value, or leave the key out"
    if "boolean" in wanted and isinstance(value, (str, int)) and str(value).lower() in TRUTH:
        return f"write {TRUTH[str(value).lower()]}"
    if "string" in wanted and isinstance(value, (bool, int, float)):
        return f'write "{_shown(value).removeprefix("the number ")}"'
    if {"integer", "number"} & set(wanted) and isinstance(value, str) and re.fullmatch(r"-?\d+(\.\d+)?", value):
        return f"write {value} without quotes"
    if "array" in wanted and isinstance(value, str):
        return f"write [{value}]"
    if wanted == ["object"] and isinstance(value, str) and WORD.fullmatch(value) and len(steps) > 1:
        key = {"fields": "type", "items": "object", "users": "username"}.get(str(steps[-2]), "")
        return f"write {{{key}: {value}}}" if key else ""
    if wanted == ["object"] and isinstance(value, list) and value:
        if all(isinstance(item, str) for item in value):
            return f"write {{{', '.join(f'{item}: …' for item in value[:3])}}}"
        return "write 'name: …' for each, without '-'"
    return ""
