"""What a token leaves of what its user may do: reading only, certain objects only. It never adds anything."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

from engine.access.scope import Scope
from metadata.formula import Node
from metadata.model import Action, Field, Grant

__all__ = ["EVERYTHING", "NarrowScope", "TokenScope"]


@dataclass(frozen=True, slots=True)
class TokenScope:
    read_only: bool = False
    objects: frozenset[str] = frozenset()  # empty: all of them
    automations: frozenset[str] = frozenset()  # with some: it calls these webhooks, and reaches no object unless named

    @property
    def told(self) -> dict[str, Any]:
        """As JSON, without what it does not limit."""
        told: dict[str, Any] = {"read_only": True} if self.read_only else {}
        told |= {"objects": sorted(self.objects)} if self.objects else {}
        return told | ({"automations": sorted(self.automations)} if self.automations else {})

    @property
    def text(self) -> str:
        """As it is stored; "" where nothing is limited."""
        return orjson.dumps(self.told).decode() if self.told else ""

    @staticmethod
    def read(text: str | None) -> "TokenScope":
        return read_scope(text) if text else EVERYTHING

    def allows(self, action: Action, object_name: str) -> bool:
        is_whole = not self.objects and not self.automations
        return (action == "read" or not self.read_only) and (is_whole or object_name in self.objects)

    def calls(self, automation: str) -> bool:
        """Whether it may call that webhook, whose steps reach further than what the token leaves of its user."""
        return automation in self.automations or not self.told


EVERYTHING = TokenScope()


@lru_cache(1000)
def read_scope(text: str) -> TokenScope:
    found = orjson.loads(text)
    objects, automations = frozenset(found.get("objects", ())), frozenset(found.get("automations", ()))
    return TokenScope(bool(found.get("read_only")), objects, automations)


class NarrowScope(Scope):
    """A Scope that asks another one, after the token. Which records are let through is the other's answer alone.

    tests/api/test_tokens.py holds that each public name of Scope is answered here, or from what is.
    """

    def __init__(self, inner: Scope, token: TokenScope) -> None:
        super().__init__(inner.snapshot, f"{inner.key}|{token.text}", inner.given, inner.roles, inner.system)
        self.inner, self.token = inner, token

    def can(self, action: Action, object_name: str) -> bool:
        return self.token.allows(action, object_name) and self.inner.can(action, object_name)

    def has(self, permission: str) -> bool:
        """Of a token for certain objects nothing besides; of one that only reads, what only shows."""
        is_reading = not self.token.read_only or permission in ("unmask", "view_audit")
        is_whole = not self.token.objects and not self.token.automations
        return is_reading and is_whole and self.inner.has(permission)

    def names(self, object_name: str) -> bool:
        return self.inner.names(object_name)

    def allows_lines(self, action: Action, object_name: str) -> bool:
        return self.token.allows(action, object_name) and self.inner.allows_lines(action, object_name)

    def rows(self, action: Action, object_name: str) -> tuple[Node, ...]:
        return self.inner.rows(action, object_name)

    def own_rows(self, action: Action, object_name: str) -> tuple[Node, ...]:
        return self.inner.own_rows(action, object_name)

    def is_shared(self, action: Action, object_name: str) -> bool:
        return self.inner.is_shared(action, object_name)

    def grants(self, action: Action, object_name: str) -> list[Grant]:
        return self.inner.grants(action, object_name)

    def sees(self, object_name: str, field_name: str) -> int:
        return self.inner.sees(object_name, field_name)

    def writes(self, object_name: str, field_name: str, is_new: bool) -> bool:
        return self.inner.writes(object_name, field_name, is_new)

    def readable(self, object_name: str) -> dict[str, Field]:
        return self.inner.readable(object_name) if self.can("read", object_name) else {}
