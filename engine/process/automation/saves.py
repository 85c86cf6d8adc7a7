"""What a save sets off: rules before it that set fields or refuse, rules after it in its transaction, and runs that
begin once that has ended. Each record is asked by itself, whichever way it came in."""

from collections.abc import Mapping, Sequence
from typing import Any

from engine.context import Context
from engine.errors import EngineError, InputProblem
from engine.process.automation.book import Book, book_of, follows_saves
from engine.process.automation.entering import enter
from engine.process.automation.identity import as_whom
from engine.process.automation.runs import begin
from engine.process.automation.saving import DEEPEST, deeper, saving_of, too_deep
from engine.process.automation.within import keep_done, keep_failed
from engine.process.step import Occasion
from engine.process.steps import Broken, as_step, carry_out
from engine.process.subject import Peers, Subject, records_of
from engine.process.unasked import tell_reckoned
from engine.rules.draft import Draft
from engine.rules.values import Rules
from engine.store.database import Connection
from metadata.processes import Automation

__all__ = ["Saved", "before", "before_deletion", "finish", "fires"]

Values = Mapping[str, Any]
Saved = Mapping[str, Mapping[str, tuple[str, Values | None]]]
"""Object -> record -> ("create", "update" or "delete", what it held before)."""


def before(ctx: Context, connection: Connection, rules: Rules, drafts: Sequence[Draft]) -> Sequence[Draft]:
    """Rules before the save; what they refuse stands in the drafts' problems. Returns the drafts that they changed."""
    book = book_of(ctx.snapshot, rules.object)
    if book is None or not book.before:
        return ()
    changed: dict[int, Draft] = {}
    peers = Peers([one for draft in drafts for one in (draft.record, draft.before) if one is not None])
    for rule in book.before:
        acting: Context | None = None
        for draft in drafts:
            action = "create" if draft.before is None else "update"
            if action in rule.on and not draft.problems and _is_touched(rule, draft.record, draft.before):
                acting = acting or (ctx if rule.run_as == "user" else acting_as(ctx, connection, rule, ""))
                subject = Subject(acting, connection, rules.object, draft.record, draft.before, peers=peers)
                if _before(ctx, connection, rule, subject, draft, action):
                    changed[id(draft)] = draft
    return list(changed.values())


def before_deletion(ctx: Context, connection: Connection, object_name: str, held: Mapping[str, Values]) -> None:
    """Rules before a deletion can only refuse it, which raises."""
    book = book_of(ctx.snapshot, object_name)
    for rule in book.at("before_save", "delete") if book is not None else ():
        acting = acting_as(ctx, connection, rule, "delete")
        for record, values in held.items():
            subject = Subject(acting, connection, object_name, values, values)
            occasion = None
            try:
                if fires(rule, subject) and (rule.reentry or saving_of(connection).may_run(rule.name, record)):
                    occasion = Occasion(f"automation {rule.name}", f"{rule.name}:{record}", rule.phase, rule.name)
                    carry_out(subject, rule.steps, occasion)
                    if rule.log == "all":
                        keep_done(ctx, rule, subject, occasion, "delete")
            except EngineError as error:
                keep_failed(ctx, connection, rule, "delete", record, error, occasion)
                raise


def _before(
    ctx: Context, connection: Connection, rule: Automation, subject: Subject, draft: Draft, action: str
) -> bool:  # fmt: skip
    record = str(draft.record.get("id") or draft.stored.get("id") or "")
    occasion = None
    try:
        if not fires(rule, subject):
            return False
        occasion = Occasion(f"automation {rule.name}", f"{rule.name}:{record}", rule.phase, rule.name, draft)
        if not rule.reentry and not saving_of(connection).may_run(rule.name, record, draft.sent):
            return False
        carry_out(subject, rule.steps, occasion)
        if rule.log == "all":
            keep_done(ctx, rule, subject, occasion, action)
    except EngineError as error:
        keep_failed(ctx, connection, rule, action, record, error, occasion)
        draft.problems += error.problems or [InputProblem("", error.code, str(error), error.fix)]
    return True


def fires(rule: Automation, subject: Subject) -> bool:
    """Whether the record meets what the rule asks. Raises Broken."""
    if not _is_touched(rule, subject.record, subject.prior):
        return False
    if not rule.when:
        return True
    try:
        return subject.holds(rule.when) and not (rule.becomes and subject.held_before(rule.when))
    except Exception as error:
        message = f"the condition of '{rule.name}' cannot be evaluated: {error}"[:500]
        raise Broken(message, fix="ask an administrator to mend it") from error


