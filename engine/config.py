"""How a process is set up: from the environment and the command line, once, at start."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

__all__ = ["Config", "from_environment", "to_environment"]

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
SEPARATOR = ","
SECRET = ("smtp_url", "metrics_token", "database_url")  # never quoted


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Settings of one process. Each but `ui` and `plugins` can be given as FIELDSTONE_<NAME>."""

    database_url: str = ""  # "" is an SQLite file in `data`
    data: Path = Path(".fieldstone")
    tenant: str = "main"
    base_url: str = ""  # "https://crm.example.com": where people reach it; allowed as a host, and makes cookies secure
    hosts: tuple[str, ...] = ()  # further host names that are answered; "*" is any
    base_domain: str = ""  # "example.com": the tenant north is reached at north.example.com
    open_tenants: int = 100  # that a process keeps open; the least recently used are closed
    connections: int = 40  # to databases that a process has, of all tenants together
    threads: int = 0  # that work on requests; 0 is what suits the database
    worker: bool = False  # whether this process carries out jobs, too: `fieldstone serve` does
    job_threads: int = 0  # jobs at a time; 0 is what suits the database
    max_body_bytes: int = 8 * 1024 * 1024
    max_file_bytes: int = 100 * 1024 * 1024  # of one upload; fields may allow less
    files: str = ""  # where files lie: "" is in `data`, else a folder or s3://bucket/prefix?endpoint=URL&region=NAME
    requests_per_minute: int = 6000  # of one person in one process; 0 is no limit
    tenant_requests_per_minute: int = 60_000  # of all people of a tenant in one process
    metrics_token: str = ""  # when set, /metrics wants it as a bearer token
    access_log: bool = False
    audit_days: int = 180  # after which entries of the audit log are removed
    trusted_proxies: tuple[str, ...] = ()  # addresses and networks whose X-Forwarded-For is believed
    smtp_url: str = ""  # smtp://user:password@host:587 (with STARTTLS), smtps://…, smtp+plain://…; "": files in `data`
    mail_from: str = ""  # "Fieldstone <crm@example.com>"
    reset_hours: int = 1  # how long a link of "Forgot your password?" lasts
    invite_hours: int = 72
    password_length: int = 10  # at least
    password_history: int = 3  # passwords before this one that are not taken again
    password_days: int = 0  # until a password must be changed; 0 is never
    oidc: str = ""  # providers to sign in at, as JSON: engine/people/oidc.py
    outbound_allowed: tuple[str, ...] = ()  # addresses and networks inside that may be called: engine/outbound.py
    totp_roles: tuple[str, ...] = ()  # roles whose holders must sign in in two steps; "*" is everybody
    plugins: tuple[str, ...] = ("plugins.base",)
    ui: str = "ui.pages:mount"  # "module:function", called with the Site, gives its routes; "" is none

    @property
    def is_secure(self) -> bool:
        return self.base_url.startswith("https:")

    @property
    def allowed_hosts(self) -> frozenset[str]:
        """Host names without port, in lower case; "*" among them means any."""
        own = urlsplit(self.base_url).netloc if self.base_url else ""
        return frozenset(bare_host(host) for host in (*LOOPBACK, own, *self.hosts) if host)


def bare_host(host: str) -> str:
    """`Example.com:8000` -> `example.com`; the brackets of an IPv6 address stay."""
    host = host.strip().lower()
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0].rstrip(".")


def from_environment(environment: Mapping[str, str] | None = None, **changes: object) -> Config:
    """The settings that FIELDSTONE_… variables give; `changes` (the command line's) win where they are not None."""
    env = os.environ if environment is None else environment
    read: dict[str, object] = {}
    for name, convert in CONVERT.items():
        if (text := env.get(f"FIELDSTONE_{name.upper()}", "").strip()) != "":
            try:
                read[name] = convert(text)
            except ValueError as error:
                shown = "what it says" if name in SECRET else f"'{text}'"
                raise ValueError(f"FIELDSTONE_{name.upper()}: {shown} {error}") from error
    read |= {name: value for name, value in changes.items() if value is not None}
    return replace(Config(), **read)  # type: ignore[arg-type]  # names and types are those of CONVERT


def to_environment(config: Config) -> dict[str, str]:
    """The variables from which another process makes the same settings."""
    texts: dict[str, str] = {}
    for name in CONVERT:
        value = getattr(config, name)
        text = SEPARATOR.join(value) if isinstance(value, tuple) else str(value)
        texts[f"FIELDSTONE_{name.upper()}"] = text
    return texts


def texts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(SEPARATOR) if part.strip())


def whole_number(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ValueError("is not a whole number")
    return int(text)


def positive(text: str) -> int:
    if (found := whole_number(text)) == 0:
        raise ValueError("is not at least 1")
    return found


def domain(text: str) -> str:
    found = bare_host(text)
    if not found or found != text.strip().lower().rstrip(".") or not all(found.split(".")):
        raise ValueError("is not a domain such as example.com")
    return found


def yes(text: str) -> bool:
    if text.lower() in ("1", "true", "yes", "on"):
        return True
    if text.lower() in ("0", "false", "no", "off"):
        return False
    raise ValueError("is neither true nor false")


def networks(text: str) -> tuple[str, ...]:
    found = texts(text)
    try:
        for one in found:
            ip_network(one)
    except ValueError:
        raise ValueError("is not a list of addresses and networks such as 10.0.0.0/8") from None
    return found


def smtp_address(text: str) -> str:
    """A wrong one is not quoted: it may hold a password."""
    parts = urlsplit(text)
    if parts.scheme not in ("smtp", "smtps", "smtp+plain") or not parts.hostname:
        raise ValueError("is not an address such as smtp://user:password@mail.example.com:587")
    return text


def web_address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("is not an address such as https://crm.example.com")
    return text.rstrip("/")


CONVERT: dict[str, Callable[[str], object]] = {
    "database_url": str,
    "data": Path,
    "tenant": str,
    "base_url": web_address,
    "hosts": texts,
    "base_domain": domain,
    "open_tenants": positive,
    "connections": positive,
    "threads": whole_number,
    "worker": yes,
    "job_threads": whole_number,
    "max_body_bytes": whole_number,
    "max_file_bytes": whole_number,
    "files": str,
    "requests_per_minute": whole_number,
    "tenant_requests_per_minute": whole_number,
    "metrics_token": str,
    "access_log": yes,
    "audit_days": positive,
    "trusted_proxies": networks,
    "smtp_url": smtp_address,
    "mail_from": str,
    "reset_hours": whole_number,
    "invite_hours": whole_number,
    "password_length": whole_number,
    "password_history": whole_number,
    "password_days": whole_number,
    "oidc": str,
    "outbound_allowed": networks,
    "totp_roles": texts,
}
