"""Does each field have a type that exists, and options that go together?"""

from collections.abc import Iterator, Mapping

from metadata.assemble import FieldItem
from metadata.check.facts import Facts
from metadata.check.objects import still_there
from metadata.document import Document
from metadata.model import FieldKind
from metadata.problem import Place, Problem, nearest

__all__ = ["check"]

# What other products call our types.
FOREIGN: Mapping[str, str] = {
    "string": "text", "varchar": "text", "char": "text", "str": "text", "textarea": "longtext", "memo": "longtext",
    "html": "richtext", "int": "integer", "bigint": "integer", "number": "decimal", "float": "decimal",
    "double": "decimal", "numeric": "decimal", "money": "currency", "bool": "boolean", "checkbox": "boolean",
    "check": "boolean", "toggle": "boolean", "timestamp": "datetime", "select": "choice", "picklist": "choice",
    "enum": "choice", "option": "choice", "multiselect": "multi_choice", "multipicklist": "multi_choice",
    "choices": "multi_choice", "tags": "multi_choice", "lookup": "reference", "link": "reference", "ref": "reference",
    "master_detail": "reference", "many2one": "reference", "relation": "reference", "mail": "email", "tel": "phone",
    "attach": "file", "attachment": "file", "document": "file", "picture": "image", "photo": "image",
    "attach_image": "image", "password": "secret", "encrypted": "secret", "encryptedtext": "secret",
    "geo": "geolocation", "location": "geolocation", "geopoint": "geolocation", "postal_address": "address",
    "uri": "url", "auto_number": "autonumber", "sequence": "autonumber", "serial": "autonumber",
}  # fmt: skip


def check(facts: Facts) -> Iterator[Problem]:
    usable = [name for name, kind in facts.kinds.items() if not kind.is_internal]
    was: dict[tuple[str, str], str] = {}
    for item in facts.assembly.fields:
        if item.built.is_kept:
            continue
        yield from names_left(facts, item, was)
        kind = facts.kinds.get(item.built.type)
        if kind is None or kind.is_internal:
            yield from type_unknown(item, usable)
        else:
            yield from options_fit(item, kind)
            yield from refers(facts, item, kind)
            yield from choices_differ(item, kind)
            yield from default_fits(item, kind)
            yield from own_checks(item, kind)
    yield from circles(facts)
    for source in facts.assembly.strays:
        yield from stray(facts, source.document, source.package)


def circles(facts: Facts) -> Iterator[Problem]:
    """Required references that lead back to their own object: no first record can be made."""
    fields = ((item, item.built) for item in facts.assembly.fields)
    required = [item for item, field in fields if field.is_needed and field.target]
    while True:  # what leads nowhere is on no circle
        owners = {item.owner for item in required}
        left = [item for item in required if item.built.target in owners]
        if len(left) == len(required):
            break
        required = left
    ways: dict[str, list[str]] = {}
    for item in required:
        ways.setdefault(item.owner, []).append(item.built.target)
    for item in required:
        trail = way_back(item.built.target, item.owner, ways)
        if trail:
            message = f"'{item.built.name}' is required, and so is the way back: {' -> '.join([item.owner, *trail])}"
            yield Problem(
                place(item, "required"), "field.required.circle", f"{message}; no first record can be made",
                "leave 'required' out of one of the fields", "warning",
            )  # fmt: skip


def way_back(start: str, end: str, ways: Mapping[str, list[str]]) -> list[str]:
    """The objects from `start` to `end` along required references, both included; [] where there is no way."""
    before: dict[str, str] = {start: ""}
    waiting = [start]
    while waiting and end not in before:
        here = waiting.pop(0)
        for there in ways.get(here, ()):
            if there not in before:
                before[there] = here
                waiting.append(there)
    trail, here = [], end if end in before else ""
    while here:
        trail.append(here)
        here = before[here]
    return trail[::-1]


def stray(facts: Facts, document: Document, package: str) -> Iterator[Problem]:
    """A field that is added to nothing."""
    owner, dot, name = document.name.partition(".")
    at = document.at("field")
    if not dot or not name:
        message = f"'{document.name}' does not say which object the field is added to"
        yield Problem(at, "field.place", message, f"write 'account.{document.name}' for the object account")
    else:
        yield from facts.object_exists(owner, package, at)


def place(item: FieldItem, *keys: str) -> Place:
    """Of a key's value, or of the field's own name."""
    return item.document.at(*item.steps, *keys) if keys else item.document.key(*item.steps)


def has(item: FieldItem, key: str) -> bool:
    data: object = item.document.data
    for step in item.steps:
        data = data[step]  # type: ignore[index]
    return isinstance(data, dict) and data.get(key) is not None


