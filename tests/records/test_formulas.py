"""Filters against a slow reference in Python: the same rows on both databases, and `not` of them all others."""

import datetime as dt
import random
from decimal import Decimal
from typing import Any

import pytest

from engine.service import Query, Records
from engine.testing import Running

TODAY = dt.date(2026, 11, 22)
NOW = dt.datetime(2026, 11, 22, 2, 15, 0, 123000, dt.UTC)

NUMBERS = [
    "0",
    "1",
    "-1",
    "10",
    "10.5",
    "10.555",
    "0.005",
    "12.3456",
    "9007199254740993",
    "999999999999999999999",
    "-1e25",
    "1e-20",
]
AMOUNTS = [None, "0", "1.00", "-1.00", "10.50", "10.55", "10.56", "9999999999999999.99", "-9999999999999999.99"]
COUNTS = [None, 0, 1, -1, 10, 11, 2**63 - 1, -(2**63), 9007199254740993]
TEXTS = ["a", "A", "b", "it's", "100%", "中文", "a_b", "\\"]
DATES = [None, "2026-11-22", "2026-11-21", "1000-01-01", "9999-12-31"]
MOMENTS = [None, "2026-11-22T02:15:00.123Z", "2026-11-22T02:15:00.122Z", "9999-12-31T23:59:59.999Z"]

CASES: list[tuple[str, list[str]]] = [
    ("amount > 10.555", ["c", "d"]), ("amount >= 10.56", ["c", "d"]), ("amount == 10.555", []),
    ("amount <= 10.555", ["a", "b"]),
    ("amount != 10.555", ["a", "b", "c", "d", "e"]), ("amount == 10.5", ["b"]), ("amount < 1e29", ["a", "b", "c", "d"]),
    ("amount > -1e29", ["a", "b", "c", "d"]), ("amount > 1e29", []), ("not amount > 1e29", ["a", "b", "c", "d", "e"]),
    ("10 < amount < 11", ["b", "c"]), ("amount in [1, 10.5, 10.555]", ["a", "b"]),
    ("amount not in [1, 10.5]", ["c", "d", "e"]),
    ("amount == null", ["e"]), ("amount > count", ["b", "c"]), ("amount > rate", ["c"]),
    ("amount + 1 > count", ["a", "b", "c"]), ("amount - count == 0.5", ["b"]), ("rate == 10.5", ["a", "b"]),
    ("amount == rate", ["b", "e"]), ("amount != rate", ["a", "c", "d"]), ("count + count > 1e18", ["d"]),
    ("count < 9223372036854775807", ["a", "b", "c"]), ("count <= 9223372036854775807", ["a", "b", "c", "d"]),
    ("count < 1.5", ["a"]), ("count > 0.5", ["a", "b", "c", "d"]), ("name == 'A'", []),
    ("name != 'A'", ["a", "b", "c", "d", "e"]),
    ("notes == ''", ["b", "c", "d", "e"]), ("notes != 'x'", ["b", "c", "d", "e"]),
    ("not notes == 'x'", ["b", "c", "d", "e"]),
    ("notes == name", []), ("stage == 'won'", ["b"]), ("stage in ['new', 'won']", ["a", "b", "c", "d", "e"]),
    ("'vip' in tags", ["a", "b"]), ("'vip' not in tags", ["c", "d", "e"]), ("\"it's\" in tags", ["b"]),
    ("tags == null", ["d", "e"]),
    ("is_hot", ["a"]), ("not is_hot", ["b", "c", "d", "e"]), ("is_hot == false", ["b"]),
    ("is_hot != true", ["b", "c", "d", "e"]),
    ("close_date == TODAY()", ["a"]), ("close_date < '2026-11-22'", ["b"]), ("close_date + 1 == TODAY()", ["b"]),
    ("close_date - 1000000 < '1900-01-01'", []), ("not close_date + 99999999 > TODAY()", ["a", "b", "c", "d", "e"]),
    ("called_at == NOW()", ["a"]), ("called_at < NOW()", ["b"]), ("called_at > NOW() - 1", ["a", "b"]),
    ("opens_at < '09:00'", ["a"]),
    ("owner == user.id", ["a", "b", "c", "d", "e"]), ("owner.username == user.username", ["a", "b", "c", "d", "e"]),
    ("owner != user.id", []), ("owner == 'nonsense'", []),
    ("owner in ['nonsense', user.id]", ["a", "b", "c", "d", "e"]),
    ("account.name == 'Acme'", ["a"]), ("account.name != 'Acme'", ["b", "c", "d", "e"]),
    ("account == null", ["b", "c", "d", "e"]),
    ("ISBLANK(account.parent.name)", ["a", "b", "c", "d", "e"]), ("id == account", []),
    ("account.owner == owner", ["a"]),
    ("CONTAINS(name, 'A')", ["a"]), ("BEGINS(notes, 'x')", ["a"]),
    ("LOWER(name) == 'a' or count == 10", ["a", "b", "c"]),
    ("(amount > 1) == is_hot", []), ("(amount > 1) == (count > 5)", ["a", "b", "c", "d", "e"]),
    ("true", ["a", "b", "c", "d", "e"]), ("false", []),
    ("this.name == 'a' and not (amount > 5 or is_hot and stage == 'won')", ["a"]),
    ("ADDDAYS(close_date, 1) == TODAY()", ["b"]), ("ADDDAYS(close_date, 1.5) == TODAY()", ["b"]),
    ("close_date + 1.9 == TODAY()", ["b"]),
]  # fmt: skip


