"""Operations that say what a person may see and do: the objects, their fields, and the API itself."""

from collections.abc import Iterator
from typing import Any

from engine.api.answers import Answer, json_answer
from engine.api.openapi import document_of
from engine.api.operations import Call, Operation
from engine.api.permission import Permission
from engine.context import Context
from engine.errors import NotFound
from metadata.model import SYSTEM_FIELDS, Field, Object, say
from metadata.problem import nearest

__all__ = ["OPERATIONS"]

APART = frozenset({"to", "on_delete", "of", "by", "filter", "formula"})  # options that are told by themselves, or never


def list_objects(call: Call) -> Answer:
    ctx = call.ctx
    objects = ctx.snapshot.definitions.objects
    return json_answer({"objects": [summary(ctx, objects[name]) for name in ctx.scope.objects()]})


def get_object(call: Call) -> Answer:
    ctx, name = call.ctx, call.args[0]
    if not ctx.scope.can("read", name):
        guess = nearest(name, ctx.scope.objects())
        raise NotFound(f"no object '{name}'", code="object.unknown", fix=f"write '{guess}'?" if guess else "")
    definition, readable = ctx.snapshot.definitions.objects[name], ctx.scope.readable(name)
    body = summary(ctx, definition) | {
        "description": say(definition.description, ctx.language),
        "title": ctx.scope.title(name),
        "search": [one for one in definition.search if one in readable],
        "unique": [list(fields) for fields in definition.unique if readable.keys() >= set(fields)],
        "fields": [field_view(ctx, name, field) for field in readable.values()],
    }
    return json_answer(body)


def get_openapi(call: Call) -> Answer:
    return Answer(200, document_of(call.ctx))


def summary(ctx: Context, definition: Object) -> dict[str, Any]:
    return {
        "name": definition.name,
        "label": say(definition.label, ctx.language),
        "plural": say(definition.plural, ctx.language),
        "icon": definition.icon,
        "color": definition.color,
        "actions": list(ctx.scope.actions(definition.name)),
    }


def field_view(ctx: Context, object_name: str, field: Field) -> dict[str, Any]:
    """Choices and target only where the type has them."""
    body: dict[str, Any] = {
        "name": field.name,
        "type": field.type,
        "label": say(field.label, ctx.language),
        "help": say(field.help, ctx.language),
        "is_system": field.name in SYSTEM_FIELDS,
        "is_required": field.is_required,
        "is_read_only": field.is_read_only,
        "is_hidden": field.is_hidden,
        "is_unique": field.is_unique,
        "source": field.source,
        "default": field.default,
        "options": dict(options_of(ctx, object_name, field)),
    }
    if field.choices:
        body["choices"] = [
            {"value": c.value, "label": say(c.label, ctx.language), "color": c.color, "is_retired": c.is_retired}
            for c in field.choices
        ]
    # An object that the person cannot read is as if it did not exist, here too.
    if field.target and ctx.scope.can("read", field.target):
        body |= {"to": field.target, "on_delete": field.on_delete}
    if field.targets:
        objects = ctx.snapshot.definitions.objects
        body |= {
            "to": [name for name in objects if field.refers_to(name) and ctx.scope.can("read", name)],
            "on_delete": field.on_delete,
        }
    if field.of and ctx.scope.can("read", field.of):
        body |= {"of": field.of, "by": field.by}
    return body


def options_of(ctx: Context, object_name: str, field: Field) -> Iterator[tuple[str, object]]:
    """Without what is told by itself, and without names of fields that the person may not see."""
    named = {"currency_from": object_name, "field": field.of}
    for key, value in field.options.items():
        if key not in APART and (key not in named or value in ctx.scope.readable(named[key])):
            yield key, value


OPERATIONS = (
    Operation("GET", "/objects", Permission("person", "objects that may be read"), list_objects),
    Operation("GET", "/objects/{object}", Permission("person", "read"), get_object),
    Operation("GET", "/openapi.json", Permission("person", "objects that may be read"), get_openapi),
)
