"""How each guard of tests/access/guards.py is taken away."""

import dataclasses
import sys
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

import engine.access.fields
import engine.access.scope
import engine.api.guard
import engine.api.operations
import engine.api.site
import engine.audit.verify
import engine.outbound
import engine.process.reading
import engine.rules.pipeline
import engine.rules.told
import engine.rules.values
import engine.store.query_rows
import engine.store.rows
import engine.store.rows_files
import engine.store.rows_locks
import engine.store.rows_people
from engine.access.scope import Scope
from engine.process.approval import mail_links
from engine.process.approval.door import need_owner
from engine.store.query_build import Builder

__all__ = [
    "Patch", "OPEN_FIELDS", "all_fields", "anybody_decides", "attribute", "everything_visible", "files_of_all",
    "large_bodies", "large_files", "opening_decides", "system_fields_open", "unflagged", "written_is_allowed",
]  # fmt: skip

Patch = Callable[[pytest.MonkeyPatch], None]


def everything_visible(patch: pytest.MonkeyPatch) -> None:
    def visible(builder: Builder, in_trash: bool) -> list[Any]:
        deleted_at = builder.joins.root.c.deleted_at
        return [deleted_at.is_not(None) if in_trash else deleted_at.is_(None)]

    patch.setattr(Builder, "visible", visible)


def written_is_allowed(patch: pytest.MonkeyPatch) -> None:
    written = engine.store.rows._written
    patch.setattr(engine.store.rows, "_written", lambda *args: dataclasses.replace(written(*args), is_allowed=True))


def large_bodies(patch: pytest.MonkeyPatch) -> None:
    read = engine.api.operations.read_body
    patch.setattr(engine.api.operations, "read_body", lambda receive, headers, _: read(receive, headers, 1 << 40))


def large_files(patch: pytest.MonkeyPatch) -> None:
    read = engine.api.operations.receive_file
    patch.setattr(
        engine.api.operations, "receive_file", lambda receive, headers, _, name: read(receive, headers, 1 << 40, name)
    )


def attribute(owner: Any, name: str, value: Any) -> Patch:
    return lambda patch: patch.setattr(owner, name, value)


def all_fields(ctx: Any, object_name: str, *_: Any) -> tuple[str, ...]:
    return tuple(ctx.snapshot.definitions.objects[object_name].fields)


def files_of_all(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(engine.store.rows_files, "readable", lambda ctx, connection, place, ids: set(ids))


def system_fields_open(patch: pytest.MonkeyPatch) -> None:
    read = engine.rules.values.read_values

    def without(ctx: Any, rules: Any, sent: Any, before: Any) -> Any:
        return read(ctx, rules, {name: value for name, value in sent.items() if name != "created_at"}, before)

    for module in sys.modules.values():
        if getattr(module, "read_values", None) is read:
            patch.setattr(module, "read_values", without)


def opening_decides(patch: pytest.MonkeyPatch) -> None:
    asked_by, decide = mail_links.asked_by, mail_links.decide

    def acting(tenant: Any, secret: str, origin: Any, now: Any, *more: Any) -> Any:
        patch.setattr(mail_links, "asked_by", asked_by)
        decide(tenant, secret, "", origin, now)
        return asked_by(tenant, secret, origin, now, *more)

    patch.setattr(mail_links, "asked_by", acting)


def anybody_decides(patch: pytest.MonkeyPatch) -> None:
    for module in sys.modules.values():
        if getattr(module, "need_owner", None) is need_owner:
            patch.setattr(module, "need_owner", lambda w, task, *_: task)


OPEN_FIELDS = attribute(Scope, "sees", lambda *_: 2)


def unflagged(patch: pytest.MonkeyPatch) -> None:
    def flag(ctx: Any, table: Any, object_name: str, action: str) -> Any:
        return sa.literal_column("1").label(f"may_{action}")

    patch.setattr(engine.store.rows, "may_flag", flag)
    written_is_allowed(patch)  # which would refuse it after all
