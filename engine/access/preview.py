"""What another set of rights would do to people: how many records each would gain and lose. Changes nothing.

A person before and after is two Contexts, each with its Scope, and both conditions stand in one statement on the table
of the object. People who hold the same are counted once, unless whose a record is decides about it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import visitors

from engine.access.rules import identity
from engine.access.scope import Scope
from engine.context import Actor, Context, context_of
from engine.people.memberships import ASSIGNMENT, TEAM, sets_of
from engine.people.roles import ROLE, held
from engine.people.standing import standing_of
from engine.service_reads import titles
from engine.snapshot import Snapshot
from engine.store.database import Connection, compile_sql
from engine.store.query import actor_params
from engine.store.query_build import rule_on
from metadata.model import Action, Definitions

__all__ = ["Effect", "Preview", "Uncounted", "changes_rights", "compare_people", "preview_definitions"]

PREVIEWED: tuple[Action, ...] = ("read", "update")
EXAMPLES = 5
NAMED = 5
MOST_COUNTED = 400  # statements of one preview
MOST_ROWS = 10_000_000  # that these look at
MOST_PEOPLE = 5000
MOST_EFFECTS = 100
BEFORE = "before_"


@dataclass(frozen=True, slots=True)
class Effect:
    """On some people, who would all see the same of it."""

    people: tuple[tuple[str, str], ...]  # (id, name) of the first few
    count: int  # of people
    object: str
    action: Action  # "read" or "update"
    gained: int
    lost: int
    gains: tuple[tuple[str, str], ...] = ()  # (id, title) of examples
    losses: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Uncounted:
    """What was not worked out: `why` is "fields" (a rule reads what is not stored yet), "many", or "older" (the running
    version is of an older release)."""

    object: str  # "" for several
    why: str
    people: int = 0


@dataclass(frozen=True, slots=True)
class Preview:
    effects: tuple[Effect, ...] = ()  # the largest first
    more: int = 0  # effects that were left out
    people: int = 0  # that were looked at
    uncounted: tuple[Uncounted, ...] = ()


@dataclass(frozen=True, slots=True)
class Pair:
    """The same people before and after."""

    before: Context
    after: Context
    people: tuple[str, ...]


def changes_rights(old: Definitions, new: Definitions) -> bool:
    """Whether anything differs that decides about who sees which records."""
    if any(rights_of(old, name) != rights_of(new, name) for name in KINDS):
        return True
    return any(
        (one.sharing, one.hierarchy) != (new.objects[name].sharing, new.objects[name].hierarchy)
        for name, one in old.objects.items() if name in new.objects
    )  # fmt: skip


PEOPLE = frozenset({"user", "department", TEAM, ASSIGNMENT, ROLE})
"""Objects without which it is not known who holds what, and how: a version of an older release."""
Held = tuple[frozenset[str], frozenset[str]]
KINDS = ("roles", "permission_sets", "sharing_rules", "restriction_rules")


def rights_of(definitions: Definitions, kind: str) -> dict[str, Any]:
    """Without labels and places, which give nobody anything."""
    return {
        name: replace(one, label={}, place=None, package="", **({"grants": tuple(plain(g) for g in one.grants)}
                                                                if kind in ("roles", "permission_sets") else {}))
        for name, one in getattr(definitions, kind).items()
    }  # fmt: skip


def plain(grant: Any) -> Any:
    return replace(grant, fields={})


def preview_definitions(ctx: Context, connection: Connection, new: Definitions) -> Preview:
    """What publishing these would do to active people. Nothing where they give the same rights as the ones that run."""
    old = ctx.snapshot
    if not old.version or not changes_rights(old.definitions, new):
        return Preview()
    if not old.definitions.objects.keys() >= PEOPLE:
        return Preview(uncounted=(Uncounted("", "older"),))
    after = Snapshot(old.version, new, old.physical, old.plugins, old.dialect)
    groups, left = holders(ctx, connection, old)
    pairs = [pair for key, people in groups.items() for pair in pairs_of(ctx, old, after, key, people)]
    names = [name for name in old.definitions.objects if name in new.objects]
    found = compare_people(ctx, connection, pairs, names)
    return replace(found, uncounted=(*found.uncounted, Uncounted("", "many", left))) if left else found


def holders(ctx: Context, connection: Connection, snapshot: Snapshot) -> tuple[dict[Held, list[str]], int]:
    """(roles, permission sets) -> ids of the active people who hold exactly these; how many people are left out."""
    user, pairs = snapshot.physical.table("user"), held(snapshot)
    wanted = sa.select(user.c.id).where(user.c.deleted_at.is_(None), user.c.is_active).order_by(user.c.id)
    people = [str(one) for one in connection.sa.execute(wanted.limit(MOST_PEOPLE)).scalars()]
    left = 0
    if len(people) == MOST_PEOPLE:
        left = (
            connection.sa.execute(sa.select(sa.func.count()).select_from(wanted.subquery())).scalar_one() - MOST_PEOPLE
        )
    roles: dict[str, set[str]] = {one: set() for one in people}
    for person, role in connection.sa.execute(pairs):
        if str(person) in roles:
            roles[str(person)].add(role)
    given = snapshot.physical.table(ASSIGNMENT)
    has_sets = connection.sa.execute(sa.select(given.c.id).where(given.c.deleted_at.is_(None))).first() is not None
    found: dict[Held, list[str]] = {}
    for person in people:
        sets = frozenset(sets_of(connection, snapshot, person, ctx.now.date()) if has_sets else ())
        found.setdefault((frozenset(roles[person]), sets), []).append(person)
    return found, left


def pairs_of(ctx: Context, old: Snapshot, new: Snapshot, key: Held, people: Sequence[str]) -> Iterator[Pair]:
    """One pair that stands for all; compare_people takes it apart where who the person is matters."""
    actor = Actor("", "", roles=key[0], permission_sets=key[1])
    yield Pair(context_of(ctx.tenant, actor, ctx.now, old), context_of(ctx.tenant, actor, ctx.now, new), tuple(people))


def compare_people(ctx: Context, connection: Connection, pairs: Iterable[Pair], objects: Sequence[str]) -> Preview:
    """`ctx`: in whose words, and with whose titles."""
    effects: list[Effect] = []
    uncounted: dict[tuple[str, str], int] = {}
    pairs, spent, looked_at = list(pairs), 0, 0
    sizes: dict[str, int] = {}
    for name, action, pair in ((name, action, pair) for name in objects for action in PREVIEWED for pair in pairs):
        if same_rules(pair, action, name):
            continue
        try:
            statement = Statement(pair, action, name)
        except KeyError:  # a rule of the new version reads a column that no table has yet
            left, done = (name, "fields"), 0
        else:
            left, done = ("", "many"), 0
            if name not in sizes:
                sizes[name] = size_of(connection, pair.before.snapshot, name)
            for one in apart(pair, statement):
                if spent >= MOST_COUNTED or looked_at + sizes[name] > MOST_ROWS:
                    break
                looked_at += sizes[name]
                spent, done = spent + 1, done + len(one.people)
                gained, lost = statement.counts(connection, one)
                if gained or lost:
                    effects.append(effect_of(ctx, connection, statement, one, gained, lost))
        if done < len(pair.people):
            uncounted[left] = max(uncounted.get(left, 0), len(pair.people) - done)
    effects.sort(key=lambda one: (-(one.gained + one.lost) * one.count, one.object, one.action, one.people))
    return Preview(
        tuple(effects[:MOST_EFFECTS]), max(0, len(effects) - MOST_EFFECTS), sum(len(pair.people) for pair in pairs),
        tuple(Uncounted(name, why, people) for (name, why), people in sorted(uncounted.items())),
    )  # fmt: skip


def size_of(connection: Connection, snapshot: Snapshot, name: str) -> int:
    table = snapshot.physical.table(name)
    return int(connection.sa.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def apart(pair: Pair, statement: "Statement") -> Iterator[Pair]:
    """A pair for each person, where the statement asks who they are and the pair stands for all who hold the same."""
    if statement.is_personal and not pair.before.actor.id:
        yield from (single(pair, user) for user in pair.people)
    else:
        yield pair


def single(pair: Pair, user: str) -> Pair:
    ctx = pair.before
    return Pair(standing_of(ctx, user).context, standing_of(ctx, user, pair.after.snapshot).context, (user,))


def same_rules(pair: Pair, action: Action, name: str) -> bool:
    old, new = pair.before.scope, pair.after.scope
    if old.can(action, name) != new.can(action, name):
        return False
    if not old.can(action, name):
        return True
    is_same_person = pair.before.circle is pair.after.circle or dict(pair.before.circle) == dict(pair.after.circle)
    same = {identity(one) for one in old.rows(action, name)} == {identity(one) for one in new.rows(action, name)}
    return same and (is_same_person or not (old.is_shared(action, name)))


class Statement:
    """The records of an object that only one of two scopes lets through."""

    def __init__(self, pair: Pair, action: Action, name: str) -> None:
        self.object, self.action, self.dialect = name, action, pair.before.snapshot.dialect
        table = pair.before.snapshot.physical.table(name).alias("t")
        before = renamed(condition(pair.before.snapshot, pair.before.scope, action, name, table))
        after = condition(pair.after.snapshot, pair.after.scope, action, name, table)
        living = table.c.deleted_at.is_(None)
        # "is not true" counts what a rule leaves open as not let through, on both databases.
        gained = sa.and_(after, sa.func.coalesce(before, sa.false()).is_(sa.false()))
        lost = sa.and_(before, sa.func.coalesce(after, sa.false()).is_(sa.false()))
        one: Any = sa.literal_column("1")
        zero: Any = sa.literal_column("0")
        total = [sa.func.coalesce(sa.func.sum(sa.case((each, one), else_=zero)), zero) for each in (gained, lost)]
        self.count = compile_sql(sa.select(*total).select_from(table).where(living), self.dialect)
        self.examples = [
            compile_sql(sa.select(table.c.id).where(living, each).order_by(table.c.id).limit(EXAMPLES), self.dialect)
            for each in (gained, lost)
        ]
        keys = {key.removeprefix(BEFORE) for key in self.count.keys}
        self.is_personal = bool(keys & PERSONAL) or any(key.startswith(("_people_", "_in_")) for key in keys)

    def counts(self, connection: Connection, pair: Pair) -> tuple[int, int]:
        [(gained, lost)] = connection.rows(self.count.sql, self.count.bind(params(pair)))
        return int(gained), int(lost)

    def some(self, connection: Connection, pair: Pair) -> list[list[str]]:
        return [[row[0] for row in connection.rows(one.sql, one.bind(params(pair)))] for one in self.examples]


PERSONAL = frozenset({"_actor_id", "_actor_username", "_departments", "_holders", "_zone"})


def condition(snapshot: Snapshot, scope: Scope, action: Action, name: str, table: sa.FromClause) -> Any:
    if not scope.can(action, name):
        return sa.false()
    rules = scope.rows(action, name)
    if action != "read" and not scope.can("read", name):
        return sa.false()
    return rule_on(snapshot, table, name, rules) if rules else sa.true()


def renamed(clause: Any) -> Any:
    """With other names for what is bound, so that the values before and after stand in one statement."""

    def rename(bind: Any) -> None:
        if bind.required:
            bind.key = f"{BEFORE}{bind.key}"

    return visitors.cloned_traverse(clause, {}, {"bindparam": rename})


def params(pair: Pair) -> Mapping[str, Any]:
    return {**actor_params(pair.after), **{f"{BEFORE}{key}": one for key, one in actor_params(pair.before).items()}}


def effect_of(
    ctx: Context, connection: Connection, statement: Statement, pair: Pair, gained: int, lost: int
) -> Effect:  # fmt: skip
    people = titles(ctx, "user", pair.people[:NAMED])
    gains, losses = (tuple(titles(ctx, statement.object, ids).items()) for ids in statement.some(connection, pair))
    return Effect(
        tuple((one, people.get(one, "")) for one in pair.people[:NAMED]), len(pair.people), statement.object,
        statement.action, gained, lost, gains, losses,
    )  # fmt: skip
