"""What the pages below /setup that are about automations, jobs, templates and calendars share."""

from typing import Any

from engine.errors import Forbidden
from metadata.processes import ADMIN_PERMISSION
from ui.visit import Visit

__all__ = ["may_manage_processes", "need_processes", "setup_tabs"]


def may_manage_processes(visit: Visit) -> bool:
    return visit.ctx.scope.has(ADMIN_PERMISSION)


def need_processes(visit: Visit) -> None:
    if not may_manage_processes(visit):
        message = f"this page needs the system permission {ADMIN_PERMISSION}"
        raise Forbidden(message, code="processes.manage", fix="ask an administrator")


def setup_tabs(visit: Visit, current: str) -> list[dict[str, Any]]:
    """The pages beside each other; `current` is the name of the one that is shown."""
    pages = (
        ("automations", visit.say("Automations"), "bolt"), ("jobs", visit.say("Jobs"), "stack"),
        ("templates", visit.say("Templates"), "mail"), ("calendars", visit.say("Calendars"), "calendar"),
    )  # fmt: skip
    return [
        {"href": f"/setup/{name}", "label": label, "icon": mark, "is_current": name == current}
        for name, label, mark in pages
    ]
