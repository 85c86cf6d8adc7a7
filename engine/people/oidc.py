"""Signing in at an OpenID provider: the code flow with PKCE (OpenID Connect Core 1.0, 3.1; RFC 7636; RFC 9700)."""

import base64
import hashlib
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import orjson
import sqlalchemy as sa
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from engine.config import Config
from engine.errors import BadInput, EngineError, NotFound, Unauthenticated
from engine.outbound import Outbound, OutboundFailed
from engine.people.authentication import fingerprint, made_secret
from engine.people.credentials import Account, account_of
from engine.people.sessions import find_account
from engine.people.users import USERNAME, create_user
from engine.store import system
from engine.tenants import Tenant

__all__ = ["COOKIE", "LASTS", "Flow", "Provider", "Providers", "begin", "finish", "providers_of"]

COOKIE = "fieldstone_provider"
LASTS = timedelta(minutes=10)
KEPT = timedelta(hours=1)  # what a provider says of itself
CLOCK_OFF_S = 60
ALGORITHMS = ["RS256", "ES256", "PS256", "EdDSA"]  # signed with the provider's own key; never HS256 nor none


@dataclass(frozen=True, slots=True)
class Provider:
    name: str
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    label: str = ""
    creates: bool = False  # people that are not known yet
    roles: tuple[str, ...] = ()  # of those
    links_by_email: bool = True


@dataclass(frozen=True, slots=True)
class Flow:
    """A sign-in that the provider has not answered yet."""

    address: str  # to send the browser to
    browser: str  # what it holds meanwhile


@dataclass(slots=True)
class Known:
    """What a provider says of itself, and its keys."""

    said: Mapping[str, Any]
    keys: KeySet | None
    at: datetime


def providers_of(config: Config) -> dict[str, Provider]:
    """Of FIELDSTONE_OIDC: {"name": {"issuer", "client_id", "client_secret", "label"?, "create"?, "roles"?}}.

    Raises BadInput, which quotes none of it.
    """
    if not config.oidc:
        return {}
    try:
        read = orjson.loads(config.oidc)
        return {
            name: Provider(
                name, str(one["issuer"]).rstrip("/"), str(one["client_id"]), str(one["client_secret"]),
                str(one.get("label") or name), one.get("create") is True, tuple(one.get("roles", ())),
                one.get("link_by_email", True) is True,
            )
            for name, one in read.items()
        }  # fmt: skip
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        message = "FIELDSTONE_OIDC is not a JSON object of providers, each with issuer, client_id and client_secret"
        raise BadInput(message, code="setting") from error


class Providers:
    """Of one process. Keeps what providers say of themselves for an hour, and asks again for a key it does not know."""

    def __init__(self, config: Config, outbound: Outbound) -> None:
        self.config, self.outbound = config, outbound
        self.known: dict[str, Known] = {}
        self.lock = threading.Lock()
        self.all = providers_of(config)

    def named(self, name: str) -> Provider:
        if name not in self.all or not self.config.base_url:
            raise NotFound("no such provider")
        return self.all[name]

    def return_address(self, provider: Provider) -> str:
        return f"{self.config.base_url}/login/with/{quote(provider.name)}/back"

    def said_by(self, provider: Provider, now: datetime) -> Known:
        """Discovery (OpenID Connect Discovery 1.0, 4). Raises OutboundFailed."""
        with self.lock:
            found = self.known.get(provider.name)
        if found is not None and now - found.at < KEPT:
            return found
        reply = self.outbound.get(f"{provider.issuer}/.well-known/openid-configuration")
        said = reply.json() if reply.status == 200 else None
        if not isinstance(said, dict) or str(said.get("issuer", "")).rstrip("/") != provider.issuer:
            raise OutboundFailed(f"{provider.name} does not say that it is {provider.issuer}")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            if urlsplit(str(said.get(name, ""))).scheme not in ("https", urlsplit(provider.issuer).scheme):
                raise OutboundFailed(f"{provider.name} names no {name}")
        fresh = Known(said, None, now)
        with self.lock:
            self.known[provider.name] = fresh
        return fresh

    def keys_of(self, provider: Provider, now: datetime, *, anew: bool) -> KeySet:
        known = self.said_by(provider, now)
        if known.keys is None or anew:
            known.keys = KeySet.import_key_set(self.outbound.get(known.said["jwks_uri"]).json())
        return known.keys

    def claims(self, provider: Provider, token: str, nonce: str, now: datetime) -> dict[str, Any]:
        """Of an ID token whose signature and claims are right (3.1.3.7). Raises Unauthenticated."""
        for anew in (False, True):  # a key that is not known may have come since: providers change theirs
            try:
                read = jwt.decode(token, self.keys_of(provider, now, anew=anew), algorithms=ALGORITHMS)
                break
            except (JoseError, ValueError, KeyError) as error:
                if anew:
                    raise refused("its ID token is not signed by a key of the provider") from error
        claims = read.claims
        audience, at = claims.get("aud"), now.timestamp()
        audiences = audience if isinstance(audience, list) else [audience]
        wrong = (
            "issuer" if str(claims.get("iss", "")).rstrip("/") != provider.issuer
            else "audience" if provider.client_id not in audiences
            else "party" if len(audiences) > 1 and claims.get("azp") != provider.client_id
            else "time" if not is_in_time(claims, at)
            else "nonce" if not secrets.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode())
            else "subject" if not isinstance(claims.get("sub"), str) or not claims["sub"]
            else ""
        )  # fmt: skip
        if wrong:
            raise refused(f"its ID token has another {wrong}")
        return dict(claims)


