"""What is wrong with a definition, where, and what to type instead."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

__all__ = ["Place", "Problem", "nearest", "no_such", "render"]


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where something stands in a package: file relative to the package root, line and column from 1."""

    file: str
    line: int = 1
    column: int = 1
    path: str = ""  # "fields.status.type"; "" is the document itself


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. `code` is stable and documented; `message` quotes what was read."""

    place: Place
    code: str  # "field.type.unknown": words with dots, never reused
    message: str
    fix: str = ""  # what to type, where that is likely to be right
    level: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        place = self.place
        path = f" {place.path}:" if place.path else ""
        mark = "warning: " if self.level == "warning" else ""
        text = f"{place.file}:{place.line}:{place.column}:{path} {mark}{self.message} [{self.code}]"
        return f"{text}\n    fix: {self.fix}" if self.fix else text


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name most like `name`, or "" when none is close."""
    if len(name) > 100:
        return ""
    by_folded = {candidate.casefold(): candidate for candidate in known}
    found = get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[found[0]] if found else ""


def no_such(what: str, name: str, known: Iterable[str], *, at: Place, code: str, within: str = "") -> Problem:
    """A Problem for a name that refers to nothing: "no field 'nmae' in 'lead'", with the nearest name as its fix."""
    guess = nearest(name, known)
    where = f" in '{within}'" if within else ""
    return Problem(at, code, f"no {what} '{name}'{where}", f"write '{guess}'?" if guess else "")


def render(problems: Iterable[Problem]) -> str:
    """Problems as `fieldstone check` prints them: sorted by place, one per line, fixes indented."""
    ordered = sorted(problems, key=lambda p: (p.place, p.code, p.message))
    return "\n".join(str(problem) for problem in ordered)
