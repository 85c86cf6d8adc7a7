"""Groups and measures: literal answers, the same on both databases."""

import time
from collections.abc import Iterator
from decimal import Decimal

import orjson
import pytest

from engine.errors import BadInput, NotFound
from engine.service import AggregateQuery, Aggregation, Query, Records, SortKey
from engine.testing import Running, running
from tests.records.conftest import COMPANY, NOW
from tests.records.state import refused

DEALER = """
---
role: dealer
label: Dealer
objects:
  deal: [read]
"""


@pytest.fixture
def sqlite_firm(sqlite_url: str) -> Iterator[Running]:
    """The firm on SQLite only, with somebody who reads deals and no accounts."""
    with running(sqlite_url, [COMPANY + DEALER], now=NOW) as site:
        site.user("boss", "admin")
        site.user("dealer", "dealer")
        yield site


def ask(records: Records, group: str = "", measures: str = "count()", sort: str = "", **more: object) -> Aggregation:
    def parts(text: str) -> tuple[str, ...]:
        return tuple(text.split(",")) if text else ()

    keys = tuple(SortKey(part.removeprefix("-"), part.startswith("-")) for part in parts(sort))
    return records.aggregate(AggregateQuery("deal", parts(group), parts(measures), sort=keys, **more))  # type: ignore[arg-type]


def groups(records: Records, group: str = "", measures: str = "count()", **more: object) -> list[tuple[object, ...]]:
    return [tuple(row.values()) for row in ask(records, group, measures, **more).groups]  # type: ignore[arg-type]


def deals(firm: Running, *values: dict[str, object]) -> Records:
    boss = firm.records("boss")
    named = [{"name": f"d{n}"} | one for n, one in enumerate(values)]
    boss.batch("deal", [{"action": "create", "values": one} for one in named])
    return boss


def test_measures_of_each_group_and_of_all(firm: Running) -> None:
    boss = deals(
        firm,
        {"stage": "won", "amount": "100.10", "close_date": "2026-11-01"},
        {"stage": "won", "amount": "23.35", "close_date": "2026-12-24"},
        {"stage": "new", "amount": None, "close_date": None},
        {"stage": "new", "amount": "-7.00", "close_date": "2026-01-02"},
    )
    found = ask(boss, "stage", "sum(amount),count(),count(amount),avg(amount),min(close_date),max(amount)")
    assert orjson.loads(orjson.dumps(found.groups)) == [
        {"stage": "new", "sum(amount)": -7.0, "count()": 2, "count(amount)": 1, "avg(amount)": -7.0,
         "min(close_date)": "2026-01-02", "max(amount)": -7.0},
        {"stage": "won", "sum(amount)": 123.45, "count()": 2, "count(amount)": 2, "avg(amount)": 61.725,
         "min(close_date)": "2026-11-01", "max(amount)": 100.1},
    ]  # fmt: skip
    assert orjson.loads(orjson.dumps(found.total)) == {
        "sum(amount)": 116.45, "count()": 4, "count(amount)": 3, "avg(amount)": 38.816667,
        "min(close_date)": "2026-01-02", "max(amount)": 100.1,
    }  # fmt: skip
    assert found.is_truncated is False


def test_no_records_give_no_groups_and_a_total_of_nothing(firm: Running) -> None:
    found = ask(firm.records("boss"), "stage", "count(),sum(amount),sum(count),avg(amount),max(name)")
    assert (found.groups, found.total) == (
        [], {"count()": 0, "sum(amount)": 0.0, "sum(count)": 0, "avg(amount)": None, "max(name)": None}
    )  # fmt: skip
    assert ask(firm.records("boss"), "", "sum(amount),min(count)").total == {"sum(amount)": 0.0, "min(count)": None}
    assert ask(firm.records("boss")).total == {"count()": 0}


def test_blank_is_a_group_and_comes_last(firm: Running) -> None:
    boss = deals(firm, {"notes": "b"}, {"notes": None}, {"notes": "B"}, {"notes": "é"}, {"notes": "中"}, {"notes": "b"})
    assert groups(boss, "notes") == [("B", 1), ("b", 2), ("é", 1), ("中", 1), (None, 1)]
    assert groups(boss, "notes", sort="-notes")[0] == (None, 1)
    assert groups(boss, "is_hot") == [(None, 6)]


