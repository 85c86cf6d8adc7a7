"""Objects and fields come, go, change their names and types; records stay."""

import datetime as dt
from decimal import Decimal

import pytest

from engine.errors import BadInput, Conflict
from engine.publish import apply
from tests.publish.stage import NOW, Stage

SYSTEM = ["id", "owner", "created_at", "created_by", "modified_at", "modified_by", "version", "deleted_at"]
SYSTEM_TABLES = (
    "department", "permission_assignment", "position", "queue", "team", "user", "user_role",
)  # fmt: skip
LEAD = """
object: lead
label: Lead
fields:
  name: {type: text, label: Name}
  score: {type: integer, label: Score}
"""
IT = LEAD + "  it: {label: It, type: TYPE}\n"


def test_a_first_publish_makes_tables_that_take_records(stage: Stage) -> None:
    steps = stage.publish(LEAD)
    assert "+ object lead: 2 fields" in steps
    assert "+ package p: 1.0.0" in steps
    assert stage.tables() == {"lead", *SYSTEM_TABLES}
    assert stage.columns("lead") == [*SYSTEM, "name", "score"]
    assert stage.tenant.version() == 1
    stage.insert("lead", {"name": "Ada", "score": 7}, {"name": "林悦", "score": None})
    assert stage.values("lead", "name", "score") == [("Ada", 7), ("林悦", None)]


def test_the_same_definitions_plan_nothing_and_apply_nothing(stage: Stage) -> None:
    stage.publish(LEAD)
    drawn = stage.plan(LEAD)
    assert (drawn.steps, drawn.hash) == ((), "")
    assert apply(stage.tenant, drawn, None, NOW) == 1


def test_a_field_is_added(stage: Stage) -> None:
    stage.publish(LEAD)
    stage.insert("lead", {"name": "Ada"})
    assert stage.publish(LEAD + "  site: {type: url, label: Site}\n") == ["+ field lead.site: url"]
    assert stage.values("lead", "name", "site") == [("Ada", None)]


def test_a_required_field_needs_a_default_where_there_are_records(stage: Stage) -> None:
    stage.publish(LEAD)
    (ada,) = stage.insert("lead", {"name": "Ada"})
    drawn = stage.plan(LEAD + "  stage: {type: text, label: Stage, required: true}\n")
    assert drawn.steps[0].stops == (f"lead 'Ada' ({ada}): has no value, and there is no default",)
    with pytest.raises(BadInput, match="a row stops this publish"):
        apply(stage.tenant, drawn, None, NOW)
    assert stage.columns("lead") == [*SYSTEM, "name", "score"]
    stage.publish(LEAD + "  stage: {type: text, label: Stage, required: true, default: new}\n")
    assert stage.values("lead", "stage") == ["new"]


def test_a_field_that_becomes_required_is_filled_only_where_it_is_blank(stage: Stage) -> None:
    stage.publish(LEAD)
    stage.insert("lead", {"name": "Ada", "score": 7}, {"name": "Bo"})
    stage.publish(LEAD.replace("label: Score", "label: Score, required: true, default: 1"))
    assert stage.values("lead", "score") == [7, 1]


def test_a_removed_field_says_how_many_values_are_lost(stage: Stage) -> None:
    stage.publish(LEAD)
    stage.insert("lead", {"name": "Ada", "score": 7}, {"name": "Bo"})
    steps = stage.publish(LEAD.replace("  score: {type: integer, label: Score}\n", ""))
    assert steps == ["- field lead.score\n    loses 1 value"]
    assert stage.columns("lead") == [*SYSTEM, "name"]
    assert stage.values("lead", "name") == ["Ada", "Bo"]


def test_a_physical_name_is_never_given_again(stage: Stage) -> None:
    stage.publish(LEAD)
    stage.publish(LEAD.replace("  score: {type: integer, label: Score}\n", ""))
    stage.publish(LEAD)
    assert stage.columns("lead") == [*SYSTEM, "name", "score_2"]
    stage.publish(LEAD.replace("lead", "deal"))
    stage.publish(LEAD)
    assert stage.tables() == {*SYSTEM_TABLES, "lead_2"}


