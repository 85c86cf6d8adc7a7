"""Which records of others a grant lets through: conditions on the owner, on shares and by rules. Opens no connection.

An object's `sharing` says what a grant allows with the records of others: nothing (private), reading, or all (edit).
Besides their own records people have those of the people below them, and what is shared with them.
"""

from engine.access.grants import READING, WIDEST, rank
from engine.access.rules import all_of, any_of, row_rule
from engine.snapshot import Snapshot
from metadata.formula import Actor, Compare, Held, Node, Path
from metadata.model import SYSTEM_FIELDS, Action, Grant, Object, RestrictionRule, SharingRule

__all__ = ["OWNER", "RECORD", "is_meant", "restrictions", "rule_ways", "shared", "ways"]

OWNER = Path(("owner",), (SYSTEM_FIELDS["owner"],), "reference")
RECORD = Path(("id",), (SYSTEM_FIELDS["id"],), "reference")
OWN = Compare("==", OWNER, Actor("id"))
BY_REACH = ("department", "department_and_below")


def ways(
    snapshot: Snapshot, roles: frozenset[str], action: Action, definition: Object, grant: Grant
) -> list[tuple[str, Node | None]]:  # fmt: skip
    """(by what, condition) of each way to a record that the grant has; a condition None is met by all records.

    [] where the object's records are everybody's, as far as this action goes.
    """
    if definition.masters or rank(grant, action, definition.sharing) == WIDEST:
        return []
    found: list[tuple[str, Node | None]] = [("owner", OWN)]
    found += [(name, Held("people", OWNER, (name,))) for name in definition.hierarchy]
    if grant.reach in BY_REACH:
        found.append((grant.reach, Held("people", OWNER, (grant.reach,))))
    if action != "delete":
        accesses = ("read", "edit") if action in READING else ("edit",)
        found.append(("share", Held("shares", RECORD, (definition.name, *accesses))))
        found += rule_ways(snapshot, roles, definition, accesses)
    return found


def rule_ways(
    snapshot: Snapshot, roles: frozenset[str], definition: Object, accesses: tuple[str, ...]
) -> list[tuple[str, Node | None]]:  # fmt: skip
    found: list[tuple[str, Node | None]] = []
    for rule in snapshot.definitions.sharing_rules.values():
        if rule.object != definition.name or rule.access not in accesses:
            continue
        members = [] if roles & set(rule.roles) else membership(rule)
        if members or roles & set(rule.roles):
            rows = row_rule(snapshot, rule.object, rule.rows)
            met = all_of([any_of(members) if members else None, rows])
            found.append((f"sharing rule {rule.name}", met))
    return found


def membership(rule: SharingRule) -> list[Node]:
    kinds = (("department", rule.departments), ("team", rule.teams))
    return [Held("member", RECORD, (name, *names)) for name, names in kinds if names]


def shared(
    snapshot: Snapshot, roles: frozenset[str], action: Action, definition: Object, grant: Grant
) -> Node | None:  # fmt: skip
    """What a record must meet besides the grant's own rows; None is nothing."""
    found = [node for _, node in ways(snapshot, roles, action, definition, grant)]
    return None if not found or None in found else any_of([node for node in found if node is not None])


def restrictions(snapshot: Snapshot, roles: frozenset[str], object_name: str) -> list[tuple[str, Node]]:
    """(name, what stays) of the rules that take records of the object away from whoever has these roles."""
    found: list[tuple[str, Node]] = []
    for rule in snapshot.definitions.restriction_rules.values():
        if rule.object == object_name and is_meant(rule, roles):
            node = row_rule(snapshot, object_name, rule.rows)
            assert node is not None
            found.append((rule.name, node))
    return found


def is_meant(rule: RestrictionRule, roles: frozenset[str]) -> bool:
    """Whether it is for whoever has these roles."""
    return bool(not rule.roles or roles & set(rule.roles)) and not roles & set(rule.spares)
