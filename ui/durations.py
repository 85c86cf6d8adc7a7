"""Spans of time as a person reads them: "1h 30m", "1小时30分"."""

from ui.texts import Say

__all__ = ["duration"]


def duration(seconds: int, say: Say) -> str:
    """Hours are not made days: a day of work is not one of 24 hours."""
    hours, minutes, rest = seconds // 3_600, seconds % 3_600 // 60, seconds % 60
    parts = [say("{n}h", n=f"{hours:,}")] if hours else []
    if minutes:
        parts.append(say("{n}m", n=minutes))
    if rest:
        parts.append(say("{n}s", n=rest))
    if not parts:
        return say("{n}m", n=0)
    return ("" if ord(parts[0][-1]) > 0x2E7F else " ").join(parts)  # Chinese has no spaces