def test_periods_of_dates(firm: Running) -> None:
    days = ("2026-11-22", "2026-11-16", "2026-11-15", "2027-01-03", "2026-12-28", "1000-01-01", "9999-12-31", None)
    boss = deals(firm, *({"close_date": day} for day in days))
    assert groups(boss, "close_date:day", limit=2) == [("1000-01-01", 1), ("2026-11-15", 1)]
    assert groups(boss, "close_date:week") == [
        ("0999-12-30", 1), ("2026-11-09", 1), ("2026-11-16", 2), ("2026-12-28", 2), ("9999-12-27", 1), (None, 1),
    ]  # fmt: skip
    assert groups(boss, "close_date:month") == [
        ("1000-01", 1), ("2026-11", 3), ("2026-12", 1), ("2027-01", 1), ("9999-12", 1), (None, 1),
    ]  # fmt: skip
    assert groups(boss, "close_date:quarter") == [
        ("1000-Q1", 1), ("2026-Q4", 4), ("2027-Q1", 1), ("9999-Q4", 1), (None, 1),
    ]  # fmt: skip
    assert groups(boss, "close_date:year") == [("1000", 1), ("2026", 4), ("2027", 1), ("9999", 1), (None, 1)]


def test_moments_fall_into_the_days_of_the_persons_zone(firm: Running) -> None:
    firm.user("ny", "admin", time_zone="America/New_York")
    moments = (
        "2026-11-30T15:59:59.999Z", "2026-11-30T16:00:00Z",  # midnight in Shanghai
        "2026-03-08T04:59:59Z", "2026-03-08T05:00:00Z", "2026-03-09T03:59:59Z", "2026-03-09T04:00:00Z",  # clocks go on
        "9999-12-31T23:00:00Z", None,
    )  # fmt: skip
    deals(firm, *({"called_at": moment, "owner": firm.user("lin")} for moment in moments))
    assert groups(firm.records("lin"), "called_at:month") == [
        ("2026-03", 4), ("2026-11", 1), ("2026-12", 1), ("9999-12", 1), (None, 1),
    ]  # fmt: skip
    assert groups(firm.records("ny"), "called_at:day", filter="called_at < '2026-04-01T00:00:00Z'") == [
        ("2026-03-07", 1), ("2026-03-08", 2), ("2026-03-09", 1),
    ]  # fmt: skip
    assert groups(firm.records("ny"), "called_at:week", filter="called_at < '2026-04-01T00:00:00Z'") == [
        ("2026-03-02", 3), ("2026-03-09", 1),
    ]  # fmt: skip
    assert groups(firm.records("boss"), "called_at:day", limit=2) == [("2026-03-08", 2), ("2026-03-09", 2)]  # UTC
    assert groups(firm.records("boss"), "called_at", limit=1) == [("2026-03-08T04:59:59.000Z", 1)]


def test_sums_are_exact_beyond_what_databases_hold(firm: Running) -> None:
    boss = deals(
        firm,
        *({"stage": "won", "amount": "9999999999999999.99", "count": 2**63 - 1} for _ in range(12)),
        {"stage": "lost", "amount": "-9999999999999999.99", "count": -(2**63)},
        {"stage": "new", "amount": "0.01", "count": 1},
    )
    found = ask(boss, "stage", "sum(amount),sum(count),avg(amount)", sort="-sum(amount)")
    assert orjson.dumps([list(row.values()) for row in found.groups]).decode() == (
        '[["won",119999999999999999.88,110680464442257309684,9999999999999999.990000],["new",0.01,1,0.01],'
        '["lost",-9999999999999999.99,-9223372036854775808,-9999999999999999.990000]]'
    )
    assert orjson.dumps(found.total).decode().startswith(
        '{"sum(amount)":109999999999999999.90,"sum(count)":101457092405402533877,"avg(amount)":7857142857142857.1'
    )  # fmt: skip
    big = "sum(count) > 110680464442257309683 and sum(count) < 110680464442257309684.5"
    assert groups(boss, "stage", "count()", having=big) == [("won", 12)]
    assert groups(boss, "stage", "count()", having="sum(amount) == 119999999999999999.88") == [("won", 12)]


@pytest.mark.parametrize(
    ("amounts", "shown"),
    [
        (("0.01", "0.01", "0.02"), 0.013333),
        (("0.01", "0.01", "0.00"), 0.006667),
        (("-0.01", "-0.01", "0.00"), -0.006667),
        (("0.01", *["0.00"] * 31), 0.000313),  # 0.0003125
        (("-0.01", *["0.00"] * 31), -0.000313),
    ],
)  # fmt: skip
def test_averages_are_rounded_half_away_from_zero(firm: Running, amounts: tuple[str, ...], shown: float) -> None:
    boss = deals(firm, *({"amount": amount, "stage": "won"} for amount in amounts))
    assert groups(boss, "stage", "avg(amount)") == [("won", shown)]
    assert groups(boss, "stage", "count()", having=f"avg(amount) == {Decimal(str(shown)):f}") == [("won", len(amounts))]


