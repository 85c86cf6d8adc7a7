"""Nobody gives rights that they do not have, on any path; and one administrator always stays."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from engine.context import context_of
from engine.errors import Conflict, EngineError, Forbidden
from engine.people.users import find_user, set_active, set_roles
from engine.service import Records
from engine.testing import Running
from tests.people.conftest import NOW


def role_line(office: Running, username: str, role: str) -> str:
    lines: list[dict[str, Any]] = office.records().get("user", office.user(username), ["roles"])["roles"]
    return next(str(line["id"]) for line in lines if line["role"] == role)


def test_a_right_that_somebody_has_can_be_given(office: Running) -> None:
    pia = office.records("pia")
    pia.create("user", {"username": "new", "name": "New", "roles": [{"role": "seller"}]})
    assert find_user(office.tenant, "new").roles == ("seller",)
    pia.update("user", office.user("lin"), {"manager": office.user("pia"), "email": "lin@example.com"})


GIVE: dict[str, Callable[[Running, Records], object]] = {
    "create": lambda o, p: p.create("user_role", {"user": o.user("lin"), "role": "admin"}),
    "create with the user": lambda o, p: p.create("user", {"username": "x", "name": "X", "roles": [{"role": "chief"}]}),
    "lines": lambda o, p: p.update("user", o.user("lin"), {"roles": [{"role": "seller"}, {"role": "admin"}]}),
    "update": lambda o, p: p.update("user_role", role_line(o, "lin", "seller"), {"role": "chief"}),
    "batch": lambda o, p: p.batch("user_role", [
        {"action": "create", "values": {"user": o.user("lin"), "role": role}} for role in ("people", "admin")
    ]),
    "upsert": lambda o, p: p.upsert("user", "username", "lin", {"name": "L", "roles": [{"role": "chief"}]}),
    "take away": lambda o, p: p.update("user", o.user("cai"), {"roles": []}),
    "delete a line": lambda o, p: p.delete("user_role", role_line(o, "cai", "chief")),
    "delete a chief": lambda o, p: p.delete("user", o.user("cai")),
    "deactivate a chief": lambda o, p: p.update("user", o.user("cai"), {"is_active": False}),
    "mail of an admin": lambda o, p: p.update("user", o.user("boss"), {"email": "pia@example.com"}),
    "name of an admin": lambda o, p: p.update("user", o.user("boss"), {"username": "other"}),
    "merge": lambda o, p: p.merge("user", o.user("lin"), [o.user("cai")]),
    "own roles": lambda o, p: p.create("user_role", {"user": o.user("pia"), "role": "seller"}),
    "own activity": lambda o, p: p.update("user", o.user("pia"), {"is_active": False}),
    "own manager": lambda o, p: p.update("user", o.user("pia"), {"manager": o.user("lin")}),
    "permission set": lambda o, p: p.create("permission_assignment", {"permission_set": "x", "user": o.user("lin")}),
}  # fmt: skip


@pytest.mark.parametrize("path", GIVE)
def test_nobody_gives_or_takes_what_they_do_not_have(office: Running, path: str) -> None:
    before = everything(office)
    with pytest.raises(Forbidden) as refused:
        GIVE[path](office, office.records("pia"))
    assert refused.value.code in ("people.more_rights", "people.own_rights")
    assert everything(office) == before


def test_a_permission_set_does_not_make_an_administrator(office: Running) -> None:
    office.records("boss").create("permission_assignment", {"permission_set": "x", "user": office.user("pia")})
    pia = office.records("pia")
    assert pia.ctx.actor.permission_sets == frozenset({"x"})
    for path in ("create", "delete a chief", "mail of an admin"):
        with pytest.raises(Forbidden):
            GIVE[path](office, pia)
    GIVE["permission set"](office, pia)  # what she has, she may give


def test_a_permission_set_is_one_of_those_that_there_are(office: Running) -> None:
    client, sent = office.client("boss"), {"permission_set": "z", "user": office.user("lin")}
    refused = client.post("/api/v1/records/permission_assignment", json=sent)
    problem = refused.json()["problems"][0]
    assert (refused.status_code, problem["path"], problem["code"]) == (
        422, "permission_set", "value.permission_set.unknown",
    )  # fmt: skip


def everything(office: Running) -> list[Any]:
    found = []
    with office.tenant.database.read() as connection:
        for name in ("user", "user_role", "permission_assignment", "team", "department"):
            table = office.tenant.snapshot().physical.table(name)
            found.append(connection.sa.execute(table.select().order_by(table.c.id)).all())
        found.append(connection.rows("SELECT count(*) FROM fs_history"))
    return found


def test_a_batch_that_is_not_atomic_refuses_only_what_goes_too_far(office: Running) -> None:
    operations = [
        {"action": "create", "values": {"user": office.user("cai"), "role": role}} for role in ("seller", "admin")
    ]
    results = office.records("pia").batch("user_role", operations, atomic=False)
    assert [result.error.code if result.error else "" for result in results] == ["", "people.more_rights"]
    assert find_user(office.tenant, "cai").roles == ("chief", "seller")


def test_restoring_a_person_is_giving_their_rights(office: Running) -> None:
    office.records("boss").delete("user", office.user("cai"))
    with pytest.raises(Forbidden):
        office.records("pia").restore("user", office.user("cai"))


def test_who_may_do_all_may_give_all(office: Running) -> None:
    boss = office.records("boss")
    boss.update("user", office.user("lin"), {"roles": [{"role": "admin"}], "email": "lin@example.com"})
    boss.create("permission_assignment", {"permission_set": "x", "user": office.user("boss")})
    office.records("lin").update("user", office.user("boss"), {"roles": []})
    assert find_user(office.tenant, "boss").roles == ()


def test_membership_gives_what_the_team_and_the_department_have(office: Running) -> None:
    boss, pia = office.records("boss"), office.records("pia")
    team = boss.create("team", {"name": "Tigers", "members": [office.user("lin")]})["id"]
    top = boss.create("department", {"name": "Top"})["id"]
    below = boss.create("department", {"name": "Below", "parent": top})["id"]
    pia.update("team", team, {"members": [office.user("lin"), office.user("cai")]})
    pia.update("user", office.user("lin"), {"department": below})
    pia.update("user", office.user("lin"), {"department": None})
    boss.create("permission_assignment", {"permission_set": "x", "team": team})
    boss.create("permission_assignment", {"permission_set": "y", "department": top})
    free = pia.create("department", {"name": "Free"})["id"]
    for attempt in (
        lambda: pia.update("team", team, {"members": [office.user("cai")]}),
        lambda: pia.update("user", office.user("cai"), {"department": below}),
        lambda: pia.update("user", office.user("lin"), {"department": below}),
        lambda: pia.create("user", {"username": "x", "name": "X", "department": below}),
        lambda: pia.update("department", free, {"parent": below}),
        lambda: pia.create("department", {"name": "New", "parent": top}),
        lambda: pia.delete("team", team),
    ):
        with pytest.raises(Forbidden):
            attempt()
    pia.update("team", team, {"name": "Lions"})


def test_the_last_administrator_stays(office: Running) -> None:
    boss = office.records("boss")
    for attempt in (
        lambda: boss.update("user", office.user("boss"), {"is_active": False}),
        lambda: boss.update("user", office.user("boss"), {"roles": []}),
        lambda: boss.update("user_role", role_line(office, "boss", "admin"), {"role": "seller"}),
        lambda: boss.delete("user", office.user("boss")),
        lambda: boss.delete("user_role", role_line(office, "boss", "admin")),
        lambda: boss.merge("user", office.user("lin"), [office.user("boss")]),
        lambda: set_active(office.tenant, "boss", False, NOW),
        lambda: set_roles(office.tenant, "boss", ["seller"]),
    ):
        before = everything(office)
        with pytest.raises(Conflict) as refused:
            attempt()
        assert refused.value.code == "people.last_admin"
        assert everything(office) == before
    office.user("eve", "admin")
    boss.update("user", office.user("boss"), {"is_active": False})
    assert not find_user(office.tenant, "boss").is_active


def test_of_two_administrators_who_leave_at_once_one_stays(office: Running) -> None:
    office.user("eve", "admin")
    tenant, refused = office.tenant, []
    barrier = threading.Barrier(2)

    def leave(username: str) -> None:
        user = office.user(username)
        barrier.wait()
        try:
            Records(context_of(tenant, now=NOW)).update("user", user, {"is_active": False})
        except EngineError as error:
            refused.append(error.code)

    threads = [threading.Thread(target=leave, args=(name,)) for name in ("boss", "eve")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused == ["people.last_admin"]
    assert sorted(find_user(tenant, name).is_active for name in ("boss", "eve")) == [False, True]


def test_a_record_is_not_given_to_somebody_who_has_left(office: Running) -> None:
    office.records("boss").update("user", office.user("lin"), {"is_active": False})
    cai, lin = office.records("cai"), office.user("lin")
    for values in ({"owner": lin}, {"helper": lin}, {"helpers": [office.user("cai"), lin]}):
        with pytest.raises(EngineError) as refused:
            cai.create("deal", {"name": "A", **values})
        problem = refused.value.problems[0]
        assert (problem.path, problem.code) == (next(iter(values)), "reference.inactive")
        assert problem.message == f"'{problem.path}': this user is not active any more"


def test_what_refers_to_somebody_who_leaves_may_go_on_doing_so(office: Running) -> None:
    cai, lin = office.records("cai"), office.user("lin")
    deal = cai.create("deal", {"name": "A", "owner": lin, "helper": lin, "helpers": [lin]})["id"]
    office.records("boss").update("user", lin, {"is_active": False})
    cai.update("deal", deal, {"name": "B", "owner": lin, "helper": lin, "helpers": [office.user("cai"), lin]})
    cai.update("deal", deal, {"helpers": [office.user("cai")]})
    with pytest.raises(EngineError):
        cai.update("deal", deal, {"helpers": [office.user("cai"), lin]})
