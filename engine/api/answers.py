"""What an operation answers with: finished bytes, or a file that is read while it is sent."""

from collections.abc import Mapping
from typing import Any, BinaryIO, NamedTuple

import orjson

__all__ = ["JSON", "Answer", "Headers", "etag", "json_answer"]

JSON = b"application/json"
Headers = tuple[tuple[bytes, bytes], ...]


class Answer(NamedTuple):
    status: int
    body: bytes = b""
    headers: Headers = ()
    content_type: bytes = JSON
    content: BinaryIO | None = None  # instead of `body`; whoever sends it closes it
    size: int = 0  # of the content


def json_answer(value: Any, status: int = 200, headers: Headers = ()) -> Answer:
    return Answer(status, orjson.dumps(value), headers)


def etag(record: Mapping[str, Any]) -> Headers:
    """The validator of a record: its version."""
    return ((b"etag", b'"%d"' % record["version"]),)
