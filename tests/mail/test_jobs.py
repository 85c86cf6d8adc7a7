"""Mail as jobs: what is stored meanwhile, what is tried again, and what arrives."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from aiosmtpd.controller import Controller

from engine.context import Origin
from engine.mail.jobs import ask_for_reset, send_later
from engine.mail.message import Mail
from engine.mail.port import MailFailed, SmtpMailer
from engine.store import system, system_jobs
from engine.testing import Running, running
from tests.mail.test_port import Inbox, free_port

NOW = datetime(2026, 11, 22, 2, 15, tzinfo=UTC)
BASE = "https://crm.example.com"
EMPTY = "package: p\nversion: 1.0.0\nlabel: P\n---\nobject: thing\nfields:\n  name: {type: text, label: Name}\n"


class Post:
    """Takes mails unless it is told not to."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.failure: Exception | None = None

    def send(self, mail: Mail) -> None:
        if self.failure is not None:
            raise self.failure
        self.mails.append(mail)


@pytest.fixture
def site(database_url: str) -> Iterator[Running]:
    with running(database_url, [EMPTY], now=NOW, base_url=BASE) as found:
        found.user("kim", "admin", name="Kim Lee", email="kim@example.com", password="correct horse battery")
        found.site.mailer = Post()  # type: ignore[misc]
        yield found


def post(site: Running) -> Post:
    found = site.site.mailer
    assert isinstance(found, Post)
    return found


def payloads(site: Running) -> list[str]:
    with site.tenant.database.read() as connection:
        return list(connection.sa.execute(sa.select(system_jobs.job.c.payload)).scalars())


def later(site: Running, to: str = "ada@example.com", key: str | None = None) -> str | None:
    with site.tenant.database.write() as connection:
        return send_later(connection, site.tenant, Mail(to, "Hello", "the secret words"), now=site.now, key=key)


def test_what_a_mail_says_is_stored_encrypted_and_not_after_it_was_sent(site: Running) -> None:
    made = later(site)
    assert "secret words" not in payloads(site)[0]
    assert "ada@" not in payloads(site)[0]
    site.work()
    assert post(site).mails == [Mail("ada@example.com", "Hello", "the secret words", id=made or "")]
    assert payloads(site) == ["{}"]


def test_a_server_that_is_down_for_now_is_asked_again(site: Running) -> None:
    made = later(site)
    post(site).failure = MailFailed("the server is down", may_succeed_later=True)
    site.work()
    assert post(site).mails == []
    post(site).failure = None
    site.work(NOW + timedelta(seconds=10))
    assert [mail.id for mail in post(site).mails] == [made]


@pytest.mark.parametrize("case", ["refused", "address"])
def test_what_a_server_refuses_for_good_and_an_address_that_is_none_are_parked(site: Running, case: str) -> None:
    later(site, "no address" if case == "address" else "ada@example.com")
    post(site).failure = MailFailed("no such user", may_succeed_later=False) if case == "refused" else None
    site.work()
    with site.tenant.database.read() as connection:
        assert connection.sa.scalar(sa.select(system_jobs.job.c.state)) == "parked"


def test_a_reset_is_asked_for_without_a_look_at_who_exists_and_its_link_is_never_stored(site: Running) -> None:
    for name in ("kim", "nobody"):
        ask_for_reset(site.tenant, name, Origin("screen", "192.0.2.7"), NOW)
    kept = payloads(site)
    assert len({len(text) for text in kept}) <= 2
    assert not any("kim" in text or "nobody" in text for text in kept)
    with site.tenant.database.read() as connection:
        assert connection.sa.scalar(sa.select(sa.func.count()).select_from(system.mail_link)) == 0
    site.work()
    [mail] = post(site).mails
    assert mail.to == "kim@example.com"
    link = next(line for line in mail.text.splitlines() if line.startswith(BASE))
    with site.tenant.database.read() as connection:
        kept = [str(row) for row in connection.sa.execute(sa.select(system_jobs.job))]
    assert not any(link.rpartition("=")[2] in text for text in kept)


def test_a_reset_that_could_not_be_sent_is_sent_later_with_a_link_that_is_new_and_audited_once(site: Running) -> None:
    ask_for_reset(site.tenant, "kim", Origin("screen"), NOW)
    post(site).failure = MailFailed("the server is down", may_succeed_later=True)
    site.work()
    post(site).failure = None
    site.work(NOW + timedelta(hours=3))
    assert len(post(site).mails) == 1
    with site.tenant.database.read() as connection:
        link, audit = system.mail_link.c, system.audit.c
        assert connection.sa.scalar(sa.select(link.expires_at)) == NOW + timedelta(hours=4)
        asked = sa.select(sa.func.count()).where(audit.kind == "password.reset.asked")
        assert connection.sa.scalar(asked) == 1


def test_the_mail_of_an_automation_is_sent_as_it_says(site: Running) -> None:
    from engine.jobs.port import enqueue

    payload = {"to": "ada@example.com", "template": "", "subject": "Hi", "body": "There", "object": "", "record": ""}
    with site.tenant.database.write() as connection:
        made = enqueue(connection, "mail", payload, now=NOW)
    site.work()
    assert post(site).mails == [Mail("ada@example.com", "Hi", "There", id=made or "")]


def test_a_mail_job_reaches_a_real_server_once_it_is_up(site: Running) -> None:
    kept, port = Inbox(), free_port()
    site.site.mailer = SmtpMailer(f"smtp+plain://127.0.0.1:{port}", "Fieldstone <crm@example.com>")  # type: ignore[misc]
    made = later(site)
    site.work()  # nobody listens there
    server = Controller(kept, hostname="127.0.0.1", port=port)
    server.start()
    try:
        site.work(NOW + timedelta(seconds=10))
    finally:
        server.stop()
    [(_, to, message)] = kept.mails
    assert (to, message["message-id"]) == (["ada@example.com"], f"<{made}@example.com>")
    assert message.get_content().strip() == "the secret words"
