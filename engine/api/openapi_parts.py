"""Parts of the OpenAPI document that are the same for every tenant."""

from typing import Any

from engine.api.errors import PROBLEM_TYPE, title_of

__all__ = [
    "AGGREGATE", "AGGREGATE_PARAMETERS", "BATCH", "COMPONENTS", "ETAG", "FILE", "FILE_BODY", "FILE_CONTENT", "FILE_ID",
    "FILE_NAME", "FILE_TAG", "ID", "IF_MATCH", "IF_NONE_MATCH", "KEY", "LIST_PARAMETERS", "LOCATION",
    "OBJECT", "OBJECT_SUMMARY", "OVERRIDE", "REPLAYED", "WAITING", "WARNINGS", "body_of", "errors", "json_of", "ours",
    "reference",
]  # fmt: skip

Json = dict[str, Any]
TEXT = {"type": "string"}
FLAG = {"type": "boolean"}


def reference(schema: str) -> str:
    return f"#/components/schemas/{schema}"


def ours(name: str) -> str:
    """A schema's name that no object takes, however a client writes its classes: a tenant may have problems."""
    return f"Fieldstone.{name}"


def json_of(schema: Json, headers: Json | None = None) -> Json:
    made: Json = {"description": "Done", "content": {"application/json": {"schema": schema}}}
    return made | {"headers": headers} if headers else made


def body_of(schema: str) -> Json:
    return {"required": True, "content": {"application/json": {"schema": {"$ref": reference(schema)}}}}


def errors(*statuses: int) -> Json:
    return {str(status): {"$ref": f"#/components/responses/{status}"} for status in statuses}


def query(name: str, description: str, schema: Json) -> Json:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


def header(name: str, description: str, schema: Json) -> Json:
    return {"name": name, "in": "header", "required": False, "description": description, "schema": schema}


def in_path(name: str, description: str) -> Json:
    schema = {**TEXT, "minLength": 1}
    return {"name": name, "in": "path", "required": True, "description": description, "schema": schema}


ETAG: Json = {"ETag": {"description": "The record's version", "schema": {**TEXT, "pattern": '^"[0-9]+"$'}}}
LOCATION: Json = {"Location": {"description": "The new record", "required": False, "schema": TEXT}}
REPLAYED: Json = {
    "Idempotent-Replayed": {"description": "The answer of the first sending", "required": False, "schema": TEXT}
}
# An entity tag, or a list of them, or "*": RFC 9110, 8.8.3.
TAGS = {**TEXT, "pattern": r'^(\*|(W/)?"[0-9]+"(, ?(W/)?"[0-9]+")*)$'}

PARAMETERS: Json = {
    "id": in_path("id", "The record's id"),
    "value": in_path("value", "The unique field's value"),
    "filter": query("filter", "A formula that a record must meet", TEXT),
    "sort": query("sort", "Paths with commas between them; - before one turns it round: -close_date,name", TEXT),
    "fields": query("fields", "Paths with commas between them: name,account.name. Without it: every field", TEXT),
    "limit": query("limit", "How many records at most", {"type": "integer", "minimum": 1, "maximum": 1000}),
    "cursor": query("cursor", "`next` of the page before, with the same filter and sort", TEXT),
    "count": query("count", "Whether to count: capped stops at 1,000", {"enum": ["none", "capped", "exact"]}),
    "search": query("search", "Text that one of the object's search fields must hold", TEXT),
    "group": query("group", "Fields with commas between them, dates by period: stage,close_date:month", TEXT),
    "measures": query("measures", "sum, count, avg, min, max, distinct of fields: count(),sum(amount)", TEXT),
    "having": query("having", "A condition on measures: sum(amount) > 1000 and count() >= 2", TEXT),
    "group_sort": query("sort", "Groups and measures; - before one turns it round: -sum(amount),stage", TEXT),
    "if_match": header("If-Match", "Only if the record is at this version", TAGS),
    "if_none_match": header("If-None-Match", "Nothing is sent if the record is at this version", TAGS),
    "override": header(
        "Override-Lock", "Why what an approval keeps as it is is written all the same: percent-encoded, of 1 to 500 "
        "characters, and audited", {**TEXT, "pattern": "^[!-~]([ -~]*[!-~])?$"},
    ),
    "key": header(
        "Idempotency-Key", "Sent again with the same key and content, it has no second effect",
        {**TEXT, "pattern": "^[!-~]{1,200}$"},
    ),
}  # fmt: skip


