"""How many requests a person and a tenant may make in a minute. Counted in this process alone."""

import threading
from datetime import datetime

from engine.errors import EngineError

__all__ = ["Pace", "TooManyRequests"]

PER_MINUTE = 60
MOST_KEPT = 100_000  # people of one minute; beyond that all share what is left of the tenant


class TooManyRequests(EngineError):
    """Refused until the next minute. `seconds` tells how long that is."""

    code = "request.many"

    def __init__(self, message: str, seconds: int) -> None:
        super().__init__(message, fix=f"wait {seconds} seconds; write many records with one batch")
        self.seconds = seconds


class Pace:
    """Of one tenant. 0 is no limit. Used by several threads."""

    def __init__(self, per_person: int, per_tenant: int) -> None:
        self.per_person, self.per_tenant = per_person, per_tenant
        self._minute, self._all = -1, 0
        self._people: dict[str, int] = {}
        self._lock = threading.Lock()

    def count(self, person: str, now: datetime) -> None:
        """One more request of a person, by id. Raises TooManyRequests."""
        if not (self.per_person or self.per_tenant):
            return
        minute, second = divmod(int(now.timestamp()), PER_MINUTE)
        with self._lock:
            if minute != self._minute:
                self._minute, self._all = minute, 0
                self._people.clear()
            self._all += 1
            key = person if person in self._people or len(self._people) < MOST_KEPT else ""
            own = self._people[key] = self._people.get(key, 0) + 1
            everybody = self._all
        if self.per_person and own > self.per_person:
            raise TooManyRequests(f"more than {self.per_person} requests in a minute", PER_MINUTE - second)
        if self.per_tenant and everybody > self.per_tenant:
            raise TooManyRequests(
                f"all together made more than {self.per_tenant} requests in a minute", PER_MINUTE - second
            )
