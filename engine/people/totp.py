"""Codes of an authenticator app (RFC 6238), and recovery codes for when it is lost. No code is taken twice."""

import hmac
import secrets
from datetime import datetime

import pyotp
import segno
import sqlalchemy as sa

from engine.audit.log import note
from engine.context import Actor, Origin
from engine.errors import BadInput, InputProblem
from engine.people import attempts
from engine.people.attempts import CODES
from engine.people.authentication import fingerprint
from engine.sealed import Sealed, Unsealed
from engine.store import system
from engine.store.database import Connection
from engine.tenants import Tenant

__all__ = [
    "begin", "check", "confirm", "is_on", "new_recovery_codes", "picture", "recovery_codes_left", "renew",
    "switch_off", "waiting",
]  # fmt: skip

STEP_S = 30
STEPS_OFF = (0, -1, 1)  # a clock may be half a minute off
RECOVERY_CODES = 10
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
ISSUER = "Fieldstone"


def is_on(tenant: Tenant, user: str) -> bool:
    query = sa.select(system.totp.c.is_on).where(system.totp.c.user == user)
    with tenant.database.read() as connection:
        return bool(connection.sa.scalar(query))


def begin(tenant: Tenant, user: str, now: datetime) -> str:
    """A secret for the app, in base 32. It asks for nothing before a code of it was shown (confirm).

    Where one waits already it is that one. Raises BadInput where codes are asked for by now.
    """
    if is_on(tenant, user):
        message = "signing in in two steps is on already"
        raise BadInput(message, code="totp.on", problems=[InputProblem("", "totp.on", message)])
    if (found := waiting(tenant, user)) is not None:
        return found
    secret = pyotp.random_base32()
    row = {
        "user": user, "secret": tenant.secrets.seal(Unsealed(secret, "all"), place_of(user)).text, "is_on": 0,
        "last_step": 0, "created_at": now,
    }  # fmt: skip
    with tenant.database.write() as connection:
        connection.sa.execute(sa.delete(system.totp).where(system.totp.c.user == user, system.totp.c.is_on == 0))
        connection.sa.execute(sa.insert(system.totp).values(row))
    return secret


def waiting(tenant: Tenant, user: str) -> str | None:
    """The secret that waits for its first code."""
    t = system.totp.c
    with tenant.database.read() as connection:
        sealed = connection.sa.scalar(sa.select(t.secret).where(t.user == user, t.is_on == 0))
    return opened(tenant, user, sealed) if sealed else None


def confirm(
    tenant: Tenant, user: str, code: str, *, actor: Actor, origin: Origin, now: datetime
) -> list[str]:  # fmt: skip
    """Switch it on by a first code. The recovery codes, to be shown this once. Raises BadInput, TooManyAttempts."""
    secret = waiting(tenant, user)
    attempts.begin(tenant, user, origin.address, now, CODES)
    step = step_of(secret, code, now) if secret else None
    if step is None:
        raise wrong_code()
    t = system.totp.c
    change = sa.update(system.totp).where(t.user == user, t.is_on == 0).values(is_on=1, last_step=step)
    with tenant.database.together() as connection:
        if connection.sa.execute(change).rowcount != 1:  # another was faster
            raise wrong_code()
        codes = write_recovery_codes(connection, user)
        note(connection, "totp.on", actor=actor, origin=origin, now=now, object_name="user", record=user)
    attempts.forget(tenant, user, CODES)
    return codes


def check(tenant: Tenant, user: str, code: str, address: str, now: datetime) -> bool:
    """Whether it is the code of this moment, or a recovery code; either is used up by that. Raises TooManyAttempts."""
    attempts.begin(tenant, user, address, now, CODES)
    is_right = take_code(tenant, user, code, now) or take_recovery_code(tenant, user, code)
    if is_right:
        attempts.forget(tenant, user, CODES)
    return is_right


def take_code(tenant: Tenant, user: str, code: str, now: datetime) -> bool:
    t = system.totp.c
    with tenant.database.read() as connection:
        sealed = connection.sa.scalar(sa.select(t.secret).where(t.user == user, t.is_on == 1))
    step = step_of(opened(tenant, user, sealed), code, now) if sealed else None
    if step is None:
        return False
    change = sa.update(system.totp).where(t.user == user, t.is_on == 1, t.last_step < step).values(last_step=step)
    with tenant.database.write() as connection:
        return connection.sa.execute(change).rowcount == 1


