"""Does sample data fit its fields, and do its references lead somewhere?"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from metadata.assemble import Item
from metadata.build.records import RELATIVE
from metadata.check.facts import Facts
from metadata.model import EVERY, SYSTEM_FIELDS, Data, Field, Object, Record
from metadata.problem import Place, Problem, nearest

__all__ = ["check", "keys_by_object"]

SETTABLE = {name: SYSTEM_FIELDS[name] for name in SYSTEM_FIELDS if name not in ("id", "version")} | {
    "_created_at": SYSTEM_FIELDS["created_at"]  # how sample data is spread over the past
}
USER = "user"
Steps = tuple[int | str, ...]
FIRST_USER = "admin"
DATE_LIKE = re.compile(r"\s*(today|now)\b", re.IGNORECASE)


def check(facts: Facts) -> Iterator[Problem]:
    keys = keys_by_object(facts)
    seen: dict[tuple[str, str], str] = {}
    values: dict[tuple[str, str, object], str] = {}
    for item in facts.assembly.data:
        document, built = item.document, item.built
        is_sheet = document.file.lower().endswith(".csv")
        at = Place(document.file) if is_sheet else document.at("data")
        yield from facts.object_exists(built.object, item.package, at)
        if built.object not in facts.objects:
            continue
        object_ = facts.objects[built.object]
        columns: set[str] = set()
        nowhere = needed_by_all(facts, built, object_)
        for name in nowhere:
            message = f"none of the {len(built.records)} records has '{name}', which is required"
            what = f"a column '{name}'" if is_sheet else f"'{name}' to each"
            yield Problem(at, "data.required", message, f"add {what}, or a default to the field")
        for index, record in enumerate(built.records):
            yield from key_is_new(item, index, record, seen)
            for name, value in record.values.items():
                if name in object_.fields or name in SETTABLE:
                    field = object_.fields.get(name) or SETTABLE[name]
                    yield from value_fits(facts, item, (index, name), field, value, keys)
                    yield from value_is_new(item, index, field, value, values)
                elif name not in columns:  # once, not for every row
                    columns.add(name)
                    yield facts.no_such("field", name, object_.fields, at=document.key("records", index, name),
                                  code="field.unknown", within=built.object)  # fmt: skip
            yield from nothing_missing(facts, item, index, record, object_, nowhere)


def keys_by_object(facts: Facts) -> Mapping[str, set[str]]:
    """What a reference may hold: keys of records; of people the user names, too."""
    keys: dict[str, set[str]] = {USER: {FIRST_USER}}
    for item in facts.assembly.data:
        found = keys.setdefault(item.built.object, set())
        found.update(record.key for record in item.built.records if record.key)
        for record in item.built.records:
            for child, line in lines_in(facts, item.built.object, record.values):
                if "_key" in line:
                    keys.setdefault(child, set()).add(str(line["_key"]))
        if item.built.object == USER:
            found.update(str(record.values.get("username")) for record in item.built.records)
    for package in facts.assembly.packages:
        keys[USER].update(user.username for user in package.built.demo_users)
    return keys


def lines_in(facts: Facts, name: str, values: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(object, line) of all lines that stand in a record, and in its lines."""
    fields = facts.objects[name].fields if name in facts.objects else {}
    for key, value in values.items():
        if key in fields and fields[key].source == "lines" and isinstance(value, list):
            for line in value:
                if isinstance(line, dict):
                    yield fields[key].of, line
                    yield from lines_in(facts, fields[key].of, line)


def key_is_new(item: Item[Data], index: int, record: Record, seen: dict[tuple[str, str], str]) -> Iterator[Problem]:
    if not record.key:
        return
    at = item.document.at("records", index, "_key")
    first = seen.setdefault((item.built.object, record.key), f"{at.file}:{at.line}")
    if first != f"{at.file}:{at.line}":
        message = f"the key '{record.key}' is used here and in {first}"
        yield Problem(at, "data.key.duplicate", message, "give one of the two another key")


def value_fits(
    facts: Facts, item: Item[Data], steps: Steps, field: Field, value: Any, keys: Mapping[str, set[str]]
) -> Iterator[Problem]:
    if field.source == "lines":
        yield from lines_fit(facts, item, steps, field, value, keys)
        return
    if not field.is_written:
        message = f"'{field.name}' is worked out: sample data cannot say its value"
        yield Problem(item.document.key("records", *steps), "data.computed", message, "leave it out")
        return
    if field.target:
        if (isinstance(value, str) and value in keys.get(field.target, ())) or ("data", field.target) in facts.unread:
            return
        at = item.document.at("records", *steps)
        if not isinstance(value, str):
            message = f"'{field.name}' holds the _key of a record of '{field.target}', as a text"
            yield Problem(at, "data.value", message, f'write "{value}"' if isinstance(value, int) else "")
        else:
            what = "user" if field.target == USER else f"record of '{field.target}' with the key"
            yield facts.no_such(what, value, keys.get(field.target, ()), at=at, code="data.reference")
        return
    if field.targets:
        yield from keys_exist(facts, item, steps, field, value, keys)
        return
    if field.value in ("date", "datetime") and isinstance(value, str) and is_relative(field, value):
        return
    kind = facts.kinds.get(field.type)
    why = kind.check_value(field, value) if kind and kind.check_value else None
    if why is not None:
        at = item.document.at("records", *steps)
        yield Problem(at, "data.value", f"the value does not fit '{field.name}': {why}", likely(field, value))


