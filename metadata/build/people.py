"""Build roles, permission sets and packages with their demo users."""

from collections.abc import Mapping
from typing import Any

from metadata.build.objects import names_in
from metadata.build.wording import Wording
from metadata.document import Document
from metadata.model import DemoUser, Grant, Package, Role
from metadata.names import humanised

__all__ = ["build_package", "build_role", "languages_of"]


def build_role(document: Document, package: str, wording: Wording) -> Role:
    grants = []
    for name, said in (document.data.get("objects") or {}).items():
        more = said if isinstance(said, dict) else {"can": said}
        grants.append(Grant(
            name, frozenset(more.get("can") or ()), more.get("rows") or "", names_in(more.get("record_types")),
            {field: access_of(access) for field, access in (more.get("fields") or {}).items()},
            more.get("reach") or "",
        ))  # fmt: skip
    label = wording.text(document.data.get("label"), otherwise=humanised(document.name))
    return Role(
        document.name, label, tuple(grants), package, names_in(document.data.get("permission_sets")),
        names_in(document.data.get("system")), document.at(),
    )  # fmt: skip


def access_of(said: Any) -> str:
    """`edit`, or {access: edit, mask: true}."""
    if not isinstance(said, dict):
        return str(said or "")
    access = str(said.get("access") or "edit")
    return {"edit": "edit_masked", "read": "masked"}.get(access, access) if said.get("mask") is True else access


def languages_of(manifest: Document) -> tuple[str, ...]:
    return tuple(manifest.data.get("languages") or ()) or ("en",)


def build_package(document: Document, files: Mapping[str, str], wording: Wording) -> Package:
    data = document.data
    users = (data.get("demo") or {}).get("users") or ()
    return Package(
        name=document.name, version=data.get("version") or "0.0.0",
        label=wording.text(data.get("label"), otherwise=humanised(document.name)),
        description=wording.text(data.get("description")), requires=dict(data.get("requires") or {}),
        languages=languages_of(document), demo_users=tuple(build_user(user) for user in users),
        fiscal_year_start=data.get("fiscal_year_start") or 0, files=files, place=document.at(),
    )  # fmt: skip


def build_user(data: Mapping[str, Any]) -> DemoUser:
    username = data.get("username") or ""
    return DemoUser(
        username=username, name=data.get("name") or username, roles=tuple(data.get("roles") or ()),
        email=data.get("email") or "", language=data.get("language") or "en", time_zone=data.get("time_zone") or "UTC",
        department=data.get("department") or "", position=data.get("position") or "", manager=data.get("manager") or "",
    )  # fmt: skip
