"""Mail that nobody waits for: sent by a thread of its own, tried again a few times. What is waiting is lost with the
process; what must not be lost asks for its answer (Mailer.send) instead."""

import logging
import queue
import threading
from collections.abc import Callable

from engine.errors import EngineError
from engine.mail.port import MailFailed

__all__ = ["Post"]

log = logging.getLogger("fieldstone.mail")
MOST_WAITING = 1000
PAUSES_S = (5.0, 60.0)  # before a mail is tried for the second and the third time

Work = Callable[[], None]


class Post:
    """`hand_over(work)` returns at once; `work` runs later, one after the other."""

    def __init__(self, pauses_s: tuple[float, ...] = PAUSES_S) -> None:
        self.pauses_s = pauses_s
        self.waiting: queue.Queue[Work] = queue.Queue(MOST_WAITING)
        self.closing = threading.Event()
        self.lock = threading.Lock()
        self.thread: threading.Thread | None = None

    def hand_over(self, work: Work) -> None:
        """Beyond what may wait it is dropped, and the log says so."""
        with self.lock:
            if self.thread is None and not self.closing.is_set():
                self.thread = threading.Thread(target=self.run, name="post", daemon=True)
                self.thread.start()
        try:
            self.waiting.put_nowait(work)
        except queue.Full:
            log.error("a mail was dropped: %d others wait already", MOST_WAITING)

    def run(self) -> None:
        while not self.closing.is_set():
            try:
                work = self.waiting.get(timeout=1)
            except queue.Empty:
                continue
            try:
                self.carry_out(work)
            finally:
                self.waiting.task_done()

    def carry_out(self, work: Work) -> None:
        for pause_s in (*self.pauses_s, None):
            try:
                return work()
            except MailFailed as error:
                log.error("%s", error)
                if pause_s is None or not error.may_succeed_later or self.closing.wait(pause_s):
                    return None
            except EngineError as error:
                log.error("a mail could not be sent: %s", error)
                return None
            except Exception:
                log.exception("a mail could not be sent")
                return None
        return None

    def settle(self) -> None:
        """Wait until nothing waits any more."""
        self.waiting.join()

    def close(self) -> None:
        """After what it is about; what waits is given up."""
        self.closing.set()
        if self.thread is not None:
            self.thread.join(timeout=20)
