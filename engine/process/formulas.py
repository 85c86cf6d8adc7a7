"""Formulas, texts and filters of processes, read once per version. Opens no connection."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.formula.evaluate import Evaluate, evaluator
from engine.rules.messages import Part
from engine.rules.reading import Needs, needs_of
from engine.snapshot import Snapshot
from metadata.formula import Names, Node, Outer, definition_names, parse, paths_in, walk
from metadata.formula.results import BODY, WithResults
from metadata.formula.template import said_parts

__all__ = ["Filter", "Formula", "Results", "Text", "filter_of", "formula_of", "text_of"]

Results = tuple[tuple[str, str], ...]
"""(step, object) of the records that steps before have made or found; (`body`, "") is what a webhook brought."""


@dataclass(frozen=True, slots=True)
class Formula:
    node: Node
    evaluate: Evaluate
    needs: Needs
    found: Mapping[str, tuple[str, ...]]  # step before -> what is read of its record


@dataclass(frozen=True, slots=True)
class Text:
    """A text with formulas in it; `parts` as messages have them."""

    parts: tuple[str | Part, ...]
    needs: Needs
    found: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Filter:
    """Over records of another object; `outer`: what it asks of the record, as formulas over that."""

    node: Node
    outer: Mapping[str, str]


def names_of(snapshot: Snapshot, object_name: str, results: Results) -> Names:
    key = ("process names", object_name, results)
    if key not in snapshot.cache:
        objects = snapshot.definitions.objects
        own = definition_names(objects, object_name)
        targets = {name: target for name, target in results if target}
        has_body = (BODY, "") in results
        snapshot.cache[key] = WithResults(objects, own, targets, has_body) if results else own
    found: Names = snapshot.cache[key]
    return found


def formula_of(
    snapshot: Snapshot, object_name: str, text: str, results: Results = (), *, is_condition: bool = False
) -> Formula:  # fmt: skip
    """Raises FormulaError where the definitions have changed since it was checked."""
    key = ("process formula", object_name, text, results, is_condition)
    if key not in snapshot.cache:
        wants = "boolean" if is_condition else None
        node = parse(
            text, names_of(snapshot, object_name, results), functions=snapshot.plugins.functions, wants=wants,  # type: ignore[arg-type]
            has_prior=True,
        )  # fmt: skip
        needs, found = needs_in(snapshot, object_name, [node], results)
        snapshot.cache[key] = Formula(node, evaluator(node, snapshot.plugins.functions), needs, found)
    made: Formula = snapshot.cache[key]
    return made


def needs_in(
    snapshot: Snapshot, object_name: str, nodes: Sequence[Node], results: Results
) -> tuple[Needs, Mapping[str, tuple[str, ...]]]:  # fmt: skip
    """What formulas read of the record and beyond, and of the results of steps before."""
    names = {name for name, _ in results}
    found: dict[str, dict[str, None]] = {}
    for node in nodes:
        for path in paths_in(node):
            if path.steps[0] in names and len(path.steps) > 1:
                found.setdefault(path.steps[0], {})[".".join(path.steps[1:])] = None
    needs = needs_of(snapshot, object_name, [(node, "") for node in nodes]) if object_name else Needs()
    for name in names:
        needs.paths.pop(name, None)
    return needs, {name: tuple(paths) for name, paths in found.items()}


def text_of(snapshot: Snapshot, object_name: str, text: str, results: Results = ()) -> Text:
    key = ("process text", object_name, text, results)
    if key not in snapshot.cache:
        objects, functions = snapshot.definitions.objects, snapshot.plugins.functions
        names = names_of(snapshot, object_name, results)
        parts = said_parts(text, names, functions, lambda name: objects[name].title, has_prior=True)
        made = tuple(part if isinstance(part, str) else Part(part, evaluator(part, functions)) for part in parts)
        nodes = [part.node for part in made if isinstance(part, Part)]
        snapshot.cache[key] = Text(made, *needs_in(snapshot, object_name, nodes, results))
    found: Text = snapshot.cache[key]
    return found


def filter_of(snapshot: Snapshot, target: str, text: str, object_name: str, results: Results = ()) -> Filter:
    """Which records of `target`; `record.` in it is the record of `object_name`."""
    key = ("process filter", target, text, object_name, results)
    if key not in snapshot.cache:
        outer = names_of(snapshot, object_name, results)
        there = definition_names(snapshot.definitions.objects, target)
        node = parse(text, there, functions=snapshot.plugins.functions, outer=outer)
        asked: dict[str, str] = {part.key: part.path.key for part in walk(node) if isinstance(part, Outer)}
        snapshot.cache[key] = Filter(node, asked)
    found: Any = snapshot.cache[key]
    assert isinstance(found, Filter)
    return found