def test_a_renamed_field_keeps_its_values_and_its_column(stage: Stage) -> None:
    stage.publish(LEAD)
    stage.insert("lead", {"name": "Ada", "score": 7})
    renamed = LEAD.replace("score: {", "rating: {was: score, ")
    assert stage.publish(renamed) == ["~ field lead.rating: renamed from score"]
    assert stage.values("lead", "rating") == [7]
    assert stage.columns("lead") == [*SYSTEM, "name", "score"]


def test_a_renamed_object_keeps_its_records_and_what_refers_to_it(stage: Stage) -> None:
    refers = """
---
object: call
label: Call
fields:
  subject: {type: text, label: Subject}
  lead: {type: reference, label: Lead, to: lead}
"""
    stage.publish(LEAD + refers)
    (ada,) = stage.insert("lead", {"name": "Ada"})
    stage.insert("call", {"subject": "Hello", "lead": ada})
    renamed = LEAD.replace("object: lead", "object: prospect\nwas: lead")
    steps = stage.publish(renamed + refers.replace("to: lead", "to: prospect"))
    assert steps == ["~ object prospect: renamed from lead"]
    assert stage.values("call", "lead") == stage.values("prospect", "id") == [ada]
    assert stage.references("call") == {"owner": "user", "lead": "lead"}


def test_a_field_is_renamed_and_retyped_at_once_and_takes_the_latest_of_its_names(stage: Stage) -> None:
    stage.publish(LEAD.replace("type: integer", "type: text"))
    stage.insert("lead", {"name": "Ada", "score": "7"})
    steps = stage.publish(LEAD.replace("score: {", "rating: {was: [points, score], "))
    assert steps == ["~ field lead.rating: renamed from score; type text -> integer"]
    assert stage.values("lead", "rating") == [7]
    stage.publish(LEAD.replace("score: {", "stars: {was: [points, score, rating], "))
    assert stage.values("lead", "stars") == [7]


def test_two_fields_swap_their_names_by_way_of_a_third(stage: Stage) -> None:
    swap = "object: lead\nlabel: Lead\nfields:\n  {}: {{type: text, label: X{}}}\n  {}: {{type: text, label: Y{}}}\n"
    stage.publish(swap.format("a", "", "b", ""))
    stage.insert("lead", {"a": "1", "b": "2"})
    stage.publish(swap.format("c", ", was: a", "b", ""))
    stage.publish(swap.format("c", "", "a", ", was: b"))
    stage.publish(swap.format("b", ", was: c", "a", ""))
    assert stage.values("lead", "a", "b") == [("2", "1")]


def test_a_removed_object_says_how_many_records_are_lost(stage: Stage) -> None:
    stage.publish(LEAD + LEAD.replace("object: lead", "---\nobject: deal"))
    stage.insert("deal", {"name": "Ada"}, {"name": "Bo"})
    assert stage.publish(LEAD) == ["- object deal\n    loses 2 rows"]
    assert stage.tables() == {"lead", *SYSTEM_TABLES}


def test_objects_that_refer_to_each_other_come_and_go(stage: Stage) -> None:
    cycle = """
object: a
label: A
fields:
  name: {type: text, label: Name}
  b: {type: reference, label: B, to: b}
  parent: {type: reference, label: Parent, to: a}
---
object: b
label: B
fields:
  name: {type: text, label: Name}
  a: {type: reference, label: A, to: a, on_delete: cascade}
"""
    stage.publish(LEAD + "---" + cycle)
    assert stage.references("a") == {"owner": "user", "b": "b", "parent": "a"}
    assert stage.references("b") == {"owner": "user", "a": "a"}
    (one,) = stage.insert("a", {"name": "one"})
    stage.insert("a", {"name": "two", "parent": one})
    (b,) = stage.insert("b", {"name": "b", "a": one})
    with stage.tenant.database.write() as connection:
        connection.sa.execute(stage.tenant.snapshot().physical.table("a").update().values(b=b))
    assert stage.publish(LEAD) == ["- object a\n    loses 2 rows", "- object b\n    loses 1 row"]
    assert stage.tables() == {"lead", *SYSTEM_TABLES}


