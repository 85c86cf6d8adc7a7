"""Duplicate rules, compiled: under which keys a record is kept and looked for, and how alike two records are.

A rule's keys depend on the columns that it compares and on how, not on its name, its action or its filter: those may
change, and the keys that are stored stay right.
"""

from base64 import urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from itertools import islice, product
from typing import Any

from engine.matching.fuzzy import likeness
from engine.matching.ways import Forms, forms_for
from engine.snapshot import Snapshot
from metadata.formula import Node, definition_names, parse
from metadata.model import FUZZY, DuplicateRule, Match, Object

__all__ = ["Matcher", "make_matchers", "matchers_of", "touched"]

MOST_KEYS = 64  # of one record under one rule: names have several forms, and two names their products

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    match: Match
    forms: Forms


@dataclass(frozen=True, slots=True)
class Matcher:
    """One rule of one object. `id` says what it compares, by physical names."""

    id: str
    rule: DuplicateRule
    parts: tuple[Part, ...]  # what makes the keys: of several fuzzy fields the first
    fuzzy: tuple[Match, ...]
    filter: Node | None = None  # not of those that only make keys

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(match.field for match in self.rule.matches)

    @property
    def is_blocking(self) -> bool:
        return self.rule.action == "block"

    def keys(self, values: Values) -> tuple[frozenset[str], frozenset[str]]:
        """(keys that a record with these values is kept under, keys that it is looked for under)."""
        if any(values.get(part.match.field) is None for part in self.parts):
            return frozenset(), frozenset()
        kept, asked = zip(*(part.forms(values[part.match.field]) for part in self.parts), strict=True)
        found = frozenset(self._hashed(kept))
        return found, found if asked == kept else frozenset(self._hashed(asked))

    def _hashed(self, forms: Iterable[frozenset[str]]) -> Iterator[str]:
        for combined in islice(product(*(sorted(one) for one in forms)), MOST_KEYS):
            text = "\0".join((self.id, *combined))
            yield urlsafe_b64encode(blake2b(text.encode(), digest_size=12).digest()).decode()

    def score(self, one: Values, other: Values) -> int:
        """How alike two records are that share a key, 0-100; 0 where a fuzzy field is under its threshold."""
        lowest = 100
        for match in self.fuzzy:
            here, there = one.get(match.field), other.get(match.field)
            alike = 0 if here is None or there is None else likeness(here, there)
            if alike < match.threshold:
                return 0
            lowest = min(lowest, alike)
        return lowest


def matchers_of(snapshot: Snapshot, object_name: str) -> tuple[Matcher, ...]:
    key = ("matchers", object_name)
    found: tuple[Matcher, ...] | None = snapshot.cache.get(key)
    if found is None:
        names = snapshot.physical.names
        definition = snapshot.definitions.objects[object_name]
        found = make_matchers(definition, names.tables[object_name], names.columns[object_name])
        found = tuple(replace(matcher, filter=_filter(snapshot, object_name, matcher.rule)) for matcher in found)
        snapshot.cache[key] = found
    return found


def make_matchers(definition: Object, table: str, columns: Mapping[str, str]) -> tuple[Matcher, ...]:
    return tuple(_matcher(definition, rule, table, columns) for rule in definition.duplicates)


def _matcher(definition: Object, rule: DuplicateRule, table: str, columns: Mapping[str, str]) -> Matcher:
    fuzzy = tuple(match for match in rule.matches if match.how == FUZZY)
    matches = sorted(
        (match for match in rule.matches if match not in fuzzy[1:]), key=lambda match: columns[match.field]
    )
    compared = [f"{columns[match.field]} {match.how}" for match in matches]
    identity = blake2b("\0".join((table, *compared)).encode(), digest_size=8).hexdigest()
    parts = tuple(Part(match, forms_for(definition.fields[match.field], match.how)) for match in matches)
    return Matcher(identity, rule, parts, fuzzy)


def _filter(snapshot: Snapshot, object_name: str, rule: DuplicateRule) -> Node | None:
    if not rule.filter:
        return None
    names = definition_names(snapshot.definitions.objects, object_name)
    return parse(rule.filter, names, functions=snapshot.plugins.functions)


def touched(matchers: Iterable[Matcher], fields: Iterable[str]) -> tuple[Matcher, ...]:
    """Those that compare one of these fields."""
    changed = frozenset(fields)
    return tuple(matcher for matcher in matchers if not changed.isdisjoint(matcher.fields))
