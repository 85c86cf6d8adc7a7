"""Where a workflow lets a record go from each of its states."""

from collections.abc import Iterator, Mapping

from metadata.processes import Transition, Workflow

__all__ = ["moves_from", "transitions_between", "ways_of"]


def ways_of(flow: Workflow) -> Mapping[str, set[str]]:
    """State -> those that it can be followed by, itself left out."""
    return {
        state.value: {*moves_from(flow, state.value)}
        | {one.target for one in flow.transitions if leaves(one, state.value) and one.target != state.value}
        for state in flow.states
    }


def leaves(one: Transition, source: str) -> bool:
    return source in one.sources or "*" in one.sources


def transitions_between(flow: Workflow, source: str, target: str) -> list[Transition]:
    return [one for one in flow.transitions if one.target == target and leaves(one, source)]


def moves_from(flow: Workflow, source: str) -> Iterator[str]:
    """By `moves` alone. A final state that transitions lead to is entered through them only."""
    names = [state.value for state in flow.states]
    if source not in names:
        return
    place = names.index(source)
    entered = {one.target for one in flow.transitions}
    if flow.states[place].is_final:
        yield from (one.value for one in flow.states if "reopen" in flow.moves and not one.is_final)
        return
    for index, state in enumerate(flow.states):
        if state.is_final and state.value in entered:
            continue
        is_next = "forward" in flow.moves and index == place + 1
        is_later = "skip" in flow.moves and index > place
        is_earlier = "back" in flow.moves and index < place and not state.is_final
        if is_next or is_later or is_earlier:
            yield state.value
