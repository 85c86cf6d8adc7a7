"""Build scenarios."""

from collections.abc import Mapping
from typing import Any

from metadata.build.objects import plain
from metadata.document import Document
from metadata.scenarios import DEEDS, Deed, Scenario

__all__ = ["build_scenario", "deeds_in"]


def build_scenario(document: Document, package: str) -> Scenario:
    """Steps that say nothing, or two things, are left out; the check tells."""
    deeds = []
    for index, said in enumerate(document.data.get("steps") or ()):
        found = deeds_in(said)
        if len(found) == 1:
            options = said[found[0]]
            given: Any = plain(options) if isinstance(options, Mapping) else {"comment": options or ""}
            deeds.append(Deed(said.get("at") or "", said.get("as") or "", found[0], given, document.at("steps", index)))
    return Scenario(document.name, tuple(deeds), package, document.at())


def deeds_in(said: Mapping[str, Any]) -> list[str]:
    return [key for key in said if key in DEEDS]
