"""Does an object have fields, a title that works, and indexes over fields that exist?"""

import re
from collections.abc import Iterator

from metadata.assemble import Item
from metadata.check.facts import Facts, is_system
from metadata.formula import FormulaError
from metadata.formula.template import is_template, parse
from metadata.model import Object
from metadata.problem import Place, Problem

__all__ = ["check", "icon_is_a_name"]

GROUPS = {"unique": ("field.unique.type", "unique"), "indexes": ("field.index.type", "indexed")}
ICON = re.compile(r"[a-z0-9-]{1,63}")


def check(facts: Facts) -> Iterator[Problem]:
    taken: dict[str, str] = {}
    for item in facts.assembly.objects:
        document, built = item.document, item.built
        if not built.fields:
            message = f"the object '{built.name}' has no fields"
            yield Problem(document.at("object"), "object.empty", message, "add 'name: {type: text}' below 'fields'")
        yield from icon_is_a_name(built.icon, document.at("icon"))
        yield from title_works(facts, item)
        yield from groups_work(facts, item)
        yield from search_works(facts, item)
        for former in built.was:
            at = document.at("was")
            if former in facts.objects:
                yield still_there("object", former, at)
            elif former in taken:
                message = f"'{taken[former]}' says that it was '{former}', too"
                yield Problem(at, "was.taken", message, "only one object takes over its data")
            taken[former] = built.name


def still_there(what: str, former: str, at: Place) -> Problem:
    message = f"the {what} '{former}' still exists, so nothing can have been renamed from it"
    return Problem(at, "was.taken", message, "leave 'was' out, or delete the old one")


def icon_is_a_name(icon: str, at: Place) -> Iterator[Problem]:
    if icon and not ICON.fullmatch(icon):
        guess = re.sub(r"[^a-z0-9]+", "-", icon.lower().removeprefix("ti-").removeprefix("icon")).strip("-")
        fix = f"write '{guess}'?" if guess else "write a name such as user-plus"
        yield Problem(at, "icon.invalid", f"'{icon}' is not the name of an icon: small letters, digits and '-'", fix)


def title_works(facts: Facts, item: Item[Object]) -> Iterator[Problem]:
    document, built = item.document, item.built
    if "title" not in document.data:
        is_known = all(field.type in facts.kinds for field in built.fields.values())
        if built.title == "id" and built.fields and is_known and built.kind != "single":  # named by its object
            message = f"no field of '{built.name}' may be a title, so records are named by their id"
            fix = "add a field 'name' of type text"
            yield Problem(document.at("object"), "object.title.none", message, fix, "warning")
        return
    at = document.at("title")
    if is_template(document.data["title"]):
        yield from template_works(facts, built, document.data["title"], at)
        return
    field = built.fields.get(built.title)
    if field is None:
        known = [name for name, f in built.fields.items() if (kind := facts.kind(f)) and kind.may_be_title]
        yield facts.no_such("field", built.title, known, at=at, code="field.unknown", within=built.name)
    elif (kind := facts.kind(field)) and not kind.may_be_title:
        message = f"'{built.title}' is a field of type '{field.type}', which cannot name a record"
        other = facts.objects.get(field.target)
        fix = f'write "{{{built.title}.{other.title}}}"' if other else "name a field of type text"
        yield Problem(at, "object.title.type", message, fix)


def template_works(facts: Facts, built: Object, text: str, at: Place) -> Iterator[Problem]:
    """That its formulas can be read, and all of it as the one that is kept."""
    try:
        parse(text, facts.names(built.name), facts.functions)
    except FormulaError as error:
        yield Problem(facts.within(at, text, error.column), error.code, error.message, error.fix)
        return
    field = built.fields[built.title]
    if field.source != "formula" or not field.formula:
        return  # another field has the name, which was told before
    try:
        facts.read(field.formula, facts.names(built.name), wants=None)
    except FormulaError as error:  # it is too long or too deep
        yield Problem(at, error.code, error.message, error.fix)


def groups_work(facts: Facts, item: Item[Object]) -> Iterator[Problem]:
    for key in ("unique", "indexes"):
        for number, group in enumerate(item.document.data.get(key) or ()):
            if isinstance(group, dict):
                yield from group_works(facts, item, key, (key, number, "fields"), tuple(group.get("fields") or ()))
            else:
                yield from group_works(facts, item, key, (key, number), tuple(group))


def group_works(
    facts: Facts, item: Item[Object], key: str, steps: tuple[str | int, ...], group: tuple[str, ...]
) -> Iterator[Problem]:
    document, built = item.document, item.built
    for index, name in enumerate(group):
        at = document.at(*steps, index)
        field = built.fields.get(name)
        if name in group[:index]:
            yield Problem(at, "object.group.twice", f"'{name}' is here twice", "delete one of the two")
        elif field is None and not is_system(name):
            yield facts.no_such("field", name, built.fields, at=at, code="field.unknown", within=built.name)
        elif field is not None and not field.is_stored:
            message = f"'{name}' is worked out where it is read: no index holds it"
            yield Problem(at, "object.worked_out", message, f"take '{name}' out")
        elif field is not None and (kind := facts.kind(field)):
            able = kind.may_be_unique if key == "unique" else kind.may_be_indexed
            if not able:
                code, word = GROUPS[key]
                message = f"'{name}' is a field of type '{field.type}', which cannot be {word}"
                yield Problem(at, code, message)


def search_works(facts: Facts, item: Item[Object]) -> Iterator[Problem]:
    document, built = item.document, item.built
    if "search" not in document.data:
        return
    for index, name in enumerate(built.search):
        at = document.at("search", index)
        field = built.fields.get(name)
        if field is None:
            yield facts.no_such("field", name, built.fields, at=at, code="field.unknown", within=built.name)
        elif not field.is_stored:
            message = f"'{name}' is worked out where it is read: the search box does not read it"
            yield Problem(at, "object.worked_out", message, f"take '{name}' out")
        elif (kind := facts.kind(field)) and not kind.is_searchable:
            message = f"'{name}' is a field of type '{field.type}', which the search box does not read"
            yield Problem(at, "object.search.type", message)
