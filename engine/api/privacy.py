"""The data of one person, for administrators: exported as a zip file, erased for good."""

import tempfile
from pathlib import Path
from typing import BinaryIO, cast

from engine.api.answers import Answer, json_answer
from engine.api.errors import bad_request
from engine.api.operations import Call, Operation
from engine.api.permission import Permission
from engine.context import Context
from engine.privacy.erase import erase
from engine.privacy.export import export

__all__ = ["OPERATIONS", "archive_of"]


def export_person(call: Call) -> Answer:
    return archive_of(call.ctx, *call.args)


def archive_of(ctx: Context, object_name: str, record_id: str) -> Answer:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "person.zip"
        export(ctx, object_name, record_id, path)
        content = path.open("rb")  # stays readable without its name
    size = content.seek(0, 2)
    content.seek(0)
    headers = ((b"content-disposition", b'attachment; filename="person.zip"'), (b"cache-control", b"no-store"))
    return Answer(200, headers=headers, content_type=b"application/zip", content=cast(BinaryIO, content), size=size)


def erase_person(call: Call) -> Answer:
    object_name, record_id = call.args
    if call.json() != {"confirm": record_id}:
        message = "an erasure cannot be taken back"
        raise bad_request("privacy.confirm", message, fix='send {"confirm": "the id of the record"}', path="confirm")
    done = erase(call.ctx, object_name, record_id)
    return json_answer(
        {"records": done.records, "fields": dict(done.fields), "kept": list(done.kept), "comments": done.comments}
    )


OPERATIONS = (
    # POST: it leaves an entry in the audit log.
    Operation("POST", "/privacy/{object}/{id}/export", Permission("person", "may_handle_privacy"), export_person,
              body_is_optional=True, takes_key=False),
    Operation("POST", "/privacy/{object}/{id}/erase", Permission("person", "may_handle_privacy"), erase_person),
)  # fmt: skip
