"""What a password must be, and how it is kept: as an Argon2 hash."""

import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from engine.errors import BadInput, InputProblem

__all__ = ["check_policy", "hash_password", "made_password", "needs_new_hash", "verify"]

MIN_LENGTH = 10
MAX_LENGTH = 256  # hashing must not become a way to keep the server busy

HASHER = PasswordHasher()  # RFC 9106's second recommended option


def check_policy(password: str, username: str) -> None:
    """Raises BadInput with a problem at `password`."""
    code, message = "", ""
    if len(password) < MIN_LENGTH:
        code, message = "password.short", f"a password has at least {MIN_LENGTH} characters; this has {len(password)}"
    elif len(password) > MAX_LENGTH:
        code, message = "password.long", f"a password has at most {MAX_LENGTH} characters; this has {len(password)}"
    elif password.casefold() == username.casefold() or len(set(password)) < 4:
        code, message = "password.weak", "the password is the user name or nearly all one character"
    if code:
        fix = "take several words that do not belong together"
        raise BadInput(message, code=code, fix=fix, problems=[InputProblem("password", code, message, fix)])


def hash_password(password: str) -> str:
    return HASHER.hash(password)


def verify(hashed: str | None, password: str) -> bool:
    """Whether `password` is the one behind `hashed`. Without a hash it takes as long and answers False."""
    try:
        HASHER.verify(hashed or nobodys_hash(), password[: MAX_LENGTH + 1])
    except (VerificationError, InvalidHashError):
        return False
    return hashed is not None


def needs_new_hash(hashed: str) -> bool:
    """The recommended parameters have changed since it was made."""
    return HASHER.check_needs_rehash(hashed)


def made_password() -> str:
    """Random, 89 bits, without characters that look alike."""
    alphabet = "abcdefghjkmnpqrstuvwxyzACDEFGHJKLMNPQRTUVWXY34679"
    return "-".join("".join(secrets.choice(alphabet) for _ in range(4)) for _ in range(4))


@cache
def nobodys_hash() -> str:
    return HASHER.hash(secrets.token_hex(16))