def type_unknown(item: FieldItem, usable: list[str]) -> Iterator[Problem]:
    name = item.built.type
    if not name:
        return
    guess = FOREIGN.get(name.lower().replace("-", "_"), "")
    guess = guess if guess in usable else nearest(name, usable)
    fix = f"write '{guess}'?" if guess else f"write one of {', '.join(sorted(usable))}"
    yield Problem(place(item, "type"), "field.type.unknown", f"no field type is called '{name}'", fix)


def options_fit(item: FieldItem, kind: FieldKind) -> Iterator[Problem]:
    field = item.built
    if field.is_unique and not kind.may_be_unique:
        message = f"a field of type '{kind.name}' cannot be unique"
        yield Problem(place(item, "unique"), "field.unique.type", message, "leave 'unique' out")
    if field.is_indexed and not kind.may_be_indexed:
        message = f"a field of type '{kind.name}' cannot be indexed"
        yield Problem(place(item, "index"), "field.index.type", message, "leave 'index' out")
    if kind.is_computed:
        for key, is_said in (("required", field.is_required), ("default", has(item, "default"))):
            if is_said:
                message = f"a field of type '{kind.name}' gets its value from the engine"
                yield Problem(place(item, key), "field.computed", message, f"leave '{key}' out")
    elif field.is_required and field.is_read_only and not (has(item, "default") or field.fetch or field.is_master):
        message = f"'{field.name}' is required and read-only and has no default: no form can be saved"
        fix = "add a default, or leave 'required' out"
        yield Problem(place(item), "field.required.read_only", message, fix, "warning")


def refers(facts: Facts, item: FieldItem, kind: FieldKind) -> Iterator[Problem]:
    if not kind.refers:
        return
    yield from facts.object_exists(item.built.target, item.package, place(item, "to"))
    if item.built.is_required and item.built.on_delete == "set_null":
        message = f"'{item.built.name}' is required, so it cannot be emptied when its record is deleted"
        yield Problem(place(item, "on_delete"), "field.on_delete", message, "write 'restrict' or 'cascade'")


def choices_differ(item: FieldItem, kind: FieldKind) -> Iterator[Problem]:
    if not kind.has_choices:
        return
    labels: dict[tuple[str, str], str] = {}
    for choice in item.built.choices:
        at = item.document.key(*item.steps, "choices", choice.value)
        if not choice.value.strip():
            yield Problem(at, "choice.value", "a choice cannot be blank: a field without a value is blank already",
                          "delete it")  # fmt: skip
        elif choice.value != choice.value.strip() or len(choice.value) > 100:
            message = f"the choice '{choice.value[:40]}' begins or ends with a space, or has more than 100 characters"
            yield Problem(at, "choice.value", message, f'write "{choice.value.strip()[:100]}"')
        for language, label in choice.label.items() if not choice.is_retired else ():
            other = labels.setdefault((language, label), choice.value)
            if other != choice.value:
                message = f"the choices '{other}' and '{choice.value}' are both called '{label}'"
                yield Problem(at, "choice.label.duplicate", message, "give one another label", "warning")


def default_fits(item: FieldItem, kind: FieldKind) -> Iterator[Problem]:
    default = item.built.default
    if default is None or kind.is_computed:
        return
    at = place(item, "default")
    if not kind.may_default:
        yield Problem(at, "field.default", f"a field of type '{kind.name}' takes no default", "leave 'default' out")
    elif default not in kind.default_words:
        why = kind.check_value(item.built, default) if kind.check_value else None
        if why is not None:
            word = nearest(default, kind.default_words) if isinstance(default, str) else ""
            yield Problem(at, "field.default", f"the default does not fit: {why}", f"write '{word}'?" if word else "")


def own_checks(item: FieldItem, kind: FieldKind) -> Iterator[Problem]:
    """What the type itself has to say. A default that does not fit was reported in the same words before."""
    for path, code, message, fix in kind.check(item.built) if kind.check else ():
        steps = tuple(step for step in path.split(".") if step)
        yield Problem(item.document.at(*item.steps, *steps), code, message, fix)


def names_left(facts: Facts, item: FieldItem, taken: dict[tuple[str, str], str]) -> Iterator[Problem]:
    fields = facts.objects[item.owner].fields
    for former in item.built.was:
        at = place(item, "was")
        if former in fields:
            yield still_there("field", former, at)
        elif (item.owner, former) in taken:
            message = f"'{taken[item.owner, former]}' says that it was '{former}', too"
            yield Problem(at, "was.taken", message, "only one field takes over its data")
        taken[item.owner, former] = item.built.name
