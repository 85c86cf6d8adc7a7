"""What definitions say about who may do what, as frozen data: roles, their grants, rules that share or take away."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from metadata.problem import Place

__all__ = [
    "ACCESS", "ACTIONS", "GRANTABLE", "REACHES", "SYSTEM_PERMISSIONS", "Action", "Grant", "RestrictionRule", "Role",
    "SharingRule",
]  # fmt: skip

NOWHERE = Place("")
Text = Mapping[str, str]  # as metadata.model says

Action = Literal[
    "create", "read", "update", "delete", "view_all", "modify_all", "import", "export", "share", "approve", "unmask",
    "transfer",
]  # fmt: skip
ACTIONS: tuple[Action, ...] = ("create", "read", "update", "delete")
"""What is done to records; the rest of GRANTABLE is asked for besides one of these. `transfer` is an update that gives
a record to another owner: it is granted as update is, and the new owner may be out of one's reach."""
GRANTABLE: tuple[Action, ...] = (
    *ACTIONS, "view_all", "modify_all", "import", "export", "share", "approve", "unmask"
)  # fmt: skip

SYSTEM_PERMISSIONS = (
    "manage_users", "manage_rights", "view_audit", "manage_privacy", "publish", "unmask", "act_for_others",
    "manage_settings", "manage_processes",
)  # fmt: skip

ACCESS = ("hidden", "masked", "read", "edit_masked", "edit")
"""To a field. `edit_masked`, written {access: edit, mask: true}: a new value is written, the stored one is a mask."""

REACHES = ("own", "department", "department_and_below", "all")
"""Whose records a grant lets through where the object's are private, from the narrowest to the widest."""


@dataclass(frozen=True, slots=True)
class Grant:
    object: str  # "*" is every object
    actions: frozenset[str]  # of GRANTABLE
    rows: str = ""  # a formula: which records; "" is all
    record_types: tuple[str, ...] = ()  # () is all
    fields: Mapping[str, str] = field(default_factory=dict)  # field, or "*" for the rest -> one of ACCESS
    reach: str = ""  # one of REACHES; "" is "own"


@dataclass(frozen=True, slots=True)
class Role:
    name: str
    label: Text
    grants: tuple[Grant, ...]
    package: str = ""
    permission_sets: tuple[str, ...] = ()  # whose grants it has, too
    system: tuple[str, ...] = ()  # of SYSTEM_PERMISSIONS; "*" is all
    place: Place = NOWHERE


@dataclass(frozen=True, slots=True)
class SharingRule:
    """Records that some people have besides those that are theirs. It widens `sharing`, never a grant's rows."""

    name: str
    label: Text
    object: str
    rows: str = ""  # a formula; "" is all
    roles: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()  # names: whoever is in one of them or below
    teams: tuple[str, ...] = ()  # names
    access: Literal["read", "edit"] = "read"
    package: str = ""
    place: Place = NOWHERE


@dataclass(frozen=True, slots=True)
class RestrictionRule:
    """Takes away: of the object, those that it is for keep only these rows, however they came by them."""

    name: str
    label: Text
    object: str
    rows: str
    roles: tuple[str, ...] = ()  # () is everybody
    spares: tuple[str, ...] = ()  # roles that it is not for
    package: str = ""
    place: Place = NOWHERE