def acting_as(ctx: Context, connection: Connection, rule: Automation, action: str) -> Context:
    try:
        return as_whom(ctx, rule)
    except EngineError as error:
        keep_failed(ctx, connection, rule, action, "", error)
        raise


def _is_touched(rule: Automation, record: Values, prior: Values | None) -> bool:
    """Whether one of the fields that it names has changed; of a new record, whether one has a value."""
    return not rule.changed or any(
        record.get(name) != (prior.get(name) if prior is not None else None) for name in rule.changed
    )


def finish(ctx: Context, connection: Connection, saved: Saved) -> bool:
    """All that follows from records that were written. Returns whether some of it wrote records. Raises EngineError,
    which undoes the save."""
    has_written = False
    reckoned, connection.reckoned = connection.reckoned, {}
    for name, records in saved.items():
        book = book_of(ctx.snapshot, name)
        if book is not None and book.workflows:
            has_written |= enter(ctx, connection, name, records)
        if book is not None and (book.after or book.late):
            has_written |= _after(ctx, connection, name, book, records)
        if book is not None:
            has_written |= approvals_after(ctx, connection, name, records)
    for (name, record), before in reckoned.items():
        if record not in saved.get(name, {}):
            has_written |= _of_lines(ctx, connection, name, record, before)
    if connection.saving is not None and not connection.saving.path:
        connection.saving = None
    return has_written


def _of_lines(ctx: Context, connection: Connection, name: str, record: str, before: Values) -> bool:
    """What approvals make of a record whose lines were saved alone: `before` are its roll-ups as they were."""
    held = records_of(ctx, connection, name, [record]).get(record)
    if held is None:
        return False
    tell_reckoned(ctx, connection, name, held, {**held, **before})
    return approvals_after(ctx, connection, name, {record: ("update", {**held, **before})})


def approvals_after(
    ctx: Context, connection: Connection, name: str, records: Mapping[str, tuple[str, Values | None]]
) -> bool:  # fmt: skip
    """What approvals make of it: those that start by it, and nodes that are asked again."""
    approvals = ctx.snapshot.definitions.processes.approvals.values()
    if not any(one.object == name and follows_saves(one) for one in approvals):
        return False
    from engine.process.approval.triggers import after_save  # approvals write records, which comes back to here

    return after_save(ctx, connection, name, records)


def _after(
    ctx: Context, connection: Connection, name: str, book: Book, records: Mapping[str, tuple[str, Values | None]]
) -> bool:  # fmt: skip
    has_written = False
    for action in dict.fromkeys(action for action, _ in records.values()):
        ids = [one for one, (wanted, _) in records.items() if wanted == action]
        rules = [*book.at("after_save", action), *book.at("after_commit", action)]
        held = _as_they_are(ctx, connection, name, action, ids, records) if rules else {}
        peers = _peers(action, held, records)
        for rule in rules:
            subjects = _fitting(ctx, connection, rule, action, held, records, peers)
            if rule.phase == "after_commit":
                _begin(ctx, connection, rule, action, subjects)
            elif _run(ctx, connection, rule, action, subjects):
                has_written = True
                held = _as_they_are(ctx, connection, name, action, ids, records)
                peers = _peers(action, held, records)
    return has_written


def _peers(action: str, held: Mapping[str, Values], records: Mapping[str, tuple[str, Values | None]]) -> Peers:
    priors = () if action == "delete" else (records[one][1] for one in held)
    return Peers([*held.values(), *(one for one in priors if one is not None)])


def _as_they_are(
    ctx: Context, connection: Connection, name: str, action: str, ids: Sequence[str],
    records: Mapping[str, tuple[str, Values | None]],
) -> Mapping[str, Values]:  # fmt: skip
    """With roll-ups, and with what other rules have made of them; deleted ones as they were."""
    if action == "delete":
        return {one: records[one][1] or {} for one in ids}
    return records_of(ctx, connection, name, ids)


def _fitting(
    ctx: Context, connection: Connection, rule: Automation, action: str, held: Mapping[str, Values],
    records: Mapping[str, tuple[str, Values | None]], peers: Peers,
) -> list[Subject]:  # fmt: skip
    """Those for which the rule is to be carried out now."""
    acting: Context | None = None
    saving = saving_of(connection)
    found: list[Subject] = []
    for one, values in held.items():
        prior = values if action == "delete" else records[one][1]
        if not _is_touched(rule, values, prior):
            continue
        acting = acting or (ctx if rule.run_as == "user" else acting_as(ctx, connection, rule, action))
        subject = Subject(acting, connection, rule.object, values, prior, peers=peers)
        try:
            is_met = fires(rule, subject)
        except EngineError as error:
            keep_failed(ctx, connection, rule, action, one, error)
            raise
        if is_met and (rule.reentry or saving.may_run(rule.name, one)):
            found.append(subject)
    return found


