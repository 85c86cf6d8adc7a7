"""An import that has ended, told by the program that brought the records in: automations that wait for it begin."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from engine.api.answers import Answer, json_answer
from engine.api.jobs_document import ASKED, TEXT, does
from engine.api.openapi_parts import KEY, json_of
from engine.api.operations import Call, Operation
from engine.api.permission import Permission
from engine.context import Context
from engine.errors import BadInput, InputProblem
from engine.process.events import import_finished
from engine.service_rows import need
from metadata.model import Object, say

__all__ = ["OPERATIONS", "import_paths"]

Json = dict[str, Any]
TEXTS = ("name", "key")
COUNTS = ("created", "updated", "refused")
LONGEST = 200  # characters of a text
MOST = 1_000_000_000
COUNT: Json = {"type": "integer", "minimum": 0, "maximum": MOST, "default": 0}


def finish_import(call: Call) -> Answer:
    object_name = call.args[0]
    need(call.ctx.scope, "import", object_name)
    sent = call.json()
    if problems := list(wrong(sent)):
        raise BadInput(problems[0].message, code=problems[0].code, problems=problems)
    own = f"{call.ctx.actor.id}:{object_name}:{sent['key']}"  # nobody tells of another one's
    with call.ctx.tenant.database.write() as connection:
        counts = {one: sent.get(one, 0) for one in COUNTS}
        import_finished(call.ctx, connection, sent["name"], object_name, key=own, **counts)
    return json_answer({"key": sent["key"]})


def wrong(sent: Json) -> Iterator[InputProblem]:
    for name in sent:
        if name not in (*TEXTS, *COUNTS):
            yield InputProblem(
                name, "body.unknown", f"there is no '{name}' here", f"one of {', '.join(TEXTS + COUNTS)}"
            )
    for name in TEXTS:
        value = sent.get(name)
        if value is None:
            yield InputProblem(name, "value.required", f"'{name}' is missing")
        elif not isinstance(value, str) or not 1 <= len(value) <= LONGEST or not value.isprintable():
            yield InputProblem(name, "value.type", f"'{name}' is a text of 1 to {LONGEST} characters in one line")
    for name in COUNTS:
        value = sent.get(name, 0)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST:
            yield InputProblem(name, "value.type", f"'{name}' is a whole number from 0 to {MOST}")


def import_paths(ctx: Context, definition: Object) -> Iterator[tuple[str, Json]]:
    """In the OpenAPI document, for who may import."""
    name = definition.name
    if not ctx.scope.can("import", name):
        return
    text = {**TEXT, "minLength": 1, "maxLength": LONGEST}
    body = {
        "type": "object", "required": list(TEXTS), "additionalProperties": False,
        "properties": {**dict.fromkeys(TEXTS, text), **dict.fromkeys(COUNTS, COUNT)},
    }  # fmt: skip
    answer = json_of({"type": "object", "required": ["key"], "properties": {"key": TEXT}})
    summary = f"An import has ended: {say(definition.plural, ctx.language)}"
    yield f"/records/{quote(name)}/imported", {
        "post": does(f"imported.{name}", summary, {"200": answer, **ASKED}, body=body, parameters=[KEY], tag=name),
    }  # fmt: skip


OPERATIONS = (Operation("POST", "/records/{object}/imported", Permission("person", "import, and read"), finish_import),)
