"""What a file is called and what it is: by its content and its name, never by what its sender says. Pure."""

import re
import unicodedata
from collections.abc import Mapping
from urllib.parse import quote

__all__ = ["HEAD_BYTES", "IMAGES", "NAME_LENGTH", "UNKNOWN", "disposition", "safe_name", "size_text", "type_of"]

NAME_LENGTH = 200
HEAD_BYTES = 512
UNKNOWN = "application/octet-stream"
NAMELESS = "file"
JOINERS = "\u200c\u200d"  # of Persian words and of emoji
SEPARATORS = re.compile(r"[/\\]")
DROPPED = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))

# Types that a browser shows as what they are and runs nothing in. All else is UNKNOWN: HTML, SVG and scripts, too.
IMAGES: Mapping[str, tuple[str, ...]] = {
    "image/png": (".png",), "image/jpeg": (".jpg", ".jpeg"), "image/gif": (".gif",), "image/webp": (".webp",),
}  # fmt: skip
OFFICE = "application/vnd.openxmlformats-officedocument."
ZIPPED: Mapping[str, str] = {
    ".docx": OFFICE + "wordprocessingml.document", ".xlsx": OFFICE + "spreadsheetml.sheet",
    ".pptx": OFFICE + "presentationml.presentation", ".odt": "application/vnd.oasis.opendocument.text",
    ".ods": "application/vnd.oasis.opendocument.spreadsheet", ".odp": "application/vnd.oasis.opendocument.presentation",
}  # fmt: skip
COMPOUND: Mapping[str, str] = {
    ".doc": "application/msword", ".xls": "application/vnd.ms-excel", ".ppt": "application/vnd.ms-powerpoint",
}  # fmt: skip
TEXTS: Mapping[str, str] = {
    ".txt": "text/plain", ".csv": "text/csv", ".md": "text/markdown", ".json": "application/json",
}  # fmt: skip


def safe_name(sent: str) -> str:
    """The last part of a path, without control characters, marks that turn writing round, and half characters."""
    name = SEPARATORS.split(unicodedata.normalize("NFC", sent.encode(errors="replace").decode()))[-1]
    name = "".join(c for c in name if c in JOINERS or unicodedata.category(c) not in DROPPED).strip().rstrip(". ")
    if not name.strip("." + JOINERS):
        return NAMELESS
    return shortened(name)


def shortened(name: str) -> str:
    if len(name) <= NAME_LENGTH:
        return name
    ending = ending_of(name)
    ending = ending if len(ending) <= 20 else ""
    return name[: NAME_LENGTH - len(ending)].rstrip() + ending


def ending_of(name: str) -> str:
    """ ".pdf" of "Report.PDF"; "" without one."""
    stem, dot, ending = name.rpartition(".")
    return f".{ending.lower()}" if stem and dot else ""


def type_of(head: bytes, name: str) -> tuple[str, str]:
    """(media type, name): by the first bytes of the content, and by the name's ending where those leave it open.

    An image whose name ends like something else gets the ending of what it is: page.html becomes page.html.gif.
    """
    ending = ending_of(name)
    if image := image_type(head):
        return image, name if ending in IMAGES[image] else shortened(name + IMAGES[image][0])
    if head.startswith(b"%PDF-"):
        return "application/pdf", name
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return ZIPPED.get(ending, "application/zip"), name
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return COMPOUND.get(ending, UNKNOWN), name
    return TEXTS.get(ending, UNKNOWN) if b"\x00" not in head else UNKNOWN, name


def image_type(head: bytes) -> str:
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    return "image/webp" if head[:4] == b"RIFF" and head[8:12] == b"WEBP" else ""


def disposition(name: str) -> str:
    """The header that makes a browser keep a file and show nothing of it. RFC 6266, with the name as in RFC 5987."""
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\%' else "_" for c in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def size_text(size: int) -> str:
    """ "345 B", "12 KB", "3.4 MB"."""
    if size < 1024:
        return f"{size} B"
    if size < 1024 * 1024:
        return f"{round(size / 1024)} KB"
    return f"{size / 1024 / 1024:.1f}".removesuffix(".0") + " MB"