def parameter(name: str) -> Json:
    return {"$ref": f"#/components/parameters/{name}"}


LIST_PARAMETERS = [parameter(name) for name in ("filter", "sort", "fields", "limit", "cursor", "count", "search")]
AGGREGATE_PARAMETERS = [
    parameter(name) for name in ("group", "measures", "filter", "having", "group_sort", "limit", "search")
]
IF_MATCH, IF_NONE_MATCH, KEY = parameter("if_match"), parameter("if_none_match"), parameter("key")
OVERRIDE = parameter("override")

OBJECT_SUMMARY: Json = {
    "type": "object",
    "required": ["name", "label", "plural", "icon", "color", "actions"],
    "properties": {
        "name": TEXT, "label": TEXT, "plural": TEXT, "icon": TEXT, "color": TEXT,
        "actions": {"type": "array", "items": {"enum": ["create", "read", "update", "delete"]}},
    },
}  # fmt: skip
CHOICE: Json = {
    "type": "object",
    "required": ["value", "label", "color", "is_retired"],
    "properties": {"value": TEXT, "label": TEXT, "color": TEXT, "is_retired": FLAG},
}
FIELD: Json = {
    "type": "object",
    "required": ["name", "type", "label", "is_required", "is_read_only", "options"],
    "properties": {
        "name": TEXT, "type": TEXT, "label": TEXT, "help": TEXT, "is_system": FLAG, "is_required": FLAG,
        "is_read_only": FLAG, "is_hidden": FLAG, "is_unique": FLAG, "default": {}, "options": {"type": "object"},
        "source": {"enum": ["value", "formula", "rollup", "lines", "inverse"]},
        "choices": {"type": "array", "items": CHOICE}, "to": TEXT,
        "on_delete": {"enum": ["set_null", "restrict", "cascade"]},
    },
}  # fmt: skip
OBJECT: Json = {
    "allOf": [OBJECT_SUMMARY, {
        "type": "object",
        "required": ["description", "title", "search", "unique", "fields"],
        "properties": {
            "description": TEXT, "title": TEXT, "search": {"type": "array", "items": TEXT},
            "unique": {"type": "array", "items": {"type": "array", "items": TEXT}},
            "fields": {"type": "array", "items": FIELD},
        },
    }],
}  # fmt: skip

CANDIDATES: Json = {
    "type": "array",
    "description": "Other records that this person may see",
    "items": {
        "type": "object",
        "required": ["object", "id", "title"],
        "properties": {"object": TEXT, "id": TEXT, "title": TEXT},
    },
}
WARNINGS: Json = {
    "type": "array",
    "description": "In the answer to a write: what speaks against the record, which was saved all the same",
    "items": {
        "type": "object",
        "required": ["path", "code", "message", "candidates"],
        "properties": {"path": TEXT, "code": TEXT, "message": TEXT, "candidates": CANDIDATES},
    },
}
PROBLEM: Json = {
    "type": "object",
    "required": ["title", "status", "code", "detail", "problems"],
    "properties": {
        "title": TEXT, "status": {"type": "integer"}, "code": TEXT, "detail": TEXT, "fix": TEXT,
        "problems": {"type": "array", "items": {
            "type": "object",
            "required": ["path", "code", "message", "fix"],
            "properties": {"path": TEXT, "code": TEXT, "message": TEXT, "fix": TEXT, "candidates": CANDIDATES},
        }},
    },
}  # fmt: skip


