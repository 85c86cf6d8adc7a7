import asyncio
import threading
import time
from collections.abc import Iterator

import pytest

from engine.api import lane as lanes
from engine.api.lane import Lane
from engine.errors import Busy


@pytest.fixture
def lane() -> Iterator[Lane]:
    made = Lane("test", 2)
    yield made
    made.close()


def test_work_is_done_in_its_threads_and_gives_its_result(lane: Lane) -> None:
    name = asyncio.run(lane.run(lambda: threading.current_thread().name))
    assert name in ("fieldstone-test-0", "fieldstone-test-1")


def test_what_work_raises_comes_out(lane: Lane) -> None:
    with pytest.raises(ZeroDivisionError):
        asyncio.run(lane.run(lambda: 1 // 0))


def test_no_more_works_at_a_time_than_there_are_threads(lane: Lane) -> None:
    running, most = 0, 0
    lock = threading.Lock()

    def work() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.01)
        with lock:
            running -= 1

    async def many() -> None:
        await asyncio.gather(*(lane.run(work) for _ in range(10)))

    asyncio.run(many())
    assert most == 2


def test_waiter_that_gives_up_does_not_stop_the_thread(lane: Lane) -> None:
    async def give_up() -> str:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(lane.run(lambda: time.sleep(0.05)), 0.01)
        return await lane.run(lambda: "next")

    assert asyncio.run(give_up()) == "next"


def test_too_many_that_wait_are_refused(lane: Lane, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "MAX_WAITING", 3)
    gate = threading.Event()

    async def many() -> list[object]:
        asyncio.get_running_loop().call_later(0.1, gate.set)
        return await asyncio.gather(*(lane.run(gate.wait) for _ in range(20)), return_exceptions=True)

    answers = asyncio.run(many())
    assert any(isinstance(answer, Busy) for answer in answers)
    assert answers[0] is True


def test_closed_lane_starts_again_when_it_is_used(lane: Lane) -> None:
    assert asyncio.run(lane.run(lambda: 1)) == 1
    lane.close()
    assert asyncio.run(lane.run(lambda: 2)) == 2
