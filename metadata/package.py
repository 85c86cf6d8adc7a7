"""Load packages: folders, zip files and stored texts in, checked definitions and all problems out."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from metadata.assemble import assemble
from metadata.check import Facts, check
from metadata.check.lint import lint
from metadata.formula import Signature
from metadata.model import FieldKind, Loaded
from metadata.problem import Problem
from metadata.processes import Parts
from metadata.requires import Version, in_order, needed, parse_version
from metadata.shape import Shapes
from metadata.sources import PackageSource, from_texts, missing_manifest, read

__all__ = ["PackageSource", "load", "read"]

MOST_CHARACTERS = 900
NO_PARTS = Parts()
SYSTEM = Path(__file__).with_name("system")
NAMED = re.compile(r"^(object|view|role|data)[:：]\s*[\"']?(\w+)", re.MULTILINE)


def load(
    paths: Sequence[Path],
    kinds: Mapping[str, FieldKind],
    functions: Mapping[str, Signature],
    parts: Parts = NO_PARTS,
    *,
    installed: Mapping[str, Mapping[str, str]] = {},
    has_lint: bool = False,
) -> Loaded:
    """All packages together: the system package, the installed ones ({name: {path: text}}) and those at `paths`.

    A package at `paths` takes the place of an installed one of the same name. Never raises for what a package holds.
    `parts`: which approver sources and actions there are.
    `has_lint`: also warns of what is likely to be a mistake in the packages at `paths`.
    """
    given = [read(path, f"{path.name}/" if len(paths) > 1 else "") for path in paths]
    names = {source.name for source in given}
    others = [from_texts(files, f"{name}:") for name, files in installed.items() if name not in names | {"system"}]
    sources = [read(SYSTEM, "system:"), *others, *given]
    problems: list[Problem] = []
    shapes = Shapes(kinds)
    for source in sources:
        _mend(source, shapes)
    known = _by_name(sources, problems)
    manifests = {name: source.manifest for name, source in known.items() if source.manifest}
    versions = {name: version for name, manifest in manifests.items() if (version := _version(manifest.data))}
    order, unmet = in_order(manifests, versions)
    problems += unmet
    ordered = [known[name] for name in order]
    assembly = assemble(ordered, kinds)
    definitions = assembly.definitions()
    texts = {source.prefix + file: text for source in ordered for file, text in source.files.items()}
    facts = Facts(
        assembly, definitions.objects, kinds, functions, needed(manifests), texts, unread(ordered),
        given=frozenset(source.name for source in given), parts=parts,
    )  # fmt: skip
    problems += [*assembly.problems, *check(facts)]
    problems += lint(facts) if has_lint else ()
    return Loaded(definitions, in_reading_order(problems))


def _mend(source: PackageSource, shapes: Shapes) -> None:
    """Take out of the documents what does not fit their kind, and whole documents that have no name."""
    for kind, documents in source.documents.items():
        kept = []
        for document in documents:
            can_be_built, problems = shapes.mend(document)
            source.problems += problems
            if can_be_built:
                kept.append(document)
        source.documents[kind] = kept


def unread(sources: Sequence[PackageSource]) -> frozenset[tuple[str, str]]:
    """Kind and name of what stands in files that cannot be read: who refers to it is not wrong."""
    found: set[tuple[str, str]] = set()
    for source in sources:
        for file in {p.place.file for p in source.problems if p.code.startswith("source.")}:
            text = source.files.get(file.removeprefix(source.prefix), "")
            found.update((kind, name) for kind, name in NAMED.findall(text))
            found.add(("data", Path(file).stem))
    return frozenset(found)


def in_reading_order(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """Sorted by place; what cannot be read is not also said to be of the wrong type, nor wrong fields to be none."""
    unread = {spot(problem) for problem in problems if problem.code.startswith("source.")}
    wrong = {p.place.file for p in problems if p.level == "error" and p.place.path.split(".")[0] == "fields"}
    kept = {
        p
        for p in problems
        if not (p.code.startswith("value.") and spot(p) in unread)
        and not (p.code == "object.empty" and p.place.file in wrong)
    }
    return tuple(sorted(map(cut, kept), key=lambda p: (p.place, p.code, p.message)))


def cut(problem: Problem) -> Problem:
    """Without the rest of a name or text that goes on for pages."""
    if len(problem.message) + len(problem.fix) + len(problem.place.path) <= MOST_CHARACTERS:
        return problem
    message, fix, path = (
        text if len(text) <= MOST_CHARACTERS // 3 else f"{text[: MOST_CHARACTERS // 3]}…"
        for text in (problem.message, problem.fix, problem.place.path)
    )
    return replace(problem, message=message, fix=fix, place=replace(problem.place, path=path))


def spot(problem: Problem) -> tuple[str, int, int]:
    return problem.place.file, problem.place.line, problem.place.column


def _version(data: Mapping[str, object]) -> Version | None:
    written = data.get("version")
    return parse_version(written) if isinstance(written, str) else None


def _by_name(sources: Sequence[PackageSource], problems: list[Problem]) -> dict[str, PackageSource]:
    """Sources by package name; one without a manifest, or with the name of another, is left out."""
    known: dict[str, PackageSource] = {}
    for source in sources:
        problems += source.problems
        manifest = source.manifest
        if manifest is None or not manifest.name:
            if not any(p.code == "source.path" or p.place.path == "package" for p in source.problems):
                problems.append(missing_manifest(source))
        elif manifest.name in known:
            first = known[manifest.name].manifest
            assert first is not None
            place = first.at()
            message = f"the package '{manifest.name}' is here and in {place.file}"
            fix = "give it another name" if manifest.name == "system" else "name it once"
            problems.append(Problem(manifest.at("package"), "name.duplicate", message, fix))
        else:
            known[manifest.name] = source
    return known