def test_dropping_a_referred_object_keeps_the_records_that_referred_to_it(stage: Stage) -> None:
    parent = "object: firm\nlabel: Firm\nfields: {name: {type: text, label: Name}}\n---"
    stage.publish(parent + LEAD + "  firm: {type: reference, label: Firm, to: firm, on_delete: cascade}\n")
    (firm,) = stage.insert("firm", {"name": "Acme"})
    stage.insert("lead", {"name": "Ada", "firm": firm}, {"name": "Bo", "firm": firm})
    steps = stage.publish(LEAD)
    assert steps == ["- field lead.firm\n    loses 2 values", "- object firm\n    loses 1 row"]
    assert stage.values("lead", "name") == ["Ada", "Bo"]


CONVERTED: list[tuple[str, object, str, object]] = [
    ("text", " 12 ", "integer", 12),
    ("integer", 12, "text", "12"),
    ("text", "12.50", "decimal, scale: 2", Decimal("12.50")),
    ("decimal, scale: 2", Decimal("12.50"), "text", "12.5"),
    ("decimal, scale: 2", Decimal("12.00"), "integer", 12),
    ("integer", 12, "decimal, scale: 3", Decimal("12.000")),
    ("decimal, scale: 2", Decimal("1.25"), "decimal, scale: 4", Decimal("1.2500")),
    ("decimal, scale: 4", Decimal("1.2500"), "decimal, scale: 2", Decimal("1.25")),
    ("text", "Yes", "boolean", True),
    ("text", "否", "boolean", False),
    ("integer", 1, "boolean", True),
    ("boolean", True, "integer", 1),
    ("boolean", False, "text", "false"),
    ("text", "2026-11-22", "date", dt.date(2026, 11, 22)),
    ("date", dt.date(2026, 11, 22), "text", "2026-11-22"),
    ("date", dt.date(2026, 11, 22), "datetime", dt.datetime(2026, 11, 22, tzinfo=dt.UTC)),
    ("datetime", NOW, "date", dt.date(2026, 11, 22)),
    ("datetime", NOW, "text", "2026-11-22T02:15:00.123Z"),
    ("text", "2026-11-22 02:15", "datetime", dt.datetime(2026, 11, 22, 2, 15, tzinfo=dt.UTC)),
    ("time", dt.time(9, 30), "text", "09:30:00"),
    ("text", "09:30", "time", dt.time(9, 30)),
    ("text", "Won", "choice, choices: {new: New, won: Won}", "won"),
    ("choice, choices: {new: New, won: Won}", "won", "text", "won"),
    ("choice, choices: {new: New, won: Won}", "won", "multi_choice, choices: {new: New, won: Won}", ["won"]),
    ("multi_choice, choices: {new: New, won: Won}", ["won"], "choice, choices: {new: New, won: Won}", "won"),
    ("text", "new; Won", "multi_choice, choices: {new: New, won: Won}", ["new", "won"]),
    ("multi_choice, choices: {new: New, won: Won}", ["new", "won"], "text", "new, won"),
    ("text", "ada@example.com", "email", "ada@example.com"),
    ("text", "two\nlines", "longtext", "two\nlines"),
]  # fmt: skip


def it_of(types: list[str]) -> str:
    return LEAD + "".join(f"  it{n}: {{label: It, type: {type_}}}\n" for n, type_ in enumerate(types))


