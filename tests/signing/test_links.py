"""Invitations and new passwords by mail."""

import re
import threading
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.testclient import TestClient

from engine.context import Origin
from engine.errors import NotFound
from engine.mail.port import MailFailed
from engine.people import links, sessions, users
from engine.testing import Running
from tests.signing.conftest import BASE, GOOD, Letters

NEW = "another fine password"


def letters(site: Running) -> Letters:
    mailer = site.site.mailer
    assert isinstance(mailer, Letters)
    return mailer


def client_of(site: Running) -> TestClient:
    return TestClient(site.app, base_url=BASE, follow_redirects=False)


def csrf_of(page: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found
    return found.group(1)


def ask(site: Running, name: str, **headers: str) -> tuple[int, str]:
    client = client_of(site)
    csrf = csrf_of(client.get("/login/forgot").text)
    answer = client.post("/login/forgot", data={"csrf": csrf, "username": name}, headers=headers)
    site.work()
    return answer.status_code, answer.text.replace(csrf, "CSRF").replace(f'value="{name}"', "NAME")


def choose(site: Running, link: str, password: str, again: str = "") -> int:
    client = client_of(site)
    page = client.get(link)
    if page.status_code != 200:
        return page.status_code
    secret = parse_qs(urlsplit(link).query)["link"][0]
    data = {"csrf": csrf_of(page.text), "link": secret, "password": password, "again": again or password}
    return client.post("/login/password", data=data).status_code


def may_come_in(site: Running, password: str) -> bool:
    try:
        return bool(sessions.sign_in(site.tenant, "kim", password, now=site.now).secret)
    except Exception:
        return False


def count(site: Running, table: str) -> int:
    with site.tenant.database.read() as connection:
        return int(connection.rows(f"SELECT count(*) FROM {table}")[0][0])


@pytest.mark.parametrize("name", ["kim", " ＫＩＭ", "kim@example.com", "KIM@EXAMPLE.COM"])
def test_a_forgotten_password_is_replaced_by_the_link_of_a_mail_once(office: Running, name: str) -> None:
    before = office.session("kim")
    assert ask(office, name)[0] == 200
    [mail] = letters(office).mails
    assert (mail.to, mail.subject) == ("Kim@example.com", "Choose a new password")
    link = letters(office).link
    assert link.startswith("/login/password?link=")
    assert choose(office, link, NEW) == 303
    assert (may_come_in(office, NEW), may_come_in(office, GOOD)) == (True, False)
    assert choose(office, link, "yet another password") == 404
    assert may_come_in(office, NEW)
    answer = office.client().get("/api/v1/objects", headers={"cookie": f"{sessions.COOKIE}={before.secret}"})
    assert answer.status_code == 401


def test_the_answer_is_the_same_whoever_exists_and_is_given_before_anything_is_looked_up(office: Running) -> None:
    office.user("max", "admin")  # somebody stays
    users.set_active(office.tenant, "boss", False, office.now)
    office.work = lambda now=None: 0  # type: ignore[method-assign]  # no worker comes
    answers = {ask(office, name) for name in ("kim", "nobody", "boss", "ray", "nobody@example.com")}
    assert len(answers) == 1
    assert count(office, "fs_mail_link") == 0


@pytest.mark.parametrize("name", ["nobody", "ray", "lin", ""])
def test_nobody_without_mail_or_password_gets_a_mail(office: Running, name: str) -> None:
    assert ask(office, name)[0] == 200
    assert letters(office).mails == []


def test_the_link_has_the_configured_address_whatever_the_request_says(office: Running) -> None:
    ask(office, "kim", **{"x-forwarded-host": "evil.example", "origin": "https://evil.example"})
    [mail] = letters(office).mails
    assert "evil" not in mail.text
    assert "https://crm.example.com/login/password?link=" in mail.text


def test_a_host_that_is_not_ours_gets_no_mail_sent(office: Running) -> None:
    answer = client_of(office).get("/login/forgot", headers={"host": "evil.example"})
    assert answer.status_code == 400


def test_looking_at_a_link_uses_nothing_up(office: Running) -> None:
    ask(office, "kim")
    for _ in range(3):
        assert client_of(office).get(letters(office).link).status_code == 200
        assert client_of(office).head(letters(office).link).status_code == 200
    assert choose(office, letters(office).link, NEW) == 303


def test_a_reset_lasts_an_hour_and_an_invitation_three_days(office: Running) -> None:
    began = office.now
    ask(office, "kim")
    reset = letters(office).link
    invite(office, "lin")
    invitation = letters(office).link
    for link, lasts in ((reset, timedelta(hours=1)), (invitation, timedelta(hours=72))):
        office.fixed_now = began + lasts - timedelta(seconds=1)
        assert client_of(office).get(link).status_code == 200
        office.fixed_now = began + lasts
        assert client_of(office).get(link).status_code == 404
        office.fixed_now = began


def invite(site: Running, name: str, by: str = "boss") -> int:
    client = site.client(by, by="session")
    client.base_url = BASE  # type: ignore[assignment]
    client.cookies.set(sessions.COOKIE, site.session(by).secret)
    session = site.session(by)
    headers = {"cookie": f"{sessions.COOKIE}={session.secret}"}
    user = users.find_user(site.tenant, name).id
    return client_of(site).post(f"/o/user/{user}/invite", data={"csrf": session.csrf}, headers=headers).status_code


def test_an_invited_person_chooses_the_first_password_in_their_language(office: Running) -> None:
    assert invite(office, "lin") == 303
    [mail] = letters(office).mails
    assert (mail.to, mail.subject) == ("lin@example.com", "您的账号已开通")
    assert "用户名为 lin" in mail.text
    assert choose(office, letters(office).link, NEW) == 303
    assert sessions.sign_in(office.tenant, "lin", NEW, now=office.now).secret


def test_a_second_invitation_ends_the_first(office: Running) -> None:
    invite(office, "lin")
    first = letters(office).link
    invite(office, "lin")
    assert client_of(office).get(first).status_code == 404
    assert client_of(office).get(letters(office).link).status_code == 200


def test_only_who_manages_users_invites(office: Running) -> None:
    assert invite(office, "lin", by="kim") in (403, 404)
    assert letters(office).mails == []
    assert count(office, "fs_mail_link") == 0


def test_who_has_no_mail_or_is_not_active_is_not_invited(office: Running) -> None:
    assert invite(office, "ray") == 422
    users.set_active(office.tenant, "lin", False, office.now)
    assert invite(office, "lin") == 422
    assert letters(office).mails == []


def test_a_new_password_ends_every_other_link(office: Running) -> None:
    ask(office, "kim")
    reset = letters(office).link
    invite(office, "kim")
    assert choose(office, letters(office).link, NEW) == 303
    assert client_of(office).get(reset).status_code == 404


@pytest.mark.parametrize("password", ["short", "kim@example.com", "password1234", GOOD])
def test_a_password_that_is_refused_changes_nothing_and_leaves_the_link(office: Running, password: str) -> None:
    ask(office, "kim")
    assert choose(office, letters(office).link, password) == 422
    assert choose(office, letters(office).link, NEW, again="something else entirely") == 422
    assert may_come_in(office, GOOD)
    assert choose(office, letters(office).link, NEW) == 303


def test_a_link_ends_with_its_user(office: Running) -> None:
    ask(office, "kim")
    users.set_active(office.tenant, "kim", False, office.now)
    assert client_of(office).get(letters(office).link).status_code == 404
    users.set_active(office.tenant, "kim", True, office.now)
    assert client_of(office).get(letters(office).link).status_code == 404


def test_links_are_stored_as_hashes(office: Running) -> None:
    ask(office, "kim")
    secret = letters(office).link.partition("=")[2]
    with office.tenant.database.read() as connection:
        assert secret not in repr(connection.rows("SELECT * FROM fs_mail_link"))


def test_asking_too_often_is_refused_alike_for_an_account_that_exists_and_one_that_does_not(office: Running) -> None:
    for name in ("kim", "nobody"):
        assert [ask(office, spelled)[0] for spelled in (name, name.upper(), f" {name} ", name)] == [200, 200, 200, 429]
    assert len(letters(office).mails) == 3
    office.fixed_now = office.now + timedelta(minutes=15)
    assert ask(office, "kim")[0] == 200
    assert ask(office, "kim")[0] == 429  # and twice as long from here
    office.fixed_now = office.now + timedelta(minutes=16)
    assert ask(office, "kim")[0] == 429


def test_a_form_of_another_site_is_refused(office: Running) -> None:
    answer = client_of(office).post("/login/forgot", data={"csrf": "made up", "username": "kim"})
    assert answer.status_code == 403
    assert letters(office).mails == []


def test_what_happened_stands_in_the_audit_log(office: Running) -> None:
    ask(office, "kim")
    choose(office, letters(office).link, NEW)
    with office.tenant.database.read() as connection:
        found = connection.rows("SELECT kind, channel, address FROM fs_audit WHERE substr(kind, 1, 8) = 'password'")
    assert sorted(found) == [
        ("password.changed", "screen", "testclient"), ("password.reset.asked", "screen", "testclient"),
    ]  # fmt: skip


def test_of_several_who_use_a_link_at_once_one_gets_through(office: Running) -> None:
    ask(office, "kim")
    secret = letters(office).link.partition("=")[2]
    gate, done = threading.Barrier(4), []

    def accept(number: int) -> None:
        gate.wait()
        try:
            links.accept(
                office.tenant, office.config, secret, f"a fine password {number}", origin=Origin(), now=office.now
            )  # fmt: skip
            done.append(number)
        except NotFound:
            pass

    threads = [threading.Thread(target=accept, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    [winner] = done
    assert [may_come_in(office, f"a fine password {number}") for number in range(4)] == [
        number == winner for number in range(4)
    ]  # fmt: skip


def test_a_mail_that_is_refused_leaves_the_page_of_the_user_with_the_reason(office: Running) -> None:
    class Down:
        def send(self, mail: object) -> None:
            raise MailFailed("the server is down", may_succeed_later=True)

    office.site.mailer = Down()
    assert invite(office, "lin") == 502
