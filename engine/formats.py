"""Numbers, money, dates and times as a person reads them: by language and time zone, through Babel."""

from collections.abc import Callable, Hashable
from datetime import date, datetime, time
from decimal import Decimal
from functools import lru_cache
from typing import TypeVar
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError, dates, numbers

__all__ = ["Formats", "currency_sign", "formats_for", "is_currency", "kept"]

H = TypeVar("H", bound=Hashable)
KEPT = 4096


class Formats:
    """All formatting for one language and zone. Kept for the life of the process, as are its most recent answers."""

    def __init__(self, language: str, zone: ZoneInfo) -> None:
        self.language, self.zone = language, zone
        self.locale = locale_of(language)
        self.date: Callable[[date], str] = kept(lambda day: dates.format_date(day, "medium", locale=self.locale))
        self.day: Callable[[date], str] = kept(lambda day: dates.format_skeleton("MMMd", day, locale=self.locale))
        self.long_date: Callable[[date], str] = kept(lambda day: dates.format_date(day, "full", locale=self.locale))
        self.datetime: Callable[[datetime], str] = kept(self._datetime)
        self.time: Callable[[time], str] = kept(lambda at: dates.format_time(at, "short", locale=self.locale))
        self.plain_grouping = numbers.format_decimal(12345.5, locale=self.locale) == "12,345.5"

    def _datetime(self, at: datetime) -> str:
        local = at.astimezone(self.zone)
        # CLDR's narrow space before "PM" is thinner than most fonts can show.
        clock = dates.format_time(local, "short", locale=self.locale).replace("\u202f", "\u00a0")
        return f"{self.date(local.date())} {clock}"

    def number(self, value: int | Decimal, scale: int | None = None) -> str:
        """Grouped, with `scale` digits after the point; as many as there are when None."""
        if self.plain_grouping:
            if not scale and isinstance(value, int):
                return f"{value:,}"
            return f"{value:,}" if scale is None else f"{Decimal(value):,.{scale}f}"  # an int would go through a float
        pattern = "#,##0" + ("." + "0" * scale if scale else "" if scale == 0 else ".############")
        return numbers.format_decimal(value, pattern, locale=self.locale)

    def money(self, value: Decimal, currency: str, scale: int = 2) -> str:
        """Without ".00": a page of whole amounts is easier to read."""
        before, after = self._currency_sign(currency)
        digits = 0 if value == value.to_integral_value() else scale
        number = self.number(abs(value), digits)
        return f"{'-' if value < 0 else ''}{before}{number}{after}"

    def _currency_sign(self, currency: str) -> tuple[str, str]:
        return currency_sign(self.locale, currency)

    def percent(self, value: int | Decimal) -> str:
        text = self.number(value)
        return f"{text.rstrip('0').rstrip('.') if '.' in text else text}%"


@lru_cache(maxsize=256)
def formats_for(language: str, zone: ZoneInfo) -> Formats:
    return Formats(language, zone)


def locale_of(language: str) -> Locale:
    """English for what is no language that is known: definitions may call theirs as they like."""
    try:
        return Locale.parse(language.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return Locale.parse("en")


@lru_cache(maxsize=256)
def currency_sign(locale: Locale, currency: str) -> tuple[str, str]:
    """What stands before and after an amount. A package's money is rarely foreign to its users: "¥", not "CN¥"."""
    if not currency:
        return "", ""
    symbol = numbers.get_currency_symbol(currency, locale=locale)
    symbol = {"CN¥": "¥", "US$": "$"}.get(symbol, symbol)
    text = numbers.format_currency(1, currency, "¤#,##0", locale=locale)
    before = text.startswith(numbers.get_currency_symbol(currency, locale=locale)) or not text[0].isdigit()
    gap = " " if len(symbol) > 1 and symbol.isalpha() else ""
    return (symbol + gap, "") if before else ("", gap + symbol)


@lru_cache(maxsize=256)
def is_currency(code: str | None) -> bool:
    """Whether it is a code of ISO 4217, in capitals."""
    return code is not None and code in numbers.list_currencies()


def kept(function: Callable[[H], str]) -> Callable[[H], str]:
    """The function, with its last few thousand answers remembered: a list repeats its dates."""
    return lru_cache(maxsize=KEPT)(function)