def five_deals(firm: Running) -> Records:
    boss = firm.records("boss")
    account = boss.create("account", {"name": "Acme", "credit": "10.5"})
    for values in (
        {"name": "a", "amount": "1", "count": 1, "rate": "10.5", "notes": "x", "is_hot": True, "tags": ["vip"],
         "close_date": "2026-11-22", "called_at": "2026-11-22T02:15:00.123Z", "opens_at": "08:59:59",
         "account": account["id"]},
        {"name": "b", "amount": "10.50", "count": 10, "rate": "10.5", "stage": "won", "is_hot": False, "tags": ["vip",
        "it's"],
         "close_date": "2026-11-21", "called_at": "2026-11-22T02:15:00.122Z", "opens_at": "09:00"},
        {"name": "c", "amount": "10.56", "count": 10, "rate": "0", "tags": ["risk"]},
        {"name": "d", "amount": "9999999999999999.99", "count": 2**63 - 1},
        {"name": "e"},
    ):  # fmt: skip
        boss.create("deal", values)
    return boss


def matching(records: Records, text: str) -> list[str]:
    return sorted(row["name"] for row in records.list(Query("deal", ("name",), filter=text, limit=1000)).records)


def test_filters_find_what_they_say_and_not_finds_the_rest(firm: Running) -> None:
    records = five_deals(firm)
    for text, expected in CASES:
        assert matching(records, text) == expected, text
        rest = sorted({"a", "b", "c", "d", "e"} - set(expected))
        assert matching(records, f"not ({text})") == rest, text
        assert matching(records, f"not not ({text})") == expected, text


