"""Can it be told from the conditions before a node that one of its sources finds somebody?"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from metadata.build.approvals import Steps, node_type
from metadata.check.facts import Facts, steps_value
from metadata.document import Document
from metadata.formula import FormulaError
from metadata.formula.ranges import truth
from metadata.processes import Approval, Part, PartKind

__all__ = ["Source", "leads_to_nobody", "somebody_is_certain"]

Source = tuple[PartKind, Part, Mapping[str, object]]


def leads_to_nobody(kind: PartKind, options: Mapping[str, object]) -> str:
    """The path of a source that is blank where it finds nobody; "" of one that has none."""
    return str(options.get(kind.led_by) or "") if kind.led_by else ""


def somebody_is_certain(
    facts: Facts, approval: Approval, document: Document, here: Steps, sources: Sequence[Source]
) -> bool:
    """Whether no record comes to the node at `here` for which all of its sources find nobody."""
    if approval.object not in facts.objects:
        return False
    empty = []
    for kind, part, options in sources:
        path = leads_to_nobody(kind, options)
        is_sure = bool(path) and is_filled(facts, approval.object, path)
        cases = [f"not ({part.when})"] if part.when else []
        cases += [f"ISBLANK({path})"] if path and not is_sure else []
        if kind.lacks is not None and kind.lacks(options) and not path:
            return False
        if not cases:
            return True
        empty.append(" or ".join(cases))
    known = [approval.when] if approval.when else []
    text = " and ".join(f"({one})" for one in [*known, *conditions_before(document, here), *empty])
    try:
        return truth(facts.read(text, facts.names(approval.object))) is False
    except FormulaError:
        return False


def is_filled(facts: Facts, object_: str, path: str) -> bool:
    """Whether each step of a path is required, always."""
    steps = path.split(".")
    fields = [facts.field(".".join(steps[:count]), object_) for count in range(1, len(steps) + 1)]
    return all(field is not None and field.is_required and not field.show_if for field in fields)


def conditions_before(document: Document, here: Steps) -> Iterator[str]:
    """What holds for each record that comes to a node, by the branches in which it stands."""
    for place, step in enumerate(here):
        if step != "branches":
            continue
        fork: Any = steps_value(document, here[:place])
        branches, index = fork["branches"], int(here[place + 1])
        own = branches[index]
        others = branches if own.get("else") else branches[:index] if node_type(fork) == "condition" else []
        yield from (f"not ({one['when']})" for one in others if one.get("when"))
        if own.get("when"):
            yield str(own["when"])
