"""Physical names are readable, given once, and fit both databases."""

import pytest

from engine.store.names import Allocator, bounded


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("lead", "lead"),
        ("Lead", "lead"),
        ("order", "order"),
        ("Straße", "strae"),
        ("café", "cafe"),
        ("线索", "object"),
        ("fs_state", "o_fs_state"),
        ("pg_class", "o_pg_class"),
        ("sqlite_master", "o_sqlite_master"),
        ("a" * 70, "a" * 63),
    ],
)
def test_an_objects_table(name: str, table: str) -> None:
    assert Allocator([]).table(name) == table


@pytest.mark.parametrize(
    ("name", "column"),
    [("name", "name"), ("deleted_at", "deleted_at_"), ("ctid", "ctid_"), ("rowid", "rowid_"), ("姓名", "field")],
)
def test_a_fields_column(name: str, column: str) -> None:
    assert Allocator([]).column("lead", name) == column


def test_a_name_is_never_given_twice_whatever_its_case() -> None:
    allocator = Allocator([("lead", ""), ("lead", "Score")])
    assert allocator.table("Lead") == "lead_2"
    assert allocator.table("LEAD") == "lead_3"
    assert allocator.column("lead", "score") == "score_2"
    assert allocator.column("other", "score") == "score"
    assert Allocator([("a" * 63, "")]).table("a" * 63) == "a" * 61 + "_2"


def test_an_index_name_is_the_same_for_the_same_columns_and_fits() -> None:
    assert bounded("ix", "lead", "status", "id") == "ix_lead_status_id_" + bounded("ix", "lead", "status", "id")[-8:]
    assert bounded("ix", "a_b", "c") != bounded("ix", "a", "b_c")
    assert len(bounded("ux", "t" * 63, "c" * 63)) == 63