class Maker:
    """Random well-typed formulas, with their value for a record."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def boolean(self, depth: int) -> tuple[str, Any]:
        """Text, and f(record) -> bool."""
        kind = (
            self.random.choice(["and", "or", "not", "eq"] if depth else ["leaf"])
            if self.random.random() < 0.7
            else "leaf"
        )
        if kind == "leaf" or depth == 0:
            return self.leaf()
        one, first = self.boolean(depth - 1)
        if kind == "not":
            return f"not ({one})", lambda row: not first(row)
        two, second = self.boolean(depth - 1)
        if kind == "eq":
            return f"(({one}) == ({two}))", lambda row: first(row) == second(row)
        if kind == "and":
            return f"({one} and {two})", lambda row: first(row) and second(row)
        return f"({one} or {two})", lambda row: first(row) or second(row)

    def leaf(self) -> tuple[str, Any]:
        kind = self.random.choice(["number", "number", "text", "date", "moment", "in", "blank", "tags", "hot"])
        op = self.random.choice(["==", "!=", "<", "<=", ">", ">="])
        if kind == "number":
            return self.compared(op, self.number(), self.number())
        if kind == "text":
            return self.compared(op, ("name", lambda row: row["name"]), self.text())
        if kind == "date":
            literal = self.random.choice(DATES[1:])
            return self.compared(op, self.date(), (f"'{literal}'", lambda row: dt.date.fromisoformat(literal or "")))
        if kind == "moment":
            literal = self.random.choice(MOMENTS[1:])
            return self.compared(
                op, self.field("called_at"), (f"'{literal}'", lambda row: dt.datetime.fromisoformat(literal or ""))
            )
        if kind == "in":
            options = self.random.sample(NUMBERS, 3)
            values = [Decimal(option) for option in options]
            name, value = self.number_field()
            negation = self.random.choice(["", "not "])
            return f"{name} {negation}in [{', '.join(options)}]", lambda row: (value(row) in values) != bool(negation)
        if kind == "blank":
            name = self.random.choice(["amount", "notes", "account.name", "called_at", "tags"])
            return f"{name} == null", lambda row: row[name] is None
        if kind == "tags":
            return "'vip' in tags", lambda row: "vip" in (row["tags"] or ())
        return "is_hot == true", lambda row: row["is_hot"] is True

    def compared(self, op: str, one: Any, two: Any) -> tuple[str, Any]:
        def value(row: Any) -> bool:
            left, right = one[1](row), two[1](row)
            if op in ("==", "!="):
                return (left == right) == (op == "==")
            if left is None or right is None:
                return False
            return {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[op]

        return f"{one[0]} {op} {two[0]}", value

    def field(self, name: str) -> tuple[str, Any]:
        return name, lambda row: row[name]

    def number_field(self) -> tuple[str, Any]:
        return self.field(self.random.choice(["amount", "count", "rate", "account.credit"]))

    def number(self) -> tuple[str, Any]:
        if self.random.random() < 0.4:
            text = self.random.choice(NUMBERS)
            return text, lambda row: Decimal(text)
        return self.number_field()

    def text(self) -> tuple[str, Any]:
        value = self.random.choice(TEXTS)
        quoted = value.replace("\\", "\\\\").replace("'", "\\'")
        return f"'{quoted}'", lambda row: value

    def date(self) -> tuple[str, Any]:
        if self.random.random() < 0.5:
            return self.field("close_date")
        days = self.random.choice([-400, -1, 1, 30])
        return f"close_date + {days}", lambda row: moved(row["close_date"], days)


def moved(day: dt.date | None, days: int) -> dt.date | None:
    try:
        found = None if day is None else day + dt.timedelta(days=days)
    except OverflowError:
        return None
    return None if found is None or found.year < 1000 else found


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_formulas_find_the_rows_that_python_finds(firm: Running, seed: int) -> None:
    chance = random.Random(seed)
    boss = firm.records("boss")
    accounts = [
        boss.create("account", {"name": "Acme", "credit": credit})["id"] for credit in (None, "10.5", "0.0001", "-1")
    ]
    for _ in range(40):
        boss.create("deal", {
            "name": chance.choice(TEXTS), "amount": chance.choice(AMOUNTS), "count": chance.choice(COUNTS),
            "rate": chance.choice([None, "0", "10.5", "1"]), "close_date": chance.choice(DATES),
            "notes": chance.choice([None, "a"]),
            "called_at": chance.choice(MOMENTS), "is_hot": chance.choice([None, True, False]),
            "tags": chance.choice([None, ["vip"], ["risk"], ["vip", "it's"]]),
            "account": chance.choice([None, *accounts]),
        })  # fmt: skip
    paths = (
        "name",
        "amount",
        "count",
        "rate",
        "close_date",
        "called_at",
        "is_hot",
        "tags",
        "notes",
        "account.credit",
        "account.name",
    )
    page = boss.page(Query("deal", paths, limit=100))
    rows = {one: dict(zip(paths, row, strict=True)) for one, row in zip(page.ids, page.rows, strict=True)}
    maker = Maker(seed)
    for _ in range(150):
        text, value = maker.boolean(4)
        for formula, expected in ((text, True), (f"not ({text})", False)):
            found = set(boss.page(Query("deal", ("name",), filter=formula, limit=100)).ids)
            assert found == {one for one, row in rows.items() if value(row) is expected}, formula