def test_having_chooses_groups_and_the_total_stays(firm: Running) -> None:
    boss = deals(
        firm,
        {"stage": "won", "amount": "10.00", "name": "a"}, {"stage": "won", "amount": "20.00", "name": "b"},
        {"stage": "new", "amount": "5.00", "name": "c", "close_date": "2026-11-22"}, {"stage": "lost", "name": "d"},
    )  # fmt: skip
    for having, stages in (
        ("sum(amount) > 5", ["won"]), ("sum(amount) >= 5", ["new", "won"]), ("sum(amount) > 4.999", ["new", "won"]),
        ("sum(amount) == 4.999", []), ("5 < sum(amount)", ["won"]), ("sum( amount ) > 5 and count() >= 2", ["won"]),
        ("avg(amount) == null", ["lost"]), ("avg(amount) != null", ["new", "won"]), ("sum(amount) == 0", ["lost"]),
        ("not avg(amount) > 5", ["lost", "new"]), ("max(name) == 'b' or min(close_date) == '2026-11-22'",
        ["new", "won"]),
        ("distinct(amount) == 2", ["won"]), ("sum(amount) < 1e20", ["lost", "new", "won"]), ("count() > 1e20", []),
        ("avg(amount) > -1e20", ["new", "won"]), ("5 <= sum(amount) < 30", ["new"]), ("min(amount) != 5", ["lost",
        "won"]),
        ("max(name) != 'sum(x)'", ["lost", "new", "won"]), ("min(amount) == 10.0", ["won"]),
    ):  # fmt: skip
        found = ask(boss, "stage", having=having)
        assert [row["stage"] for row in found.groups] == stages, having
        assert found.total == {"count()": 4}, having


def test_groups_are_sorted_by_measures_then_by_groups(firm: Running) -> None:
    boss = deals(
        firm, {"stage": "won", "amount": "1"}, {"stage": "new", "amount": "1"}, {"stage": "lost", "amount": "9"}, {}
    )
    assert groups(boss, "stage", "sum(amount)", sort="-sum(amount)") == [("lost", 9.0), ("new", 1.0), ("won", 1.0)]
    assert groups(boss, "stage", "sum(amount)", sort="sum(amount),-stage")[0] == ("won", 1.0)
    assert groups(boss, "stage,amount", "count()") == [
        ("lost", 9.0, 1), ("new", 1.0, 1), ("new", None, 1), ("won", 1.0, 1),
    ]  # fmt: skip
    found = ask(boss, "stage", "sum(amount)", sort="-stage", limit=2)
    assert [row["stage"] for row in found.groups] == ["won", "new"]
    assert (found.is_truncated, found.total) == (True, {"sum(amount)": 11.0})


def test_groups_and_measures_go_through_references(firm: Running) -> None:
    boss = firm.records("boss")
    root = boss.create("account", {"name": "Root", "code": "r", "credit": "0.0001"})["id"]
    leaf = boss.create("account", {"name": "Leaf", "parent": root, "credit": "1.5"})["id"]
    deals(firm, {"account": root}, {"account": leaf}, {"account": leaf}, {})
    assert groups(boss, "account.name", "count(),sum(account.credit),distinct(account)") == [
        ("Leaf", 2, 3.0, 1), ("Root", 1, 0.0001, 1), (None, 1, 0.0, 0),
    ]  # fmt: skip
    assert groups(boss, "account.parent.code", filter="account.credit > 1") == [("r", 2)]
    assert groups(boss, "account") == [(root, 1), (leaf, 2), (None, 1)]


def test_search_and_filter_say_which_records(firm: Running) -> None:
    boss = deals(firm, {"name": "Pump"}, {"name": "pumps", "stage": "won"}, {"name": "Lamp", "stage": "won"})
    assert ask(boss, "stage", search="PUMP").groups == [{"stage": "new", "count()": 1}, {"stage": "won", "count()": 1}]
    assert ask(boss, "", filter="stage == 'won'").total == {"count()": 2}
    boss.delete("deal", boss.list(Query("deal", search="Lamp")).records[0]["id"])
    assert ask(boss, "", filter="stage == 'won'").total == {"count()": 1}


