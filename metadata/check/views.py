"""Do views list, filter and sort by fields that exist?"""

from collections.abc import Iterator

from metadata.check.facts import Facts
from metadata.problem import Problem

__all__ = ["check"]

OFFERABLE = frozenset({"choice", "choices", "reference", "boolean"})


def check(facts: Facts) -> Iterator[Problem]:
    defaults: dict[str, str] = {}
    for item in facts.assembly.views:
        document, built = item.document, item.built
        yield from facts.object_exists(built.object, item.package, document.at("object"))
        for index, path in enumerate(built.columns):
            at = document.at("columns", index)
            yield from facts.path_exists(path, built.object, at)
            if path in built.columns[:index]:
                yield Problem(at, "view.column.twice", f"the column '{path}' is here twice", "delete one of the two")
        yield from facts.formula(built.filter, built.object, document, "filter")
        shown = (*built.columns, *(key.path for key in built.sort))
        yield from facts.joins_fit(shown, built.object, document.at("columns"))
        if built.sort:
            yield from facts.sort_works(built.sort, built.object, document, ("sort",))
        for index, name in enumerate(built.quick_filters):
            at = document.at("quick_filters", index)
            yield from facts.path_exists(name, built.object, at, most=1)
            field = facts.field(name, built.object)
            if field is not None and field.value not in OFFERABLE:
                message = f"'{name}' is a field of type '{field.type}', whose values cannot be offered as a list"
                yield Problem(at, "view.quick_filter", message, "name a choice, a reference or a yes/no field")
        if built.is_default:
            first = defaults.setdefault(f"{item.package}/{built.object}", built.name)
            if first != built.name:
                message = f"'{first}' is the default view of '{built.object}' already"
                fix = "leave 'default' out of one of the two"
                yield Problem(document.at("default"), "default.second", message, fix)
