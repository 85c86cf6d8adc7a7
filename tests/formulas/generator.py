"""Typed formulas and records for Hypothesis: whatever it draws, the parser takes."""

import datetime as dt
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from engine.store import types
from tests.formulas.backends import WITHIN

LETTERS = "abAB12 .-'%_\\\"华精ßéİ\u3000\U0001f600\uffee"
texts = st.text(LETTERS, min_size=1, max_size=8)
days = st.dates(dt.date(1000, 1, 1), dt.date(9999, 12, 31))
usual_days = st.dates(dt.date(2026, 10, 1), dt.date(2027, 2, 1))
some_days = st.one_of(usual_days, usual_days, days)


def decimals(digits: int, places: int) -> st.SearchStrategy[Decimal]:
    most = 10**digits - 1
    whole = st.one_of(st.integers(-1000, 1000), st.integers(-most, most))
    return whole.map(lambda number: Decimal(number).scaleb(-places))


def moment(day: dt.date, milliseconds: int) -> dt.datetime:
    start = dt.datetime.combine(day, dt.time(), dt.UTC)
    return start + dt.timedelta(milliseconds=milliseconds)


# The first and last days are left out: in some time zone they are outside the years that a date can have.
moments = st.builds(moment, st.one_of(usual_days, st.dates(dt.date(1001, 1, 1), dt.date(9998, 12, 31))),
                    st.integers(0, 86_399_999))  # fmt: skip


