"""Numbers, money, dates and times as a person reads them, and what is said of them on screens only."""

from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import dates

from engine import formats
from engine.formats import currency_sign, is_currency
from ui.texts import Say, say_in

__all__ = ["Formats", "currency_sign", "formats_for", "is_currency"]


class Formats(formats.Formats):
    def __init__(self, language: str, zone: ZoneInfo) -> None:
        super().__init__(language, zone)
        self.say: Say = say_in(language)

    def ago(self, at: datetime, now: datetime) -> str:
        """ "12 minutes ago" within a week, then the date."""
        passed = now - at
        if passed < timedelta(minutes=1):
            return self.say("just now")
        if passed < timedelta(days=7):
            return dates.format_timedelta(-passed, add_direction=True, locale=self.locale, threshold=1)
        return self.date(at.astimezone(self.zone).date())


@lru_cache(maxsize=256)
def formats_for(language: str, zone: ZoneInfo) -> Formats:
    return Formats(language, zone)
