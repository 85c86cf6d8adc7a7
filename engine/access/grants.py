"""Which grants a person has, and by what: the roles that they hold, and permission sets within these or besides."""

from collections.abc import Iterator
from dataclasses import dataclass

from metadata.model import Action, Definitions, Grant, Role

__all__ = ["Given", "gathered", "implied", "rank", "system_permissions"]

IMPLIED: dict[str, tuple[Action, ...]] = {"view_all": ("read",), "modify_all": ("read", "update", "delete")}
READING = frozenset({"read", "export", "view_all", "unmask"})
WIDEST = 3
RANKS = {"": 0, "own": 0, "department": 1, "department_and_below": 2, "all": WIDEST}


@dataclass(frozen=True, slots=True)
class Given:
    """A grant, and where it comes from."""

    grant: Grant
    role: str = ""  # "" where a permission set was given to the person, a department or a team
    permission_set: str = ""

    def __str__(self) -> str:
        if not self.permission_set:
            return f"role {self.role}"
        return f"permission set {self.permission_set}" + (f" of role {self.role}" if self.role else "")


def held(definitions: Definitions, roles: list[str], sets: list[str]) -> Iterator[tuple[Role, str, str]]:
    """(who grants, role, permission set) of known roles and sets."""
    for name in roles:
        yield definitions.roles[name], name, ""
        for one in definitions.roles[name].permission_sets:
            if one in definitions.permission_sets:
                yield definitions.permission_sets[one], name, one
    for name in sets:
        yield definitions.permission_sets[name], "", name


def gathered(definitions: Definitions, roles: list[str], sets: list[str]) -> tuple[Given, ...]:
    return tuple(
        Given(grant, role, one) for granting, role, one in held(definitions, roles, sets) for grant in granting.grants
    )


def system_permissions(definitions: Definitions, roles: list[str], sets: list[str]) -> frozenset[str]:
    return frozenset(name for granting, _, _ in held(definitions, roles, sets) for name in granting.system)


def implied(grant: Grant) -> frozenset[str]:
    """Its actions, and those that these hold in themselves."""
    return grant.actions.union(*(IMPLIED[action] for action in grant.actions if action in IMPLIED))


def rank(grant: Grant, action: Action, sharing: str) -> int:
    """How far it reaches among the records of others, where an object is shared like this: 3 is all of them."""
    if sharing == "edit" or action in ("create", "import") or "modify_all" in grant.actions:
        return WIDEST
    if action in READING and (sharing == "read" or "view_all" in grant.actions):
        return WIDEST
    return RANKS.get(grant.reach, 0)
