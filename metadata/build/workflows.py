"""Build workflows."""

from collections.abc import Iterator

from metadata.build.objects import names_in
from metadata.build.parts import parts_in
from metadata.build.wording import Wording
from metadata.document import Document
from metadata.names import humanised
from metadata.processes import State, Transition, Workflow

__all__ = ["build_workflow"]


def build_workflow(document: Document, package: str, wording: Wording) -> Workflow:
    data = document.data
    return Workflow(
        document.name, wording.text(data.get("label"), otherwise=humanised(document.name)),
        object=data.get("object") or "", field=data.get("field") or "", states=tuple(states_in(document, wording)),
        transitions=tuple(transitions_in(document, wording)), moves=names_in(data.get("moves")),
        record_types=names_in(data.get("record_types")), initial=data.get("initial") or "", package=package,
        place=document.at(),
    )  # fmt: skip


def states_in(document: Document, wording: Wording) -> Iterator[State]:
    for index, said in enumerate(document.data.get("states") or ()):
        yield State(
            said.get("state") or "", names_in(said.get("required")), wording.text(said.get("guidance")),
            parts_in(document, ("states", index, "on_enter"), wording), said.get("final") is True, said.get("won"),
            document.at("states", index),
        )  # fmt: skip


def transitions_in(document: Document, wording: Wording) -> Iterator[Transition]:
    for index, said in enumerate(document.data.get("transitions") or ()):
        name = said.get("transition") or ""
        yield Transition(
            name, wording.text(said.get("label"), otherwise=humanised(name)), names_in(said.get("from")),
            said.get("to") or "", said.get("when") or "", wording.text(said.get("message")),
            names_in(said.get("roles")), names_in(said.get("required")),
            parts_in(document, ("transitions", index, "do"), wording), said.get("automatic") is True,
            document.at("transitions", index),
        )  # fmt: skip
