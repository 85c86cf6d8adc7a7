"""Names of time zones. `zoneinfo` walks its folders each time that it is asked for them."""

from functools import cache
from zoneinfo import available_timezones

__all__ = ["time_zones"]


@cache
def time_zones() -> frozenset[str]:
    """All that the machine, or the package tzdata, has: names such as Asia/Shanghai."""
    return frozenset(available_timezones())
