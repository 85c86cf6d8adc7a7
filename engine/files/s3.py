"""Contents of files on an S3-compatible service. Credentials come from where boto3 looks: the environment, a role."""

from collections.abc import Iterator
from typing import Any, BinaryIO, cast
from urllib.parse import parse_qs, urlsplit

import boto3
from botocore.exceptions import ClientError

from engine.errors import BadInput
from engine.files.store import HASH, hash_of

__all__ = ["S3Store"]

MISSING = frozenset(("404", "NoSuchKey", "NotFound"))
OPTIONS = frozenset(("endpoint", "region"))


class S3Store:
    """Objects PREFIX/TENANT/ab/cd/abcd… of one bucket, which must be there."""

    def __init__(self, client: Any, bucket: str, prefix: str) -> None:
        self.client, self.bucket, self.prefix = client, bucket, prefix

    @classmethod
    def at(cls, place: str, tenant: str) -> "S3Store":
        """s3://BUCKET/PREFIX?endpoint=URL&region=NAME. Raises BadInput."""
        parts = urlsplit(place)
        sent = parse_qs(parts.query)
        if not parts.netloc or sent.keys() - OPTIONS:
            message = f"'{place}' is no place on S3"
            raise BadInput(message, code="files.place", fix="write s3://bucket/prefix?endpoint=https://host")
        options = {name: values[-1] for name, values in sent.items()}
        client = boto3.client("s3", endpoint_url=options.get("endpoint"), region_name=options.get("region"))
        folders = [part for part in parts.path.split("/") if part]
        return cls(client, parts.netloc, "/".join([*folders, tenant]))

    def put(self, content: BinaryIO) -> tuple[str, int]:
        start = content.tell()
        found, size = hash_of(content)
        if not self.exists(found):
            content.seek(start)
            self.client.put_object(Bucket=self.bucket, Key=self._key(found), Body=content)
        return found, size

    def open(self, hash: str) -> BinaryIO:
        try:
            answer = self.client.get_object(Bucket=self.bucket, Key=self._key(hash))
        except ClientError as error:
            raise missing(error, hash) from error
        return cast(BinaryIO, answer["Body"])

    def exists(self, hash: str) -> bool:
        try:
            self.client.head_object(Bucket=self.bucket, Key=self._key(hash))
        except ClientError as error:
            if error.response["Error"]["Code"] in MISSING:
                return False
            raise
        return True

    def delete(self, hash: str) -> None:
        self.client.delete_object(Bucket=self.bucket, Key=self._key(hash))

    def hashes(self) -> Iterator[str]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=f"{self.prefix}/")
        keys = (found["Key"] for page in pages for found in page.get("Contents", ()))
        return (name for key in keys if HASH.match(name := str(key).rpartition("/")[2]))

    def tidy(self) -> None:
        """Uploads that were broken off are the bucket's own to remove: a rule of its life cycle."""

    def _key(self, hash: str) -> str:
        if not HASH.match(hash):
            raise FileNotFoundError(hash)
        return f"{self.prefix}/{hash[:2]}/{hash[2:4]}/{hash}"


def missing(error: ClientError, hash: str) -> Exception:
    return FileNotFoundError(hash) if error.response["Error"]["Code"] in MISSING else error
