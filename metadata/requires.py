"""Versions, ranges of versions, and the order in which packages that need each other are read."""

import re
from collections.abc import Iterator, Mapping, Sequence

from metadata.document import Document
from metadata.problem import Problem, no_such

__all__ = ["Version", "in_order", "needed", "parse_range", "parse_version", "satisfies"]

Version = tuple[int, int, int]

VERSION = re.compile(r"(\d{1,6})(?:\.(\d{1,6}))?(?:\.(\d{1,6}))?", re.ASCII)
PART = re.compile(r"(>=|<=|>|<|=|~|\^)?\s*(\d{1,6}(?:\.\d{1,6}){0,2})", re.ASCII)


def parse_version(text: str) -> Version | None:
    """ "1.4" -> (1, 4, 0); None if it is not one."""
    found = VERSION.fullmatch(text)
    return (int(found[1]), int(found[2] or 0), int(found[3] or 0)) if found else None


def parse_range(text: str) -> tuple[tuple[str, Version, int], ...] | None:
    """ ">=1.0,<2" -> (operator, version, how many numbers were written) of each part; None if it is not a range."""
    if text.strip() in ("", "*"):
        return ()
    parts = []
    for part in text.split(","):
        found = PART.fullmatch(part.strip())
        version = parse_version(found[2]) if found else None
        if not found or not version:
            return None
        parts.append((found[1] or "=", version, found[2].count(".") + 1))
    return tuple(parts)


def satisfies(version: Version, text: str) -> bool:
    """Whether a version lies in a range; a range that cannot be read holds none."""
    parts = parse_range(text)
    return parts is not None and all(_holds(version, *part) for part in parts)


def _holds(version: Version, operator: str, bound: Version, length: int) -> bool:
    match operator:
        case ">=":
            return version >= bound
        case "<=":
            return version <= bound
        case ">":
            return version > bound
        case "<":
            return version < bound
        case "=":
            return version[:length] == bound[:length]
        case "~":  # ~1.4.2 is >=1.4.2,<1.5; ~1 is any 1.x
            return version >= bound and version[: min(length, 2)] == bound[: min(length, 2)]
    first = next((i for i, number in enumerate(bound) if number), 2)  # ^: the leftmost number that is not 0 stays
    return version >= bound and version[: first + 1] == bound[: first + 1]


def in_order(
    manifests: Mapping[str, Document], versions: Mapping[str, Version]
) -> tuple[Sequence[str], Sequence[Problem]]:
    """Package names, each after those that it requires ("system" first), and what is wrong with the requirements."""
    problems: list[Problem] = []
    order: list[str] = []
    for name in sorted(manifests, key=lambda name: name != "system"):
        problems += _unmet(manifests[name], manifests, versions)
        if name not in order:
            order += _visit(name, manifests, order, problems)
    return order, problems


def needed(manifests: Mapping[str, Document]) -> dict[str, frozenset[str]]:
    """Of each package all that it requires, directly or through others, with itself and the system package."""
    found: dict[str, frozenset[str]] = {}
    for name in manifests:
        reached, waiting = {name, "system"}, [name]
        while waiting:
            more = [other for other in _needs(manifests[waiting.pop()]) if other in manifests and other not in reached]
            reached.update(more)
            waiting += more
        found[name] = frozenset(reached)
    return found


def _needs(document: Document) -> list[str]:
    requires = document.data.get("requires")
    return sorted(requires) if isinstance(requires, dict) else []


def _unmet(document: Document, known: Mapping[str, Document], versions: Mapping[str, Version]) -> Iterator[Problem]:
    for needed in _needs(document):
        wanted = document.data["requires"][needed]
        if needed not in known:
            at = document.key("requires", needed)
            yield no_such("package", needed, known, at=at, code="package.requires.missing")
        elif not isinstance(wanted, str) or parse_range(wanted) is None:
            message = f"'{wanted}' is not a range of versions"
            at = document.at("requires", needed)
            yield Problem(at, "package.requires.range", message, 'write ">=1.0" or "^1.2" or ">=1.0,<3"')
        elif needed in versions and not satisfies(versions[needed], wanted):
            have = ".".join(map(str, versions[needed]))
            message = f"'{document.name}' needs '{needed}' {wanted}, but {have} is here"
            yield Problem(document.at("requires", needed), "package.requires.version", message)


def _visit(
    start: str, manifests: Mapping[str, Document], done: Sequence[str], problems: list[Problem]
) -> Sequence[str]:
    """`start` after all that it needs and that is not done yet, by depth first search without recursion."""
    order: list[str] = []
    trail: list[str] = [start]
    left: list[list[str]] = [_needs(manifests[start])[::-1]]
    while trail:
        if not left[-1]:
            left.pop()
            order.append(trail.pop())
            continue
        needed = left[-1].pop()
        if needed in trail:
            circle = [*trail[trail.index(needed) :], needed]
            message = "packages require each other in a circle: " + " -> ".join(circle)
            at = manifests[trail[-1]].key("requires", needed)
            problems.append(Problem(at, "package.requires.cycle", message))
        elif needed in manifests and needed not in order and needed not in done:
            trail.append(needed)
            left.append(_needs(manifests[needed])[::-1])
    return order
