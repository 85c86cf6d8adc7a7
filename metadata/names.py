"""What may be a name, and what to write instead."""

import re
import unicodedata

from metadata.model import SYSTEM_FIELDS

__all__ = ["MAX_NAME", "RESERVED_FIELDS", "humanised", "is_name", "suggested"]

MAX_NAME = 63
RESERVED_FIELDS = frozenset(SYSTEM_FIELDS) | {"deleted_at"}


def is_name(text: str) -> bool:
    """A Python identifier in NFKC form that does not start with '_', of at most 63 characters."""
    if text.isascii():
        return text.isidentifier() and text[0] != "_" and len(text) <= MAX_NAME
    is_normal = unicodedata.normalize("NFKC", text) == text
    return is_normal and text.isidentifier() and text[0] != "_" and len(text) <= MAX_NAME


def suggested(text: str) -> str:
    """A name that is allowed and as like `text` as possible: "Stage Name (old)" -> "stage_name_old"; "" if none is."""
    normal = unicodedata.normalize("NFKC", text)
    kept = "".join(c if ("a" + c).isidentifier() else "_" for c in normal)
    name = re.sub(r"_+", "_", kept).strip("_")
    if name and not name.isidentifier():
        name = f"n{name}"
    name = unicodedata.normalize("NFKC", name.lower())[:MAX_NAME].rstrip("_")
    return name if is_name(name) else ""


def humanised(name: str) -> str:
    """A label for a thing that has none: "due_date" -> "Due date"."""
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]
