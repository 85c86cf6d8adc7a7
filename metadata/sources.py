"""The documents of one package, sorted by kind, from a folder, a zip file or stored texts."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from metadata.document import Document, Source, show
from metadata.files import printable, read_files
from metadata.problem import Place, Problem, nearest
from metadata.sheet import read_sheet
from metadata.source import read_text

__all__ = ["KINDS", "PackageSource", "from_texts", "read"]

KINDS = (
    "package", "object", "field", "layout", "view", "menu", "role", "permission_set", "sharing_rule",
    "restriction_rule", "calendar", "template", "workflow", "automation", "approval", "translation", "data",
    "scenario",
)  # fmt: skip


@dataclass(slots=True)
class PackageSource:
    """What a package holds, unchecked. Paths in `files` are relative to its root; places begin with `prefix`."""

    prefix: str
    files: Mapping[str, str]
    documents: dict[str, list[Document]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    problems: list[Problem] = field(default_factory=list)

    @property
    def manifest(self) -> Document | None:
        return next(iter(self.documents["package"]), None)

    @property
    def name(self) -> str:
        return self.manifest.name if self.manifest else ""


def read(path: Path, prefix: str = "") -> PackageSource:
    """The package in a folder or zip file. Never raises: what is wrong stands in its problems."""
    texts, prefix = read_files(path), printable(prefix)
    package = from_texts(texts.files, prefix)
    for problem in texts.problems:
        file = prefix + problem.place.file if problem.place.file else printable(path.as_posix())
        package.problems.append(replace(problem, place=replace(problem.place, file=file)))
    return package


def from_texts(files: Mapping[str, str], prefix: str = "") -> PackageSource:
    """The package whose files are given as path -> text."""
    package = PackageSource(prefix, files)
    for file, text in files.items():
        reader = read_sheet if file.lower().endswith(".csv") else read_text
        _sort(package, reader(text, prefix + file))
    manifests = package.documents["package"]
    for extra in manifests[1:]:
        first = manifests[0].at()
        message = f"a package has one manifest, and there is one in {first.file}:{first.line} already"
        package.problems.append(Problem(extra.key("package"), "package.second", message, "delete one of the two"))
    del manifests[1:]
    return package


def _sort(package: PackageSource, source: Source) -> None:
    package.problems += source.problems
    for document in source.documents:
        if document.kind in package.documents:
            package.documents[document.kind].append(document)
        else:
            package.problems.append(_unknown_kind(document))


def _unknown_kind(document: Document) -> Problem:
    at, code = document.key(document.kind), "document.kind.unknown"
    first = next((key for key in document.data if key in KINDS), "")
    if first:
        message = f"the first key names the kind, but '{document.kind}' stands before '{first}'"
        return Problem(at, code, message, f"write '{first}: …' first")
    guess = nearest(document.kind, KINDS)
    message = f"no kind of definition is called {show(document.kind)}"
    return Problem(at, code, message, f"write '{guess}'?" if guess else f"write one of {', '.join(KINDS)}")


def missing_manifest(package: PackageSource) -> Problem:
    message = "no manifest: a package has a file package.yaml that begins with 'package: name'"
    return Problem(Place(f"{package.prefix}package.yaml"), "package.missing", message)
