"""Change or delete several records that were picked in a list: all or none. Buttons are pressed for each by itself."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from urllib.parse import parse_qsl

from starlette.responses import Response

from engine.errors import BadInput, Conflict, Forbidden, InputProblem
from metadata.model import Object, ValueType, say
from ui.columns import field_of
from ui.filters import ListState
from ui.screens.objects import is_written, object_of
from ui.screens.pressed import press_several
from ui.screens.refusals import label_at, problems_of, text_of
from ui.visit import Visit
from ui.widgets import widget_view

__all__ = ["bulk", "bulk_fields", "bulk_part"]

MOST = 500
RUN = "run."  # before the name of a button
PLACE = re.compile(r"operations\.(\d+)(?:\.values)?\.?")  # what goes before the path of a problem in a batch
SHORT: tuple[ValueType, ...] = ("choice", "choices", "boolean", "reference", "date")


def bulk_fields(visit: Visit, definition: Object) -> tuple[tuple[str, str], ...]:
    """(name, label) of fields whose value may well be the same in many records."""
    ctx = visit.ctx
    key = ("ui.bulk", definition.name, ctx.language, ctx.scope.key)
    found: tuple[tuple[str, str], ...] | None = ctx.snapshot.cache.get(key)
    if found is None:
        found = ctx.snapshot.cache[key] = tuple(offered(visit, definition))
    return found


def offered(visit: Visit, definition: Object) -> Iterator[tuple[str, str]]:
    for name in visit.ctx.scope.fields(definition.name):
        field = field_of(definition, name)
        if field is None or field.is_hidden or field.is_unique or not is_written(visit, definition, name):
            continue
        if visit.ctx.snapshot.plugins.fields[field.type].value in SHORT:
            yield name, say(field.label, visit.language)


def bulk_part(visit: Visit) -> Response:
    """The widget of the chosen field."""
    definition = object_of(visit, visit.request.path_params["object"])
    name = visit.request.query_params.get("field", "")
    field = field_of(definition, name) if name in dict(bulk_fields(visit, definition)) else None
    view = None
    if field is not None:
        view = widget_view(visit, definition.name, field, None)
        view |= {"name": "value", "id": "bulk-value", "required": False}
        if visit.ctx.snapshot.plugins.fields[field.type].value == "boolean":
            view["value"] = "false"  # a switch that is off says no here: it does not leave blank
    return visit.render("bulk_value.html", w=view)


def bulk(visit: Visit) -> Response:
    definition = object_of(visit, visit.request.path_params["object"])
    picked = list(dict.fromkeys(visit.form.get("id", ())))
    ids, address = picked[:MOST], list_address(visit, definition)
    if visit.sent("do").startswith(RUN):
        name = visit.sent("do").removeprefix(RUN)
        return press_several(visit, definition, name, picked, address) if picked else visit.go(address)
    if visit.sent("do") == "change":
        name = visit.sent("field")
        field = field_of(definition, name)
        if not visit.ctx.scope.can("update", definition.name) or field is None:
            raise Forbidden(f"you may not change {definition.name} records")
        kind = visit.ctx.snapshot.plugins.fields[field.type]
        values = {name: kind.from_form(field, visit.form.get("value", ()), visit.ctx.time_zone)}
        code, operations = "changed_many", [{"action": "update", "id": one, "values": values} for one in ids]
    else:
        if not visit.ctx.scope.can("delete", definition.name):
            raise Forbidden(f"you may not delete {definition.name} records")
        code, operations = "deleted_many", [{"action": "delete", "id": one} for one in ids]
    if not operations:
        return visit.go(address)
    try:
        visit.records.batch(definition.name, operations, atomic=True)
    except (BadInput, Conflict) as refusal:
        raise told(visit, definition, refusal, ids) from refusal
    waiting = {one.record for one in visit.ctx.requests} & set(ids)
    if waiting:
        code = "waits_many"
    return visit.go(address, {"code": code, "count": str(len(waiting) or len(operations))})


def list_address(visit: Visit, definition: Object) -> str:
    """The list in which they were picked, with its search, filters and order."""
    pairs = parse_qsl(visit.sent("list").partition("?")[2])
    return ListState.read(definition.name, pairs).address()


def told(visit: Visit, definition: Object, refusal: BadInput | Conflict, ids: Sequence[str]) -> BadInput | Conflict:
    """The same refusal, each problem with the title of the record that it is about."""
    problems = []
    for problem in problems_of(refusal):
        found = PLACE.match(problem.path)
        if found is None or int(found[1]) >= len(ids):
            problems.append(problem)
            continue
        own = replace(problem, path=problem.path[found.end() :])
        record = ids[int(found[1])]
        title = visit.records.titles(definition.name, [record]).get(record) or visit.say("Untitled")
        text = text_of(visit, definition, own)
        label = label_at(visit, definition, own.path, text)
        message = ": ".join(part for part in (title, label, text) if part)
        problems.append(InputProblem("", problem.code, message, is_worded=True))
    return type(refusal)(str(refusal), code=refusal.code, fix=refusal.fix, problems=problems)
