"""What all checks look at, and sentences that several of them say."""

import re
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from metadata.assemble import Assembly
from metadata.document import Document
from metadata.formula import FormulaError, Names, Node, Resolved, Signature, definition_names, parse
from metadata.model import MAX_JOINS, SYSTEM_FIELDS, Field, FieldKind, Object, SortKey, ValueType
from metadata.problem import Place, Problem, no_such
from metadata.processes import Parts

__all__ = ["Facts"]

MAX_STEPS = 6
PATH = re.compile(r"\w+(\.\w+)*")


@dataclass(slots=True)
class Facts:
    """An assembly, and what is known besides it. `needs`: of each package all that it requires, itself included."""

    assembly: Assembly
    objects: Mapping[str, Object]
    kinds: Mapping[str, FieldKind]
    functions: Mapping[str, Signature]
    needs: Mapping[str, frozenset[str]]
    texts: Mapping[str, str]  # file as places name it -> what stands in it
    unread: frozenset[tuple[str, str]] = frozenset()  # kind and name of what stands in files that cannot be read
    given: frozenset[str] = frozenset()  # packages that somebody works on; others are installed already
    parts: Parts = field(default_factory=Parts)
    _names: dict[tuple[str, str], Names] = field(default_factory=dict)
    _trees: dict[Hashable, Node | FormulaError] = field(default_factory=dict)
    _guesses: int = 500  # nearest names that are still looked for: each costs a look at all known ones

    def no_such(self, what: str, name: str, known: Iterable[str], *, at: Place, code: str, within: str = "") -> Problem:
        if what in ("field", "object") and (renamed := self._now_called(what, name, within)):
            where = f" in '{within}'" if within else ""
            message = f"no {what} '{name}'{where}: it was renamed '{renamed}'"
            return Problem(at, code, message, f"write '{renamed}'")
        self._guesses -= 1
        return no_such(what, name, known if self._guesses > 0 else (), at=at, code=code, within=within)

    def _now_called(self, what: str, name: str, within: str) -> str:
        """What `was` calls by this name, or ""."""
        things: Mapping[str, Field | Object] = self.objects
        if what == "field":
            things = self.objects[within].fields if within in self.objects else {}
        return next((new for new, thing in things.items() if name in thing.was), "")

    def names(self, object_: str, master: str = "") -> Names:
        """What formulas and paths over an object may use; system fields only for "*". `master`: what `parent` is."""
        key = (object_, master)
        if key not in self._names:
            objects = self.objects
            if object_ == "*":
                objects = {**objects, "*": Object("*", {}, {}, {}, "id")}
            self._names[key] = definition_names(objects, object_, master)
        return self._names[key]

    def kind(self, field_: Field) -> FieldKind | None:
        return self.kinds.get(field_.type)

    def object_exists(self, name: str, package: str, at: Place) -> Iterator[Problem]:
        """That there is such an object, here or in a package that this one requires. Blank was reported before."""
        if not name or ("object", name) in self.unread:
            return
        if name not in self.objects:
            yield self.no_such("object", name, self.objects, at=at, code="object.unknown")
            return
        owner = self.objects[name].package
        if owner not in self.needs.get(package, frozenset()):
            message = f"the object '{name}' belongs to the package '{owner}', which '{package}' does not require"
            fix = f"write {{{owner}: \">=…\"}} below 'requires' in package.yaml"
            yield Problem(at, "package.requires.unsaid", message, fix)

    def path_exists(self, path: str, object_: str, at: Place, *, most: int = MAX_STEPS) -> Iterator[Problem]:
        """That a path leads from an object through references to a field."""
        if object_ not in self.objects or not path:
            return
        if not PATH.fullmatch(path):
            message = f"'{path[:60]}' is no path to a field of '{object_}'"
            yield Problem(at, "field.unknown", message, "name a field; what is worked out can be a formula field")
            return
        steps = tuple(path.split("."))
        if len(steps) > most:
            message = f"'{path}' leads elsewhere; a field of '{object_}' is wanted"
            if most > 1:
                message = f"a path has at most {most} steps, and '{path}' has {len(steps)}"
            yield Problem(at, "path.long", message)
            return
        names = self.names(object_)
        before: Resolved | None = None
        for count, step in enumerate(steps, start=1):
            found = names.resolve(steps[:count])
            if found is None:
                yield self._no_field(step, before, object_, steps[: count - 1], at)
                return
            before = found
            if found.field.target and found.field.target not in self.objects:
                return  # said where the reference is

    def _no_field(self, step: str, before: Resolved | None, object_: str, head: tuple[str, ...], at: Place) -> Problem:
        if before is None:
            known = self.names(object_).known(())
            return self.no_such("field", step, known, at=at, code="field.unknown", within=object_)
        path = ".".join(head)
        if not before.field.target:
            message = f"'{path}' is no reference, so '{step}' cannot follow it"
            return Problem(at, "field.unknown", message, f"write '{path}'")
        known, owner = self.names(object_).known(head), before.field.target
        return self.no_such("field", step, known, at=at, code="field.unknown", within=owner)

    def field(self, path: str, object_: str) -> Field | None:
        if object_ not in self.objects:
            return None
        found = self.names(object_).resolve(tuple(path.split(".")))
        return found.field if found else None

    def sort_works(
        self, keys: Iterable[SortKey], object_: str, document: Document, steps: tuple[str | int, ...]
    ) -> Iterator[Problem]:
        """That a sort names fields that have an order."""
        is_list = isinstance(steps_value(document, steps), list)
        for index, key in enumerate(keys):
            at = document.at(*steps, index) if is_list else document.at(*steps)
            yield from self.path_exists(key.path, object_, at)
            found = self.field(key.path, object_)
            if found is not None and found.value == "secret":
                yield Problem(at, "sort.type", f"'{key.path}' is a secret, which has no order", "sort by another field")
            elif found is not None and found.value == "choices":
                message = f"'{key.path}' holds a list of choices, which has no order"
                yield Problem(at, "sort.type", message, "sort by another field")

    def joins_fit(self, paths: Iterable[str], object_: str, at: Place) -> Iterator[Problem]:
        """That a list goes through no more references than one query may."""
        through: set[tuple[str, ...]] = set()
        for path in paths:
            steps = tuple(path.split("."))
            field = self.field(path, object_)
            whole = len(steps) + (field is not None and bool(field.target))  # a reference shows its record's title
            through.update(steps[:count] for count in range(1, whole))
        if len(through) > MAX_JOINS:
            message = f"the columns go through {len(through)} references, and one list takes at most {MAX_JOINS}"
            yield Problem(at, "view.joins", message, "leave some of them out")

    def formula(self, text: str, object_: str, document: Document, *steps: str | int) -> Iterator[Problem]:
        """That a formula over an object can be read and is true or false."""
        if not text or not (object_ == "*" or object_ in self.objects):
            return
        try:
            self.parsed(text, object_)
        except FormulaError as error:
            at = self.within(document.at(*steps), text, error.column)
            yield Problem(at, error.code, error.message, error.fix)

    def parsed(self, text: str, object_: str) -> Node:
        return self.read(text, self.names(object_))

    def read(
        self, text: str, names: Names, *, wants: ValueType | None = "boolean", has_prior: bool = False,
        outer: Names | None = None,
    ) -> Node:  # fmt: skip
        """The checked tree of a formula, read once for all who ask. Raises FormulaError."""
        key = (text, names, wants, has_prior, outer)
        if key not in self._trees:
            try:
                self._trees[key] = parse(
                    text, names, functions=self.functions, wants=wants, has_prior=has_prior, outer=outer
                )
            except FormulaError as error:
                self._trees[key] = error
        found = self._trees[key]
        if isinstance(found, FormulaError):
            raise found
        return found

    def within(self, place: Place, text: str, column: int) -> Place:
        """The place of a column of a text that begins at `place`, where it stands there on one line as it is."""
        lines = self.texts.get(place.file, "").split("\n")
        line = lines[place.line - 1] if place.line <= len(lines) else ""
        start = line.find(text, place.column - 1)
        if start < 0 or start > place.column:
            return place
        return Place(place.file, place.line, start + column, place.path)


def steps_value(document: Document, steps: tuple[str | int, ...]) -> object:
    found: object = document.data
    for step in steps:
        found = found[step]  # type: ignore[index]
    return found


def is_system(name: str) -> bool:
    return name in SYSTEM_FIELDS
