"""Whether what some roles and permission sets give is no more than what others give. Opens no connection.

Where the answer depends on data that is not known here, it is no.
"""

from engine.access.fields import covers
from engine.access.grants import WIDEST, rank
from engine.access.rules import asked_roles
from engine.access.scope import Scope
from engine.access.sharing import is_meant
from metadata.model import GRANTABLE, SYSTEM_FIELDS, Action, Grant

__all__ = ["are_all", "cover"]

EVERYTHING = Grant("*", frozenset(GRANTABLE))
ASKED: tuple[Action, ...] = tuple(action for action in GRANTABLE if action not in ("view_all", "modify_all"))
"""What is asked for where something is done: the two others only widen it."""


def are_all(mine: Scope) -> bool:
    """Whether they make an administrator: every action on all records and fields of every object, and all else."""
    return "*" in mine.system and all(
        any(_holds(mine, one, EVERYTHING, action) and not one.fields for one in mine.grants(action, "*"))
        for action in ASKED
    )


def cover(mine: Scope, theirs: Scope) -> bool:
    """Whether each right of theirs is one of mine, too."""
    return (
        ("*" in mine.system or theirs.system <= mine.system)
        and _cover_grants(mine, theirs)
        and _cover_lines(mine, theirs)
        and _cover_fields(mine, theirs)
        and _cover_rules(mine, theirs)
    )


def _cover_grants(mine: Scope, theirs: Scope) -> bool:
    objects = mine.snapshot.definitions.objects
    for name in ("*", *objects):
        follows = name != "*" and bool(objects[name].masters) and not mine.names(name)
        for action in ASKED:
            for given in theirs.grants(action, name):
                if given.object != name:
                    continue
                if follows and mine.can(action, name):  # grants that name what follows a master only limit it
                    continue
                if not any(_holds(mine, one, given, action) for one in mine.grants(action, name)):
                    return False
    return True


def _holds(mine: Scope, one: Grant, given: Grant, action: Action) -> bool:
    definition = mine.snapshot.definitions.objects.get(given.object)
    return covers(one, given, action, definition.sharing if definition else "private")


def _cover_lines(mine: Scope, theirs: Scope) -> bool:
    """What follows a master is limited by a grant that names it: where mine do and theirs do not, theirs are more."""
    for name, definition in mine.snapshot.definitions.objects.items():
        if definition.masters and mine.names(name) and not theirs.names(name):
            for action in ASKED:
                own = mine.grants(action, name)
                if theirs.can(action, name) and not any(_is_whole(one) for one in own):
                    return False
    return True


def _is_whole(grant: Grant) -> bool:
    return not (grant.rows or grant.record_types)


def _cover_fields(mine: Scope, theirs: Scope) -> bool:
    if not mine.limits_fields:
        return True
    asked: tuple[tuple[Action, bool], ...] = (("create", True), ("update", False))
    for name, definition in mine.snapshot.definitions.objects.items():
        fields = (*definition.fields, *SYSTEM_FIELDS)
        if theirs.can("read", name) and any(mine.sees(name, key) < theirs.sees(name, key) for key in fields):
            return False
        for action, is_new in asked:
            written = fields if theirs.can(action, name) else ()
            if any(theirs.writes(name, key, is_new) and not mine.writes(name, key, is_new) for key in written):
                return False
    return True


def _cover_rules(mine: Scope, theirs: Scope) -> bool:
    """Rules are for roles by their names, and formulas ask for these."""
    definitions = mine.snapshot.definitions
    for rule in definitions.restriction_rules.values():
        is_mine_only = is_meant(rule, mine.roles) and not is_meant(rule, theirs.roles)
        if is_mine_only and (
            theirs.roles & set(rule.spares) or any(theirs.can(action, rule.object) for action in ASKED)
        ):
            return False
    for shared in definitions.sharing_rules.values():
        if theirs.roles & set(shared.roles) and not mine.roles & set(shared.roles):
            asked: tuple[Action, ...] = ("read", "update") if shared.access == "edit" else ("read",)
            if not all(_has_all(mine, action, shared.object) for action in asked):
                return False
    more, asked_for = theirs.roles - mine.roles, asked_roles(mine.snapshot)
    return not more or not (more & asked_for or "*" in asked_for)


def _has_all(mine: Scope, action: Action, name: str) -> bool:
    definition = mine.snapshot.definitions.objects.get(name)
    return definition is not None and any(
        _is_whole(one) and rank(one, action, definition.sharing) == WIDEST for one in mine.grants(action, name)
    )
