"""Sentences about access: each a code with values, said in English here and in other languages by the screens."""

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["ACTION_WORDS", "WORDS", "Link", "Reason"]

ACTION_WORDS: Mapping[str, str] = {
    "create": "create", "read": "see", "update": "change", "delete": "delete", "export": "export", "import": "import",
    "share": "share", "approve": "approve", "unmask": "unmask", "view_all": "see all", "modify_all": "change all",
}  # fmt: skip

WORDS: Mapping[str, str] = {
    "grant.role": "The role {role} lets {person} {action} {object}.",
    "grant.set_of_role": "The permission set {set} of the role {role} lets {person} {action} {object}.",
    "grant.set_of_user": "The permission set {set}, which was given to {person}, lets {person} {action} {object}.",
    "grant.set_of_department": "The permission set {set} of the department {holder} lets {person} {action} {object}.",
    "grant.set_of_team": "The permission set {set} of the team {holder} lets {person} {action} {object}.",
    "way.open": "{object} is shared with everybody who has this right.",
    "way.all": "This right reaches all records, whoever owns them.",
    "way.owner": "{person} owns the record.",
    "way.managers": "{person} is above the owner: {chain}.",
    "way.departments": "{person} heads the department {department}, to which the owner {owner} belongs.",
    "way.department": "{person} and the owner {owner} are in the same department.",
    "way.department_and_below": "The owner {owner} is in the department of {person}, or below it.",
    "way.share": "{by} has shared it with {holder} ({access}).",
    "way.share_until": "{by} has shared it with {holder} ({access}) until {until}.",
    "way.rule": "The sharing rule {rule} shares it with {holders}.",
    "way.master": "It belongs to {object} {title}, which {person} may {action}.",
    "way.follows": "{object} follows the {masters} that it belongs to.",
    "limit.rows": "Only records that meet: {rows}",
    "limit.types": "Only records of the types {types}.",
    "limit.whose": "Only records that are owned by {person} or people below, or that are shared.",
    "missing.grant": "No role and no permission set lets {person} {action} {object}.",
    "missing.rows": "{grant} is only for records that meet: {rows}",
    "missing.types": "{grant} is only for records of the types {types}.",
    "missing.sharing": "{grant} would do, but {person} does not own the record, and nothing shares it.",
    "missing.master": "It follows {object} {title}, which {person} may not {action}.",
    "missing.masters": "It belongs to no {masters} that {person} may {action}.",
    "missing.restriction": "The restriction rule {rule} takes it away: it leaves only records that meet: {rows}",
    "missing.inactive": "{person} is not active, so nothing is open to this account.",
    "missing.kind": "{object} has exactly one record: it is never created or deleted.",
    "system.unmask": "{person} has the system permission to unmask.",
    "field.of_grant": "{grant} says of {field}: {access}.",
    "field.least": "No right of {person} covers the records of all others, so the strictest counts.",
    "field.worked_out": "{field} is worked out from {other}, which {person} does not see.",
    "field.read_only": "{field} is never written by people.",
    "field.hidden": "{field} is hidden from {person}.",
    "field.masked": "{person} sees the mask of {field} only.",
    "field.open": "{person} sees {field}.",
    "field.written": "{person} may write {field}.",
    "field.not_written": "{person} may not write {field}.",
    "field.not_masked": "{field} is not masked to {person}.",
}


@dataclass(frozen=True, slots=True)
class Link:
    """A record or a definition that a sentence names: `kind` is an object with an `id`, or "role", "permission_set",
    "sharing_rule", "restriction_rule" with a name."""

    kind: str
    id: str


@dataclass(frozen=True, slots=True)
class Reason:
    code: str  # of WORDS
    values: tuple[tuple[str, str], ...] = ()
    links: tuple[Link, ...] = ()

    @property
    def text(self) -> str:
        """In English."""
        values = dict(self.values)
        if "action" in values:
            values["action"] = ACTION_WORDS.get(values["action"], values["action"])
        return WORDS[self.code].format_map(values)
