"""Calls from outside that are signed, as GitHub, Stripe and whoever keeps to standardwebhooks.com sign them."""

import base64
import binascii
import hmac
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from engine.errors import Unauthenticated
from metadata.processes import Signature

__all__ = ["DECODED", "delivery_of"]

DECODED = "whsec_"  # what stands behind it is base64 of the secret, with some
SHORTEST_DECODED = 16  # bytes
MOST_CANDIDATES = 20  # signatures in one header
LONGEST_ID = 200
UNITS = {"minutes": 60, "hours": 3600}
WITH_NAME = re.compile(r"[A-Za-z0-9_]{1,20}=(?=[^=])")  # sha256=… of GitHub, v1=… of Stripe
STAMP = re.compile(r"[0-9]{1,12}")


def delivery_of(
    signature: Signature, secrets: Sequence[str], headers: Mapping[str, str], body: bytes, now: datetime
) -> str:  # fmt: skip
    """What makes the delivery the same as one before: its id where it is signed too, else its signature. Raises
    Unauthenticated where it does not come from who has one of the secrets, or was signed too long ago, or ahead of its
    time. `headers`: by names in small letters."""
    sent = headers.get(signature.header.lower(), "")
    stamp, identity = stamp_in(signature, headers, sent), ""
    if signature.id:
        identity = headers.get(signature.id.lower(), "")
    if (signature.timestamp and not STAMP.fullmatch(stamp)) or (signature.id and not 0 < len(identity) <= LONGEST_ID):
        raise refused()
    signed = b".".join([*(one.encode("latin-1") for one in (identity, stamp) if one), body])
    found = ""
    for key in (key for secret in secrets for key in keys_of(secret)):
        made = hmac.digest(key, signed, signature.algorithm)
        texts = (made.hex().encode(), base64.b64encode(made))
        for candidate in candidates(sent):
            if any(hmac.compare_digest(candidate, text) for text in texts):
                found = made.hex()
    if not found:
        raise refused()
    if signature.timestamp:
        tolerance = timedelta(seconds=signature.tolerance.amount * UNITS[signature.tolerance.unit])
        if abs(now.timestamp() - int(stamp)) > tolerance.total_seconds():
            message = "it was signed too long ago, or ahead of time"
            raise Unauthenticated(message, code="automation.signature", fix="sign it again, and look at the clock")
    return identity or found


def refused() -> Unauthenticated:
    message = "there is no such webhook, or its signature does not fit"
    return Unauthenticated(message, code="automation.signature", fix="look at the secret and at what is signed")


def stamp_in(signature: Signature, headers: Mapping[str, str], sent: str) -> str:
    """`t=…` where it stands beside the signature."""
    if signature.timestamp.lower() != signature.header.lower():
        return headers.get(signature.timestamp.lower(), "") if signature.timestamp else ""
    parts = (part.partition("=") for part in re.split(r"[,\s]+", sent))
    return next((value for name, _, value in parts if name == "t"), "")


def candidates(sent: str) -> Iterator[bytes]:
    for part in re.split(r"[,\s]+", sent)[:MOST_CANDIDATES]:
        yield WITH_NAME.sub("", part, count=1).encode("latin-1", "replace")


def keys_of(secret: str) -> Iterator[bytes]:
    yield secret.encode()
    if secret.startswith(DECODED):
        try:
            key = base64.b64decode(secret.removeprefix(DECODED), validate=True)
        except (binascii.Error, ValueError):
            return
        if len(key) >= SHORTEST_DECODED:
            yield key