def test_values_are_converted_to_the_new_type(stage: Stage) -> None:
    stage.publish(it_of([old for old, _, _, _ in CONVERTED]))
    values = {f"it{n}": value for n, (_, value, _, _) in enumerate(CONVERTED)}
    stage.insert("lead", {"name": "Ada", **values}, {"name": "Bo"}, {**values, "deleted_at": NOW})
    stage.publish(it_of([new for _, _, new, _ in CONVERTED]))
    found = [(old, new, stage.values("lead", f"it{n}")) for n, (old, _, new, _) in enumerate(CONVERTED)]
    assert found == [(old, new, [expected, None, expected]) for old, _, new, expected in CONVERTED]


STOPPING: list[tuple[str, object, str, str]] = [
    ("text", "abc", "integer", "'abc'"),
    ("text", "12.5", "integer", "'12.5'"),
    ("decimal, scale: 2", Decimal("12.50"), "integer", "'12.50'"),
    ("decimal, scale: 4", Decimal("1.2345"), "decimal, scale: 2", "'1.2345'"),
    ("text", "maybe", "boolean", "'maybe'"),
    ("text", "2026-02-30", "date", "'2026-02-30'"),
    ("text", "lost", "choice, choices: {new: New}", "'lost'"),
    ("multi_choice, choices: {new: New, won: Won}", ["new", "won"], "choice, choices: {new: New, won: Won}",
     "\"['new', 'won']\""),
    ("text", "0190a1b2-0000-7000-8000-000000000000", "reference, to: lead",
     "'0190a1b2-0000-7000-8000-000000000000'"),
]  # fmt: skip


def test_values_that_will_not_convert_are_listed_and_stop(stage: Stage) -> None:
    stage.publish(it_of([old for old, _, _, _ in STOPPING]))
    values = {f"it{n}": value for n, (_, value, _, _) in enumerate(STOPPING)}
    (ada, _) = stage.insert("lead", {"name": "Ada", **values}, {"name": "Bo"})
    drawn = stage.plan(it_of([new for _, _, new, _ in STOPPING]))
    steps = {step.what: (step.breaks, step.stops[0].partition(": ")[2]) for step in drawn.steps}
    for n, (_, _, new, shown) in enumerate(STOPPING):
        breaks, told = steps[f"field lead.it{n}"]
        assert (breaks, told.startswith(f"{shown}: ")) == (1, True), (new, told)
    assert all(step.stops[0].startswith(f"lead 'Ada' ({ada}): ") for step in drawn.steps)
    with pytest.raises(BadInput) as refusal:
        apply(stage.tenant, drawn, None, NOW)
    assert refusal.value.code == "publish.rows"
    assert stage.tenant.version() == 1
    assert stage.values("lead", *values) == [tuple(values.values()), (None,) * len(values)]


@pytest.mark.parametrize(
    ("old", "new", "values", "breaks", "detail"),
    [
        ("text, length: 9", "text, length: 3", ["abcd", "abc"], 1, "length 9 -> 3"),
        ("text", "text, unique: true", ["a", "b", "a", "a"], 2, "unique"),
        ("integer", "integer, min: 5", [4, 5], 1, "min none -> 5"),
        ("decimal, precision: 9, scale: 2", "decimal, precision: 4, scale: 2", [Decimal("123.45"), Decimal("1")], 1,
         "precision 9 -> 4"),
        ("choice, choices: {a: A, b: B}", "choice, choices: {a: A}", ["a", "b"], 1, "choices -b"),
        ("text", "text, required: true", ["a", None], 1, "required"),
    ],
)  # fmt: skip
def test_rows_that_break_a_tighter_rule_stop(
    stage: Stage, old: str, new: str, values: list[object], breaks: int, detail: str
) -> None:
    stage.publish(IT.replace("TYPE", old))
    stage.insert("lead", *({"name": "Ada", "it": value} for value in values))
    (step,) = stage.plan(IT.replace("TYPE", new)).steps
    assert (step.what, step.detail, step.breaks) == ("field lead.it", detail, breaks)


