"""Build approvals."""

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from metadata.build.objects import names_in
from metadata.build.parts import parts_in, span_of
from metadata.build.wording import Wording
from metadata.document import Document
from metadata.names import humanised
from metadata.processes import Approval, Branch, Node, NodeType, Resubmission, Timer

__all__ = ["EVENTS", "NODE_TYPES", "Steps", "build_approval", "node_places", "node_type"]

Steps = tuple[str | int, ...]
NODE_TYPES: tuple[NodeType, ...] = get_args(NodeType)
RESULTS = ("approved", "rejected")
EVENTS = ("submit", "approve", "reject", "return", "withdraw", "cancel")


def build_approval(document: Document, package: str, wording: Wording) -> Approval:
    data = document.data
    label = wording.text(data.get("label"), otherwise=humanised(document.name))
    submit = data.get("submit_by")
    submitted: Mapping[str, Any] = submit if isinstance(submit, Mapping) else {"roles": submit}
    trigger: Any = data.get("trigger") or "button"
    lock = data.get("lock")
    locked: Mapping[str, Any] = lock if isinstance(lock, Mapping) else {}
    more: dict[str, Any] = {"unlock": tuple(locked["unlock_on"])} if locked.get("unlock_on") is not None else {}
    again = data.get("resubmit") or {}
    return Approval(
        document.name, label, object=data.get("object") or "",
        flow=flow_at(document, ("flow",), data.get("flow"), wording),
        description=wording.text(data.get("description")), group=data.get("group") or "",
        priority=data.get("priority", 100), is_active=data.get("active") is not False, when=data.get("when") or "",
        submit_by=names_in(submitted.get("roles")), submit_if=submitted.get("if") or "",
        trigger="update" if isinstance(trigger, Mapping) else trigger,
        trigger_if=trigger.get("update") or "" if isinstance(trigger, Mapping) else "",
        storage=data.get("storage") or "after_save", lock="none" if lock == "none" else "record",
        lock_exempt=names_in(locked.get("exempt")), withdraw=data.get("withdraw") or "before_first",
        resubmission=Resubmission(
            names_in(again.get("material")), again.get("material_if") or "", again.get("most_rounds") or 0
        ),
        history=names_in(data.get("history")), summary=names_in(data.get("summary")),
        calendar=data.get("calendar") or "",
        on={event: parts_in(document, ("on", event), wording) for event in EVENTS if event in (data.get("on") or {})},
        notify=dict(data.get("notify") or {}), package=package, place=document.at(), **more,
    )  # fmt: skip


def node_type(said: Any) -> NodeType | None:
    """The key of a node that says what it is; None where none does."""
    return next((key for key in said if key in NODE_TYPES), None)


def flow_at(document: Document, steps: Steps, said: Any, wording: Wording) -> tuple[Node, ...]:
    """Nodes that are none, because no key of theirs says so, are left out; the check tells."""
    return tuple(
        build_node(document, (*steps, index), one, wording)
        for index, one in enumerate(said or ()) if node_type(one) is not None
    )  # fmt: skip


def build_node(document: Document, steps: Steps, said: Mapping[str, Any], wording: Wording) -> Node:
    type_ = node_type(said)
    assert type_ is not None
    name = said[type_] or ""
    mode = said.get("mode") or "any"
    more: dict[str, Any] = {}
    if said.get("may_return_to") is not None:
        more["may_return_to"] = names_in(said["may_return_to"])
    if type_ == "subprocess":
        more |= {"process": said.get("process") or name, "waits": said.get("waits") is not False}
    if type_ == "end":
        more["result"] = said.get("result") or (name if name in RESULTS else "approved")
    if type_ == "handle":
        more["self_approval"] = said.get("self_approval") or "self"
    elif said.get("self_approval"):
        more["self_approval"] = said["self_approval"]
    for key in ("reject", "duplicate", "empty", "on_return", "join", "on_reject", "until", "record", "calendar"):
        if said.get(key):
            more[key] = said[key]
    for key in ("editable", "hidden", "required", "actions", "comment", "reset_on_change"):
        if said.get(key) is not None:
            more[key] = names_in(said[key])
    if isinstance(mode, Mapping):
        more["mode"] = next(iter(mode), "any")
        more["threshold"] = str(mode.get("vote") or "")
        more["groups"] = dict(mode.get("per_group") or {})
    else:
        more["mode"] = mode
    return Node(
        name, type_, wording.text(said.get("label"), otherwise=humanised(name)), next=said.get("next") or "",
        approvers=parts_in(document, (*steps, "to" if type_ == "cc" else "approvers"), wording),
        signature=said.get("signature") is True, due=span_of(said.get("due")),
        timers=tuple(
            build_timer(document, (*steps, "timers", index), one, wording)
            for index, one in enumerate(said.get("timers") or ()) if span_of(one.get("after")) is not None
        ),
        may_reclaim=said.get("reclaim") is True,
        branches=tuple(
            build_branch(document, (*steps, "branches", index), one, wording)
            for index, one in enumerate(said.get("branches") or ())
        ),
        span=span_of(said.get("for")), steps=parts_in(document, (*steps, "do"), wording),
        place=document.at(*steps, type_), **more,
    )  # fmt: skip


def build_timer(document: Document, steps: Steps, said: Mapping[str, Any], wording: Wording) -> Timer:
    after = span_of(said.get("after"))
    assert after is not None
    return Timer(
        after, said.get("do") or "remind", said.get("repeat") or 1, said.get("how") or "parallel",
        parts_in(document, (*steps, "to"), wording), document.at(*steps),
    )  # fmt: skip


def build_branch(document: Document, steps: Steps, said: Mapping[str, Any], wording: Wording) -> Branch:
    name = said.get("branch") or ""
    return Branch(
        name, wording.text(said.get("label"), otherwise=humanised(name)),
        flow_at(document, (*steps, "flow"), said.get("flow"), wording), said.get("when") or "",
        said.get("else") is True,
    )  # fmt: skip


def node_places(document: Document) -> Iterator[tuple[Steps, str, str]]:
    """Where every node of an approval stands, beside its type and name, in the order of `nodes_in`."""
    yield from _places(("flow",), document.data.get("flow"))


def _places(steps: Steps, said: Any) -> Iterator[tuple[Steps, str, str]]:
    for index, one in enumerate(said or ()):
        type_ = node_type(one)
        if type_ is None:
            continue
        here = (*steps, index)
        yield here, type_, one[type_] or ""
        for number, branch in enumerate(one.get("branches") or ()):
            yield from _places((*here, "branches", number, "flow"), branch.get("flow"))