def test_person_gets_only_own_rows_in_every_number(firm: Running) -> None:
    lin, sam = firm.user("lin"), firm.user("sam")
    boss = firm.records("boss")
    account = boss.create("account", {"name": "Hidden", "code": "h", "credit": "9"})["id"]
    deals(
        firm,
        {"owner": lin, "amount": "1.00", "stage": "won", "account": account},
        {"owner": sam, "amount": "500.00", "stage": "won"},
        {"owner": sam, "amount": "7.00", "stage": "lost"},
    )
    found = ask(firm.records("lin"), "stage", "sum(amount),count(),max(amount),distinct(owner)")
    assert found.groups == [
        {"stage": "won", "sum(amount)": 1.0, "count()": 1, "max(amount)": 1.0, "distinct(owner)": 1}
    ]
    assert found.total == {"sum(amount)": 1.0, "count()": 1, "max(amount)": 1.0, "distinct(owner)": 1}
    # The account is not for lin: what it holds is blank for groups, measures and conditions alike.
    assert groups(firm.records("lin"), "account.name", "max(account.credit)") == [(None, None)]
    assert groups(firm.records("lin"), "stage", having="max(account.credit) == 9") == []
    assert ask(firm.records("lin"), filter="account.name == 'Hidden'").total == {"count()": 0}
    with pytest.raises(NotFound):
        firm.records("lin").aggregate(AggregateQuery("vault"))
    with pytest.raises(NotFound):
        firm.records("nobody").aggregate(AggregateQuery("deal"))


REFUSED = [
    ({"group": "stagee"}, "field.unknown", "group", "write 'stage'?"),
    ({"group": "tags"}, "aggregate.group", "group", "group by a field with a single value"),
    ({"group": "close_date:mont"}, "aggregate.period", "group", "write 'close_date:month'?"),
    ({"group": "close_date:"}, "aggregate.period", "group", "write 'close_date:month'?"),
    ({"group": "amount:month"}, "aggregate.period", "group", "write 'amount'?"),
    ({"group": "account.name.x"}, "field.unknown", "group", ""),
    ({"group": "a.b.c.d.e.f.g"}, "field.unknown", "group", ""),
    ({"group": "stage,amount,count,rate,name,notes"}, "aggregate.limit", "group", "name fewer"),
    ({"measures": "summ(amount)"}, "aggregate.function", "measures", "write 'sum(amount)'?"),
    ({"measures": "SUM(amount)"}, "aggregate.function", "measures", "write 'sum(amount)'?"),
    ({"measures": "sum(amuont)"}, "field.unknown", "measures", "write 'amount'?"),
    ({"measures": "sum()"}, "aggregate.measure", "measures", "write 'sum(…)' with a field"),
    ({"measures": "amount"}, "aggregate.measure", "measures", "write 'count()'?"),
    ({"measures": "sum(sum(amount))"}, "formula.function.unknown", "measures", None),
    ({"measures": "sum(name)"}, "aggregate.type", "measures", "write 'count(name)'?"),
    ({"measures": "max(is_hot)"}, "aggregate.type", "measures", "write 'count(is_hot)'?"),
    ({"measures": "distinct(tags)"}, "aggregate.type", "measures", "write 'count(tags)'?"),
    ({"measures": ",".join(f"{f}({n})" for f in ("sum", "avg", "min", "max", "count", "distinct")
                           for n in ("amount", "rate", "count", "account.credit"))}, "aggregate.limit", "measures",
     "name fewer"),
    ({"filter": "amout > 1"}, "formula.name.unknown", "filter", "write 'amount'?"),
    ({"group": "stage", "having": "sum(amout) > 1"}, "field.unknown", "having", "write 'amount'?"),
    ({"group": "stage", "having": "total(amount) > 1"}, "aggregate.function", "having", ""),
    ({"group": "stage", "having": "amount > 1"}, "formula.name.unknown", "having", None),
    ({"group": "stage", "having": "sum(amount) > 'x'"}, "formula.type", "having", None),
    ({"group": "stage", "having": "sum(amount) > count()"}, "aggregate.having", "having", None),
    ({"group": "stage", "having": "sum(amount) + 1 > 2"}, "aggregate.having", "having", None),
    ({"group": "stage", "having": "sum(amount)"}, None, "having", None),
    ({"group": "stage", "having": "sum(amount) >"}, "formula.syntax", "having", None),
    ({"group": "stage", "having": "TODAY() == null"}, "formula.function.unknown", "having", None),
    ({"group": "stage", "having": "Ƶ0 > 1"}, "formula.name.unknown", "having", None),
    ({"group": "stage", "having": "count() > 1 or " * 200 + "count() > 1"}, "formula.limit", "having", None),
    ({"group": "stage", "sort": "amount"}, "aggregate.sort", "sort", None),
    ({"group": "stage", "sort": "sum(amount)"}, "aggregate.sort", "sort", None),
    ({"having": "count() > 1"}, "aggregate.ungrouped", "having", "name a group"),
    ({"sort": "count()"}, "aggregate.ungrouped", "sort", "name a group"),
    ({"limit": 0}, "query.limit", "limit", ""),
    ({"limit": 1001}, "query.limit", "limit", ""),
    ({"search": "x" * 201}, "query.search", "search", ""),
    ({"search": "a\x00"}, "value.text.nul", "search", None),
]  # fmt: skip