@pytest.mark.parametrize(
    ("old", "new", "step"),
    [
        ("text, length: 3", "text, length: 9", "~ field lead.it: length 3 -> 9"),
        ("choice, choices: {a: A}", "choice, choices: {a: Ah, b: B}", "~ field lead.it: choices +b ~a"),
        ("choice, choices: {a: A, b: B}", "choice, choices: {a: {label: A, retired: true}, b: B}",
         "~ field lead.it: choices ~a"),
        ("text", "text, help: Which?", "~ field lead.it: help"),
        ("text", "text, hidden: true, read_only: true", "~ field lead.it: read-only; hidden"),
    ],
)  # fmt: skip
def test_other_changes_are_one_step_and_change_no_value(stage: Stage, old: str, new: str, step: str) -> None:
    stage.publish(IT.replace("TYPE", old))
    stage.insert("lead", {"name": "Ada", "it": "a"})
    columns = stage.columns("lead")
    assert stage.publish(IT.replace("TYPE", new)) == [step]
    assert (stage.values("lead", "it"), stage.columns("lead")) == (["a"], columns)


def test_unique_of_several_fields_is_an_index_and_checked_before(stage: Stage) -> None:
    stage.publish(LEAD)
    stage.insert("lead", {"name": "Ada", "score": 1}, {"name": "Ada", "score": 2}, {"name": "Ada", "score": None})
    stage.publish(LEAD + "unique: [[name, score]]\n")
    assert stage.indexes("lead")[("name", "score")] is True
    stage.publish(LEAD)
    assert ("name", "score") not in stage.indexes("lead")
    stage.insert("lead", {"name": "Ada", "score": 1})
    drawn = stage.plan(LEAD + "unique: [[name, score]]\n")
    assert drawn.steps[0].breaks == 1
    assert "'Ada', '1': lead 'Ada' (" in drawn.steps[0].stops[0]


def test_two_records_may_share_a_unique_value_if_one_is_in_the_trash(stage: Stage) -> None:
    stage.publish(LEAD)
    stage.insert("lead", {"name": "Ada"}, {"name": "Ada", "deleted_at": NOW})
    stage.publish(LEAD.replace("label: Name", "label: Name, unique: true"))
    assert stage.indexes("lead")[("name",)] is True


def test_indexes_follow_the_definitions(stage: Stage) -> None:
    stage.publish(LEAD + "  boss: {type: reference, label: Boss, to: lead}\nindexes: [[name, score]]\n")
    usual = {("owner", "id"): False, ("created_at", "id"): False, ("deleted_at",): False}
    assert stage.indexes("lead") == {**usual, ("boss", "id"): False, ("name", "score", "id"): False}
    stage.publish(LEAD.replace("label: Score", "label: Score, index: true"))
    assert stage.indexes("lead") == {**usual, ("score", "id"): False}


def test_a_retyped_unique_field_stays_unique(stage: Stage) -> None:
    definition = LEAD.replace("type: integer, label: Score", "type: text, label: Score, unique: true")
    stage.publish(definition)
    stage.insert("lead", {"score": "1"}, {"score": "01"})
    (step,) = stage.plan(definition.replace("score: {type: text", "score: {type: integer")).steps
    assert step.breaks == 1
    stage.publish(definition.replace("score: {type: text", "score: {type: longtext").replace(", unique: true", ""))


def test_an_added_number_field_numbers_the_records_there_are(stage: Stage) -> None:
    stage.publish(LEAD)
    stage.insert("lead", {"name": "Ada"}, {"name": "Bo"})
    stage.publish(LEAD + "  no: {type: autonumber, label: No, format: 'L-{0000}'}\n")
    assert stage.values("lead", "no") == ["L-0001", "L-0002"]
    with stage.tenant.database.read() as connection:
        assert connection.rows("SELECT * FROM fs_counter") == [("lead", "no", "", 2)]


@pytest.mark.parametrize("name", ["order", "user2", "case", "rowid", "ctid", "xmin", "oid", "select", "from", "class"])
def test_words_of_sql_are_names_like_others(stage: Stage, name: str) -> None:
    definition = (
        f"object: {name}\nlabel: X\nfields:\n  {name}: {{type: text, label: X}}\n  it: {{type: text, label: X}}\n"
    )
    stage.publish(definition)
    stage.insert(name, {name: "value", "it": "other"})
    stage.publish(definition.replace("it: {type: text", "it: {type: longtext"))
    assert stage.values(name, name, "it") == [("value", "other")]


