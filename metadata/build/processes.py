"""Which builder makes what of the documents about processes."""

from collections.abc import Callable, Mapping
from typing import Any

from metadata.build.approvals import build_approval
from metadata.build.automations import build_automation
from metadata.build.calendars import build_calendar
from metadata.build.templates import build_template
from metadata.build.wording import Wording
from metadata.build.workflows import build_workflow
from metadata.document import Document

__all__ = ["BUILDERS", "PLURALS"]

BUILDERS: Mapping[str, Callable[[Document, str, Wording], Any]] = {
    "calendar": build_calendar,
    "template": build_template,
    "workflow": build_workflow,
    "automation": build_automation,
    "approval": build_approval,
}
PLURALS: Mapping[str, str] = {kind: f"{kind}s" for kind in BUILDERS}
"""Kind -> the name under which metadata.processes.Processes holds them."""
