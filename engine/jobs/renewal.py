"""Keeps the leases of jobs that take long: one thread of the process, for all of them."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from engine.jobs import store
from engine.jobs.store import Leased
from engine.store.database import Database

__all__ = ["Renewals"]

log = logging.getLogger("fieldstone.jobs")
AFTER_S = store.LEASE.total_seconds() / 3


@dataclass(slots=True, eq=False)
class Kept:
    database: Database
    held: Leased
    now: datetime  # at the beginning
    began: float = field(default_factory=time.monotonic)
    renewed: float = field(default_factory=time.monotonic)


class Renewals:
    def __init__(self, after_s: float = AFTER_S) -> None:
        self.after_s = after_s
        self._lock = threading.Lock()
        self._kept: set[Kept] = set()
        self._thread: threading.Thread | None = None

    @contextmanager
    def kept(self, database: Database, held: Leased, now: datetime) -> Iterator[None]:
        """Renew the lease again and again until the end. Not for a job that writes the job's own row meanwhile."""
        one = Kept(database, held, now)
        with self._lock:
            self._kept.add(one)
            if self._thread is None or not self._thread.is_alive():  # after a fork it is not
                self._thread = threading.Thread(target=self._run, name="fieldstone-leases", daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._lock:
                self._kept.discard(one)

    def _run(self) -> None:
        pause = threading.Event()
        while True:
            pause.wait(self.after_s / 4)
            with self._lock:
                kept = list(self._kept)
            for one in kept:
                if time.monotonic() - one.renewed >= self.after_s:
                    self._renew(one)

    def _renew(self, one: Kept) -> None:
        one.renewed = time.monotonic()
        try:
            with one.database.write() as connection:
                store.renew(connection, one.held, one.now + timedelta(seconds=one.renewed - one.began))
        except Exception as error:  # the next time may do; else another worker takes the job
            log.warning("the lease of job %s could not be renewed: %s", one.held.id, error)
