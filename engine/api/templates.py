"""How a template comes out, before anybody gets it: as the person who asks would read it."""

from engine.api.answers import Answer, json_answer
from engine.api.errors import bad_request
from engine.api.operations import Call, Operation
from engine.api.permission import Permission
from engine.errors import NotFound
from engine.process import templates

__all__ = ["OPERATIONS"]


def preview(call: Call) -> Answer:
    ctx, name, sent = call.ctx, call.args[0], call.json()
    record, values = sent.get("record") or "", sent.get("values") or {}
    if set(sent) - {"record", "values"} or not isinstance(record, str) or not isinstance(values, dict):
        raise bad_request("value.type", 'the body is {"record": "…", "values": {…}}', path="record")
    definition = ctx.snapshot.definitions.processes.templates.get(name)
    readable = ctx.scope.objects()
    if definition is None or (definition.object and definition.object not in readable):
        raise NotFound(f"there is no template '{name}'", code="template.unknown")
    if definition.object:
        call.records.get_row(definition.object, record, ("id",))
    with ctx.tenant.database.read() as connection:
        made = templates.render(ctx, connection, name, definition.object, record, ctx, values)
    return json_answer({"subject": made.subject, "text": made.text, "html": made.html or None})


OPERATIONS = (
    Operation("POST", "/templates/{name}/preview", Permission("person", "read of the record"), preview,
              takes_key=False),
)  # fmt: skip
