"""Do conditions over one field part its values among them? What is in no branch, in two, and never reached."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations
from typing import Any

from metadata.formula.nodes import Node, Path
from metadata.formula.ranges import Listed, Ranges, Values, about_one, fitted, step_of

__all__ = ["Branches", "Gap", "Overlap", "branches"]


@dataclass(frozen=True, slots=True)
class Gap:
    """Values that no branch takes."""

    values: Values
    is_between: bool  # two branches, or the field's own limits, enclose it; else it goes on without end


@dataclass(frozen=True, slots=True)
class Overlap:
    """Values that two branches take: their numbers, from 0."""

    first: int
    second: int
    values: Values


@dataclass(frozen=True, slots=True)
class Branches:
    path: Path  # the field
    takes: tuple[Values, ...]  # what each branch is true for
    gaps: tuple[Gap, ...]
    overlaps: tuple[Overlap, ...]
    hidden: tuple[int, ...]  # branches all of whose values an earlier one takes, or that take none
    takes_blank: bool


def branches(conditions: Sequence[Node]) -> Branches | None:
    """How conditions part the values of the field that they are about; None where they are not all about one field.

    `> 1000` before `> 500` is no overlap: the second is for what the first leaves. A choice that both name is one.
    Gaps and overlaps are of values that the field can hold: `<= 5` and `>= 6` leave none between of whole numbers, and
    what is below a field's `min` or above its `max` is no gap. A choice that is retired is none either.
    """
    found = [about_one(condition) for condition in conditions]
    if not found or any(one is None for one in found) or len({one[0].steps for one in found if one}) > 1:
        return None
    assert found[0] is not None
    path, sets = found[0][0], tuple(one[1] for one in found if one)
    step = step_of(path.fields[-1], guess=True)
    taken = sets[0]
    hidden = [0] if fitted(sets[0], step).is_none() else []
    for number, values in enumerate(sets[1:], start=1):
        if fitted(values & ~taken, step).is_none():
            hidden.append(number)
        taken = taken | values
    shared = (
        (one, two, fitted(sets[one] & sets[two], step)) for one, two in combinations(range(len(sets)), 2)
        if not (isinstance(sets[one].some, Ranges) and fitted(sets[one] & ~sets[two], step).is_none())
    )  # fmt: skip
    return Branches(
        path, sets, tuple(gaps(path, fitted(~taken & possible(path), step))),
        tuple(Overlap(one, two, values) for one, two, values in shared if not values.is_none()),
        tuple(hidden), taken.has_blank,
    )  # fmt: skip


def possible(path: Path) -> Values:
    """The values that a field may have, without blank."""
    field = path.fields[-1]
    if path.type == "number":
        cuts: list[tuple[Any, int]] = []
        least, most = field.options.get("min"), field.options.get("max")
        has_least = isinstance(least, (int, float)) and not isinstance(least, bool)
        cuts += [(number(least), 0)] if has_least else []
        cuts += [(number(most), 1)] if isinstance(most, (int, float)) and not isinstance(most, bool) else []
        return Values(Ranges(not has_least, tuple(cuts)), False)
    if path.type in ("date", "datetime", "time"):
        return Values(Ranges(True, ()), False)
    known = tuple(choice.value for choice in field.choices) if path.type == "choice" else ()
    retired = frozenset(choice.value for choice in field.choices if choice.is_retired)
    return Values(Listed(retired, True, (True, False) if path.type == "boolean" else known), False)


def number(value: Any) -> Any:
    return Decimal(str(value))


def gaps(path: Path, values: Values) -> list[Gap]:
    if isinstance(values.some, Listed):
        return [] if values.some.is_none() else [Gap(values, bool(values.some.known))]
    return [
        Gap(
            Values(Ranges(start is None, tuple(cut for cut in (start, end) if cut is not None)), False),
            start is not None and end is not None,
        )
        for start, end in values.some.stretches()
    ]
