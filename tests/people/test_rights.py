"""Who may give which roles and permission sets: literal answers for pairs of what somebody has and what is given."""

from collections.abc import Iterator

import pytest

from engine.context import context_of
from engine.errors import Forbidden
from engine.people.rights import Rights, are_all, cover
from engine.service import Records
from engine.snapshot import Snapshot
from engine.testing import running
from tests.people.conftest import NOW

RIGHTS = """
package: rights
version: 1.0.0
label: Rights
---
object: lead
label: Lead
sharing: private
record_types:
  goods: {label: Goods, default: true}
  service: {label: Service}
fields:
  name: {type: text, label: Name, required: true}
  phone: {type: text, label: Phone, mask: phone}
  region: {type: text, label: Region}
---
object: visit
label: Visit
fields:
  name: {type: text, label: Name, required: true}
  lead: {type: reference, to: lead, label: Lead, master: true}
---
object: open
label: Open
sharing: edit
fields:
  name: {type: text, label: Name, required: true}
---
object: ward
label: Ward
sharing: private
fields:
  name: {type: text, label: Name, required: true}
---
role: hr
label: HR
objects:
  user: [create, read, update, delete]
  lead: {can: [read, update], reach: department}
system: [manage_users]
---
role: whole
label: Whole
objects:
  "*": [create, read, update, delete, view_all, modify_all, import, export, share, approve, unmask]
---
role: chief
label: Chief
permission_sets: [everything]
---
role: reader
label: Reader
objects: {lead: [read]}
---
role: department_reader
label: Reader in the department
objects: {lead: {can: [read], reach: department}}
---
role: below_reader
label: Reader below
objects: {lead: {can: [read], reach: department_and_below}}
---
role: all_reader
label: Reader of all
objects: {lead: [read, view_all]}
---
role: eraser
label: Eraser
objects: {lead: [read, delete]}
---
role: changer
label: Changer
objects: {lead: [modify_all]}
---
role: east
label: East
objects: {lead: {can: [read], rows: "region == 'east'"}}
---
role: west
label: West
objects: {lead: {can: [read], rows: "region == 'west'"}}
---
role: services
label: Services
objects: {lead: {can: [read], record_types: [service]}}
---
role: both_types
label: Both types
objects: {lead: {can: [read], record_types: [service, goods]}}
---
role: masked
label: Masked
objects: {lead: {can: [read, update], fields: {phone: masked}}}
---
role: looker
label: Looker
objects: {lead: {can: [read, update], fields: {region: read}}}
---
role: unmasker
label: Unmasker
objects: {lead: {can: [read, unmask], fields: {phone: masked}}}
---
role: open_all
label: Open, all
objects: {open: {can: [read], reach: all}}
---
role: open_own
label: Open, own
objects: {open: [read]}
---
role: star
label: Every object
objects: {"*": [read]}
---
role: audited
label: Audited
permission_sets: [auditing]
---
role: visits
label: Visits, some
objects:
  lead: [read, update]
  visit: {can: [read, update], rows: "name == 'x'"}
---
role: visits_by_lead
label: Visits by their lead
objects: {lead: [read, update]}
---
role: key
label: Key accounts
objects: {ward: [read]}
---
role: ward_reader
label: Wards
objects: {ward: [read]}
---
role: agency
label: Agency
objects: {open: [read]}
---
role: asked
label: Asked by name
---
role: asking
label: Asking
objects: {open: {can: [read], rows: "HAS_ROLE('asked')"}}
---
permission_set: everything
label: Everything
objects:
  "*": [create, read, update, delete, view_all, modify_all, import, export, share, approve, unmask]
system: ["*"]
---
permission_set: auditing
label: Auditing
system: [view_audit]
---
permission_set: people
label: People
system: [manage_users]
---
permission_set: leads
label: Leads
objects: {lead: [read]}
---
sharing_rule: wards
object: ward
with: {roles: [key]}
access: read
---
restriction_rule: agencies
object: open
rows: name == 'agency'
for: {roles: [agency]}
"""

