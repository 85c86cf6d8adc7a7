"""The API of one tenant for one person, as OpenAPI 3.1. Made once per version, roles and language, and kept."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import orjson

from engine.api import openapi_parts as parts
from engine.api.access_document import access_paths, access_schemas, preview_paths
from engine.api.account_document import account_paths
from engine.api.approval_moves import move_paths
from engine.api.approval_tools import tool_paths
from engine.api.approvals_document import approval_paths, approval_schemas
from engine.api.automations_document import button_paths, process_paths, webhook_paths
from engine.api.importing import import_paths
from engine.api.jobs_document import job_paths, notification_paths
from engine.api.openapi_parts import body_of, errors, json_of, ours, reference
from engine.api.rights_document import rights_paths, share_paths
from engine.context import Context
from engine.contracts.field import FieldType
from engine.files.catalogue import may_upload
from engine.jobs.admin import may_manage_jobs
from engine.people.guards import MANAGING
from engine.process.requests import approvals_of
from engine.service_lists import MOST_LINES
from engine.store.rows_files import attaching
from metadata.model import SYSTEM_FIELDS, Field, Object, say
from metadata.processes import ADMIN_PERMISSION

__all__ = ["document_of"]

KEPT_ASIDE = ("create", "update", "delete")  # what an approval may come before
MAX_KEPT = 16  # documents per version: a few sets of roles, two languages
Json = dict[str, Any]


def document_of(ctx: Context) -> bytes:
    """Only what this person may do. The bytes are kept with the snapshot."""
    kept: dict[tuple[str, str], bytes] = ctx.snapshot.cache.setdefault("api.openapi", {})
    key = (ctx.scope.key, ctx.language)
    found = kept.get(key)
    if found is None:
        found = orjson.dumps(document(ctx))
        if len(kept) >= MAX_KEPT:
            kept.clear()
        kept[key] = found
    return found


def document(ctx: Context) -> Json:
    objects = ctx.snapshot.definitions.objects
    paths: Json = dict(fixed_paths())
    has_approvals = bool(ctx.snapshot.definitions.processes.approvals)
    if attaching(ctx.snapshot) or has_approvals:
        paths |= file_paths(may_upload(ctx) or has_approvals)
    if not ctx.actor.token_scope.told:
        paths |= account_paths(ctx.scope.has(MANAGING) and ctx.scope.can("update", "user"))
        paths |= notification_paths() | webhook_paths()
    if may_manage_jobs(ctx):
        paths |= job_paths() | tool_paths() | move_paths() | process_paths()
    paths |= rights_paths(ctx)
    paths |= preview_paths(ctx)
    paths |= approval_paths(ctx)
    schemas: Json = {**parts.COMPONENTS["schemas"], **approval_schemas(ctx), **access_schemas(ctx)}
    for name in ctx.scope.objects():
        definition = objects[name]
        schemas |= schemas_of(ctx, definition)
        paths |= paths_of(ctx, definition)
        paths |= share_paths(ctx, definition)
        paths |= access_paths(ctx, definition)
        paths |= button_paths(ctx, definition)
        paths |= import_paths(ctx, definition)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Fieldstone", "version": str(ctx.snapshot.version), "description": DESCRIPTION},
        "servers": [{"url": "/api/v1"}],
        "security": [{"token": []}, {"session": [], "csrf": []}],
        "paths": paths,
        "components": parts.COMPONENTS | {"schemas": schemas},
    }


DESCRIPTION = (
    "Records of this tenant as the person who asked may see and change them. "
    "`filter` is a formula: `status in ['new', 'working'] and owner == user.id`."
)


def fixed_paths() -> Iterator[tuple[str, Json]]:
    listed = {"type": "array", "items": parts.OBJECT_SUMMARY}
    objects = {"type": "object", "required": ["objects"], "properties": {"objects": listed}}
    yield "/objects", {"get": operation("listObjects", "Objects that may be read", {
        "200": json_of(objects), **errors(400, 401, 429),
    })}  # fmt: skip
    yield "/objects/{object}", {
        "parameters": [{"name": "object", "in": "path", "required": True, "schema": {"type": "string"}}],
        "get": operation("getObject", "An object, its fields and what may be done", {
            "200": json_of(parts.OBJECT), **errors(400, 401, 404, 429),
        }),
    }  # fmt: skip
    yield "/openapi.json", {"get": operation("getOpenapi", "This document", {
        "200": json_of({"type": "object"}), **errors(400, 401, 429),
    })}  # fmt: skip


def file_paths(may_add: bool) -> Iterator[tuple[str, Json]]:
    if may_add:
        yield "/files", {"post": operation("uploadFile", "Keep a file, to be put into a record within a day", {
            "201": json_of(parts.FILE, parts.LOCATION | parts.REPLAYED),
            **errors(400, 401, 403, 409, 413, 415, 422, 429, 503),
        }, parameters=[parts.FILE_NAME, parts.KEY], body=parts.FILE_BODY)}  # fmt: skip
    yield "/files/{id}", {
        "parameters": [parts.FILE_ID],
        "get": operation("downloadFile", "The content of a file", {
            "200": parts.FILE_CONTENT, "304": {"description": "Unchanged"}, **errors(400, 401, 404, 429),
        }, parameters=[parts.FILE_TAG]),
    }  # fmt: skip


def paths_of(ctx: Context, definition: Object) -> dict[str, Json]:
    name, tag, can = definition.name, [definition.name], ctx.scope.can
    label, plural = say(definition.label, ctx.language), say(definition.plural, ctx.language)
    record = {"$ref": reference(key_of(name))}
    base = f"/records/{quote(name)}"
    whole = {"200": json_of(record, parts.ETAG)}
    many: Json = {"get": operation(f"list.{name}", plural, {
        "200": json_of({"$ref": reference(key_of(name, "list"))}), **errors(400, 401, 404, 429, 503),
    }, tag, parts.LIST_PARAMETERS)}  # fmt: skip
    one: Json = {"parameters": [{"$ref": "#/components/parameters/id"}], "get": operation(f"get.{name}", label, {
        **whole, "304": {"description": "Unchanged", "headers": parts.ETAG}, **errors(400, 401, 404, 429, 503),
    }, tag, [{"$ref": "#/components/parameters/fields"}, parts.IF_NONE_MATCH])}  # fmt: skip
    measured = operation(f"aggregate.{name}", f"Counts and sums: {plural}", {
        "200": json_of(parts.AGGREGATE), **errors(400, 401, 404, 429, 503),
    }, tag, parts.AGGREGATE_PARAMETERS)  # fmt: skip
    likely = operation(f"duplicates.{name}", f"Possible duplicates: {label}", {
        "200": json_of({"$ref": reference(ours("Likely"))}), **errors(400, 401, 404, 429, 503),
    }, tag)  # fmt: skip
    paths: Json = {base: many, f"{base}/{{id}}": one, f"/aggregate/{quote(name)}": {"get": measured}}
    paths[f"/duplicates/{quote(name)}/{{id}}"] = {"parameters": [{"$ref": "#/components/parameters/id"}], "get": likely}
    created = {"201": json_of(record, parts.ETAG | parts.LOCATION | parts.REPLAYED)}
    locked = errors(423) if ctx.snapshot.definitions.processes.approvals else {}
    refusals = errors(400, 401, 403, 404, 409, 412, 413, 415, 422, 429, 503) | locked
    override = [parts.OVERRIDE] if locked and ctx.scope.has(ADMIN_PERMISSION) else []
    waits = {action: parts.WAITING if approvals_of(ctx, name, action) else {} for action in KEPT_ASIDE}
    if can("create", name):
        many["post"] = operation(
            f"create.{name}", f"New: {label}", created | waits["create"] | refusals, tag, [parts.KEY, *override],
            body_of(key_of(name, "create")),
        )  # fmt: skip
    if can("update", name):
        one["patch"] = operation(
            f"update.{name}",
            f"Change: {label}",
            whole | waits["update"] | refusals,
            tag,
            [parts.IF_MATCH, *override],
            body_of(key_of(name, "update")),
        )
    if can("delete", name):
        done = {"204": {"description": "Deleted"}} | waits["delete"]
        one["delete"] = operation(
            f"delete.{name}", f"Delete: {label}", done | refusals, tag, [parts.IF_MATCH, *override]
        )
        restored = {"200": json_of(record, parts.ETAG | parts.REPLAYED)}
        paths[f"{base}/{{id}}/restore"] = {
            "parameters": [{"$ref": "#/components/parameters/id"}],
            "post": operation(f"restore.{name}", f"Restore: {label}", restored | refusals, tag, [parts.KEY, *override]),
        }
    if can("update", name) and can("delete", name):
        paths |= merge_paths(definition, label, record, refusals, override)
    if name == "user" and can("update", name) and ctx.scope.has(MANAGING):
        paths["/users/{id}/handover"] = {
            "parameters": [{"$ref": "#/components/parameters/id"}],
            "post": operation(
                "handover.user", "Hand everything over to somebody else",
                {"200": json_of(parts.HANDED_OVER, parts.REPLAYED), **refusals}, tag, [parts.KEY],
                {"required": True, "content": {"application/json": {"schema": parts.HANDOVER}}},
            ),
        }  # fmt: skip
    if can("create", name) and can("update", name):
        for field in definition.fields.values():
            if field.is_unique and field.name in ctx.scope.readable(name):
                paths[f"{base}/by/{quote(field.name)}/{{value}}"] = {
                    "parameters": [{"$ref": "#/components/parameters/value"}],
                    "put": operation(
                        f"upsert.{name}.{field.name}",
                        f"Create or change: {label}",
                        whole | created | waits["create"] | waits["update"] | refusals,
                        tag,
                        override,
                        body=body_of(key_of(name, "update")),
                    ),
                }
    if len(ctx.scope.actions(name)) > 1:
        results = {"200": json_of(parts.BATCH, parts.REPLAYED)}
        paths[f"{base}/batch"] = {
            "post": operation(
                f"batch.{name}",
                f"Several: {plural}",
                results | refusals,
                tag,
                [parts.KEY, *override],
                body_of(ours("Batch")),
            )
        }
    return paths


def merge_paths(
    definition: Object, label: str, record: Json, refusals: Json, override: list[Json]
) -> Iterator[tuple[str, Json]]:  # fmt: skip
    name, tag = definition.name, [definition.name]
    headers = parts.ETAG | parts.REPLAYED
    for verb, summary in (("merge", "Merge into"), ("unmerge", "Take the last merge back")):
        answers = {
            "200": json_of({"allOf": [record, {"$ref": reference(ours(f"{verb.title()}d"))}]}, headers),
            **refusals,
        }
        body = body_of(ours("Merge")) if verb == "merge" else None
        yield (
            f"/records/{quote(name)}/{{id}}/{verb}",
            {
                "parameters": [{"$ref": "#/components/parameters/id"}],
                "post": operation(f"{verb}.{name}", f"{summary}: {label}", answers, tag, [parts.KEY, *override], body),
            },
        )


def operation(
    identity: str, summary: str, responses: Json, tags: list[str] | None = None, parameters: list[Json] | None = None,
    body: Json | None = None,
) -> Json:  # fmt: skip
    made: Json = {"operationId": identity, "summary": summary, "responses": responses}
    if tags:
        made["tags"] = tags
    if parameters:
        made["parameters"] = parameters
    if body:
        made["requestBody"] = body
    return made


def schemas_of(ctx: Context, definition: Object) -> dict[str, Json]:
    """Of an object: as read, as a list, as created, as updated."""
    name, kinds = definition.name, ctx.snapshot.plugins.fields
    read: Json = {}
    for field in ctx.scope.readable(name).values():
        if field.is_list_of_records:
            continue
        schema = field_schema(ctx, field, kinds[field.type])
        if not field.is_written:
            schema["readOnly"] = True
        read[field.name] = schema if field.name in ("id", "version") else nullable(schema)
    answered = read | dict(lists_read(ctx, name)) | {"_warnings": parts.WARNINGS}
    written = {
        field.name: field for field in (*definition.fields.values(), SYSTEM_FIELDS["owner"])
        if field.is_written and not field.is_read_only and not kinds[field.type].is_computed
    }  # fmt: skip
    needed = [field.name for field in written.values() if field.is_needed]
    changed = {
        field.name: read[field.name] if not field.is_required else field_schema(ctx, field, kinds[field.type])
        for field in written.values() if field.name in read
    }  # fmt: skip
    changed |= lines_written(ctx, definition)
    update: Json = {"type": "object", "properties": changed, "additionalProperties": False}
    create = update | ({"required": needed} if needed else {})
    listed = {"type": "array", "items": {"$ref": reference(key_of(name))}}
    return {
        key_of(name): {"type": "object", "required": ["id", "version"], "properties": answered},
        key_of(name, "list"): {
            "type": "object",
            "required": ["records", "next"],
            "properties": {
                "records": listed, "next": {"type": ["string", "null"]}, "count": {"type": "integer"},
                "count_is_capped": {"type": "boolean"},
            },
        },
        key_of(name, "create"): create,
        key_of(name, "update"): update,
    } | (line_schema(definition, changed) if definition.masters else {})  # fmt: skip


def lists_read(ctx: Context, name: str) -> Iterator[tuple[str, Json]]:
    """Lines as records, records that refer here as ids; each only where it is asked for or a record is read alone."""
    for field in ctx.scope.readable(name).values():
        if field.is_list_of_records and ctx.scope.can("read", field.of):
            items = {"$ref": reference(key_of(field.of))} if field.source == "lines" else parts.ID
            yield field.name, {"type": "array", "title": say(field.label, ctx.language), "items": items}
            yield f"{field.name}_is_truncated", {"type": "boolean", "description": "True: there are more"}


def lines_written(ctx: Context, definition: Object) -> Json:
    """Tables of lines: a list replaces the lines that there are."""
    return {
        field.name: {
            "type": "array", "title": say(field.label, ctx.language), "maxItems": MOST_LINES,
            "items": {"$ref": reference(key_of(field.of, "line"))},
            "description": "Replaces the lines: those with an id are changed, others are new, others that there are go",
        }
        for field in definition.fields.values() if field.source == "lines" and ctx.scope.can("read", field.of)
    }  # fmt: skip


def line_schema(definition: Object, changed: Json) -> Json:
    """Of an object's records as lines of another: without the reference to that, where they belong to one only."""
    masters = {field.name for field in definition.masters if not definition.belongs_to_all}
    own = {name: schema for name, schema in changed.items() if name not in masters}
    line_id = {**parts.ID, "description": "Of a line that there is; a new one has none"}
    made = {"type": "object", "properties": {"id": line_id, **own}, "additionalProperties": False}
    return {key_of(definition.name, "line"): made}


def key_of(object_name: str, form: str = "") -> str:
    """The name of a schema. OpenAPI takes ASCII only there."""
    own = object_name if object_name.isascii() else "u-" + object_name.encode().hex()
    return f"{own}.{form}" if form else own


def field_schema(ctx: Context, field: Field, kind: FieldType) -> Json:
    schema = dict(kind.schema(field))
    schema["title"] = say(field.label, ctx.language)
    if text := say(field.help, ctx.language):
        schema["description"] = text
    return schema


def nullable(schema: Mapping[str, Any]) -> Json:
    """The same, or null: what a blank field holds."""
    made = dict(schema)
    kind = made.get("type")
    if "enum" not in made and "const" not in made and isinstance(kind, str):
        return made | {"type": [kind, "null"]}
    said = {key: made.pop(key) for key in ("title", "description") if key in made}
    return said | {"anyOf": [made, {"type": "null"}]}
