"""Receive one file, as a request's body or as the one part of a form: on disk when it is large, never all in memory."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

import anyio.to_thread
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.types import Receive

from engine.api.errors import HttpRefusal, bad_request
from engine.files.kinds import size_text
from engine.files.store import hash_of

__all__ = ["ENVELOPE_BYTES", "UPLOADS", "Gone", "Upload", "receive_file"]

UPLOADS = "/files"  # of the screens; the API's is below its own root
ENVELOPE_BYTES = 64 * 1024  # of a form around the file
IN_MEMORY_BYTES = 1024 * 1024


class Gone(Exception):
    """The client went away."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was sent; whoever received it closes it."""

    name: str  # as sent: anything
    content: BinaryIO

    def close(self) -> None:
        self.content.close()

    def digest(self) -> bytes:
        """Stands for the content where requests are compared."""
        found = hash_of(self.content)[0]
        self.content.seek(0)
        return found.encode()


async def receive_file(receive: Receive, headers: Mapping[str, str], limit: int, name: str = "") -> Upload:
    """`name` counts before what a form says. Raises HttpRefusal 400, 413, 415, and Gone."""
    if headers.get("content-encoding", "identity") != "identity":
        raise HttpRefusal(415, "body.encoding", "the body must not be compressed", fix="leave Content-Encoding out")
    is_form = headers.get("content-type", "").lower().startswith("multipart/form-data")
    most = limit + ENVELOPE_BYTES if is_form else limit
    declared = headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared) > most:
        raise too_large(limit)
    if not is_form:
        return Upload(name, await raw_body(chunks(receive, most, limit)))
    upload = await form_part(chunks(receive, most, limit), headers)
    if (upload.size or 0) > limit:
        await upload.close()
        raise too_large(limit)
    return Upload(name or upload.filename or "", upload.file)


async def chunks(receive: Receive, most: int, limit: int) -> AsyncGenerator[bytes, None]:
    """Counts what comes, whatever Content-Length says."""
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > most:
            raise too_large(limit)
        yield chunk
        if not message.get("more_body", False):
            return


async def raw_body(sent: AsyncGenerator[bytes, None]) -> BinaryIO:
    content = SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115 - whoever receives it closes it
    size = 0
    try:
        async for chunk in sent:
            size += len(chunk)
            if size <= IN_MEMORY_BYTES:
                content.write(chunk)
            else:
                await anyio.to_thread.run_sync(content.write, chunk)
    except BaseException:
        content.close()
        raise
    content.seek(0)
    return cast(BinaryIO, content)


async def form_part(sent: AsyncGenerator[bytes, None], headers: Mapping[str, str]) -> UploadFile:
    parser = MultiPartParser(Headers(dict(headers)), sent, max_files=1, max_fields=0)
    try:
        form = await parser.parse()
    except MultiPartException as error:
        fix = "send one part, with a file name"
        raise bad_request("body.malformed", f"the form cannot be read: {error.message}", fix=fix) from error
    for _, part in form.multi_items():
        if isinstance(part, UploadFile):
            return part
    raise bad_request("body.malformed", "the form holds no file", fix="send one part, with a file name")


def too_large(limit: int) -> HttpRefusal:
    message = f"the file is larger than {size_text(limit)}"
    return HttpRefusal(413, "file.large", message, fix="send a smaller one")
