"""Which views are for a person: those that ask for nothing that they do not see."""

from engine.access.fields import read_by
from engine.context import Context
from metadata.formula import FormulaError, definition_names, parse
from metadata.model import View

__all__ = ["is_offered"]


def is_offered(ctx: Context, view: View) -> bool:
    """Whether all fields that its filter reads are seen, not hidden nor masked. Columns and sort keys are left out
    singly; without a filter's condition, a view would show other records than its name says."""
    if not view.filter or ctx.scope.is_full:
        return True
    key = ("ui.view offered", view.name, ctx.scope.key)
    found: bool | None = ctx.snapshot.cache.get(key)
    if found is None:
        found = ctx.snapshot.cache[key] = sees_all(ctx, view)
    return found


def sees_all(ctx: Context, view: View) -> bool:
    snapshot = ctx.snapshot
    names = definition_names(snapshot.definitions.objects, view.object)
    try:
        node = parse(view.filter, names, functions=snapshot.plugins.functions, wants="boolean")
    except FormulaError:
        return True  # the query says what is wrong
    read = [ctx.scope.readable(name).get(field) for name, field in read_by(node, view.object)]
    return all(field is not None and not field.is_masked for field in read)
