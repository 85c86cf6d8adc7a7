"""What an operation answers with: finished bytes."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

__all__ = ["JSON", "Answer", "Headers", "etag", "json_answer"]

JSON = b"application/json"
Headers = tuple[tuple[bytes, bytes], ...]


class Answer(NamedTuple):
    status: int
    body: bytes = b""
    headers: Headers = ()
    content_type: bytes = JSON


def json_answer(value: Any, status: int = 200, headers: Headers = ()) -> Answer:
    return Answer(status, orjson.dumps(value), headers)


def etag(record: Mapping[str, Any]) -> Headers:
    """The validator of a record: its version."""
    return ((b"etag", b'"%d"' % record["version"]),)
