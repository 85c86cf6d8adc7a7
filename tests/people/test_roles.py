"""Roles are lines of a person's record: written by the same door as all records, and told on the same screens."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from engine.people.authentication import Authenticator, fingerprint
from engine.people.users import create_user, find_user, list_users, set_roles
from engine.publish import apply, plan
from engine.store import system
from engine.tenants import open_tenant
from engine.testing import Running
from metadata import package
from tests.people.conftest import NOW, OFFICE


def roles_of(office: Running, username: str) -> list[str]:
    lines = office.records().get("user", office.user(username), ["roles"])["roles"]
    return [line["role"] for line in lines]


def test_roles_are_lines_of_a_user_and_hold_at_once(office: Running) -> None:
    client = office.client("lin")
    assert client.get("/api/v1/records/deal").status_code == 200
    assert roles_of(office, "lin") == ["seller"]
    answer = office.client("boss").patch(f"/api/v1/records/user/{office.user('lin')}", json={"roles": []})
    assert answer.status_code == 200
    assert client.get("/api/v1/records/deal").status_code == 404
    office.client("boss").patch(f"/api/v1/records/user/{office.user('lin')}", json={"roles": [{"role": "chief"}]})
    assert client.get("/api/v1/records/deal").status_code == 200
    assert find_user(office.tenant, "lin").roles == ("chief",)


def test_the_choices_of_a_role_are_the_roles_that_there_are(office: Running) -> None:
    field = office.tenant.snapshot().definitions.objects["user_role"].fields["role"]
    offered = [(choice.value, choice.label["zh-CN"]) for choice in field.choices]
    assert offered == [("admin", "管理员"), ("seller", "销售"), ("chief", "主管"), ("people", "人事")]
    boss = office.client("boss")
    refused = boss.patch(f"/api/v1/records/user/{office.user('lin')}", json={"roles": [{"role": "chieff"}]})
    problem = refused.json()["problems"][0]
    assert (refused.status_code, problem["path"], problem["code"]) == (422, "roles.0.role", "value.role.unknown")
    twice = boss.patch(f"/api/v1/records/user/{office.user('lin')}", json={"roles": [{"role": "chief"}] * 2})
    assert (twice.status_code, roles_of(office, "lin")) == (409, ["seller"])


def test_a_role_that_a_publish_takes_away_grants_nothing_and_stops_nothing(office: Running) -> None:
    drawn = plan(office.tenant, [office.written(OFFICE.replace("role: chief", "role: chief_of_all"))])
    assert [str(step) for step in drawn.steps] == ["+ role chief_of_all", "- role chief"]
    apply(office.tenant, drawn, None, NOW)
    assert office.client("cai").get("/api/v1/records/deal").status_code == 404
    assert roles_of(office, "cai") == ["chief"]


def test_the_command_gives_exactly_these_roles_and_keeps_the_lines_that_stay(office: Running) -> None:
    before = office.records().get("user", office.user("pia"), ["roles"])["roles"]
    set_roles(office.tenant, "pia", ["seller", "chief"])
    after = office.records().get("user", office.user("pia"), ["roles"])["roles"]
    assert [line["role"] for line in after] == ["seller", "chief"]
    assert after[0]["id"] == next(line["id"] for line in before if line["role"] == "seller")


def test_roles_of_an_older_release_hold_before_and_after_the_first_publish(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "system"
    old.mkdir()
    (old / "package.yaml").write_text("package: system\nversion: 1.0.0\nlabel: System\n")
    (old / "user.yaml").write_text(OLD_SYSTEM)
    with monkeypatch.context() as patch:
        patch.setattr(package, "SYSTEM", old)
        tenant = open_tenant(database_url, tmp_path)
        apply(tenant, plan(tenant, []), None, NOW)
    user = tenant.snapshot().physical.table("user")
    with tenant.database.write() as connection:
        one = "0199f2c4-5d1e-7a3b-8c4d-5e6f708192a3"
        row = {"id": one, "created_at": NOW, "modified_at": NOW, "version": 1, "username": "ada", "name": "Ada",
               "is_active": True}  # fmt: skip
        connection.sa.execute(sa.insert(user).values({user.c[name]: value for name, value in row.items()}))
        connection.sa.execute(sa.insert(system.user_role).values(user=one, role="admin"))
        connection.sa.execute(sa.update(system.state).values(layout=2))
    assert "user_role" not in tenant.snapshot().definitions.objects
    assert find_user(tenant, "ada").roles == ("admin",)
    create_user(tenant, "bo", now=NOW, roles=["admin"])
    assert [person.roles for person in list_users(tenant)] == [("admin",), ("admin",)]
    apply(tenant, plan(tenant, []), None, NOW)
    assert [person.roles for person in list_users(tenant)] == [("admin",), ("admin",)]
    with tenant.database.read() as connection:
        assert connection.sa.execute(sa.select(system.user_role)).all() == []
        table = tenant.snapshot().physical.table("user_role")
        found = connection.sa.execute(sa.select(table.c.user, table.c.role, table.c.position, table.c.version)).all()
    assert (one, "admin", 1, 1) in [tuple(row) for row in found]
    tenant.close()


OLD_SYSTEM = """
object: user
label: User
title: name
fields:
  username: {type: text, label: User name, required: true, unique: true, length: 64}
  name: {type: text, label: Name, required: true, length: 120}
  language: {type: choice, label: Language, default: en, choices: {en: English, zh-CN: Chinese}}
  time_zone: {type: text, label: Time zone, default: UTC, length: 64}
  is_active: {type: boolean, label: Active, default: true}
---
role: admin
label: Administrator
objects:
  "*": [create, read, update, delete]
"""


def test_an_authenticator_of_before_a_publish_finds_the_roles_where_they_are_now(office: Running) -> None:
    authenticator = Authenticator(office.tenant)
    hashed = fingerprint(office.token("lin"))
    assert authenticator.authenticate("token", hashed, NOW) is not None
    office.publish(OFFICE.replace("role: chief", "role: chief_of_all"))
    person = authenticator.authenticate("token", hashed, NOW)
    assert person is not None
    assert person.actor.roles == frozenset({"seller"})
