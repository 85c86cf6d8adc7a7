"""Build what stands in lists of approver sources and of actions, and lengths of time."""

import re
from collections.abc import Mapping
from typing import Any

from metadata.build.wording import Wording
from metadata.document import Document
from metadata.processes import Part, Span

__all__ = ["PART_KEYS", "SPAN", "part_of", "parts_in", "span_of"]

PART_KEYS = ("as", "label", "when", "group", "weight")
"""Keys of a part besides the name of its plugin."""
SPAN = re.compile(r"(-?\d+) ?(minute|hour|day|workhour|workday)s?")


def parts_in(document: Document, steps: tuple[str | int, ...], wording: Wording) -> tuple[Part, ...]:
    """The parts at `steps`, a list or one: `- {set: {status: won}, when: "amount > 0"}`; `- owner` is `{owner: {}}`."""
    found: Any = document.data
    for step in steps:
        if isinstance(step, int):
            found = found[step]
        else:
            found = found.get(step) if isinstance(found, Mapping) else None
        if found is None:
            return ()
    if not isinstance(found, list):
        return (part(found, document, steps, wording),)
    return tuple(part(said, document, (*steps, index), wording) for index, said in enumerate(found))


def part(said: Any, document: Document, steps: tuple[str | int, ...], wording: Wording) -> Part:
    if isinstance(said, str):
        return Part(said, place=document.at(*steps))
    kind = next((key for key in said if key not in PART_KEYS), "")
    options = said.get(kind)
    if not isinstance(options, Mapping):
        options = {} if options in (None, True) else {"value": options}
    return Part(
        kind, options, said.get("as") or "", wording.text(said.get("label")), said.get("when") or "",
        said.get("group") or "", said.get("weight") or 1, document.at(*steps),
    )  # fmt: skip


def part_of(said: Any) -> Part:
    """The same of an option that is kept as it was written."""
    if isinstance(said, str):
        return Part(said)
    kind = next((key for key in said if key not in PART_KEYS), "")
    options = said.get(kind)
    if not isinstance(options, Mapping):
        options = {} if options in (None, True) else {"value": options}
    return Part(
        kind, options, group=said.get("group") or "", weight=said.get("weight") or 1, when=said.get("when") or ""
    )


def span_of(said: Any) -> Span | None:
    """`2 workdays`; None where it is none."""
    found = SPAN.fullmatch(said) if isinstance(said, str) else None
    if found is None:
        return None
    return Span(int(found[1]), f"{found[2]}s")  # type: ignore[arg-type]
