"""Icons and other built files by their hashed names."""

import json
from functools import lru_cache
from html import escape
from pathlib import Path
from re import findall

__all__ = ["STATIC", "asset", "icon"]

STATIC = Path(__file__).parent / "static"
FALLBACK = "file"


@lru_cache
def manifest() -> dict[str, str]:
    path = STATIC / "dist" / "manifest.json"
    if not path.exists():
        raise RuntimeError("the front end is not built: run `python ui/frontend/build.py` (or `make setup`)")
    read: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return read


@lru_cache
def asset(name: str) -> str:
    """The address of a built file: asset("app.css")."""
    return f"/static/dist/{manifest()[name]}"


@lru_cache
def names() -> frozenset[str]:
    sprite = (STATIC / "dist" / manifest()["icons.svg"]).read_text(encoding="utf-8")
    return frozenset(findall(r'<symbol id="([^"]+)"', sprite))


@lru_cache(maxsize=1024)
def icon(name: str, extra: str = "") -> str:
    """HTML of an icon; of a file if there is none of that name. Decorative: what it means stands beside it."""
    shown = name if name in names() else FALLBACK
    kind = f"icon {extra}" if extra else "icon"
    return f'<svg class="{escape(kind)}" aria-hidden="true"><use href="{asset("icons.svg")}#{shown}"/></svg>'