@pytest.mark.parametrize("case", REFUSED, ids=[str(case[0])[:50] for case in REFUSED])
def test_what_cannot_be_asked_is_refused_with_its_place(sqlite_firm: Running, case: tuple) -> None:
    query, code, place, fix = case
    with refused(sqlite_firm, BadInput) as refusal:
        ask(sqlite_firm.records("boss"), **query)
    problem = refusal.value.problems[0]
    assert problem.path == place
    assert code is None or refusal.value.code == code
    assert fix is None or refusal.value.fix == fix
    assert "Ƶ" not in str(refusal.value) or "Ƶ" in query["having"]


HOSTILE = [
    "'; drop table x --", "sum(amount)) union select 1--", "`stage`", "stage; --", "（", "\x00", "\ud800", "a" * 5000,
    "sum(amount", "()", "sum(.)", "sum(..)", ".", ":", ":month", "stage:", "count()()", "-", "%s", "{0}", "${x}",
]  # fmt: skip


def test_hostile_words_are_refused_or_answered_and_change_nothing(sqlite_firm: Running) -> None:
    for text in HOSTILE:
        for query in ({"group": text}, {"measures": text}, {"group": "stage", "having": text},
                      {"group": "stage", "sort": text}):  # fmt: skip
            with refused(sqlite_firm, BadInput):
                ask(sqlite_firm.records("boss"), **query)  # type: ignore[arg-type]


def test_long_words_are_refused_at_once(sqlite_firm: Running) -> None:
    records = sqlite_firm.records("boss")
    for text in ("sum(" + " " * 5000, "(" * 5000, "sum" + " " * 5000 + "x)", "sum(" + " " * 5000 + ")"):
        started = time.process_time()
        for query in ({"measures": text}, {"group": "stage", "sort": text}, {"group": "stage", "having": text[:1999]}):
            with pytest.raises(BadInput):
                ask(records, **query)  # type: ignore[arg-type]
        assert time.process_time() - started < 1, text[:10]


def test_hidden_and_missing_fields_have_the_same_answer(sqlite_firm: Running) -> None:
    for query in ({"group": "{}"}, {"measures": "sum({})"}, {"group": "stage", "having": "max({}) > 1"},
                  {"group": "stage", "sort": "{}"}, {"filter": "{} == 1"}):  # fmt: skip
        answers = []
        for path in ("account.name", "account.zzzz"):  # who may not read accounts
            with pytest.raises(BadInput) as refusal:
                ask(sqlite_firm.records("dealer"), **{key: text.format(path) for key, text in query.items()})
            message = str(refusal.value).replace(path, "…").replace(path.rpartition(".")[2], "…")
            answers.append((refusal.value.code, message, refusal.value.fix))
        assert answers[0] == answers[1], query


def test_formulas_are_grouped_by_and_measured(firm: Running) -> None:
    boss = deals(
        firm, {"amount": "100.10", "close_date": "2026-11-01"}, {"amount": "301", "close_date": "2025-12-24"},
        {"amount": "250.05", "close_date": "2026-02-01"}, {},
    )  # fmt: skip
    size = "IF(amount > 200, 'large, really', 'small')"
    query = AggregateQuery(
        "deal", (size,), ("sum(amount * 2)", "max(ROUND(amount / 3, 1))"), having="sum(amount) > 1",
        sort=(SortKey("sum(amount * 2)", True),),
    )  # fmt: skip
    assert [list(group.values()) for group in boss.aggregate(query).groups] == [
        ["large, really", 1102.1, 100.3], ["small", 200.2, 33.4],
    ]  # fmt: skip
    by_year = AggregateQuery("deal", ("YEAR(close_date)",), ("count()",))
    assert [list(g.values()) for g in boss.aggregate(by_year).groups] == [[2025.0, 1], [2026.0, 2], [None, 1]]
    for wrong, code in (("YEAR(nosuch)", "formula.name.unknown"), ("tags == null or", "formula.syntax")):
        with pytest.raises(BadInput) as error:
            boss.aggregate(AggregateQuery("deal", (wrong,)))
        assert error.value.code == code
