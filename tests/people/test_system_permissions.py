"""What each system permission opens: refused without it, whatever else somebody may do, and allowed with it."""

from collections.abc import Callable, Iterator

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from engine.testing import Running, running
from metadata.model import SYSTEM_PERMISSIONS
from tests.people.conftest import NOW

FIRM = """
package: firm
version: 1.0.0
label: Firm
---
object: contact
label: Contact
data_subject: true
fields:
  name: {type: text, label: Name, required: true, privacy: {category: identity}}
  phone: {type: text, label: Phone, mask: phone}
---
role: all
label: All records
objects:
  user: [create, read, update, delete, view_all, modify_all, import, export, share, approve]
  contact:
    can: [create, read, update, delete, view_all, modify_all, import, export, share, approve]
    fields: {phone: masked}
---
role: masked
label: Masked
objects: {contact: {can: [read], fields: {phone: masked}}}
"""
SETS = "".join(
    f"---\npermission_set: {name}\nlabel: {name}\nsystem: [{name}]\n" for name in SYSTEM_PERMISSIONS
)  # fmt: skip
API = "/api/v1"

Ask = Callable[[Running, TestClient, str], Response]
ASKS: dict[str, tuple[Ask, ...]] = {
    "manage_users": (
        lambda site, client, _: client.post(f"{API}/records/user", json={"username": "new", "name": "New"}),
        lambda site, client, _: client.post(
            f"{API}/records/user_role", json={"user": site.user("lin"), "role": "masked"}
        ),
        lambda site, client, _: client.patch(f"{API}/records/user/{site.user('lin')}", json={"is_active": False}),
        lambda site, client, _: client.delete(f"{API}/users/{site.user('kim')}/sessions"),
        lambda site, client, _: client.post(f"{API}/users/{site.user('kim')}/handover", json={"to": site.user("ann")}),
    ),
    "view_audit": (lambda site, client, _: client.get(f"{API}/audit"),),
    "manage_privacy": (
        lambda site, client, ada: client.post(f"{API}/privacy/contact/{ada}/export"),
        lambda site, client, ada: client.post(f"{API}/privacy/contact/{ada}/erase", json={"confirm": ada}),
    ),
    "unmask": (
        lambda site, client, ada: client.post(f"{API}/records/contact/{ada}/unmask", json={"field": "phone"}),
    ),
}  # fmt: skip
NOT_ASKED_YET = {"manage_rights", "publish", "act_for_others", "manage_settings", "manage_processes"}


@pytest.fixture
def firm(database_url: str) -> Iterator[Running]:
    with running(database_url, [FIRM + SETS], now=NOW) as site:
        site.user("boss", "admin")
        site.user("lin")
        site.user("kim")
        site.user("ann", "all", "masked")
        yield site


def test_each_system_permission_is_asked_for_or_known_not_to_be() -> None:
    assert set(ASKS) | NOT_ASKED_YET == set(SYSTEM_PERMISSIONS)
    assert not set(ASKS) & NOT_ASKED_YET


def test_without_a_permission_it_is_refused_and_with_it_allowed(firm: Running) -> None:
    boss, ann = firm.records("boss"), firm.client("ann")
    ada = str(boss.create("contact", {"name": "Ada", "phone": "13812348000"})["id"])
    for permission, asks in ASKS.items():
        for ask in asks:
            assert ask(firm, ann, ada).status_code == 403, permission
    for other in NOT_ASKED_YET:
        boss.create("permission_assignment", {"permission_set": other, "user": firm.user("ann")})
    for permission, asks in ASKS.items():
        assert [ask(firm, ann, ada).status_code for ask in asks] == [403] * len(asks), permission
    for permission in ("manage_users", "view_audit", "unmask", "manage_privacy"):
        boss.create("permission_assignment", {"permission_set": permission, "user": firm.user("ann")})
        for ask in ASKS[permission]:
            assert ask(firm, ann, ada).status_code in (200, 201, 204), permission
