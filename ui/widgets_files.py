"""What a form shows of a field that holds files: those that it holds, and what may be added."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import orjson

from engine.files.kinds import IMAGES, size_text
from metadata.model import Field
from ui.cells_files import ADDRESS, icon_of
from ui.texts import Say

if TYPE_CHECKING:
    from ui.visit import Visit

__all__ = ["file_view", "files"]

KINDS: Mapping[str, str] = {"application/pdf": "PDF", "text/plain": "TXT", "text/csv": "CSV", "application/zip": "ZIP"}
View = dict[str, Any]


def files(visit: "Visit", object_name: str, field: Field, view: View) -> View:
    options = field.options
    accept = [str(one) for one in listed(options.get("accept"))]
    most = options.get("max_bytes")
    size = size_text(most) if isinstance(most, int) else ""
    is_multiple = options.get("multiple") is True
    return {
        "files": [file_view(one) for one in map(read, view["values"]) if one],
        "accept": ",".join(accept),
        "max_bytes": most,
        "max_size": size,
        "max_files": options.get("max_files") if is_multiple else 1,
        "is_multiple": is_multiple,
        "source": f"/files?object={quote(object_name)}&field={quote(field.name)}",
        "limits": limits(visit.say, accept, size, is_multiple),
    }


def listed(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else []


def read(text: str) -> Mapping[str, Any] | None:
    """What a hidden input held: a file as answers show it, or only its id."""
    try:
        found = orjson.loads(text) if text.startswith("{") else {"id": text}
    except ValueError:
        return None
    return found if isinstance(found, dict) and isinstance(found.get("id"), str) and found["id"] else None


def file_view(one: Mapping[str, Any]) -> View:
    kind, size = str(one.get("type") or ""), one.get("size")
    return {
        "held": orjson.dumps(dict(one)).decode(),
        "name": str(one.get("name") or one["id"]),
        "size": size_text(size) if isinstance(size, int) else "",
        "href": f"{ADDRESS}{quote(one['id'])}",
        "icon": icon_of(kind),
        "is_image": kind in IMAGES,
    }


def limits(say: Say, accept: list[str], size: str, is_multiple: bool) -> str:
    """ "PDF, DOCX, images; at most 10 MB each"."""
    if not accept:
        return say("At most {size} each", size=size) if is_multiple else say("At most {size}", size=size)
    kinds = say(", ").join(dict.fromkeys(kind_text(say, one) for one in accept))
    if is_multiple:
        return say("{kinds}; at most {size} each", kinds=kinds, size=size)
    return say("{kinds}; at most {size}", kinds=kinds, size=size)


def kind_text(say: Say, wanted: str) -> str:
    if wanted.startswith("."):
        return wanted[1:].upper()
    if wanted.endswith("/*"):
        return {"image": say("images"), "video": say("videos"), "audio": say("sound")}.get(wanted[:-2], wanted)
    return IMAGES[wanted][0][1:].upper() if wanted in IMAGES else KINDS.get(wanted, wanted)