PAIRS = [
    # who gives, what is given, whether they may
    ("admin", "admin", True), ("chief", "admin", True), ("admin", "chief", True), ("admin", "no_such", True),
    ("whole", "admin", False), ("whole", "chief", False), ("whole", "reader", True), ("whole", "star", True),
    ("hr", "admin", False), ("hr", "chief", False), ("hr", "whole", False), ("hr", "no_such", False),
    ("hr", "hr", True), ("hr", "reader", True), ("hr", "department_reader", True),
    ("hr", "below_reader", False), ("hr", "all_reader", False), ("hr", "eraser", False), ("hr", "changer", False),
    ("changer", "all_reader", True), ("changer", "eraser", True), ("changer", "below_reader", True),
    ("all_reader", "changer", False), ("all_reader", "below_reader", True), ("reader", "department_reader", False),
    ("reader", "east", True), ("east", "reader", False), ("east", "east", True), ("east", "west", False),
    ("services", "reader", False), ("reader", "services", True), ("both_types", "services", True),
    ("services", "both_types", False),
    ("masked", "reader", False), ("reader", "masked", False), ("hr", "masked", True), ("masked", "masked", True),
    ("looker", "hr", False), ("hr", "looker", True), ("looker", "reader", True), ("masked", "unmasker", False),
    ("open_own", "open_all", True), ("star", "reader", True), ("reader", "star", False),
    ("hr", "audited", False), ("admin", "audited", True), ("audited", "audited", True),
    ("visits", "visits_by_lead", False), ("visits_by_lead", "visits", True), ("visits", "visits", True),
    ("ward_reader", "key", False), ("key", "ward_reader", True),
    ("agency", "open_own", False), ("open_own", "agency", True),
    ("asking", "asked", False), ("asked", "asked", True),
    ("hr", "+people", True), ("hr", "+auditing", False), ("audited", "+auditing", True), ("hr", "+leads", True),
    ("hr", "+everything", False), ("hr", "+no_such", False), ("+everything", "admin", True),
    ("+auditing", "audited", True), ("+auditing", "+people", False), ("+leads", "reader", True),
]  # fmt: skip


@pytest.fixture(scope="module")
def snapshot() -> Iterator[Snapshot]:
    with running("", [RIGHTS], now=NOW) as site:
        yield site.tenant.snapshot()


def rights(text: str) -> Rights:
    return Rights(sets=frozenset({text[1:]})) if text.startswith("+") else Rights(roles=frozenset({text}))


@pytest.mark.parametrize(("giver", "given", "may"), PAIRS, ids=[f"{a} gives {b}" for a, b, _ in PAIRS])
def test_only_what_is_held_can_be_given(snapshot: Snapshot, giver: str, given: str, may: bool) -> None:
    assert cover(snapshot, rights(giver), rights(given)) is may


def test_an_administrator_has_every_action_and_every_system_permission(snapshot: Snapshot) -> None:
    found = [name for name in snapshot.definitions.roles if are_all(snapshot, rights(name))]
    assert found == ["admin", "chief"]
    assert are_all(snapshot, rights("+everything"))
    assert not are_all(snapshot, Rights())


def test_a_formula_may_ask_for_the_role_that_a_record_names(sqlite_url: str) -> None:
    text = RIGHTS.replace("HAS_ROLE('asked')", "HAS_ROLE(name)")
    with running(sqlite_url, [text], now=NOW) as site:
        made = site.tenant.snapshot()
        assert not cover(made, rights("reader"), rights("asked"))
        assert cover(made, rights("reader"), rights("reader"))
        assert cover(made, rights("hr"), rights("+leads"))


def test_the_same_holds_where_roles_and_sets_are_written(database_url: str) -> None:
    with running(database_url, [RIGHTS], now=NOW) as site:
        site.user("boss", "admin")
        site.user("pia", "hr", "audited")
        site.user("lin", "reader")
        line = {"user": site.user("lin")}
        pia = site.records("pia")
        assert not pia.ctx.scope.can("create", "permission_assignment")
        pia.update("user", site.user("lin"), {"roles": [{"role": "audited"}]})
        with pytest.raises(Forbidden) as refused:
            pia.create("user_role", {**line, "role": "chief"})
        assert refused.value.code == "people.more_rights"
        site.records("boss").create("permission_assignment", {"permission_set": "everything", "user": site.user("pia")})
        site.records("pia").create("user_role", {**line, "role": "chief"})
        site.user("eve", "hr")
        with pytest.raises(Forbidden):  # who has come to have more is out of reach of who has less
            site.records("eve").update("user", site.user("lin"), {"email": "eve@example.com"})


def test_who_may_write_users_without_managing_them_gives_nothing(database_url: str) -> None:
    text = RIGHTS.replace("system: [manage_users]\n---\nrole: whole", "---\nrole: whole")
    with running(database_url, [text], now=NOW) as site:
        site.user("boss", "admin")
        site.user("pia", "hr")
        lin = site.user("lin", "reader")
        pia = site.records("pia")
        assert not pia.ctx.scope.has("manage_users")
        for attempt in (
            lambda: pia.create("user", {"username": "new", "name": "New"}),
            lambda: pia.create("user_role", {"user": lin, "role": "reader"}),
            lambda: pia.update("user", lin, {"email": "pia@example.com"}),
            lambda: pia.update("user", lin, {"is_active": False}),
        ):
            with pytest.raises(Forbidden) as refused:
                attempt()
            assert refused.value.code == "people.manage"
        pia.update("user", lin, {"name": "Lin Yue"})
        pia.update("user", site.user("pia"), {"email": "pia@example.com"})
        assert Records(context_of(site.tenant, now=NOW)).get("user", lin)["name"] == "Lin Yue"
