"""Row rules as trees, and how they are put together. Opens no connection."""

import re
from collections.abc import Hashable, Sequence

from engine.snapshot import Snapshot
from metadata.formula import And, Const, In, Node, Or, Path, definition_names, parse, shape
from metadata.model import Grant

__all__ = ["NOTHING", "all_of", "any_of", "asked_roles", "identity", "own_rule", "row_rule"]

RECORD_TYPE = "record_type"
HAS_ROLE = "HAS_ROLE"  # the function of formulas
UNKNOWN = re.compile(r"""HAS_ROLE\s*\(\s*(?!['"\s])""", re.IGNORECASE)
EVERY = "*"
QUOTED = re.compile(r"""['"]([^'"]*)['"]""")
NOTHING = Const(False, "boolean")


def row_rule(snapshot: Snapshot, object_name: str, text: str) -> Node | None:
    """The formula over an object; None where there is none."""
    if not text:
        return None
    names = definition_names(snapshot.definitions.objects, object_name)
    return parse(text, names, functions=snapshot.plugins.functions)


def own_rule(snapshot: Snapshot, object_name: str, grant: Grant) -> Node | None:
    """What a record must meet by the grant itself: its rows, its record types."""
    rows = row_rule(snapshot, object_name, grant.rows)
    if not grant.record_types:
        return rows
    definition = snapshot.definitions.objects[object_name]
    if not definition.record_types:
        return NOTHING
    field = definition.fields[RECORD_TYPE]
    types = tuple(Const(name, "choice") for name in grant.record_types)
    return all_of([rows, In(Path((RECORD_TYPE,), (field,), field.value), types)])


def identity(node: Node | None) -> Hashable:
    """Equal for rules that ask the same. None for none."""
    if node is None:
        return None
    head, literals = shape(node)
    return head, tuple(literals)


def all_of(nodes: Sequence[Node | None]) -> Node | None:
    found = [node for node in nodes if node is not None]
    return None if not found else found[0] if len(found) == 1 else And(tuple(found))


def any_of(nodes: Sequence[Node]) -> Node:
    return nodes[0] if len(nodes) == 1 else Or(tuple(nodes))


def asked_roles(snapshot: Snapshot) -> frozenset[str]:
    """Names in formulas that ask for roles and decide which records somebody has, or may be read by such; "*" where one
    asks for a role that the record names."""
    if "asked roles" not in snapshot.cache:
        definitions = snapshot.definitions
        granting = (*definitions.roles.values(), *definitions.permission_sets.values())
        texts = (
            *(grant.rows for one in granting for grant in one.grants),
            *(one.rows for one in definitions.sharing_rules.values()),
            *(one.rows for one in definitions.restriction_rules.values()),
            *(field.formula for one in definitions.objects.values() for field in one.fields.values()),
        )
        asking = [text for text in texts if HAS_ROLE in text.upper()]
        snapshot.cache["asked roles"] = frozenset(
            name for text in asking for name in (*QUOTED.findall(text), *([EVERY] if UNKNOWN.search(text) else []))
        )
    found: frozenset[str] = snapshot.cache["asked roles"]
    return found