def batch_operation(action: str, required: list[str], **properties: Json) -> Json:
    return {
        "type": "object",
        "required": ["action", *required],
        "properties": {"action": {"const": action}, **properties},
        "additionalProperties": False,
    }


VALUES = {"type": "object"}
ID = {"type": "string", "format": "uuid"}
VERSION = {"type": "integer", "minimum": 1}
BATCH_REQUEST: Json = {
    "type": "object",
    "required": ["operations"],
    "additionalProperties": False,
    "properties": {
        "atomic": {**FLAG, "default": True, "description": "All or nothing"},
        "operations": {"type": "array", "minItems": 1, "maxItems": 1000, "items": {"anyOf": [
            batch_operation("create", ["values"], values=VALUES),
            batch_operation("update", ["id", "values"], id=ID, values=VALUES, if_version=VERSION),
            batch_operation("delete", ["id"], id=ID, if_version=VERSION),
            batch_operation("restore", ["id"], id=ID),
            batch_operation(
                "upsert", ["field", "value", "values"], field=TEXT,
                value={"type": ["string", "number", "boolean"]}, values=VALUES,
            ),
        ]}},
    },
}  # fmt: skip
REQUEST: Json = {
    "type": "object",
    "description": "What is kept until an approval ends, and the approval's instance",
    "required": ["request", "instance", "approval"],
    "properties": {"request": ID, "instance": ID, "approval": TEXT, "record": VALUES},
}
WAITING: Json = {"202": {**json_of(REQUEST), "description": "It waits for an approval"}}
BATCH: Json = {
    "type": "object",
    "required": ["results"],
    "properties": {"results": {"type": "array", "items": {
        "type": "object",
        "required": ["index", "action", "status"],
        "properties": {
            "index": {"type": "integer"}, "action": TEXT, "status": {"type": "integer"}, "id": TEXT, "record": VALUES,
            "problem": {"$ref": reference(ours("Problem"))}, "waiting": REQUEST,
        },
    }}},
}  # fmt: skip


MERGE: Json = {
    "type": "object",
    "required": ["others"],
    "additionalProperties": False,
    "properties": {
        "others": {"type": "array", "minItems": 1, "maxItems": 2, "uniqueItems": True, "items": ID},
        "values": {
            "type": "object", "additionalProperties": ID,
            "description": "Field -> the record whose value is taken, where it is not that of the one in the address",
        },
        "if_versions": {
            "type": "object", "additionalProperties": VERSION, "description": "Id -> version: only if it is at it",
        },
    },
}  # fmt: skip
MOVED: Json = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["object", "field", "count"],
        "properties": {"object": TEXT, "field": TEXT, "count": {"type": "integer"}},
    },
}
PLACES: Json = {
    "type": "array",
    "description": "What was changed since the merge, and stays",
    "items": {
        "type": "object",
        "required": ["object", "id", "field"],
        "properties": {"object": TEXT, "id": TEXT, "field": TEXT},
    },
}
LIKELY: Json = {
    "type": "object",
    "required": ["candidates"],
    "properties": {
        "candidates": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["object", "id", "title", "rule", "score"],
                "properties": {
                    "object": TEXT, "id": TEXT, "title": TEXT, "rule": TEXT,
                    "score": {"type": "integer", "minimum": 60, "maximum": 100},
                },
            },
        },
    },
}  # fmt: skip


def beside(key: str, **more: Json) -> Json:
    """What stands under `key` beside the record that was kept."""
    told: Json = {"others": {"type": "array", "items": TEXT}, "moved": MOVED, **more}
    inner: Json = {"type": "object", "required": list(told), "properties": told}
    return {"type": "object", "required": [key], "properties": {key: inner}}


