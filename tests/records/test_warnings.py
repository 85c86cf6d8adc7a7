"""Warnings beside what is written: gathered, answered with, or a reason to ask first."""

from dataclasses import replace

import pytest

from engine.context import Context
from engine.errors import InputWarning, NeedsConfirmation
from engine.service import Query
from engine.service_writes import create_in
from engine.testing import Running

DOUBT = InputWarning("name", "note.doubt", "are you sure?")


def create_with_doubt(ctx: Context) -> None:
    with ctx.writing() as connection:
        create_in(ctx, connection, "note", {"name": "doubtful"})
        ctx.warn(DOUBT)
        ctx.warn(DOUBT)


def names(firm: Running) -> list[str]:
    return [row[0] for row in firm.records().page(Query("note", ("name",))).rows]


def test_a_warning_is_gathered_once_and_the_record_is_written(firm: Running) -> None:
    ctx = firm.context("lin")
    create_with_doubt(ctx)
    assert ctx.warnings == [DOUBT]
    assert names(firm) == ["doubtful"]


def test_who_wants_to_be_asked_first_has_written_nothing(firm: Running) -> None:
    ctx = replace(firm.context("lin"), stops_at_warnings=True)
    with pytest.raises(NeedsConfirmation) as asked:
        create_with_doubt(ctx)
    assert asked.value.warnings == (DOUBT,)
    assert str(asked.value) == "are you sure?"
    assert names(firm) == []
