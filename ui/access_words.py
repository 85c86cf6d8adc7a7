"""Sentences about access in the person's language, with links to what they name."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import lru_cache

from markupsafe import Markup, escape

from engine.access.reasons import Link, Reason
from ui.texts import Say, say_in
from ui.visit import Visit

__all__ = ["action_text", "address_of", "field_access_text", "sentence", "sentences", "source"]

DEFINITIONS = {"role": "role", "permission_set": "set", "sharing_rule": "rules", "restriction_rule": "rules"}
LINKED: Mapping[str, tuple[str, ...]] = {
    "role": ("role",), "set": ("permission_set",), "rule": ("sharing_rule", "restriction_rule"),
    "holder": ("team", "department", "role"), "department": ("department",), "owner": ("user",), "by": ("user",),
}  # fmt: skip
"""Value of a sentence -> kinds of what it may lead to."""


def sentences(visit: Visit, reasons: Iterable[Reason]) -> list[Markup]:
    return [sentence(visit, one) for one in reasons]


def sentence(visit: Visit, reason: Reason) -> Markup:
    return put(visit, patterns(visit.language)[reason.code], reason)


def source(visit: Visit, reason: Reason) -> Markup:
    """From where a grant comes, without what it lets people do; a sentence about anything else as it is."""
    say = visit.say
    texts = {
        "grant.role": say("Role {role}"),
        "grant.set_of_role": say("Permission set {set} of the role {role}"),
        "grant.set_of_user": say("Permission set {set}, given to the person"),
        "grant.set_of_department": say("Permission set {set} of the department {holder}"),
        "grant.set_of_team": say("Permission set {set} of the team {holder}"),
    }
    return put(visit, texts.get(reason.code) or patterns(visit.language)[reason.code], reason)


def put(visit: Visit, pattern: str, reason: Reason) -> Markup:
    values: dict[str, object] = dict(reason.values)
    if "action" in values:
        values["action"] = action_text(visit.say, str(values["action"]))
    if "access" in values:
        values["access"] = field_access_text(visit.say, str(values["access"]))
    if "until" in values:
        values["until"] = visit.formats.datetime(datetime.fromisoformat(str(values["until"])))
    if "rows" in values:
        values["rows"] = Markup("<code>{}</code>").format(values["rows"])
    for name, kinds in LINKED.items():
        found = [link for link in reason.links if link.kind in kinds]
        if name in values and found:
            values[name] = anchor(visit, found[-1 if name == "by" else 0], str(values[name]))
    if reason.code in ("way.master", "missing.master"):
        values["title"] = anchor(visit, reason.links[0], str(values["title"]))
    if "chain" in values:
        names = str(values["chain"]).split(" → ")
        values["chain"] = Markup(" → ").join(
            anchor(visit, link, name) for link, name in zip(reason.links, names, strict=False)
        )
    # A catalogue's own text; what is put in is escaped unless it is an anchor made here.
    return Markup(pattern).format_map(values)  # noqa: S704


def anchor(visit: Visit, link: Link, text: str) -> Markup:
    address = address_of(visit, link)
    return Markup('<a href="{}">{}</a>').format(address, text) if address else escape(text)


def address_of(visit: Visit, link: Link) -> str:
    """ "" for what has no page, or none that this person may open."""
    if link.kind in ("sharing_rule", "restriction_rule"):
        return "/setup/permissions#rules"
    if link.kind in DEFINITIONS:
        return f"/setup/permissions/{DEFINITIONS[link.kind]}/{link.id}"
    is_object = link.kind in visit.ctx.snapshot.definitions.objects
    return f"/o/{link.kind}/{link.id}" if is_object and visit.ctx.scope.can("read", link.kind) else ""


def action_text(say: Say, action: str) -> str:
    texts: Mapping[str, Callable[[], str]] = {
        "create": lambda: say("create"), "read": lambda: say("see"), "update": lambda: say("change"),
        "delete": lambda: say("delete"), "export": lambda: say("export"), "import": lambda: say("import"),
        "share": lambda: say("share"), "approve": lambda: say("approve"), "unmask": lambda: say("unmask"),
        "view_all": lambda: say("see all"), "modify_all": lambda: say("change all"),
    }  # fmt: skip
    return texts[action]() if action in texts else action


def field_access_text(say: Say, access: str) -> str:
    """Of a field, or of a share."""
    texts: Mapping[str, Callable[[], str]] = {
        "hidden": lambda: say("hidden"), "masked": lambda: say("masked"), "read": lambda: say("read only"),
        "edit_masked": lambda: say("masked, may be written"), "edit": lambda: say("may be written"),
    }  # fmt: skip
    return texts[access]() if access in texts else access


@lru_cache
def patterns(language: str) -> Mapping[str, str]:
    say = say_in(language)
    return {
        "grant.role": say("The role {role} lets {person} {action} {object}."),
        "grant.set_of_role": say("The permission set {set} of the role {role} lets {person} {action} {object}."),
        "grant.set_of_user": say(
            "The permission set {set}, which was given to {person}, lets {person} {action} {object}."
        ),
        "grant.set_of_department": say(
            "The permission set {set} of the department {holder} lets {person} {action} {object}."
        ),
        "grant.set_of_team": say("The permission set {set} of the team {holder} lets {person} {action} {object}."),
        "way.open": say("{object} is shared with everybody who has this right."),
        "way.all": say("This right reaches all records, whoever owns them."),
        "way.owner": say("{person} owns the record."),
        "way.managers": say("{person} is above the owner: {chain}."),
        "way.departments": say("{person} heads the department {department}, to which the owner {owner} belongs."),
        "way.department": say("{person} and the owner {owner} are in the same department."),
        "way.department_and_below": say("The owner {owner} is in the department of {person}, or below it."),
        "way.share": say("{by} has shared it with {holder} ({access})."),
        "way.share_until": say("{by} has shared it with {holder} ({access}) until {until}."),
        "way.rule": say("The sharing rule {rule} shares it with {holders}."),
        "way.master": say("It belongs to {object} {title}, which {person} may {action}."),
        "way.follows": say("{object} follows the {masters} that it belongs to."),
        "limit.rows": say("Only records that meet: {rows}"),
        "limit.types": say("Only records of the types {types}."),
        "limit.whose": say("Only records that are owned by {person} or people below, or that are shared."),
        "missing.grant": say("No role and no permission set lets {person} {action} {object}."),
        "missing.rows": say("{grant} is only for records that meet: {rows}"),
        "missing.types": say("{grant} is only for records of the types {types}."),
        "missing.sharing": say("{grant} would do, but {person} does not own the record, and nothing shares it."),
        "missing.master": say("It follows {object} {title}, which {person} may not {action}."),
        "missing.masters": say("It belongs to no {masters} that {person} may {action}."),
        "missing.restriction": say(
            "The restriction rule {rule} takes it away: it leaves only records that meet: {rows}"
        ),
        "missing.inactive": say("{person} is not active, so nothing is open to this account."),
        "missing.kind": say("{object} has exactly one record: it is never created or deleted."),
        "system.unmask": say("{person} has the system permission to unmask."),
        "field.of_grant": say("{grant} says of {field}: {access}."),
        "field.least": say("No right of {person} covers the records of all others, so the strictest counts."),
        "field.worked_out": say("{field} is worked out from {other}, which {person} does not see."),
        "field.read_only": say("{field} is never written by people."),
        "field.hidden": say("{field} is hidden from {person}."),
        "field.masked": say("{person} sees the mask of {field} only."),
        "field.open": say("{person} sees {field}."),
        "field.written": say("{person} may write {field}."),
        "field.not_written": say("{person} may not write {field}."),
        "field.not_masked": say("{field} is not masked to {person}."),
    }
