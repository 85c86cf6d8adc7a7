"""Are numbers, money and times shown as people of a language and zone read them?"""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from ui.formats import formats_for

EN = formats_for("en", ZoneInfo("America/New_York"))
ZH = formats_for("zh-CN", ZoneInfo("Asia/Shanghai"))
NOW = datetime(2026, 11, 22, 2, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("amount", "shown"),
    [("1234567", "¥1,234,567"), ("1234.5", "¥1,234.50"), ("-20", "-¥20"), ("0", "¥0"), ("0.05", "¥0.05")],
)
def test_money_has_cents_only_where_there_are_some(amount: str, shown: str) -> None:
    assert EN.money(Decimal(amount), "CNY") == shown
    assert ZH.money(Decimal(amount), "CNY") == shown


def test_other_currencies_have_their_own_sign() -> None:
    assert EN.money(Decimal(5), "EUR") == "€5"
    assert EN.money(Decimal(5), "USD") == "$5"
    assert EN.money(Decimal(5), "CHF") == "CHF 5"


def test_percents_lose_their_trailing_zeros() -> None:
    assert EN.percent(Decimal("12.50")) == "12.5%"
    assert EN.percent(Decimal("100.00")) == "100%"


def test_days_and_moments_follow_language_and_zone() -> None:
    assert EN.date(date(2026, 12, 5)) == "Dec 5, 2026"
    assert ZH.date(date(2026, 12, 5)) == "2026年12月5日"
    assert EN.datetime(NOW) == "Nov 21, 2026 9:15\u00a0PM"
    assert ZH.datetime(NOW) == "2026年11月22日 10:15"
    assert ZH.time(time(8, 30)) == "08:30"


def test_a_moment_ago_is_told_from_now_and_later_as_a_date() -> None:
    assert EN.ago(NOW - timedelta(seconds=20), NOW) == "just now"
    assert EN.ago(NOW - timedelta(minutes=12), NOW) == "12 minutes ago"
    assert ZH.ago(NOW - timedelta(hours=3), NOW) == "3小时前"
    assert EN.ago(NOW - timedelta(days=9), NOW) == "Nov 12, 2026"
