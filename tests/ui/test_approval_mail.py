"""Deciding by the link of a mail: it only shows by GET, decides once by POST, and ends."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from engine.process.approval import mail_links
from engine.store.system_approvals import approval_link
from tests.state import state
from tests.ui.approval_desk import Desk, filled, plain


@pytest.fixture
def desk(screens_url: str) -> Iterator[Desk]:
    with filled(screens_url) as made:
        yield made


def links(desk: Desk, user: str) -> dict[str, str]:
    """Decision -> the address that a mail would hold."""
    with desk.site.tenant.database.write() as connection:
        made = mail_links.make(desk.site.context(user), connection, desk.task(user))
    return {action: mail_links.PATH + secret for action, secret in made.items()}


def test_a_link_shows_what_it_decides_and_a_mail_program_that_opens_it_changes_nothing(desk: Desk) -> None:
    instance = desk.submit(desk.quote("Gearbox", 12))
    made = links(desk, "wang")
    assert sorted(made) == ["approve", "reject"]
    nobody = desk.site.client()
    before = state(desk.site)
    for _ in range(3):
        shown = nobody.get(made["approve"])
        assert shown.status_code == 200
        nobody.head(made["approve"])
    page = plain(shown.text)
    assert "Gearbox" in page
    assert "¥120,000" in page
    assert "Sam Ortiz submitted it" in page
    assert "You decide as 王伟." in page
    assert "default-src 'self'" in shown.headers["content-security-policy"]
    assert state(desk.site) == before
    assert desk.approvals("sam").instance(instance).state == "RUNNING"
    desk.site.records("").update("user", desk.ids["wang"], {"language": "zh-CN"})
    before = state(desk.site)
    english = {"accept-language": "en"}
    own = nobody.get(made["reject"], headers=english).text
    assert 'lang="zh-CN"' in own
    assert "您将以 王伟 的身份处理。" in own
    assert "折扣审批" in own
    chosen = nobody.get(f"{made['reject']}?language=en", headers=english).text
    assert "You decide as 王伟." in chosen
    assert "Discount approval" in chosen
    refused = nobody.post(made["reject"], data={"comment": ""}, headers=english)
    assert "请填写意见" in refused.text
    assert state(desk.site) == before


def test_it_decides_once_without_a_session_as_its_person(desk: Desk) -> None:
    instance = desk.submit(desk.quote("Gearbox", 12))
    made = links(desk, "wang")
    nobody = desk.site.client()
    answer = nobody.post(made["approve"], data={"comment": "From the train"})
    assert answer.status_code == 200
    assert "Your decision was recorded: Approve." in plain(answer.text)
    found = desk.approvals("sam").instance(instance)
    assert found.state == "APPROVED"
    [line] = [one for one in found.history if one.action == "approve"]
    assert (line.actor.name, line.comment) == ("王伟", "From the train")
    before = state(desk.site)
    assert nobody.get(made["approve"]).status_code == 404
    assert nobody.get(made["reject"]).status_code == 200
    assert "There is nothing left to decide" in nobody.get(made["reject"]).text
    assert nobody.post(made["reject"], data={"comment": "too late"}).status_code == 409
    assert state(desk.site) == before
    assert nobody.post(made["approve"]).status_code == 404


def test_a_refused_decision_leaves_the_link_for_another_try(desk: Desk) -> None:
    desk.submit()
    made = links(desk, "wang")
    nobody = desk.site.client()
    before = state(desk.site)
    refused = nobody.post(made["reject"], data={"comment": ""})
    assert refused.status_code == 422
    assert "a comment is needed" in refused.text
    assert state(desk.site) == before
    assert nobody.post(made["reject"], data={"comment": "Too much"}).status_code == 200


def test_links_end_and_those_of_people_who_left_do_nothing(desk: Desk) -> None:
    desk.submit()
    first = links(desk, "wang")["approve"]
    nobody = desk.site.client()
    desk.later(days=8)
    assert nobody.get(first).status_code == 404
    second = links(desk, "wang")["approve"]
    desk.site.records("").update("user", desk.ids["wang"], {"is_active": False})
    assert nobody.get(second).status_code == 404
    assert nobody.post(second).status_code == 404
    assert nobody.get(mail_links.PATH + "guessed").status_code == 404


def test_the_secret_is_kept_as_a_hash_only(desk: Desk) -> None:
    desk.submit()
    secret = links(desk, "wang")["approve"].removeprefix(mail_links.PATH)
    with desk.site.tenant.database.read() as connection:
        kept = {row.hash for row in connection.sa.execute(approval_link.select())}
    assert secret not in kept
    assert len(kept) == 2


def test_a_step_that_is_signed_gets_no_links(desk: Desk) -> None:
    desk.submit(desk.quote("Plain", 0), chosen={"check": [desk.ids["wang"]]})
    assert links(desk, "wang") == {}


def test_mails_about_tasks_hold_the_links(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    site = desk.site
    site.records("").update("user", desk.ids["wang"], {"email": "wang@example.com"})
    site.app.state.site.config = replace(site.config, base_url="https://desk.example")
    desk.submit(desk.quote("Gearbox", 12))
    sent: list[str] = []
    monkeypatch.setattr("engine.process.notice_jobs.send_later", lambda *_, **__: sent.append(_[2].text))
    site.work()
    [text] = [one for one in sent if "/approve/" in one]
    secrets = re.findall(r"^(\w+): https://desk\.example/approve/(\S+)$", text, re.M)
    assert [words for words, _ in secrets] == ["Approve", "Reject"]
    assert site.client().get(f"/approve/{secrets[0][1]}").status_code == 200
