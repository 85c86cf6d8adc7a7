"""Which of the nodes that were passed still count, and what came after one of them."""

from collections.abc import Iterator

from engine.process.approval.state import Run
from engine.process.approval.work import Work

__all__ = ["after", "is_gone_back", "still_count"]


def still_count(w: Work, run: Run) -> bool:
    """Whether what was decided there counts: in no later round it was gone back to the node, or to one before it."""
    sites = w.chart.sites
    later = {one.node for one in w.state.runs.values() if one.round > run.round and one.node in sites}
    return not any(run.node in w.chart.onward(name) for name in later)


def is_gone_back(w: Work, target: str) -> bool:
    """Whether one who goes on at `target` comes by what was entered already."""
    onward = w.chart.onward(target)
    return any(run.node in onward for run in w.state.runs.values())


def after(w: Work, run: Run) -> list[Run]:
    """What was entered since the node was left, but in branches beside it."""
    around = dict(lies_in(w, run))
    return [
        one for one in w.state.runs.values()
        if run.ended is not None and one.entered > run.ended
        and all(around.get(fork, branch) == branch for fork, branch in lies_in(w, one))
    ]  # fmt: skip


def lies_in(w: Work, run: Run) -> Iterator[tuple[str, str]]:
    """(fork as it was entered, branch) of all that are around it."""
    while run.within:
        yield run.within, run.branch
        run = w.state.runs[run.within]