def test_chinese_names_get_plain_physical_names(stage: Stage) -> None:
    definition = (
        "object: 线索\nlabel: 线索\nfields:\n  姓名: {type: text, label: 姓名}\n  电话: {type: text, label: 电话}\n"
    )
    stage.publish(definition)
    stage.insert("线索", {"姓名": "林悦", "电话": "1"})
    assert stage.tables() == {*SYSTEM_TABLES, "object"}
    assert stage.columns("object") == [*SYSTEM, "field", "field_2"]
    assert stage.values("线索", "姓名", "电话") == [("林悦", "1")]


def test_names_that_differ_in_case_or_after_63_bytes_do_not_meet(stage: Stage) -> None:
    long = "a" * 62
    field = "{type: text, label: X, unique: true, index: true}"
    stage.publish(
        f"object: Case\nlabel: X\nfields: {{name: {field}, Name: {field}, {long}a: {field}}}\n---\n"
        f"object: case\nlabel: X\nfields: {{name: {field}}}\n---\n"
        f"object: {long}b\nlabel: X\nfields: {{name: {field}, me: {{type: reference, label: X, to: {long}b}}}}\n---\n"
        f"object: {long}B\nlabel: X\nfields: {{{long}b: {field}, {long}B: {field}}}\n"
    )
    assert stage.tables() == {*SYSTEM_TABLES, "case", "case_2", f"{long}b", "a" * 61 + "_2"}
    stage.insert("Case", {"name": "1", "Name": "2", f"{long}a": "3"})
    assert stage.values("Case", "name", "Name", f"{long}a") == [("1", "2", "3")]
    assert stage.values("case", "name") == []


def test_an_object_may_have_500_fields(stage: Stage) -> None:
    fields = "".join(f"  f{number}: {{type: text, label: F}}\n" for number in range(500))
    stage.publish("object: wide\nlabel: Wide\nfields:\n" + fields)
    stage.insert("wide", {"f0": "a", "f499": "z"})
    stage.publish("object: wide\nlabel: Wide\nfields:\n" + fields + "  f500: {type: text, label: F}\n")
    assert stage.values("wide", "f0", "f499", "f500") == [("a", "z", None)]


def test_a_plan_is_refused_when_the_version_has_moved_on(stage: Stage) -> None:
    stage.publish(LEAD)
    drawn = stage.plan(LEAD + "  site: {type: url, label: Site}\n")
    stage.publish(LEAD + "  mail: {type: email, label: Mail}\n")
    with pytest.raises(Conflict) as refusal:
        apply(stage.tenant, drawn, None, NOW)
    assert (refusal.value.code, refusal.value.fix) == ("publish.changed", "plan again")


def test_a_plan_is_refused_when_it_would_lose_more_than_it_said(stage: Stage) -> None:
    stage.publish(LEAD)
    drawn = stage.plan(LEAD.replace("  score: {type: integer, label: Score}\n", ""))
    stage.insert("lead", {"name": "Ada", "score": 7})
    with pytest.raises(Conflict, match="changed since this plan"):
        apply(stage.tenant, drawn, None, NOW)


def test_an_example_list_ends_where_it_gets_long(stage: Stage) -> None:
    stage.publish(IT.replace("TYPE", "text"))
    stage.insert("lead", *({"name": "Ada", "it": f"n{number}"} for number in range(25)))
    (step,) = stage.plan(IT.replace("TYPE", "integer")).steps
    assert (step.breaks, len(step.stops)) == (25, 20)
    assert str(step).endswith("stops: and 5 more")


def test_a_changed_comment_is_stored_without_a_change_of_tables(stage: Stage) -> None:
    stage.publish(LEAD)
    assert stage.publish(LEAD + "# a comment\n") == ["~ package p: its texts, not what they mean"]