def _run(
    ctx: Context, connection: Connection, rule: Automation, action: str, subjects: Sequence[Subject]
) -> bool:  # fmt: skip
    if not subjects:
        return False
    with deeper(connection, rule.name):
        if len(subjects) > 1 and all(part.kind == "set" for part in rule.steps):
            _set_all(ctx, connection, rule, action, subjects)
            return True
        written: set[str] = set()
        noted = len(connection.notes)
        for subject in subjects:
            subject.peers = None  # what it refers to may be written by now
            written |= _written(connection, rule.object, noted)
            noted = len(connection.notes)
            if str(subject.record["id"]) in written and not _is_still_met(connection, rule, subject):
                continue
            occasion = occasion_of(rule, subject, action)
            try:
                carry_out(subject, rule.steps, occasion)
            except EngineError as error:
                keep_failed(ctx, connection, rule, action, str(subject.record["id"]), error, occasion)
                raise
            if rule.log == "all":
                keep_done(ctx, rule, subject, occasion, action)
    return True


def _written(connection: Connection, object_name: str, noted: int) -> set[str]:
    """Records that were written since so many notes of the transaction."""
    since = [one for one in connection.notes[noted:] if one.object == object_name]
    return {record for one in since for record in (*one.records, *(each.record for each in one.changed))}


def _is_still_met(connection: Connection, rule: Automation, subject: Subject) -> bool:
    """Of a record that the steps for one before have written, too: it is asked again, as it is now."""
    record = str(subject.record["id"])
    held = records_of(subject.ctx, connection, rule.object, [record]).get(record)
    if held is None:
        return False
    subject.record = held
    return fires(rule, subject)


def occasion_of(rule: Automation, subject: Subject, action: str) -> Occasion:
    record = subject.record
    key = f"{rule.name}:{record.get('id')}:{record.get('version')}:{action}"  # what is deleted has no further version
    return Occasion(f"automation {rule.name}", key, rule.phase, rule.name)


def _set_all(
    ctx: Context, connection: Connection, rule: Automation, action: str, subjects: Sequence[Subject]
) -> None:  # fmt: skip
    """The same as one by one, in a few statements: steps that only set fields of the records themselves."""
    occasions = [occasion_of(rule, one, action) for one in subjects]
    try:
        _set_each(connection, rule, subjects, occasions)
    except EngineError as error:
        keep_failed(ctx, connection, rule, action, "", error, occasions[0])
        raise
    for one, occasion in zip(subjects, occasions, strict=True):
        if rule.log == "all":
            keep_done(ctx, rule, one, occasion, action)


def _set_each(
    connection: Connection, rule: Automation, subjects: Sequence[Subject], occasions: Sequence[Occasion]
) -> None:  # fmt: skip
    known = {str(one.record["id"]): occasion for one, occasion in zip(subjects, occasions, strict=True)}
    for index, part in enumerate(rule.steps):
        occasions[0].index = index
        with as_step(occasions[0], part):
            _set_one(connection, rule, subjects, known, index)


def _set_one(
    connection: Connection, rule: Automation, subjects: Sequence[Subject], known: Mapping[str, Occasion], index: int
) -> None:  # fmt: skip
    from engine.process import door

    part = rule.steps[index]
    each = {str(one.record["id"]): one.stored(rule.object, part.options) for one in subjects if one.holds(part.when)}
    if not each:
        return
    for record, values in each.items():
        known[record].results[part.name or str(index)] = dict(values)
    door.change_many(subjects[0].ctx, connection, rule.object, each)
    if part is not rule.steps[-1]:
        held = records_of(subjects[0].ctx, connection, rule.object, list(each))
        for one in subjects:
            one.record, one.peers = held.get(str(one.record["id"]), one.record), None


def _begin(
    ctx: Context, connection: Connection, rule: Automation, action: str, subjects: Sequence[Subject]
) -> None:  # fmt: skip
    chain = saving_of(connection).chain
    if subjects and len(chain) >= DEEPEST:
        raise too_deep([*chain, rule.name])
    for subject in subjects:
        record = str(subject.record["id"])
        key = f"{rule.name}:{record}:{subject.record['version']}:{action}"
        inputs = {"action": action, **({"after": chain} if chain else {})}
        begin(ctx, connection, rule, "save", key=key, record=record, inputs=inputs)