def take_recovery_code(tenant: Tenant, user: str, code: str) -> bool:
    one = system.recovery_code.c
    spend = sa.delete(system.recovery_code).where(one.user == user, one.hash == fingerprint(bare(code)))
    with tenant.database.write() as connection:
        return connection.sa.execute(spend).rowcount == 1


def step_of(secret: str, code: str, now: datetime) -> int | None:
    """The step in time that `code` belongs to."""
    digits, current = "".join(code.split()), int(now.timestamp()) // STEP_S
    maker = pyotp.TOTP(secret)
    found = None
    for off in STEPS_OFF:
        if hmac.compare_digest(maker.generate_otp(current + off).encode(), digits.encode("utf-8", "replace")):
            found = current + off
    return found


def switch_off(
    tenant: Tenant, user: str, *, actor: Actor, origin: Origin, now: datetime
) -> None:  # fmt: skip
    """By the person, who has shown the password, or by who manages users. Half-made sign-ins end."""
    with tenant.database.write() as connection:
        found = connection.sa.execute(sa.delete(system.totp).where(system.totp.c.user == user)).rowcount
        connection.sa.execute(sa.delete(system.recovery_code).where(system.recovery_code.c.user == user))
        connection.sa.execute(sa.delete(system.halfway).where(system.halfway.c.user == user))
        if found:
            note(connection, "totp.off", actor=actor, origin=origin, now=now, object_name="user", record=user)


def new_recovery_codes(
    tenant: Tenant, user: str, *, actor: Actor, origin: Origin, now: datetime
) -> list[str]:  # fmt: skip
    """The old ones end."""
    with tenant.database.write() as connection:
        codes = write_recovery_codes(connection, user)
        note(connection, "totp.codes", actor=actor, origin=origin, now=now, object_name="user", record=user)
    return codes


def recovery_codes_left(tenant: Tenant, user: str) -> int:
    query = sa.select(sa.func.count()).where(system.recovery_code.c.user == user)
    with tenant.database.read() as connection:
        return connection.sa.scalar(query) or 0


def write_recovery_codes(connection: Connection, user: str) -> list[str]:
    codes = [recovery_code() for _ in range(RECOVERY_CODES)]
    connection.sa.execute(sa.delete(system.recovery_code).where(system.recovery_code.c.user == user))
    rows = [{"user": user, "hash": fingerprint(bare(code))} for code in codes]
    connection.sa.execute(sa.insert(system.recovery_code), rows)
    return codes


def recovery_code() -> str:
    """79 bits: a plain hash of it cannot be turned round by trying."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(4)) for _ in range(4))


def bare(code: str) -> str:
    return "".join(filter(str.isalnum, code.casefold()))[:100]


def picture(secret: str, username: str, host: str) -> str:
    """What the app reads, as a data: address of an SVG image."""
    issuer = f"{ISSUER} ({host})" if host else ISSUER
    address = pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name=issuer)
    # Dark on light in both themes: many apps read nothing else.
    drawn: str = segno.make(address, error="m").svg_data_uri(scale=4, border=3, dark="#111", light="#fff")
    return drawn


def renew(tenant: Tenant, connection: Connection) -> int:
    """Encrypt with the first key what another encrypted. Returns how many. Raises KeyMissing."""
    t, count = system.totp.c, 0
    for user, sealed in connection.sa.execute(sa.select(t.user, t.secret)).all():
        if Sealed.read(sealed, "all").key_id != tenant.secrets.first:
            again = tenant.secrets.seal(Unsealed(opened(tenant, user, sealed), "all"), place_of(user)).text
            change = sa.update(system.totp).where(t.user == user, t.secret == sealed).values(secret=again)
            count += connection.sa.execute(change).rowcount
    return count


def opened(tenant: Tenant, user: str, sealed: str) -> str:
    return tenant.secrets.open(Sealed.read(sealed, "all"), place_of(user))


def place_of(user: str) -> str:
    return f"fs_totp.secret {user}"


def wrong_code() -> BadInput:
    message = "the code is wrong or was used"
    fix = "wait for the app's next code"
    return BadInput(message, code="totp.code", fix=fix, problems=[InputProblem("code", "totp.code", message, fix)])
