"""Random aggregate queries against a slow reference in Python, and against what a person may not see."""

import datetime as dt
import random
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from engine.errors import EngineError
from engine.service import AggregateQuery, SortKey
from engine.testing import Running
from tests.records.test_pairs import formula, two_firms

ZONE = ZoneInfo("America/New_York")
GROUPS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "stage": lambda row: row["stage"],
    "is_hot": lambda row: row["is_hot"],
    "notes": lambda row: row["notes"],
    "amount": lambda row: row["amount"],
    "account.name": lambda row: row["account"],
    "close_date:week": lambda row: row["day"] and str(row["day"] - dt.timedelta(days=row["day"].weekday())),
    "close_date:month": lambda row: row["day"] and str(row["day"])[:7],
    "close_date:quarter": lambda row: row["day"] and f"{row['day'].year}-Q{(row['day'].month - 1) // 3 + 1}",
    "called_at:day": lambda row: row["at"] and str(row["at"].astimezone(ZONE).date()),
    "called_at:year": lambda row: row["at"] and str(row["at"].astimezone(ZONE).year),
}
VALUES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "amount": lambda row: row["amount"],
    "count": lambda row: row["count"],
    "notes": lambda row: row["notes"],
    "close_date": lambda row: row["day"],
}
MEASURES = [
    "count()", "sum(amount)", "avg(amount)", "min(amount)", "max(amount)", "distinct(amount)", "count(amount)",
    "sum(count)", "avg(count)", "max(count)", "distinct(notes)", "min(notes)", "max(notes)", "min(close_date)",
]  # fmt: skip


def measure(text: str, rows: list[dict[str, Any]]) -> Any:
    function, _, name = text.rstrip(")").partition("(")
    if not name:
        return len(rows)
    values = [value for value in map(VALUES[name], rows) if value is not None]
    match function:
        case "count":
            return len(values)
        case "distinct":
            return len(set(values))
        case "sum":
            return sum(values)
        case "avg":
            places = Decimal("0.000001" if name == "amount" else "0.0001")
            return (sum(map(Decimal, values)) / len(values)).quantize(places, ROUND_HALF_UP) if values else None
    return (min if function == "min" else max)(values, default=None)


def some_rows(firm: Running) -> list[dict[str, Any]]:
    chance = random.Random(11)
    boss = firm.records("boss")
    ids = {name: boss.create("account", {"name": name})["id"] for name in ("Acme", "acme", "中")}
    rows: list[dict[str, Any]] = []
    spring = dt.datetime(2026, 3, 8, 6, 59, 59, tzinfo=dt.UTC)
    for _ in range(60):
        rows.append({
            "stage": chance.choice(["new", "won", "lost"]), "is_hot": chance.choice([None, True, False]),
            "notes": chance.choice([None, "a", "A", "é", "中", "it's"]), "count": chance.choice([None, 0, 1, -3, 7]),
            "amount": chance.choice([None, *map(Decimal, ("0.01", "0.02", "-0.01", "10.00", "99999999999.99"))]),
            "day": chance.choice([None, dt.date(2026, 1, 1) + dt.timedelta(days=chance.randrange(-9, 400))]),
            "at": chance.choice([None, spring + dt.timedelta(seconds=chance.randrange(-400_000, 400_000))]),
            "account": chance.choice([None, *ids]),
        })  # fmt: skip
    boss.batch("deal", [{"action": "create", "values": {
        "name": "d", "stage": row["stage"], "is_hot": row["is_hot"], "notes": row["notes"], "count": row["count"],
        "amount": row["amount"], "close_date": row["day"] and str(row["day"]),
        "called_at": row["at"] and row["at"].isoformat(), "account": ids.get(row["account"]),
    }} for row in rows])  # fmt: skip
    return rows


