"""Build the rules that share records and those that take them away."""

from metadata.build.objects import names_in
from metadata.build.wording import Wording
from metadata.document import Document
from metadata.model import RestrictionRule, SharingRule
from metadata.names import humanised

__all__ = ["build_restriction_rule", "build_sharing_rule"]


def build_sharing_rule(document: Document, package: str, wording: Wording) -> SharingRule:
    data, shared = document.data, document.data.get("with") or {}
    return SharingRule(
        name=document.name, label=wording.text(data.get("label"), otherwise=humanised(document.name)),
        object=data.get("object") or "", rows=data.get("rows") or "", roles=names_in(shared.get("roles")),
        departments=names_in(shared.get("departments")), teams=names_in(shared.get("teams")),
        access=data.get("access") or "read", package=package, place=document.at(),
    )  # fmt: skip


def build_restriction_rule(document: Document, package: str, wording: Wording) -> RestrictionRule:
    data = document.data
    return RestrictionRule(
        name=document.name, label=wording.text(data.get("label"), otherwise=humanised(document.name)),
        object=data.get("object") or "", rows=data.get("rows") or "",
        roles=names_in((data.get("for") or {}).get("roles")), spares=names_in((data.get("except") or {}).get("roles")),
        package=package, place=document.at(),
    )  # fmt: skip
