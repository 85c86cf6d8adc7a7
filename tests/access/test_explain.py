"""Why a person may do what they may: taking what is named away takes the access away."""

import pytest

from engine.access.explain import Allowed, explain
from engine.errors import NotFound
from engine.service import Query
from engine.testing import Running


def lead(team: Running, name: str) -> str:
    found = team.records().list(Query("lead", ("id",), filter=f"name == '{name}'"))
    return str(found.records[0]["id"])


def test_an_owner_a_manager_and_somebody_else(team: Running) -> None:
    own = lead(team, "sam")
    assert explain(team.context("sam"), "lead", own, "read").allowed == (Allowed("role seller", ("owner",)),)
    assert explain(team.context("lin"), "lead", own, "update").allowed == (Allowed("role seller", ("managers",)),)
    eve = explain(team.context("eve"), "lead", own, "read")
    assert (eve.is_allowed, eve.missing) == (False, ("sharing by role seller",))
    assert explain(team.context("max"), "lead", own, "read").allowed == (Allowed("role marketing"),)
    assert explain(team.context("max"), "lead", own, "delete").missing == ("grant",)
    assert explain(team.context("pat"), "lead", own, "read").missing == ("rows of role partner",)
    assert explain(team.context("ana"), "lead", own, "read").allowed == (
        Allowed("permission set insight of role analyst"),
    )


def test_taking_the_named_share_away_takes_the_access_away(team: Running) -> None:
    own = lead(team, "sam")
    share = team.records("sam").share("lead", own, {"kind": "user", "to": team.user("eve")})
    told = explain(team.context("eve"), "lead", own, "read")
    assert (told.is_allowed, told.allowed) == (True, (Allowed("role seller", ("share",)),))
    team.records("sam").unshare("lead", own, share.id)
    assert not explain(team.context("eve"), "lead", own, "read").is_allowed
    with pytest.raises(NotFound):
        team.records("eve").get("lead", own)


def test_a_restriction_is_named(team: Running) -> None:
    own = lead(team, "sam")
    team.records("boss").update("lead", own, {"name": "VIP"})
    told = explain(team.context("sam"), "lead", own, "read")
    assert (told.is_allowed, told.restricted_by) == (False, ("no_vip",))


@pytest.mark.parametrize("username", ["sam", "lin", "mia", "eve", "max", "pat", "ana", "boss"])
@pytest.mark.parametrize("action", ["read", "update", "delete"])
def test_it_says_what_the_scope_does(team: Running, username: str, action: str) -> None:
    from engine.store import rows

    ctx = team.context(username)
    with team.tenant.database.read() as connection:
        for name in ("sam", "eve"):
            record = lead(team, name)
            found = rows.current(ctx, connection, "lead", record, action)  # type: ignore[arg-type]
            assert explain(ctx, "lead", record, action).is_allowed == bool(found and found.is_allowed)  # type: ignore[arg-type]