def plain(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else str(value) if isinstance(value, dt.date) else value


def test_answers_are_those_of_the_reference(firm: Running) -> None:
    rows = some_rows(firm)
    firm.user("ny", "admin", time_zone="America/New_York")
    records = firm.records("ny")

    @given(
        st.lists(st.sampled_from(list(GROUPS)), max_size=3, unique=True),
        st.lists(st.sampled_from(MEASURES), min_size=1, max_size=4, unique=True),
        st.sampled_from([None, "sum(amount)", "avg(count)", "avg(amount)", "count()", "distinct(notes)"]),
        st.sampled_from(["<", "<=", ">", ">=", "==", "!="]),
        st.sampled_from(["0", "1", "0.005", "-3", "2.33335", "10.01"]),
        st.booleans(),
    )
    @settings(max_examples=60, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck))  # fmt: skip
    def check(
        groups: list[str], measures: list[str], tested: str | None, op: str, limit: str, is_filtered: bool
    ) -> None:
        kept = [row for row in rows if row["count"] is not None and row["count"] >= 0] if is_filtered else rows
        expected: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
        for row in kept:
            expected.setdefault(tuple(GROUPS[name](row) for name in groups), []).append(row)
        having = f"{tested} {op} {limit}" if tested and groups else ""
        if having:
            number = Decimal(limit)
            expected = {key: some for key, some in expected.items() if holds(measure(tested, some), op, number)}
        asked = AggregateQuery(
            "deal", tuple(groups), tuple(measures), filter="count >= 0" if is_filtered else "", having=having
        )
        found = records.aggregate(asked)
        shown = {tuple(row[name] for name in groups): row for row in orjson.loads(orjson.dumps(found.groups))}
        if groups:
            assert set(shown) == {tuple(map(plain, key)) for key in expected}
            assert list(shown) == sorted(shown, key=lambda key: [(value is None, value) for value in key])
            for key, members in expected.items():
                row = shown[tuple(map(plain, key))]
                assert [row[name] for name in measures] == [plain(measure(name, members)) for name in measures]
        total = orjson.loads(orjson.dumps(found.total))
        assert total == {name: plain(measure(name, kept)) for name in measures}

    check()


def holds(value: Any, op: str, other: Decimal) -> bool:
    """Two-valued: only `!=` is true of a blank."""
    if value is None:
        return op == "!="
    return {
        "<": value < other, "<=": value <= other, ">": value > other, ">=": value >= other, "==": value == other,
        "!=": value != other,
    }[op]  # fmt: skip


def test_what_is_hidden_changes_no_number(tmp_path: Path) -> None:
    """Two databases that differ only in what a person may not see answer that person alike."""
    chance = random.Random(5)
    groups = ("stage", "amount", "account.name", "account.code", "account.credit", "account.parent.name", "owner.name",
              "created_at:month")  # fmt: skip
    paths = ("amount", "account.credit", "account.name", "account.parent.name", "account.parent.credit", "account",
             "owner")  # fmt: skip

    def answer(site: Running, query: AggregateQuery) -> object:
        try:
            found = site.records("lin").aggregate(query)
        except EngineError as error:
            return (error.code, str(error), error.fix)
        return orjson.dumps([found.groups, found.total, found.is_truncated])

    with two_firms(tmp_path) as (one, two):
        told: set[bool] = set()
        for _ in range(200):
            measures = tuple(
                f"{chance.choice(['sum', 'count', 'avg', 'min', 'max', 'distinct'])}({chance.choice(paths)})"
                for _ in range(2)
            )
            grouped = tuple(chance.sample(groups, chance.choice([0, 1, 1, 2])))
            query = AggregateQuery(
                chance.choice(["deal", "deal", "deal", "vault"]), grouped, (*measures, "count()"),
                filter=formula(chance) if chance.random() < 0.5 else "",
                having=f"{chance.choice(measures)} != null and count() > 1" if grouped and told else "",
                sort=(SortKey(chance.choice(measures), True),) if grouped and chance.random() < 0.5 else (),
                limit=chance.choice([2, 1000]), search=chance.choice(["", "", "d1", "Hid", "Other"]),
            )  # fmt: skip
            assert answer(one, query) == answer(two, query), query
            told.add(isinstance(answer(one, query), bytes))
        assert told == {True, False}  # both answers and refusals were compared
