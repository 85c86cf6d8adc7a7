"""How one value of a field becomes a value of the field's new definition. Pure; the new type's parser decides."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson

from engine.contracts.field import UTC_ZONE
from engine.errors import BadValue
from engine.registry import Plugins
from metadata.model import Field

__all__ = ["Convert", "converter", "show"]

Convert = Callable[[Any], Any]
"""Stored value, not None -> stored value of the new definition, or None for blank. Raises BadValue."""

WORDS = {
    "true": True, "yes": True, "y": True, "on": True, "1": True, "是": True, "真": True,
    "false": False, "no": False, "n": False, "off": False, "0": False, "否": False, "假": False,
}  # fmt: skip
SEPARATORS = ",;、，；\n"
MAX_SHOWN = 60
NONE: Mapping[str, str] = {}


def converter(
    old: Field, new: Field, plugins: Plugins, *, is_retargeted: bool = False, objects: Mapping[str, str] = NONE
) -> Convert:
    """`objects`: as of a FieldChange."""
    before, after = plugins.fields[old.type], plugins.fields[new.type]
    if new.targets:
        return to_several(old, new, is_retargeted, objects)
    if after.refers:
        # An id of one object is none of another's, and a text that looks like an id may be nobody's.
        return same if before.refers and not is_retargeted else refuse
    if after.attaches is not None and before.attaches is None:
        return refuse  # whose file an id is, nobody would have asked
    if before.is_secret:  # what was encrypted is not made readable by a publish
        return after.parser(new) if after.is_secret else refuse
    if after.is_computed:
        return same if old.type == new.type else refuse
    parse, known, kind = after.parser(new), {choice.value for choice in new.choices}, after.value

    def convert(value: Any) -> Any:
        plain = before.to_json(value)
        typed: list[Any] = []
        if before.value == "json" and kind == "text" and isinstance(plain, dict | list):
            plain = orjson.dumps(plain).decode()
        elif kind == "json" and before.value != "json" and isinstance(plain, str):
            typed = [after.from_form(new, [plain], UTC_ZONE)]
        if known and is_known(plain, known) and before.value == kind:
            return value  # a retired choice, too: parsers refuse those for new values
        first: BadValue | None = None
        for form in [*typed, *forms(plain, kind, new)]:
            try:
                return parse(form)
            except BadValue as bad:
                first = first or bad
        assert first is not None
        raise first

    return convert


def to_several(old: Field, new: Field, is_retargeted: bool, objects: Mapping[str, str]) -> Convert:
    """To a reference to several records, or to a record of one of several objects."""
    if new.refers_to_many:
        if is_retargeted or not (old.target or old.refers_to_many):
            return refuse
        return same if old.refers_to_many else lambda value: [value]
    if old.refers_to_any:

        def renamed(value: str) -> str | None:
            name, _, record_id = value.partition("/")
            return f"{objects[name]}/{record_id}" if name in objects else None  # `loses` counts those

        return renamed
    if old.target in objects:
        return lambda value: f"{objects[old.target]}/{value}"
    return refuse


def forms(plain: Any, kind: str, new: Field) -> Iterator[Any]:
    """What a parser of `kind` may be given for a JSON value of another type; the likeliest first."""
    if isinstance(plain, orjson.Fragment):
        plain = Decimal(bytes(plain.contents).decode() if isinstance(plain.contents, bytes) else plain.contents)
    yield plain
    make = FORMS.get(kind)
    if make is not None:
        yield from make(plain, new)


def text_forms(plain: Any, new: Field) -> Iterator[Any]:
    if isinstance(plain, bool):
        yield "true" if plain else "false"
    elif isinstance(plain, float | Decimal):
        number = Decimal(repr(plain)) if isinstance(plain, float) else plain
        yield format(number.to_integral_value() if number == number.to_integral_value() else number.normalize(), "f")
    elif isinstance(plain, list):
        yield ", ".join(map(str, plain))
    else:
        yield str(plain)


def number_forms(plain: Any, new: Field) -> Iterator[Any]:
    if isinstance(plain, bool) or (isinstance(plain, float) and plain.is_integer()):
        yield int(plain)
    elif isinstance(plain, str):
        try:
            number = Decimal(plain.strip())
        except ArithmeticError:
            return
        if number.is_finite():
            yield from (int(number), number) if number == number.to_integral_value() else (number, float(number))


def boolean_forms(plain: Any, new: Field) -> Iterator[Any]:
    word = str(int(plain)) if isinstance(plain, float) and plain.is_integer() else str(plain).strip().lower()
    if word in WORDS:
        yield WORDS[word]


def date_forms(plain: Any, new: Field) -> Iterator[Any]:
    text = str(plain).strip()
    yield text
    if len(text) > 10 and text[10] in "T ":
        yield text[:10]


def datetime_forms(plain: Any, new: Field) -> Iterator[Any]:
    text = str(plain).strip()
    yield text
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return
    yield (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).isoformat()


def time_forms(plain: Any, new: Field) -> Iterator[Any]:
    text = str(plain).strip()
    yield text
    if len(text) > 11 and text[10] in "T ":
        yield text[11:19]


def choice_forms(plain: Any, new: Field) -> Iterator[Any]:
    if isinstance(plain, list):
        if len(plain) == 1:
            yield plain[0]
        return
    text = next(text_forms(plain, new))
    yield text
    yield from named_by_label(text, new)


def choices_forms(plain: Any, new: Field) -> Iterator[Any]:
    if isinstance(plain, list):
        return
    text = next(text_forms(plain, new)).strip()
    yield [text]
    parts = text
    for separator in SEPARATORS:
        parts = parts.replace(separator, "\n")
    words = [word.strip() for word in parts.split("\n") if word.strip()]
    yield [next(named_by_label(word, new), word) for word in words]


def named_by_label(text: str, new: Field) -> Iterator[str]:
    """The value of the one choice whose value or label this is, whatever its letters' case."""
    wanted = text.strip().casefold()
    found = {c.value for c in new.choices if wanted in {word.casefold() for word in (c.value, *c.label.values())}}
    if len(found) == 1:
        yield from found


def json_forms(plain: Any, new: Field) -> Iterator[Any]:
    """One for several, and several that are one."""
    if not isinstance(plain, list):
        yield [plain]
    elif len(plain) == 1:
        yield plain[0]


FORMS: dict[str, Callable[[Any, Field], Iterator[Any]]] = {
    "text": text_forms,
    "number": number_forms,
    "boolean": boolean_forms,
    "date": date_forms,
    "datetime": datetime_forms,
    "time": time_forms,
    "choice": choice_forms,
    "choices": choices_forms,
    "json": json_forms,
}


def is_known(plain: Any, known: set[str]) -> bool:
    return all(item in known for item in plain) if isinstance(plain, list) else plain in known


def same(value: Any) -> Any:
    return value


def refuse(value: Any) -> Any:
    raise BadValue("convert.impossible", "no value of the old type is one of the new")


def show(value: Any) -> str:
    """A value as a plan quotes it, cut where it is long."""
    text = str(value)
    return repr(text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…")
