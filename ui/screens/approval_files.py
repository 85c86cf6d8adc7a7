"""Files that go with what somebody says in an approval: the input of a dialog, and what the history shows of them."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from engine.files.kinds import size_text
from engine.process.approval.attachments import FIELD
from engine.process.approval.views import Attachment
from ui.cells_files import ADDRESS, icon_of
from ui.visit import Visit
from ui.widgets_files import files, read

__all__ = ["attached_view", "attachments_sent", "attachments_widget"]


def attachments_widget(visit: Visit, error: str = "") -> dict[str, Any]:
    """As a field of files, with what was chosen before a refusal."""
    sent = [one for one in visit.form.get(FIELD.name, ()) if one]
    label = visit.say("Attachments")
    return files(visit, "", FIELD, {"values": sent}) | {
        "source": "/files?for=approval", "name": FIELD.name, "id": "act-attachments", "label": label, "error": error,
        "described": "act-attachments-wrong" if error else "",
    }  # fmt: skip


def attachments_sent(visit: Visit) -> tuple[str, ...]:
    """Ids of the files of a form."""
    found = (read(text) or {"id": text} for text in visit.form.get(FIELD.name, ()) if text.strip())
    return tuple(str(one["id"]) for one in found)


def attached_view(visit: Visit, attached: Iterable[Attachment]) -> list[dict[str, str]]:
    """Without an address where the file was erased."""
    return [
        {
            "name": one.name, "size": size_text(one.size) if one.size is not None else "", "icon": icon_of(one.type),
            "href": f"{ADDRESS}{quote(one.id)}",
        } if one.name
        else {"name": visit.say("A file that was erased"), "size": "", "icon": "file", "href": ""}
        for one in attached
    ]  # fmt: skip
