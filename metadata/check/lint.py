"""All warnings of what can be read and stored and is likely to be a mistake all the same."""

from collections.abc import Iterator

from metadata.check import (
    lint_branches,
    lint_choices,
    lint_conditions,
    lint_fields,
    lint_rights,
    lint_texts,
    lint_views,
)
from metadata.check.facts import Facts
from metadata.problem import Problem

__all__ = ["lint"]

LINTS = (
    lint_conditions.check, lint_branches.check, lint_fields.check, lint_choices.check, lint_views.check,
    lint_texts.check, lint_rights.check,
)  # fmt: skip


def lint(facts: Facts) -> Iterator[Problem]:
    """About the packages that are given; what is installed already was their authors' to read."""
    for part in LINTS:
        yield from part(facts)
