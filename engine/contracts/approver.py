"""What a source of approvers must answer. One file in plugins/base/approvers/ holds one instance."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from metadata.processes import PartKind

__all__ = ["Approver", "Asked"]


class Asked(Protocol):
    """What a source may ask when a node of an approval begins; engine/process/asked.py has it. Ids are of users as of
    now. Those who are named one by one may have left: the engine asks somebody in their place."""

    @property
    def submitter(self) -> str: ...
    @property
    def owner(self) -> str | None: ...
    @property
    def chosen(self) -> Sequence[str]: ...  # by the submitter, or by who approved last, for this node
    def value(self, path: str) -> Any: ...  # of the record as it is now: the stored Python value at a path
    def users_at(self, path: str) -> Sequence[str]: ...  # whom a path leads to: a user, users, or a record's owner
    def formula(self, text: str) -> Any: ...
    def user(self, username: str) -> str | None: ...

    # Active people only, from here on.
    def role(self, name: str, department: str | None = None, below: bool = False) -> Sequence[str]: ...
    def position(self, name: str, department: str | None = None, below: bool = False) -> Sequence[str]: ...
    def departments(self, name: str) -> Sequence[str]: ...  # of that name: North, or below others: Sales / North
    def members(self, department: str, below: bool = False) -> Sequence[str]: ...
    def team(self, name: str) -> Sequence[str]: ...
    def queue(self, name: str) -> Sequence[str]: ...
    def department_of(self, user: str) -> str | None: ...
    def department_above(self, department: str) -> str | None: ...
    def head_of(self, department: str) -> str | None: ...
    def manager_chain(self, user: str) -> Sequence[str]: ...  # the nearest first
    def has_role(self, user: str, role: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class Approver:
    """Who is asked: `{manager_chain: {level: 2}}`."""

    name: str
    doc: str  # one sentence
    schema: Mapping[str, object]  # JSON Schema of what stands below its name
    find: Callable[[Asked, Mapping[str, Any]], Sequence[str]]
    """(what may be asked, the options) -> ids of users in order; () when there is nobody. Raises nothing."""
    formulas: tuple[str, ...] = ()  # options that are formulas over the record
    paths: tuple[str, ...] = ()  # options that are paths of the record
    is_queue: bool = False  # they are offered one task, which one of them claims
    is_chosen: bool = False  # somebody chooses them: the dialog asks
    offers: Callable[[Asked, Mapping[str, Any]], Sequence[str] | None] | None = None  # ... among whom; None: everybody
    short: str = ""  # the option that a lone value is: "name" makes `{role: finance}` mean `{role: {name: finance}}`
    refers: Mapping[str, str] = field(default_factory=dict)  # options that name something: {"name": "role"}
    asks: Literal["", "submitter", "owner", "previous"] = ""  # who it is, or who chooses, whatever the options say
    most: Callable[[Mapping[str, Any]], int | None] | None = None  # how many people at most; None: any number
    lacks: Callable[[Mapping[str, Any]], str] | None = None  # the options -> when there may be nobody; "" is never
    led_by: str = ""  # the option that is a path to who is asked, in place of `lacks`: nobody where it is blank

    def kind(self) -> PartKind:
        return PartKind(
            self.name, self.schema, self.formulas, self.paths, doc=self.doc, short=self.short, refers=self.refers,
            asks=self.asks, most=self.most, lacks=self.lacks, is_chosen=self.is_chosen,
            led_by=self.led_by,
        )  # fmt: skip
