"""Upload and download files. Whatever they are, a browser keeps them and runs nothing in them."""

from collections.abc import Mapping
from urllib.parse import quote

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from engine.api.answers import Answer, Headers, json_answer
from engine.api.operations import ROOT, Call, Operation, send_answer
from engine.api.permission import Permission
from engine.context import Context
from engine.files.catalogue import add, get, need_upload, open_content
from engine.files.kinds import disposition

__all__ = ["OPERATIONS", "FileResponse", "download"]

SAFE = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"sandbox; default-src 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"private, no-cache"),
    (b"vary", b"Authorization, Cookie"),
    (b"accept-ranges", b"none"),
)


def upload_file(call: Call) -> Answer:
    assert call.upload is not None
    file = add(call.ctx, call.upload.name, call.upload.content)
    return json_answer(file.view(), 201, ((b"location", f"{ROOT}/files/{quote(file.id)}".encode()),))


def download_file(call: Call) -> Answer:
    return download(call.ctx, call.args[0], call.headers)


def download(ctx: Context, file_id: str, headers: Mapping[str, str]) -> Answer:
    """The file, or that it is unchanged. A range is not made out: RFC 9110, 14.2 lets it be passed over."""
    file = get(ctx, file_id)
    tag = f'"{file.hash[:32]}"'
    own: Headers = (*SAFE, (b"etag", tag.encode()))
    if tag in headers.get("if-none-match", ""):
        return Answer(304, headers=own)
    content = open_content(ctx, file)
    own = (*own, (b"content-disposition", disposition(file.name).encode("ascii")))
    return Answer(200, headers=own, content_type=file.type.encode(), content=content, size=file.size)


class FileResponse(Response):
    """An Answer as a route of the screens gives it."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.background = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send_answer(send, self.answer, is_head=scope["method"] == "HEAD")


def person(why: str) -> Permission:
    return Permission("person", why)


OPERATIONS = (
    Operation("POST", "/files", person("create or update where a field takes files, or an approval"), upload_file,
              ("name",), admits=need_upload),
    Operation("GET", "/files/{id}", person("read: a record, or what was said in an approval, that holds it"),
              download_file),
)  # fmt: skip
