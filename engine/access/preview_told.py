"""A preview as JSON: for the API, and for `--json` of commands."""

from typing import Any

from engine.access.preview import Preview

__all__ = ["preview_body"]


def preview_body(found: Preview) -> dict[str, Any]:
    return {
        "people": found.people,
        "effects": [
            {
                "people": [{"id": user, "name": name} for user, name in one.people], "count": one.count,
                "object": one.object, "action": one.action, "gained": one.gained, "lost": one.lost,
                "gains": [{"id": record, "title": title} for record, title in one.gains],
                "losses": [{"id": record, "title": title} for record, title in one.losses],
            }
            for one in found.effects
        ],
        "more": found.more,
        "uncounted": [{"object": one.object or None, "why": one.why, "people": one.people} for one in found.uncounted],
    }  # fmt: skip
