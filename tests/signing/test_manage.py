"""Who manages users helps those only whose rights they have: else they could come in as somebody with more."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from engine.people import users
from engine.testing import Running, running
from tests.people.conftest import OFFICE, staff
from tests.signing.conftest import BASE, NOW, Letters


@pytest.fixture
def firm(database_url: str) -> Iterator[Running]:
    with running(database_url, [OFFICE], now=NOW, ui="ui.pages:mount", base_url=BASE) as site:
        staff(site)
        for name in ("boss", "lin", "cai"):
            user = users.find_user(site.tenant, name).id
            site.records().update("user", user, {"email": f"{name}@example.com"})
        site.site.mailer = Letters()
        yield site


def client_of(site: Running, name: str) -> TestClient:
    session = site.session(name)
    headers = {"cookie": f"fieldstone_session={session.secret}", "x-csrf-token": session.csrf}
    return TestClient(site.app, base_url=BASE, follow_redirects=False, headers=headers)


def sent(site: Running) -> list[str]:
    mailer = site.site.mailer
    assert isinstance(mailer, Letters)
    return [mail.to for mail in mailer.mails]


def test_who_looks_after_people_invites_whom_they_may_be_and_nobody_with_more_rights(firm: Running) -> None:
    pia, ids = client_of(firm, "pia"), {user.username: user.id for user in users.list_users(firm.tenant)}
    firm.session("boss")
    for name, status in (("lin", 200), ("boss", 403), ("cai", 403)):
        assert pia.post(f"/api/v1/users/{ids[name]}/invite").status_code == status, name
    assert sent(firm) == ["lin@example.com"]
    for action in ("invite", "codes-off", "end-sessions"):
        assert pia.post(f"/o/user/{ids['boss']}/{action}").status_code == 403
    assert pia.delete(f"/api/v1/users/{ids['boss']}/sessions").status_code == 403
    assert "/invite" in pia.get(f"/o/user/{ids['lin']}").text
    assert "/invite" not in pia.get(f"/o/user/{ids['boss']}").text
    with firm.tenant.database.read() as connection:
        assert len(connection.rows("SELECT * FROM fs_session")) == 2
    assert client_of(firm, "boss").post(f"/api/v1/users/{ids['cai']}/invite").status_code == 200


def test_who_manages_nobody_invites_nobody(firm: Running) -> None:
    ids = {user.username: user.id for user in users.list_users(firm.tenant)}
    assert client_of(firm, "lin").post(f"/api/v1/users/{ids['cai']}/invite").status_code == 403
    assert sent(firm) == []
