"""One step that is carried out: what an action may ask and do. See engine/contracts/action.py."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from engine.access.scope import full_scope
from engine.context import SYSTEM, Context
from engine.errors import BadInput, BadValue, InputProblem
from engine.jobs.port import enqueue
from engine.process import door
from engine.process.automation.saving import DEEPEST, saving_of, too_deep
from engine.process.business_time import day_begins, moment_after
from engine.process.subject import Subject, record_of
from engine.process.turns import next_turn
from engine.rules.draft import Draft
from engine.rules.messages import HIDDEN
from engine.rules.values import rules_of
from engine.store.database import Connection
from metadata.build.parts import part_of, span_of
from metadata.model import say
from metadata.processes import Part

__all__ = ["Doing", "Occasion", "Refusal", "Waits"]

Json = dict[str, Any]
REFUSED = "automation.refused"
USER = "user"


class Waits(Exception):
    """A run ends for now, and goes on at `until`."""

    def __init__(self, until: datetime) -> None:
        super().__init__("waits")
        self.until = until


class Refusal(BadInput):
    """What a step refuses in words of the definitions."""


@dataclass(slots=True)
class Occasion:
    """Why steps are carried out. `key`: stable for this occasion; ids in the outbox are made of it."""

    cause: str
    key: str
    phase: str = ""
    name: str = ""  # of the automation, workflow or approval
    draft: Draft | None = None  # before a save: what is being saved
    results: dict[str, Json] = field(default_factory=dict)  # step -> what it gave
    logs: list[Json] = field(default_factory=list)
    sent: list[Json] = field(default_factory=list)  # what goes into the outbox, for whoever rehearses
    may_wait: bool = False
    index: int = 0  # of the step that is carried out


class Doing:
    """A Step of the contract. `made`: the record that it has made or found, as (object, id)."""

    def __init__(self, subject: Subject, part: Part, options: Mapping[str, Any], occasion: Occasion) -> None:
        self.subject, self.part, self.options, self.occasion = subject, part, options, occasion
        self.made: tuple[str, str] | None = None
        self._sent = 0

    @property
    def ctx(self) -> Context:
        return self.subject.ctx

    @property
    def connection(self) -> Connection:
        return self.subject.connection

    @property
    def object_name(self) -> str:
        return self.subject.object

    @property
    def language(self) -> str:
        return self.ctx.language

    @property
    def now(self) -> datetime:
        return self.ctx.now

    @property
    def record_id(self) -> str | None:
        found = self.subject.record.get("id")
        return str(found) if found else None

    def value(self, text: str) -> Any:
        return self.subject.value(text)

    def values(self, said: Mapping[str, Any], object_name: str = "") -> Json:
        return self.subject.stored(object_name or self.object_name, said)

    def plain(self, said: Mapping[str, Any]) -> Json:
        return self.subject.stored("", said)

    def addresses(self, users: Sequence[str]) -> Sequence[str]:
        found = door.addresses(self.ctx, self.connection, users)
        if not self.ctx.is_tried:
            return found
        seen = self.ctx.told.scope.readable(USER).get("email")
        return found if seen is not None and not seen.is_masked else [HIDDEN for _ in found]

    def text(self, said: str) -> str:
        return self.subject.told(said) if self.ctx.is_tried else self.subject.text(said)

    def told(self, said: str | Mapping[str, str]) -> str:
        return self.subject.told(said if isinstance(said, str) else say(said, self.ctx.told.language))

    def people(self, said: object) -> Sequence[str]:
        from engine.process.approvers import people_named  # sources ask formulas, as steps do

        system = replace(self.ctx, actor=SYSTEM, scope=full_scope(self.ctx.snapshot))
        parts = [part_of(one) for one in (said if isinstance(said, list | tuple) else [said])]
        return people_named(
            system, self.connection, parts, self.object_name, self.record_id or "", self.ctx.actor.id,
            self.subject.record if self.occasion.draft is not None else None,
        )  # fmt: skip

    def set(self, values: Json) -> None:
        draft = self.occasion.draft
        if draft is None:
            assert self.record_id is not None
            door.change(self.ctx, self.connection, self.object_name, self.record_id, values)
            return
        rules = rules_of(self.ctx.snapshot, self.object_name)
        for name, value in values.items():
            try:
                draft.put(name, None if value is None else rules.fields[name].parse(value))
            except BadValue as bad:
                draft.problems.append(InputProblem(name, bad.code, bad.message, bad.fix, bad.values))

    def create(self, object_name: str, values: Json) -> Json:
        made = door.create(self.ctx, self.connection, object_name, values)
        self.made = (object_name, made["id"])
        return made

    def update(self, object_name: str, record_id: str, values: Json) -> Json:
        made = door.change(self.ctx, self.connection, object_name, record_id, values)
        self.made = (object_name, made["id"])
        return made

    def update_all(self, object_name: str, each: Mapping[str, Json]) -> None:
        if each:
            door.change_many(self.ctx, self.connection, object_name, each)

    def delete(self, object_name: str, record_id: str) -> None:
        door.remove(self.ctx, self.connection, object_name, record_id)

    def find(self, object_name: str, filter: str, limit: int, sort: str = "") -> Sequence[Json]:
        rule = self.subject.rule(object_name, filter)
        found = door.found(self.ctx, self.connection, object_name, rule, limit, sort)
        if found:
            self.made = (object_name, found[0]["id"])
        return found

    def count(self, object_name: str, filter: str) -> int:
        return len(self.find(object_name, filter, door.MOST_FOUND))

    def refuse(self, message: str, field: str = "") -> None:
        """Raises Refusal, but before a save, where all that is wrong is found at once."""
        values = (("automation", self.occasion.name),)
        problem = InputProblem(field, REFUSED, message, values=values, is_worded=True)
        raise Refusal(message, code=REFUSED, problems=[problem])

    def notify(self, users: Sequence[str], *, template: str = "", subject: str = "", body: str = "") -> None:
        from engine.process import notices  # it reads records through the door, which carries out steps

        told = list(dict.fromkeys(users))
        if not told:
            return
        values = {"subject": subject, "body": body, "automation": self.occasion.name}
        self.occasion.sent.append({"kind": "notification", "to": told, "template": template, **values})
        notices.notify(
            self.ctx, self.connection, told, "automation", object_name=self.object_name, record=self.record_id or "",
            link=f"/o/{self.object_name}/{self.record_id}" if self.record_id else "", template=template, values=values,
            key=self._key("notify"),
        )  # fmt: skip

    def mail(self, to: Sequence[str], *, template: str = "", subject: str = "", body: str = "") -> None:
        for address in dict.fromkeys(one for one in to if one):
            payload = {
                "to": address, "template": template, "subject": subject, "body": body, "object": self.object_name,
                "record": self.record_id or "", "language": self.ctx.language,
            }  # fmt: skip
            self.later("mail", payload, step_key=f"mail:{address}")

    def later(self, kind: str, payload: Json, *, after_s: float = 0, step_key: str = "") -> str:
        self.occasion.sent.append({"kind": kind, **payload})
        due_at = self.ctx.now + timedelta(seconds=after_s) if after_s else None
        by = self.ctx.actor.id or None
        key = self._key(step_key or kind)
        return enqueue(self.connection, kind, payload, now=self.ctx.now, due_at=due_at, key=key, by=by) or ""

    def submit(self, approval: str = "") -> str:
        from engine.process.approval.submission import submit_in  # approvals carry out steps

        assert self.record_id is not None
        key = self._key("submit")
        with door.through(self.ctx, self.object_name):
            done = submit_in(self.ctx, self.connection, self.object_name, self.record_id, approval, key=key)
        return done.instance

    def start(self, automation: str, record_id: str | None = None) -> str:
        from engine.process.automation.runs import begin  # runs carry out steps

        rule = self.ctx.snapshot.definitions.processes.automations.get(automation)
        if rule is None:
            raise BadInput(f"there is no automation '{automation}'", code="automation.unknown")
        chain = saving_of(self.connection).chain
        if len(chain) >= DEEPEST:
            raise too_deep([*chain, automation])
        record = record_id or (self.record_id if rule.object == self.object_name else None)
        return begin(
            self.ctx, self.connection, rule, "step", key=self._key(f"start:{automation}"), record=record,
            inputs={"after": chain} if chain else None,
        ) or ""  # fmt: skip

    def loads(self, object_name: str, field: str, filter: str, users: Sequence[str]) -> Sequence[int]:
        rule = self.subject.rule(object_name, filter)
        return door.counts(self.ctx, self.connection, object_name, field, rule, users)

    def matching(self, users: Sequence[str] | None, filter: str) -> Sequence[str]:
        rule = self.subject.rule(USER, filter)
        return door.people(self.ctx, self.connection, rule, users)

    def wait(self, until: Any) -> None:
        if not self.occasion.may_wait:
            raise BadInput("only what runs by itself can wait", code="automation.wait")
        if until is not None and until > self.ctx.now:
            raise Waits(until)

    def after(self, span: str, start: datetime | None = None, calendar: str = "") -> datetime:
        length = span_of(span)
        if length is None:
            raise BadInput(f"'{span}' is no length of time", code="automation.span", fix="write 2 workdays")
        return moment_after(self.ctx.snapshot, start or self.ctx.now, length, calendar)

    def begins(self, day: date, calendar: str = "") -> datetime:
        return day_begins(self.ctx.snapshot, day, calendar)

    def turn(self, key: str, among: Sequence[str]) -> str:
        return next_turn(self.connection, f"{self.occasion.name}:{key}", among)

    def log(self, **details: Any) -> None:
        self.occasion.logs.append({"step": self.occasion.index, **details})

    def refresh(self) -> None:
        """The record as it is now, after it was written."""
        if self.occasion.draft is None and self.record_id and self.object_name:
            found = record_of(self.ctx, self.connection, self.object_name, self.record_id)
            self.subject.record = found or self.subject.record

    def _key(self, kind: str) -> str:
        self._sent += 1
        return f"{self.occasion.key}:{self.occasion.index}:{kind}:{self._sent}"
