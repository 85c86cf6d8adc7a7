"""What a password must be, and how it is kept: as an Argon2 hash."""

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from engine.config import Config
from engine.errors import BadInput, InputProblem

__all__ = [
    "ORDINARY", "Policy", "check_policy", "hash_password", "made_password", "needs_new_hash", "policy_of", "refuse",
    "verify",
]  # fmt: skip

MAX_LENGTH = 256  # hashing must not become a way to keep the server busy
FEWEST_DIFFERENT = 4  # characters

HASHER = PasswordHasher()  # RFC 9106's second recommended option

LOOKALIKES = str.maketrans("013457@$!", "oleastasi")
# What most lists of leaked passwords are made of. A password is common if one of these is all it says, whatever
# digits and signs are around it, and whatever letters were written as digits.
COMMON = frozenset(
    [
        "password",
        "passwort",
        "passw",
        "passwd",
        "pass",
        "motdepasse",
        "contrasena",
        "parola",
        "senha",
        "mima",
        "woaini",
        "welcome",
        "willkommen",
        "hello",
        "letmein",
        "iloveyou",
        "loveyou",
        "trustno",
        "sunshine",
        "princess",
        "dragon",
        "monkey",
        "football",
        "baseball",
        "superman",
        "batman",
        "master",
        "shadow",
        "michael",
        "jordan",
        "jennifer",
        "charlie",
        "ashley",
        "bailey",
        "freedom",
        "whatever",
        "starwars",
        "pokemon",
        "computer",
        "internet",
        "secret",
        "default",
        "changeme",
        "changeit",
        "change",
        "admin",
        "administrator",
        "root",
        "superuser",
        "system",
        "guest",
        "user",
        "login",
        "access",
        "company",
        "office",
        "test",
        "testing",
        "tester",
        "temp",
        "temporary",
        "demo",
        "sample",
        "example",
        "manager",
        "service",
        "support",
        "summer",
        "winter",
        "spring",
        "autumn",
        "sommer",
        "fruehling",
        "herbst",
        "qwerty",
        "qwertyuiop",
        "qwertz",
        "qwertzuiop",
        "azerty",
        "azertyuiop",
        "asdf",
        "asdfgh",
        "asdfghjkl",
        "zxcvbn",
        "zxcvbnm",
        "qazwsx",
        "qazwsxedc",
        "qwer",
        "qweasd",
        "qweasdzxc",
        "abc",
        "abcd",
        "abcde",
        "abcdef",
        "abcdefg",
        "abcdefgh",
        "abcdefghij",
        "abcdefghijkl",
        "aaaaaaaaaa",
        "fieldstone",
        "fieldstonedemo",
        "passwordpassword",
        "adminadmin",
        "testtest",
        "welcomewelcome",
        "letmeinplease",
        "iloveyouforever",
    ]
)
RUNS = (
    "01234567890123456789", "98765432109876543210", "qwertyuiopasdfghjklzxcvbnm", "1q2w3e4r5t6y7u8i9o0p",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p", "abcdefghijklmnopqrstuvwxyz",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Policy:
    min_length: int = 10
    history: int = 3  # passwords before this one that are not taken again
    days: int = 0  # until it must be changed; 0 is never


ORDINARY = Policy()


def policy_of(config: Config) -> Policy:
    return Policy(max(1, config.password_length), config.password_history, config.password_days)


def check_policy(password: str, username: str, others: Iterable[str] = (), policy: Policy = ORDINARY) -> None:
    """`others`: the person's name and e-mail. Raises BadInput with a problem at `password`."""
    least, size = policy.min_length, len(password)
    if size < least:
        refuse("password.short", f"a password has at least {least} characters; this has {size}", min=least)
    if size > MAX_LENGTH:
        refuse("password.long", f"a password has at most {MAX_LENGTH} characters; this has {size}", max=MAX_LENGTH)
    if len(set(password)) < FEWEST_DIFFERENT or is_name(password, [username, *others]):
        refuse("password.weak", "the password is the user name, the name, the e-mail or nearly all one character")
    if is_common(password):
        refuse("password.common", "this is one of the passwords that are tried first")


def refuse(code: str, message: str, **values: object) -> None:
    fix = "take several words that do not belong together"
    raise BadInput(
        message, code=code, fix=fix, problems=[InputProblem("password", code, message, fix, tuple(values.items()))]
    )


def is_name(password: str, names: Iterable[str]) -> bool:
    """Whether it says nothing but who somebody is."""
    bare = core(password)
    for name in names:
        parts = [name, name.partition("@")[0], "".join(reversed(name.split()))]
        if any(bare and bare == core(part) for part in parts):
            return True
    return False


def core(text: str) -> str:
    """Its letters and digits, without the digits at its ends: `Ada.Lovelace1815!` -> `adalovelace`."""
    return "".join(filter(str.isalnum, text.casefold())).strip("0123456789")


def is_common(password: str) -> bool:
    plain = "".join(filter(str.isalnum, password.casefold()))
    if any(plain in run for run in RUNS):
        return True
    ways = {core(password), core(password.casefold().rstrip("0123456789!?.$@#*").translate(LOOKALIKES))}
    ways |= {re.sub(r"[0-9]+", "", way) for way in ways}
    return any(way in COMMON or halved(way) in COMMON for way in ways)


def halved(text: str) -> str:
    """`secretsecret` -> `secret`."""
    half = text[: len(text) // 2]
    return half if half + half == text else ""


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
