"""What of other applications' metadata fits into our language: `python -m tests.corpus.report FOLDER`.

For each digest: objects that fit whole, fields that are mapped, formulas and conditions that are translated, and all
that does not fit, with the reason. What the digest itself does not hold is told apart.
"""

import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.tenants import load_plugins
from metadata.model import Loaded
from metadata.package import load
from tests.corpus.convert import Converted, convert, read_digest

__all__ = ["Row", "main", "measured"]


@dataclass(frozen=True)
class Row:
    """One digest. Objects are those of the digest, without stubs."""

    name: str
    objects: int
    whole: int  # nothing of them is lost
    refused: int  # the package that was made has errors in them
    fields: int
    mapped: int
    wishes: int
    granted: int
    only_outside: int  # objects that lose only what the digest itself does not hold
    lost: tuple[str, ...]


def measured(name: str, made: Converted, loaded: Loaded) -> Row:
    wrong = {problem.place.file for problem in loaded.problems if problem.level == "error"}
    refused = {one.name for one in loaded.definitions.objects.values() if one.place.file in wrong}
    lossy = {loss.object for loss in made.lost}
    inside = {loss.object for loss in made.lost if not loss.is_outside}
    count = made.objects - len(made.stubs)
    fields = {(loss.object, loss.name.partition(".")[0]) for loss in made.lost}
    return Row(
        name, count, count - len(lossy | refused), len(refused), made.source_fields, made.source_fields - len(fields),
        len(made.wishes), sum(not wish.why for wish in made.wishes), len(lossy - inside - refused),
        tuple(f"{loss.object}.{loss.name}: {loss.why}" for loss in made.lost),
    )  # fmt: skip


def main(arguments: Sequence[str]) -> int:
    plugins = load_plugins()
    rows, warnings = [], Counter[str]()
    for path in sorted(Path(arguments[0]).glob("*.json")):
        if path.name.count(".") > 1:  # extras beside a digest
            continue
        with tempfile.TemporaryDirectory() as folder:
            made = convert(read_digest(path), Path(folder) / path.stem)
            loaded = load([Path(folder) / path.stem], plugins.kinds(), plugins.functions, has_lint=True)
        rows.append(measured(path.stem, made, loaded))
        warnings.update(problem.code for problem in loaded.problems)
        print("\n".join([f"== {path.stem} ({made.flavour})", *(f"   {line}" for line in rows[-1].lost)]))
        for problem in loaded.problems:
            if problem.level == "error":
                print(f"   refused: {problem}")
    head = ("digest", "objects", "whole", "lossy", "of these outside", "refused", "fields", "mapped", "rules", "said")
    print(" | ".join(head))
    for row in rows:
        lossy = row.objects - row.whole - row.refused
        print(" | ".join(map(str, (row.name, row.objects, row.whole, lossy, row.only_outside, row.refused, row.fields,
                                   row.mapped, row.wishes, row.granted))))  # fmt: skip
    objects, whole = sum(row.objects for row in rows), sum(row.whole for row in rows)
    outside = sum(row.only_outside for row in rows)
    print(f"{whole} of {objects} objects fit whole: {whole / objects:.1%}; "
          f"with those that lose only what the digest does not hold: {(whole + outside) / objects:.1%}")  # fmt: skip
    print(f"the linter says: {', '.join(f'{code} {count}' for code, count in sorted(warnings.items())) or 'nothing'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
