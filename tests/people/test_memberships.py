"""Permission sets and teams of a person come with the statement that finds out who they are."""

from datetime import date

from engine.people.authentication import Authenticator, Identity, fingerprint
from engine.testing import Running
from tests.people.conftest import NOW


def who(office: Running, username: str) -> Identity:
    found = Authenticator(office.tenant).authenticate("token", fingerprint(office.token(username)), NOW)
    assert found is not None
    return found


def sets(office: Running, username: str) -> list[str]:
    return sorted(who(office, username).actor.permission_sets)


def test_sets_of_the_person_the_departments_and_the_teams_add_up(office: Running) -> None:
    boss, lin = office.records("boss"), office.user("lin")
    assert (sets(office, "lin"), list(who(office, "lin").actor.teams)) == ([], [])
    top = boss.create("department", {"name": "Top"})["id"]
    below = boss.create("department", {"name": "Below", "parent": top})["id"]
    aside = boss.create("department", {"name": "Aside", "parent": top})["id"]
    team = boss.create("team", {"name": "Tigers", "members": [office.user("cai"), lin]})["id"]
    other = boss.create("team", {"name": "Lions", "members": [office.user("cai")]})["id"]
    boss.update("user", lin, {"department": below})
    for name, receiver in (
        ("own", {"user": lin}), ("above", {"department": top}), ("here", {"department": below}),
        ("here", {"team": team}), ("tigers", {"team": team}), ("aside", {"department": aside}),
        ("lions", {"team": other}), ("others", {"user": office.user("pia")}),
    ):  # fmt: skip
        boss.create("permission_assignment", {"permission_set": name, **receiver})
    assert sets(office, "lin") == ["above", "here", "own", "tigers"]
    assert sets(office, "cai") == ["here", "lions", "tigers"]
    assert list(who(office, "lin").actor.teams) == [team]
    assert office.context("lin").actor.permission_sets == frozenset({"above", "here", "own", "tigers"})


def test_what_has_expired_is_inactive_or_deleted_gives_nothing(office: Running) -> None:
    boss, lin = office.records("boss"), office.user("lin")
    team = boss.create("team", {"name": "Tigers", "members": [lin]})["id"]
    department = boss.create("department", {"name": "Sales"})["id"]
    boss.update("user", lin, {"department": department})
    boss.create("permission_assignment", {"permission_set": "over", "user": lin, "expires_on": "2026-11-21"})
    boss.create("permission_assignment", {"permission_set": "today", "user": lin, "expires_on": "2026-11-22"})
    boss.create("permission_assignment", {"permission_set": "team_set", "team": team})
    boss.create("permission_assignment", {"permission_set": "work", "department": department})
    gone = boss.create("permission_assignment", {"permission_set": "gone", "user": lin})["id"]
    boss.delete("permission_assignment", gone)
    assert sets(office, "lin") == ["team_set", "today", "work"]
    boss.update("team", team, {"is_active": False})
    boss.delete("department", department)
    assert (sets(office, "lin"), list(who(office, "lin").actor.teams)) == (["today"], [])


def test_a_set_is_given_to_exactly_one(office: Running) -> None:
    client, lin = office.client("boss"), office.user("lin")
    team = office.records("boss").create("team", {"name": "Tigers"})["id"]
    for receivers in ({}, {"user": lin, "team": team}):
        sent = {"permission_set": "x", "expires_on": str(date(2026, 12, 1)), **receivers}
        refused = client.post("/api/v1/records/permission_assignment", json=sent)
        assert refused.status_code == 422
        assert refused.json()["problems"][0]["message"] == "Give it to exactly one user, department or team"


def test_who_a_person_is_takes_one_statement(office: Running) -> None:
    authenticator = Authenticator(office.tenant)
    hashed = fingerprint(office.token("lin"))
    authenticator.authenticate("token", hashed, NOW)
    compiled = authenticator.statements["token"]
    authenticator.authenticate("token", hashed, NOW)
    assert authenticator.statements["token"] is compiled
