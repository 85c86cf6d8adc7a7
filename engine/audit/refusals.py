"""Refusals in the audit log: each in a transaction of its own, after what it refused was rolled back, and only so many
in a while, so that nobody fills the disk by asking for what they may not have."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from engine.audit.log import note
from engine.context import Context
from engine.errors import Forbidden
from engine.tenants import Tenant

__all__ = ["REFUSAL", "Asked", "Refusals"]

log = logging.getLogger("fieldstone.audit")

REFUSAL = "refusal"
WINDOW = timedelta(minutes=10)
MOST_OF_ONE, MOST_OF_ALL = 30, 600  # in a window
MOST_KNOWN = 10_000  # persons and addresses that are counted at a time


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request wanted: "PATCH /records/{object}/{id}", never with values, and of what."""

    what: str = ""
    object: str = ""
    record: str = ""


@dataclass(slots=True)
class Window:
    began: datetime
    count: int = 0
    more: int = 0  # that were left out


class Refusals:
    """Of one tenant in one process. Used from several threads."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self._windows: dict[str, Window] = {}
        self._lock = threading.Lock()

    def note(self, ctx: Context, refusal: Forbidden, asked: Asked) -> None:
        """Never raises: the person gets the refusal, whatever becomes of the entry."""
        details: dict[str, Any] = {"code": refusal.code} | ({"asked": asked.what} if asked.what else {})

        def write(more: int) -> None:
            whole = details | ({"more": more} if more else {})
            known = ctx.snapshot.definitions.objects
            with self._tenant.database.write() as connection:
                note(
                    connection, REFUSAL, actor=ctx.actor, origin=ctx.origin, now=ctx.now,
                    object_name=asked.object if asked.object in known else "", record=record_id(asked.record),
                    details=whole,
                )  # fmt: skip

        self.limited(ctx.actor.id or ctx.origin.address, ctx.now, write)

    def limited(self, who: str, now: datetime, write: Callable[[int], None]) -> None:
        """`write(how many were left out before)`, unless `who` or all together were refused too often just now."""
        more = self._admit(who, now)
        if more is None:
            return
        try:
            write(more)
        except Exception:  # a full disk, a busy database: then the log of the server has to do
            log.exception("a refusal could not be written to the audit log")

    def _admit(self, who: str, now: datetime) -> int | None:
        with self._lock:
            if len(self._windows) > MOST_KNOWN:
                self._windows.clear()
            whole, own = self._window("all", now), self._window(f"by {who}", now)
            if own.count >= MOST_OF_ONE or whole.count >= MOST_OF_ALL:
                own.more += 1
                return None
            own.count += 1
            whole.count += 1
            more, own.more = own.more, 0
            return more

    def _window(self, who: str, now: datetime) -> Window:
        found = self._windows.get(who)
        if found is None or now - found.began >= WINDOW:
            found = self._windows[who] = Window(now, more=found.more if found else 0)
        return found


def record_id(text: str) -> str:
    """An id as it is stored; "" for what was sent in place of one."""
    try:
        return str(UUID(text)) if len(text) == 36 else ""
    except ValueError:
        return ""