def is_in_time(claims: Mapping[str, Any], at: float) -> bool:
    ends, begins = claims.get("exp"), claims.get("nbf", 0)
    return isinstance(ends, int | float) and ends > at - CLOCK_OFF_S and begins <= at + CLOCK_OFF_S


def begin(tenant: Tenant, providers: Providers, name: str, onward: str, now: datetime) -> Flow:
    """Raises NotFound, OutboundFailed."""
    provider = providers.named(name)
    said = providers.said_by(provider, now).said
    state, browser, nonce, verifier = made_secret(), made_secret(), made_secret(), made_secret()
    row = {
        "state": fingerprint(state), "browser": fingerprint(browser), "provider": name, "nonce": nonce,
        "verifier": verifier, "next": onward, "expires_at": now + LASTS,
    }  # fmt: skip
    with tenant.database.write() as connection:
        connection.sa.execute(sa.delete(system.oidc_flow).where(system.oidc_flow.c.expires_at <= now))
        connection.sa.execute(sa.insert(system.oidc_flow).values(row))
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    asked = {
        "response_type": "code", "client_id": provider.client_id, "redirect_uri": providers.return_address(provider),
        "scope": "openid email profile", "state": state, "nonce": nonce, "code_challenge": challenge,
        "code_challenge_method": "S256",
    }  # fmt: skip
    place = said["authorization_endpoint"]
    return Flow(f"{place}{'&' if '?' in place else '?'}{urlencode(asked)}", browser)


def finish(
    tenant: Tenant, providers: Providers, name: str, answer: Mapping[str, str], browser: str, now: datetime
) -> tuple[Account, str]:  # fmt: skip
    """Who it is here, and where to go on to. Raises Unauthenticated, OutboundFailed."""
    provider = providers.named(name)
    flow = system.oidc_flow.c
    mine = (
        flow.state == fingerprint(answer.get("state", "")), flow.browser == fingerprint(browser),
        flow.provider == name, flow.expires_at > now,
    )  # fmt: skip
    with tenant.database.write() as connection:
        row = connection.sa.execute(sa.select(flow.nonce, flow.verifier, flow.next).where(*mine)).first()
        # Taken before it is used: the same answer is good for one session.
        if row is None or connection.sa.execute(sa.delete(system.oidc_flow).where(*mine)).rowcount != 1:
            raise refused("this sign-in was not begun in this browser, or takes too long")
    if answer.get("iss", provider.issuer).rstrip("/") != provider.issuer:  # RFC 9207
        raise refused("another provider answered")
    if "code" not in answer:
        raise refused(f"the provider refused: {answer.get('error', '')[:60]}")
    nonce, verifier, onward = row
    claims = providers.claims(provider, id_token(providers, provider, answer["code"], verifier, now), nonce, now)
    account = person_of(tenant, provider, claims, now)
    if not account.is_active:
        raise refused("the user is not active")
    return account, onward


def id_token(providers: Providers, provider: Provider, code: str, verifier: str, now: datetime) -> str:
    said = providers.said_by(provider, now).said
    body = {
        "grant_type": "authorization_code", "code": code, "redirect_uri": providers.return_address(provider),
        "code_verifier": verifier,
    }  # fmt: skip
    headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
    ways = said.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    if "client_secret_basic" in ways:
        both = f"{quote(provider.client_id, safe='')}:{quote(provider.client_secret, safe='')}"  # RFC 6749, 2.3.1
        headers["authorization"] = "Basic " + base64.b64encode(both.encode()).decode()
    else:
        body |= {"client_id": provider.client_id, "client_secret": provider.client_secret}
    reply = providers.outbound.post(said["token_endpoint"], urlencode(body).encode(), headers)
    token = reply.json().get("id_token") if reply.status == 200 else None
    if not isinstance(token, str):
        raise refused(f"the provider gave no ID token ({reply.status})")
    return token


def person_of(tenant: Tenant, provider: Provider, claims: Mapping[str, Any], now: datetime) -> Account:
    """Known by `sub`; else by an e-mail that the provider has verified, which is then remembered; else made."""
    identity = system.identity
    query = sa.select(identity.c.user).where(identity.c.provider == provider.name, identity.c.subject == claims["sub"])
    with tenant.database.read() as connection:
        user = connection.sa.scalar(query)
    if user is not None:
        account = account_of(tenant, user)
        if account is None:
            raise refused("the user is deleted")
        return account
    email = claims.get("email") if claims.get("email_verified") is True else None
    email = email if isinstance(email, str) and "@" in email else None
    account = find_account(tenant, email) if email and provider.links_by_email else None
    if account is not None and account.email.lower() != (email or "").lower():
        account = None  # a user *name* that looks like an e-mail proves nothing
    with tenant.database.together() as connection:
        if account is None:
            if not provider.creates or email is None:
                raise refused("nobody here is known by that e-mail")
            account = made(tenant, provider, claims, email, now)
        row = {"provider": provider.name, "subject": claims["sub"], "user": account.id, "created_at": now}
        connection.sa.execute(sa.insert(identity).values(row))
    return account


def made(tenant: Tenant, provider: Provider, claims: Mapping[str, Any], email: str, now: datetime) -> Account:
    username = email.lower()
    if not USERNAME.fullmatch(username):
        raise refused("the e-mail cannot be a user name")
    try:
        name = str(claims.get("name") or email)[:120]
        user = create_user(tenant, username, now=now, name=name, roles=provider.roles, email=email)
    except EngineError as error:
        raise refused("the user cannot be made") from error
    account = account_of(tenant, user)
    assert account is not None
    return account


def refused(why: str) -> Unauthenticated:
    return Unauthenticated(f"signing in at the provider did not work: {why}", code="sign_in.provider")