# Named once: written out for each object, these were a third of a large tenant's document.
MERGE_SCHEMAS: Json = {
    ours("Merge"): MERGE, ours("Merged"): beside("_merge"), ours("Unmerged"): beside("_unmerge", kept=PLACES),
    ours("Likely"): LIKELY,
}  # fmt: skip


HANDED: Json = {
    "type": "object",
    "required": ["kind", "object", "field", "count"],
    "properties": {
        "kind": TEXT, "object": TEXT, "field": TEXT, "count": {"type": "integer"}, "code": TEXT, "message": TEXT,
        "examples": {"type": "array", "items": {"type": "object", "properties": {"id": TEXT, "title": TEXT}}},
    },
}  # fmt: skip
HANDOVER: Json = {
    "type": "object",
    "required": ["to"],
    "properties": {
        "to": {**TEXT, "format": "uuid", "description": "The user who takes over"},
        "objects": {"type": "array", "items": TEXT, "description": "Only records of these; all unless said"},
        "dry_run": {**FLAG, "default": False, "description": "Only count"},
        "deactivate": {**FLAG, "default": False, "description": "The user is refused from then on"},
    },
    "additionalProperties": False,
}
HANDED_OVER: Json = {
    "type": "object",
    "required": ["dry_run", "count", "moved", "left"],
    "properties": {
        "dry_run": FLAG, "count": {"type": "integer"}, "moved": {"type": "array", "items": HANDED},
        "left": {"type": "array", "items": HANDED, "description": "What stays as it was, and why"},
    },
}  # fmt: skip


MEASURED: Json = {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean", "null"]}}
AGGREGATE: Json = {
    "type": "object",
    "required": ["groups", "is_truncated", "total"],
    "properties": {
        "groups": {"type": "array", "items": MEASURED, "description": "Keys are the texts of groups and measures"},
        "is_truncated": {**FLAG, "description": "There are more groups than the limit"},
        "total": {**MEASURED, "description": "The measures over all matching records"},
    },
}


BINARY = {"type": "string", "format": "binary"}
FORM = {"type": "object", "required": ["file"], "properties": {"file": BINARY}, "additionalProperties": False}
FILE: Json = {
    "type": "object",
    "required": ["id", "name", "type", "size"],
    "properties": {
        "id": ID, "name": TEXT,
        "type": {**TEXT, "description": "By its content; application/octet-stream if not known"},
        "size": {"type": "integer", "minimum": 0, "description": "Bytes"},
    },
}  # fmt: skip
FILE_BODY: Json = {
    "required": True,
    "content": {"application/octet-stream": {"schema": BINARY}, "multipart/form-data": {"schema": FORM}},
}
FILE_CONTENT: Json = {
    "description": "To be kept, not shown: Content-Disposition is attachment",
    "headers": {"ETag": {"description": "Stands for the content", "schema": TEXT}},
    "content": {"application/octet-stream": {"schema": BINARY}, "*/*": {"schema": BINARY}},
}
FILE_NAME = query("name", "What the file is called; the form's own name unless said", TEXT)
FILE_ID = in_path("id", "The file's id")
FILE_TAG = header("If-None-Match", "Nothing is sent if the content is still this one", TEXT)


def response(status: int) -> Json:
    return {
        "description": title_of(status),
        "content": {PROBLEM_TYPE: {"schema": {"$ref": reference(ours("Problem"))}}},
    }


COMPONENTS: Json = {
    "securitySchemes": {
        "token": {"type": "http", "scheme": "bearer"},
        "session": {"type": "apiKey", "in": "cookie", "name": "fieldstone_session"},
        "csrf": {"type": "apiKey", "in": "header", "name": "X-CSRF-Token"},
    },
    "parameters": PARAMETERS,
    "responses": {str(s): response(s) for s in (400, 401, 403, 404, 409, 412, 413, 415, 422, 423, 429, 502, 503)},
    "schemas": {ours("Problem"): PROBLEM, ours("Batch"): BATCH_REQUEST, **MERGE_SCHEMAS},
}
