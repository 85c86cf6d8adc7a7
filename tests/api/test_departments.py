"""People work in departments: who is asked about their department knows it and all above it."""

import pytest

from engine.people.authentication import Authenticator, fingerprint
from engine.people.departments import Departments
from engine.testing import Running


@pytest.fixture
def ids(shop: Running) -> dict[str, str]:
    """Sales East below Sales below the company; lin works in Sales East."""
    boss = shop.records("boss")
    found: dict[str, str] = {}
    for name, parent in (("Company", ""), ("Sales", "Company"), ("Sales East", "Sales"), ("Service", "Company")):
        found[name] = boss.create("department", {"name": name, "parent": found.get(parent)})["id"]
    boss.update("user", shop.user("lin"), {"department": found["Sales East"], "manager": shop.user("boss")})
    return found


def test_departments_are_read_when_they_are_looked_at(shop: Running, ids: dict[str, str]) -> None:
    authenticator = Authenticator(shop.tenant)
    person = authenticator.authenticate("token", fingerprint(shop.token("lin")), shop.now)
    assert person is not None
    departments = person.actor.departments
    assert isinstance(departments, Departments)
    assert departments._found is None
    assert list(departments) == [ids["Sales East"], ids["Sales"], ids["Company"]]
    other = authenticator.authenticate("token", fingerprint(shop.token("ray")), shop.now)
    assert other is not None
    assert other.actor.departments == ()


def test_a_department_that_is_deleted_is_nobodys(shop: Running, ids: dict[str, str]) -> None:
    shop.records("boss").delete("department", ids["Sales"])
    person = Authenticator(shop.tenant).authenticate("token", fingerprint(shop.token("lin")), shop.now)
    assert person is not None
    assert list(person.actor.departments) == [ids["Sales East"]]
    shop.records("boss").delete("department", ids["Sales East"])
    assert shop.records("boss").get("user", shop.user("lin"))["department"] is None


def test_departments_are_a_tree_with_people(shop: Running, ids: dict[str, str]) -> None:
    client = shop.client("boss")
    found = client.get(f"/api/v1/records/department/{ids['Sales East']}?fields=name,people,parent.name").json()
    assert (found["people"], found["parent.name"]) == ([shop.user("lin")], "Sales")
    refused = client.patch(f"/api/v1/records/department/{ids['Company']}", json={"parent": ids["Sales East"]})
    assert (refused.status_code, refused.json()["code"]) == (422, "tree.circle")


def test_a_formula_asks_for_departments(shop: Running, ids: dict[str, str]) -> None:
    for name, found in (("Sales", 1), ("Sales East", 1), ("Company", 1), ("Service", 0)):
        query = {"filter": f"IN_DEPARTMENT('{ids[name]}')", "count": "exact"}
        shop.records("boss").create("deal", {"name": name, "owner": shop.user("lin")})
        answer = shop.client("lin").get("/api/v1/records/deal", params=query).json()
        assert (answer["count"] > 0) == bool(found)
    assert shop.client("ray").get("/api/v1/records/deal", params=query).json()["count"] == 0