def lines_fit(
    facts: Facts, item: Item[Data], steps: Steps, field: Field, value: Any, keys: Mapping[str, set[str]]
) -> Iterator[Problem]:
    """Lines within a record: a list of records without the reference that leads back."""
    if field.of not in facts.objects:
        return
    child = facts.objects[field.of]
    for index, line in enumerate(value if isinstance(value, list) else [value]):
        if not isinstance(line, dict):
            at = item.document.at("records", *steps)
            yield Problem(at, "data.value", f"'{field.name}' holds a list of lines", "write [{name: value}]")
            continue
        for name, inner in line.items():
            if name in child.fields and name != field.by:
                yield from value_fits(facts, item, (*steps, index, name), child.fields[name], inner, keys)
            elif name != "_key" and name not in SETTABLE:
                at = item.document.key("records", *steps, index, name)
                yield facts.no_such("field", name, child.fields, at=at, code="field.unknown", within=child.name)
        for name in required(facts, child):
            if name != field.by and line.get(name) in (None, "", []):
                at = item.document.at("records", *steps, index)
                yield Problem(at, "data.required", f"the line has no '{name}', which is required", f"add '{name}'")


def keys_exist(
    facts: Facts, item: Item[Data], steps: Steps, field: Field, value: Any, keys: Mapping[str, set[str]]
) -> Iterator[Problem]:
    """A list of keys; or "object/key", or {object: ..., id: key}."""
    at = item.document.at("records", *steps)
    if field.refers_to_many:
        named = [(field.targets[0], one) for one in value] if isinstance(value, list) else []
        if not isinstance(value, list):
            yield Problem(at, "data.value", f"'{field.name}' holds a list of _keys of records of '{field.targets[0]}'")
    else:
        text = f"{value.get('object')}/{value.get('id')}" if isinstance(value, dict) else str(value)
        name, slash, key = text.partition("/")
        named = [(name, key)]
        if not slash or not field.refers_to(name):
            shown = " or ".join(f"{target}/KEY" for target in field.targets if target != EVERY) or "OBJECT/KEY"
            yield Problem(
                at, "data.value", f"'{text[:60]}' does not say which record '{field.name}' means", f"write {shown}"
            )
            return
    for name, key in named:
        if not isinstance(key, str):
            yield Problem(at, "data.value", f"'{field.name}' holds _keys of records of '{name}', as texts")
        elif key not in keys.get(name, ()) and ("data", name) not in facts.unread:
            what = "user" if name == USER else f"record of '{name}' with the key"
            yield facts.no_such(what, str(key), keys.get(name, ()), at=at, code="data.reference")


def is_relative(field: Field, value: str) -> bool:
    """today-14; and for a date and time also now-3h and today+1T06:30Z."""
    is_day = value.startswith("today") and "T" not in value
    return RELATIVE.fullmatch(value) is not None and (field.value == "datetime" or is_day)


def likely(field: Field, value: Any) -> str:
    if field.choices and isinstance(value, str):
        labels = {label: choice.value for choice in field.choices for label in choice.label.values()}
        guess = labels.get(value) or nearest(value, [choice.value for choice in field.choices])
        return f"write '{guess}'?" if guess else ""
    if isinstance(value, str) and field.value in ("date", "datetime") and DATE_LIKE.match(value):
        return "write today, today-14 or today+30" + (", now-3h or today+1T06:30Z" if field.value == "datetime" else "")
    if isinstance(value, (int, float)) and not isinstance(value, bool) and field.value == "text":
        return f'write "{value}"'
    return ""


def value_is_new(
    item: Item[Data], index: int, field: Field, value: Any, seen: dict[tuple[str, str, object], str]
) -> Iterator[Problem]:
    if not field.is_unique or not isinstance(value, (str, int, float)):
        return
    at = item.document.at("records", index, field.name)
    first = seen.setdefault((item.built.object, field.name, value), f"{at.file}:{at.line}")
    if first != f"{at.file}:{at.line}":
        message = f"'{field.name}' is unique, but '{value}' is here and in {first}"
        yield Problem(at, "data.unique", message, "change one of the two")


def needed_by_all(facts: Facts, built: Data, object_: Object) -> tuple[str, ...]:
    """Required fields that no record has: said once. A field that was made required would else fill the screen."""
    if len(built.records) < 2:
        return ()
    needed = required(facts, object_)
    return tuple(name for name in needed if all(is_missing(record, name) for record in built.records))


def required(facts: Facts, object_: Object) -> Iterator[str]:
    for name, field in object_.fields.items():
        kind = facts.kinds.get(field.type)
        if field.is_needed and kind is not None and not kind.is_computed:
            yield name


def is_missing(record: Record, name: str) -> bool:
    return record.values.get(name) in (None, "", [])


def nothing_missing(
    facts: Facts, item: Item[Data], index: int, record: Record, object_: Object, nowhere: tuple[str, ...]
) -> Iterator[Problem]:
    for name in required(facts, object_):
        if name not in nowhere and is_missing(record, name):
            at = item.document.at("records", index)
            message = f"the record has no '{name}', which is required"
            yield Problem(at, "data.required", message, f"add '{name}'")
