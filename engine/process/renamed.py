"""Steps of an earlier version of the definitions, which name what is called otherwise by now. Opens no connection.

Formulas and texts are not rewritten: whoever renames a field rewrites the definitions that name it in the same publish,
so the steps that stand in their place now say the same.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.errors import Conflict
from engine.snapshot import Snapshot
from engine.store.lasting import name_now
from metadata.processes import Part

__all__ = ["object_now", "steps_now"]

WORD = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True, slots=True)
class Renamed:
    """Since a version. `names`: of fields and objects that are called otherwise, or are no more; `taken`: those of them
    by which something else is called now."""

    names: frozenset[str]
    taken: frozenset[str]


def steps_now(
    now: Snapshot, then: Snapshot, what: str, parts: Sequence[Part], said: Sequence[Part] | None, *besides: str
) -> Sequence[Part]:  # fmt: skip
    """What is to be carried out of `parts` of that version: itself, or `said`, the steps that the definition has now
    (None where it is gone), if a name in `parts` or `besides` was renamed and the steps are of the same kinds and names
    in the same order. Raises Conflict where they are not, and would read or write something else."""
    since = renamed_since(now, then)
    named = {word for text in (*besides, *texts_in(parts)) for word in WORD.findall(text)} if since.names else set()
    if not named & since.names:
        return parts
    if said is not None and [(one.kind, one.name) for one in said] == [(one.kind, one.name) for one in parts]:
        return said
    if wrong := sorted(named & since.taken):
        message = f"steps of '{what}' name '{wrong[0]}', which is something else by now, and '{what}' has other steps"
        raise Conflict(message, code="automation.renamed", fix="do what is left of it by hand")
    return parts


def object_now(now: Snapshot, then: Snapshot, name: str) -> str:
    """What an object of an earlier version is called; "" where it is there no more."""
    return now.physical.names.objects.get(then.physical.names.tables.get(name, ""), "")


def renamed_since(now: Snapshot, then: Snapshot) -> Renamed:
    key = ("renamed since", then.version)
    if key not in now.cache:
        names: set[str] = set()
        taken: set[str] = set()
        for name, object_ in then.definitions.objects.items():
            called = object_now(now, then, name)
            if called != name:
                names.add(name)
                taken |= {name} & now.definitions.objects.keys()
            fields = now.definitions.objects[called].fields if called in now.definitions.objects else {}
            gone = {one for one in object_.fields if not fields or name_now(then, name, now, called, one) != one}
            names |= gone
            taken |= gone & fields.keys()
        now.cache[key] = Renamed(frozenset(names), frozenset(taken))
    found: Renamed = now.cache[key]
    return found


def texts_in(said: Any) -> Iterator[str]:
    """All that may name something: the keys of maps, too."""
    if isinstance(said, str):
        yield said
    elif isinstance(said, Part):
        yield said.when
        yield from texts_in(said.options)
    elif isinstance(said, Mapping):
        for key, one in said.items():
            yield str(key)
            yield from texts_in(one)
    elif isinstance(said, list | tuple):
        for one in said:
            yield from texts_in(one)