def or_blank(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(values, values, st.none())


lines = st.fixed_dictionaries({
    "quantity": or_blank(st.integers(-20, 20)), "price": or_blank(decimals(12, 2)), "label": or_blank(texts),
    "day": or_blank(usual_days), "is_free": or_blank(st.booleans()), "place": or_blank(st.sampled_from([*WITHIN])),
})  # fmt: skip
records = st.fixed_dictionaries({
    "lines": st.lists(lines, max_size=3), "region": or_blank(st.sampled_from([*WITHIN])),
    "count": or_blank(st.one_of(st.integers(-20, 20), st.integers(-(2**63), 2**63 - 1))),
    "amount": or_blank(decimals(18, 2)), "rate": or_blank(decimals(15, 6)), "name": or_blank(texts),
    "note": or_blank(texts), "stage": or_blank(st.sampled_from(["new", "won", "lost"])), "due": or_blank(some_days),
    "start": or_blank(some_days), "at": or_blank(moments), "is_hot": or_blank(st.booleans()),
    "opens": or_blank(st.builds(dt.time, st.integers(0, 23), st.integers(0, 59))),
    "tags": or_blank(st.lists(st.sampled_from(["new", "won", "lost"]), min_size=1, max_size=3, unique=True)),
})  # fmt: skip


def quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def call(name: str, *args: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(*args).map(lambda made: f"{name}({', '.join(made)})")


def calls(names: str, *args: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.sampled_from(names.split()).flatmap(lambda name: call(name, *args))


def joined(left: st.SearchStrategy[str], signs: list[str], right: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(left, st.sampled_from(signs), right).map(lambda made: f"({made[0]} {made[1]} {made[2]})")


literals = st.one_of(
    st.integers(-20, 20).map(str),
    st.sampled_from(
        ["0.5", "2.5", "-0.005", "1.005", "1e20", "1e-20", "9007199254740993", "12345678901234567890.5", "7"]
    ),
    decimals(12, 4).map(lambda value: format(value, "f")),
)
ORDER = ["==", "!=", "<", "<=", ">", ">="]
PERIODS = (
    "LAST_WEEK THIS_WEEK NEXT_WEEK LAST_MONTH THIS_MONTH NEXT_MONTH LAST_QUARTER THIS_QUARTER NEXT_QUARTER LAST_YEAR "
    "THIS_YEAR NEXT_YEAR LAST_FISCAL_QUARTER THIS_FISCAL_QUARTER NEXT_FISCAL_QUARTER LAST_FISCAL_YEAR THIS_FISCAL_YEAR "
    "NEXT_FISCAL_YEAR"
)
N_PERIODS = "LAST_N_DAYS NEXT_N_DAYS LAST_N_WEEKS NEXT_N_WEEKS LAST_N_MONTHS NEXT_N_MONTHS"
pieces = st.sampled_from([
    *"aAbB12", ".", r"\d", r"\D", r"\w", r"\s", r"\S", "[a-z]", "[^A-Z%]", r"[\d.\-]", "华", "[一-龥]", r"\.",
    "(a|b)", "(a|)", "(?:ab)", r"\u00e9", "[^a]", "-", "'", "(1|2|(A|b)?)",
])  # fmt: skip
repeats = st.sampled_from(["", "", "*", "+", "?", "{2}", "{0,3}", "{1,}"])
pattern = st.lists(st.tuples(pieces, repeats).map("".join), min_size=1, max_size=4).map("".join)
patterns = st.one_of(pattern, st.tuples(pattern, pattern).map("|".join), pattern.map(lambda p: f"({p})*"))
moment_texts = st.sampled_from([
    "2026-11-22", "2026-11-22T08:30", "2026-11-22 08:30:15", "2026-11-22T08:30:15.1239Z", "2026-02-30",
    "0999-12-31T23:59Z",
    "1000-01-01T00:00+00:01", "0999-12-31T23:59:59-00:01", "9999-12-31T23:59:59.999-00:01",
    "2026-11-22T24:00Z",
    "2026-11-22T08:30+23:59", "2026-11-22T08:30+24:00", "2026-11-22T08:30Z ", "2028-02-29T00:00:00+08:00", "0000-01-01",
    "2026-11-22T08:30:60Z", "2026-13-01", "0099-01-01T00:00:00Z",
])  # fmt: skip
clocks = st.tuples(*[st.integers(-1, most) for most in (10_001, 13, 32, 25, 61, 61)])
UNITS = st.sampled_from(["'week'", "'month'", "'quarter'", "'year'", "'age'", "config.house.motto"])


LEAVES = {
    "number": ["count", "amount", "rate", "config.house.factor", "COUNT(lines)"],
    "text": ["name", "note", "COALESCE(stage)", "config.house.motto", "user.username"],
    "date": ["due", "start", "TODAY()", "YESTERDAY()", "TOMORROW()", "config.house.day"],
    "datetime": ["at", "NOW()"],
    "boolean": [
        "is_hot", "true", "false", "('won' in tags)", "(stage in ['new', 'won'])", "(stage == null)",
        "(opens < '12:00')",
        "HAS_ROLE('sales')", "(user.username == name)", "(count > 0.5)", "(amount in [1, 2.5, null])", "(tags == null)",
        "INCLUDES(tags, 'lost')", "IN_TREE(region, region)", "IN_DEPARTMENT(region)", "(region == null)",
        *(f"IN_TREE(region, '{place}')" for place in WITHIN),
    ],
}  # fmt: skip
LINE_LEAVES = {
    "number": ["quantity", "price", "parent.amount", "parent.rate", "config.house.factor"],
    "text": ["label", "parent.name", "config.house.motto"], "date": ["day", "parent.due", "TODAY()"],
    "datetime": ["parent.at", "NOW()"],
    "boolean": ["is_free", "parent.is_hot", f"IN_TREE(place, '{[*WITHIN][1]}')", "IN_TREE(place, parent.region)"],
}  # fmt: skip


def formulas(depth: int, leaves: dict[str, list[str]] = LEAVES) -> dict[str, st.SearchStrategy[str]]:
    """By type, of at most so many levels."""
    number: st.SearchStrategy[str] = st.one_of(st.sampled_from(leaves["number"]), literals)
    text: st.SearchStrategy[str] = st.one_of(st.sampled_from(leaves["text"]), texts.map(quoted))
    date: st.SearchStrategy[str] = st.sampled_from(leaves["date"])
    moment_: st.SearchStrategy[str] = st.sampled_from(leaves["datetime"])
    boolean: st.SearchStrategy[str] = st.sampled_from(leaves["boolean"])
    for level in range(depth):
        lower = (number, text, date, moment_, boolean)
        number = st.one_of(number, joined(number, ["+", "-", "*", "/", "%"], number), grown_number(*lower))
        text = st.one_of(text, joined(text, ["+"], text), grown_text(*lower))
        date = st.one_of(date, joined(date, ["+", "-"], lower[0]), grown_date(*lower))
        moment_ = st.one_of(moment_, joined(moment_, ["+", "-"], lower[0]), grown_moment(*lower))
        boolean = st.one_of(boolean, grown_boolean(*lower))
        if level == 0 and leaves is LEAVES:
            number, date = st.one_of(number, of_lines["number"]), st.one_of(date, of_lines["date"])
    return {"number": number, "text": text, "date": date, "datetime": moment_, "boolean": boolean}


Text = st.SearchStrategy[str]


def grown_number(number: Text, text: Text, date: Text, moment_: Text, boolean: Text) -> Text:
    return st.one_of(
        number.map(lambda made: f"-({made})"), calls("ROUND FLOOR CEILING ABS", number),
        call("ROUND", number, number), calls("MOD MIN MAX COALESCE BLANKVALUE", number, number),
        call("MIN", number, st.just("null"), number), calls("LEN VALUE", text), call("VALUE", call("TEXT", number)),
        call("FIND", text, text), calls("YEAR MONTH DAY WEEKDAY FISCAL_YEAR FISCAL_QUARTER", st.one_of(date, moment_)),
        calls("DAYS_BETWEEN WORKDAYS_BETWEEN MONTHS_BETWEEN", date, st.one_of(date, moment_)),
        call("IF", boolean, number, number), call("SQRT", number), call("HOURS_BETWEEN", moment_, moment_),
        call("POWER", number, st.one_of(number, st.integers(-5, 40).map(str), st.sampled_from(["1000", "-1000"]))),
        calls("HOUR MINUTE", moment_),
        call("CASE", text, text, number, text, number), call("CASE", number, number, number, number),
    )  # fmt: skip


def grown_text(number: Text, text: Text, date: Text, moment_: Text, boolean: Text) -> Text:
    return st.one_of(
        calls("LEFT RIGHT", text, number), call("MID", text, number, number), calls("TRIM UPPER LOWER TEXT", text),
        call("SUBSTITUTE", text, text, text), call("TEXT", st.one_of(number, date)), call("IF", boolean, text),
        calls("LPAD RPAD", text, st.integers(-1, 12).map(str), text), call("LPAD", text, number),
        call("COALESCE", text, text), st.tuples(text, boolean, text).map(lambda p: f"({p[0]} if {p[1]} else {p[2]})"),
        call("CASE", date, date, text, text), call("HYPERLINK", text, text), call("DATE_TEXT", date, text),
        call("DATE_TEXT", st.one_of(date, moment_), st.sampled_from(["'yyyy-MM'", "'dd.MM.yy HH:mm:ss MMM'"])),
    )  # fmt: skip


def grown_date(number: Text, text: Text, date: Text, moment_: Text, boolean: Text) -> Text:
    return st.one_of(
        calls("ADDDAYS ADDMONTHS ADDYEARS", date, number), call("DATE_OF", moment_),
        call("DATE", number, number, number),
        calls("START_OF END_OF", st.one_of(date, moment_), UNITS), calls("MIN MAX", date, date),
        call("IF", boolean, date, date),
    )  # fmt: skip


def grown_moment(number: Text, text: Text, date: Text, moment_: Text, boolean: Text) -> Text:
    return st.one_of(
        call("IF", boolean, moment_, moment_), call("ADDHOURS", moment_, number), call("DATETIME", text),
        call("DATETIME", moment_texts.map(quoted)), call("DATETIME", number, number, number),
        clocks.map(lambda made: f"DATETIME({', '.join(map(str, made))})"),
    )  # fmt: skip


def grown_boolean(number: Text, text: Text, date: Text, moment_: Text, boolean: Text) -> Text:
    return st.one_of(
        *(joined(kind, ORDER, kind) for kind in (number, text, date, moment_)),
        joined(boolean, ["and", "or", "=="], boolean),
        boolean.map(lambda made: f"(not {made})"), calls("AND OR", boolean, boolean), call("NOT", boolean),
        calls("CONTAINS BEGINS ENDS IN", text, text), call("IN", number, number, number), call("HAS_ROLE", text),
        calls("ISBLANK", st.one_of(number, text, date, moment_)), calls(PERIODS, st.one_of(date, moment_)),
        calls(N_PERIODS, date, st.one_of(number, st.integers(-3, 9).map(str))), call("ISNUMBER", text),
        call("REGEX", text, patterns.map(quoted)), call("IN_DEPARTMENT", text), call("IF", boolean, boolean, boolean),
        joined(number, ["in", "not in"], st.tuples(number, number).map(lambda pair: f"[{pair[0]}, {pair[1]}]")),
    )  # fmt: skip


def grown_lines() -> dict[str, Text]:
    inner = formulas(1, LINE_LEAVES)
    return {
        "number": st.one_of(
            call("COUNT", st.just("lines"), inner["boolean"]),
            calls("SUM AVERAGE HIGHEST LOWEST", st.just("lines"), inner["number"]),
        ),
        "date": calls("HIGHEST LOWEST", st.just("lines"), inner["date"]),
    }


of_lines = grown_lines()
assert types.SQLITE_DIGITS == 18  # of `amount`
