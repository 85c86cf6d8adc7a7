"""Build automations."""

from collections.abc import Mapping
from typing import Any

from metadata.build.objects import names_in
from metadata.build.parts import parts_in, span_of
from metadata.build.wording import Wording
from metadata.document import Document
from metadata.names import humanised
from metadata.processes import Automation, Phase, Signature

__all__ = ["TRIGGERS", "build_automation", "phase_of", "triggers_in"]

TRIGGERS: tuple[Phase, ...] = ("schedule", "date", "webhook", "button", "event")
"""Keys that say when, where it is not a save. The first that stands there counts."""


def build_automation(document: Document, package: str, wording: Wording) -> Automation:
    data = document.data
    phase = phase_of(data)
    date, webhook, button = (more(data, key) for key in TRIGGERS[1:4])
    on = names_in(data.get("event")) if phase == "event" else names_in(data.get("on"))
    return Automation(
        document.name, wording.text(data.get("label"), otherwise=humanised(document.name)),
        object=data.get("object") or "", phase=phase, on=on if on or phase in TRIGGERS else ("create", "update"),
        when=data.get("when") or "", becomes=data.get("becomes") is True, changed=names_in(data.get("changed")),
        steps=parts_in(document, ("do",), wording), run_as=data.get("run_as") or "user",
        log=data.get("log") or "failures",
        reentry=data.get("reentry") is True, order=100 if data.get("order") is None else data["order"],
        is_active=data.get("active") is not False, schedule=data.get("schedule") or "", zone=data.get("zone") or "",
        date=date.get("field") or "", offset=span_of(date.get("offset")), at=date.get("at") or "",
        calendar=date.get("calendar") or "", missed=data.get("missed") or "catch_up_last",
        roles=names_in(button.get("roles")), button=wording.text(button.get("label")), key=webhook.get("key") or "",
        signature=signature_of(webhook.get("signature")),
        most=data.get("most") or 10_000, description=wording.text(data.get("description")), package=package,
        place=document.at(),
    )  # fmt: skip


def signature_of(said: Any) -> Signature | None:
    if not isinstance(said, dict):
        return None
    plain = Signature("")
    return Signature(
        said.get("header") or "", said.get("algorithm") or plain.algorithm, said.get("timestamp") or "",
        span_of(said.get("tolerance")) or plain.tolerance, said.get("id") or "",
    )  # fmt: skip


def more(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """`button: true` is a button without more to say."""
    found = data.get(key)
    return found if isinstance(found, dict) else {}


def phase_of(data: Mapping[str, Any]) -> Phase:
    said = triggers_in(data)
    return said[0] if said else data.get("phase") or "after_save"


def triggers_in(data: Mapping[str, Any]) -> list[Phase]:
    """`webhook: {}` has nothing more to say, and is one; `button: false` and a blank are none."""
    return [key for key in TRIGGERS if key in data and data[key] is not None and data[key] is not False]
