"""What an action must answer: a step of an automation, a workflow or an approval. One file in plugins/base/actions/
holds one instance."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal, Protocol

from metadata.processes import PartKind

__all__ = ["Action", "Step"]

Json = dict[str, Any]


class Step(Protocol):
    """What an action may ask and do while it runs; engine/process/steps.py has it. All that it writes goes through the
    one door to records, as whom the step runs, in the transaction of what set it off."""

    @property
    def object_name(self) -> str: ...
    @property
    def record_id(self) -> str | None: ...
    @property
    def options(self) -> Mapping[str, Any]: ...
    @property
    def language(self) -> str: ...
    @property
    def now(self) -> datetime: ...
    def value(self, text: str) -> Any: ...  # of a formula over the record and results of earlier steps
    def values(self, said: Mapping[str, Any], object_name: str = "") -> Json: ...

    """What to write to the record, or to one of that object: each a literal, a text with {paths}, or `=formula`."""

    def plain(self, said: Mapping[str, Any]) -> Json: ...  # the same, for others than the fields of an object
    def addresses(self, users: Sequence[str]) -> Sequence[str]: ...  # of mail, of those who have one
    def text(self, said: str) -> str: ...  # a text with {paths} filled in
    def told(self, said: str | Mapping[str, str]) -> str: ...

    """The same, or one of several languages, for whoever reads a refusal: what that one may not see is "…"."""

    def people(self, said: object) -> Sequence[str]: ...

    """Ids of users: of approver sources, or of one."""

    def set(self, values: Json) -> None: ...  # of the record itself; before it is saved, in what is being saved
    def create(self, object_name: str, values: Json) -> Json: ...
    def update(self, object_name: str, record_id: str, values: Json) -> Json: ...
    def update_all(self, object_name: str, each: Mapping[str, Json]) -> None: ...  # id -> values
    def delete(self, object_name: str, record_id: str) -> None: ...
    def find(self, object_name: str, filter: str, limit: int, sort: str = "") -> Sequence[Json]: ...
    def count(self, object_name: str, filter: str) -> int: ...
    def refuse(self, message: str, field: str = "") -> None: ...
    def notify(self, users: Sequence[str], *, template: str = "", subject: str = "", body: str = "") -> None: ...
    def mail(self, to: Sequence[str], *, template: str = "", subject: str = "", body: str = "") -> None: ...
    def later(self, kind: str, payload: Json, *, after_s: float = 0, step_key: str = "") -> str: ...

    """A job of that kind in the outbox, in the same transaction; its id."""

    def submit(self, approval: str = "") -> str: ...
    def start(self, automation: str, record_id: str | None = None) -> str: ...

    """A run of another automation, by itself; its id."""

    def wait(self, until: Any) -> None: ...

    """Ends the run for now; it goes on with the next step at that moment."""

    def after(self, span: str, start: datetime | None = None, calendar: str = "") -> datetime: ...

    """`2 workdays` after now, or after that moment."""

    def begins(self, day: date, calendar: str = "") -> datetime: ...

    """Midnight in the zone of that calendar, or of the default one."""

    def turn(self, key: str, among: Sequence[str]) -> str: ...

    """Whose turn it is: each in their order, counted by the tenant."""

    def loads(self, object_name: str, field: str, filter: str, users: Sequence[str]) -> Sequence[int]: ...

    """How many records each of these users has in that field."""

    def matching(self, users: Sequence[str] | None, filter: str) -> Sequence[str]: ...

    """Those of them, or of all active users, that a formula over `user` holds for; `record.` is the record."""

    def log(self, **details: Any) -> None: ...  # for the run's history


@dataclass(frozen=True, slots=True)
class Action:
    """What is done: `{set: {status: won}}`."""

    name: str
    doc: str  # one sentence
    schema: Mapping[str, object]  # JSON Schema of what stands below its name
    run: Callable[[Step, Mapping[str, Any]], Json | None]
    """(the step, its options) -> its results as JSON, which later steps read by the step's name."""
    formulas: tuple[str, ...] = ()  # options that are formulas over the record
    paths: tuple[str, ...] = ()  # options that are paths of the record
    is_outside: bool = False  # what it does leaves the system, and is not taken back
    phases: tuple[str, ...] = ()  # of automations that it may stand in; () is all
    short: str = ""  # the option that a lone value is: "for" makes `{wait: 2 days}` mean `{wait: {for: 2 days}}`
    refers: Mapping[str, str] = field(default_factory=dict)  # options that name something: {"template": "template"}
    values: str = ""  # the option that holds field -> a literal or `=formula`; "*" is all of them
    about: str = ""  # the option that names the object whose fields and filters these are; "" is the record's
    filters: tuple[str, ...] = ()  # options that are formulas over that object, in which `record.` is the record
    over: Mapping[str, str] = field(default_factory=dict)  # the same over an object that is known: option -> object
    texts: tuple[str, ...] = ()  # options that are texts with {paths} of the record
    fields: tuple[str, ...] = ()  # options that name fields of the record
    people: tuple[str, ...] = ()  # options that are lists of approver sources
    template: str = ""  # the option that names a template
    writes: Literal["", "record", "create", "update", "delete"] = ""  # what it does to records: "record" is itself

    is_of_record: bool = False  # it is about the record that set it off, as whatever writes "record" is

    def kind(self) -> PartKind:
        return PartKind(
            self.name, self.schema, self.formulas, self.paths, self.is_outside, self.phases, self.doc, self.short,
            self.refers, self.values, self.about, self.filters, self.over, self.texts, self.fields, self.people,
            self.template, self.writes, is_of_record=self.is_of_record,
        )  # fmt: skip
