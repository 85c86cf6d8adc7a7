"""Do conditions over one field say what they leave out, what they take twice, and whether they say anything?"""

from collections.abc import Callable

import pytest

from engine.registry import Plugins
from metadata.formula import Node, definition_names, parse
from metadata.formula.branches import branches
from metadata.formula.ranges import truth, words
from metadata.model import Choice, Field, Object

FIELDS = (
    Field("amount", "currency", {}, value="number", options={"scale": 2, "min": 0}),
    Field("ratio", "formula", {}, value="number", source="formula"),
    Field("count", "integer", {}, value="number"),
    Field("due", "date", {}, value="date"),
    Field("at", "datetime", {}, value="datetime"),
    Field("name", "text", {}, value="text"),
    Field("is_open", "boolean", {}, value="boolean"),
    Field("stage", "choice", {}, value="choice",
          choices=(Choice("new", {}), Choice("won", {}), Choice("lost", {}), Choice("old", {}, is_retired=True))),
)  # fmt: skip
DEAL = Object("deal", {}, {}, {field.name: field for field in FIELDS}, "name")

Read = Callable[[str], Node]


@pytest.fixture
def read(plugins: Plugins) -> Read:
    names = definition_names({"deal": DEAL}, "deal")
    return lambda text: parse(text, names, functions=plugins.functions)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("amount > 5 and amount < 3", False),
        ("amount > 5 and (is_open and amount < 3)", False),
        ("AND(amount > 5, name == 'x', NOT(amount > 5))", False),
        ("5 < amount < 5", False),
        ("amount > 2.001 and amount < 2.009", False),  # two decimal places
        ("ratio > 2.001 and ratio < 2.009", None),
        ("count > 5 and count < 6", None),  # a type without a scale need not hold whole numbers only
        ("due > '2026-01-01' and due < '2026-01-02'", False),
        ("at > '2026-01-01' and at < '2026-01-02'", None),
        ("amount == null and amount != null", False),
        ("amount == 5 and ISBLANK(amount)", False),
        ("stage == 'new' and stage == 'won'", False),
        ("stage not in ['new', 'won', 'lost', 'old'] and stage != null", False),
        ("stage not in ['new', 'won', 'lost', 'old']", None),
        ("stage in ['new', 'won'] and IN(stage, 'lost')", False),
        ("name == 'a' and name == 'A'", False),
        ("name < 'b' and name > 'c'", None),
        ("is_open and not is_open", False),
        ("is_open == true or is_open == false", None),  # or blank
        ("is_open or not is_open", True),
        ("amount > 5 or amount <= 5", None),  # or blank
        ("amount > 5 or not (amount > 5)", True),
        ("amount != 1 or amount != 2", True),
        ("amount > 5 and amount > 7", None),
        ("1 == 2", False),
        ("1 + 1 == 2", True),
        ("2 * 3 > 7 or name == 'x'", None),
        ("2 * 3 > 7 and name == 'x'", False),
        ("'a' == null", False),
        ("not (1 == 2)", True),
        ("not (amount > 5 or is_open) and is_open", False),
        ("not (amount > 5 and is_open) and is_open", None),
        ("amount == 2.005", False),
        ("amount == 2.05", None),
        ("amount > ratio", None),
        ("due < TODAY()", None),
    ],
)
def test_what_a_condition_is_for_every_record(text: str, found: bool | None, read: Read) -> None:
    assert truth(read(text)) is found


@pytest.mark.parametrize(
    ("texts", "gaps", "overlaps", "hidden"),
    [
        (("amount > 50000", "amount < 50000"), ["exactly 50,000"], [], ()),
        (("amount >= 50000", "amount <= 50000"), [], [(0, 1, "exactly 50,000")], ()),
        (("amount <= 1000", "amount > 1000"), [], [], ()),
        (("amount <= 1000", "amount >= 1000.01"), [], [], ()),
        (("amount <= 1000", "amount >= 1001"), ["more than 1,000 and less than 1,001"], [], ()),
        (("count <= 5", "count >= 6"), [], [], ()),
        (("count < 5", "count > 6"), ["at least 5 and at most 6"], [], ()),
        (("amount > 10", "amount > 100"), ["at least 0 and at most 10"], [(0, 1, "more than 100")], (1,)),
        (("amount > 100", "amount > 10", "amount <= 10"), [], [], ()),
        (
            ("amount > 100", "10 < amount <= 200"),
            ["at least 0 and at most 10"],
            [(0, 1, "more than 100 and at most 200")],
            (),
        ),
        (("due <= '2026-06-30'", "due >= '2026-07-01'"), [], [], ()),
        (("due < '2026-06-30'", "due >= '2026-07-01'"), ["at least 2026-06-30 and less than 2026-07-01"], [], ()),
        (("stage == 'new'", "stage in ['won', 'new']"), ["'lost'"], [(0, 1, "'new'")], ()),
        (("stage != 'new'", "stage == 'new'"), [], [], ()),
        (("10 <= amount < 20", "amount < 10", "amount > 20"), ["exactly 20"], [], ()),
    ],
)
def test_what_branches_leave_out_and_take_twice(
    texts: tuple[str, ...], gaps: list[str], overlaps: list[tuple[int, int, str]], hidden: tuple[int, ...], read: Read
) -> None:
    found = branches([read(text) for text in texts])
    assert found is not None
    assert [words(gap.values) for gap in found.gaps if gap.is_between] == gaps
    assert [(one.first, one.second, words(one.values)) for one in found.overlaps] == overlaps
    assert found.hidden == hidden


def test_a_gap_without_end_is_none_between(read: Read) -> None:
    found = branches([read("count <= 5"), read("5 < count <= 9")])
    assert found is not None
    assert [(words(gap.values), gap.is_between) for gap in found.gaps] == [("more than 9", False)]
    assert not found.takes_blank


@pytest.mark.parametrize("texts", [("amount > 5", "count < 5"), ("amount > 5 and is_open", "amount <= 5"), ()])
def test_conditions_over_other_fields_part_nothing(texts: tuple[str, ...], read: Read) -> None:
    assert branches([read(text) for text in texts]) is None
