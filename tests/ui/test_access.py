"""The screens about permissions: sentences and links for who manages rights, and nothing for others."""

from collections.abc import Iterator

import pytest

from engine.access.reasons import WORDS
from engine.service import Query
from engine.testing import Running, running
from tests.access.conftest import TEAM
from ui.access_words import patterns


@pytest.fixture
def team(sqlite_url: str) -> Iterator[Running]:
    with running(sqlite_url, [TEAM], ui="ui.pages:mount") as site:
        site.user("boss", "admin", name="The Boss")
        lin = site.user("lin", "seller", name="Lin <b>")
        site.user("sam", "seller", name="Sam", manager=lin)
        site.user("eve", "seller", name="Eve")
        site.records("sam").create("lead", {"name": "Acme", "phone": "13800138000"})
        yield site


def lead(team: Running) -> str:
    return str(team.records().list(Query("lead", ("id",))).records[0]["id"])


def test_every_sentence_can_be_said_on_screens() -> None:
    assert patterns("en") == WORDS


def test_the_record_page_leads_to_who_can_see_it_for_who_manages_rights(team: Running) -> None:
    address = f"/o/lead/{lead(team)}"
    assert f'href="{address}/access"' in team.client("boss", by="session").get(address).text
    assert "/access" not in team.client("sam", by="session").get(address).text


def test_an_answer_in_words_with_links(team: Running) -> None:
    page = team.client("boss", by="session").get(f"/o/lead/{lead(team)}/access?person={team.user('lin')}&action=update")
    text = page.text
    assert 'The role <a href="/setup/permissions/role/seller">Seller</a> lets Lin &lt;b&gt; change Lead.' in text
    assert f'is above the owner: <a href="/o/user/{team.user("sam")}">Sam</a> → ' in text
    assert "<b>Lin <b>" not in text


def test_an_answer_in_chinese(team: Running) -> None:
    client = team.client("boss", by="session")
    client.cookies.set("fieldstone_language", "zh-CN")
    text = client.get(f"/o/lead/{lead(team)}/access?person={team.user('eve')}").text
    assert "Eve不能执行此操作。" in text
    assert "“Seller”本可授权，但Eve不是所有者，记录也未共享给此人。" in text


def test_roles_sets_rules_and_sharing_are_shown(team: Running) -> None:
    client = team.client("boss", by="session")
    text = client.get("/setup/permissions").text
    for shown in ("/setup/permissions/role/marketing", "/setup/permissions/set/insight", "No vip", "Won leads"):
        assert shown in text
    text = client.get("/setup/permissions/role/marketing").text
    assert "Fields hidden:" in text
    assert "Salary, Badge, Calls" in text
    assert client.get("/setup/permissions/role/nothing").status_code == 404


def test_what_a_person_may_do_and_what_other_roles_would_change(team: Running) -> None:
    client, address = team.client("boss", by="session"), f"/setup/people/{team.user('eve')}/access"
    assert "see, change, delete, share" in client.get(address).text
    csrf = team.session("boss")
    client.cookies.set("fieldstone_session", csrf.secret)
    answer = client.post(address, data={"csrf": csrf.csrf, "roles": ["seller", "analyst"]})
    assert answer.status_code == 200
    assert "sees Lead" in answer.text
    assert "For instance: Acme" in answer.text
    assert sorted(team.context("eve").actor.roles) == ["seller"]


def test_what_another_manager_would_change(team: Running) -> None:
    lead(team)
    address = f"/setup/people/{team.user('eve')}/access"
    session, client = team.session("boss"), team.client("boss", by="session")
    client.cookies.set("fieldstone_session", session.secret)
    assert 'name="manager"' in client.get(address).text
    sent = {"csrf": session.csrf, "roles": ["seller"], "department": "", "manager": team.user("lin")}
    answer = client.post(address, data=sent)
    assert answer.status_code == 200
    assert f'value="{team.user("lin")}"' in answer.text
    assert "What this would change" in answer.text
    row = team.records().get_row("user", team.user("eve"), ("manager",))
    assert row["manager"] != team.user("lin")


@pytest.mark.parametrize(
    "path", ["/setup/permissions", "/setup/permissions/role/seller", "/setup/permissions/set/insight"]
)
def test_nobody_else_is_shown_any_of_it(team: Running, path: str) -> None:
    client = team.client("sam", by="session")
    assert client.get(path).status_code == 403
    assert client.get(f"/o/lead/{lead(team)}/access").status_code == 403
    assert client.get(f"/setup/people/{team.user('sam')}/access").status_code == 403
