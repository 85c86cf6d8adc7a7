"""The bell: what a person was told, that it was read, and of which there is a mail."""

from collections.abc import Iterator

import pytest

from engine.process import inbox
from engine.process.notices import notify
from engine.testing import Running
from tests.ui.processes import desk
from tests.ui.rights import page, send


@pytest.fixture
def site(screens_url: str) -> Iterator[Running]:
    with desk(screens_url) as found:
        yield found


def tell(site: Running, username: str, subject: str, link: str = "") -> None:
    ctx = site.context("chen")
    with ctx.tenant.database.write() as connection:
        notify(ctx, connection, [site.user(username)], "automation", values={"subject": subject}, link=link)


def unread(site: Running, username: str) -> int:
    return inbox.state_of(site.context(username))[0]


def test_the_dialog_shows_what_is_new_with_its_link_and_marks_it_read(site: Running) -> None:
    tell(site, "ann", "First <b>", "/o/deal")
    tell(site, "ann", "Second")
    tell(site, "chen", "Not for Ann")
    dialog = page(site, "/notifications", "ann", **{"hx-request": "true"})
    assert 'data-unread="2"' in dialog
    assert "First &lt;b&gt;" in dialog
    assert 'href="/o/deal" data-notice=' in dialog
    assert "Not for Ann" not in dialog
    [second, _] = inbox.list_notices(site.context("ann"), unread=False, limit=9)[0]
    send(site, f"/notifications/{second.id}/read", "ann", back="/o/deal?q=x")
    assert unread(site, "ann") == 1
    assert unread(site, "chen") == 1
    client = site.client("ann", by="session")
    answer = client.post(f"/notifications/{second.id}/read", headers={"hx-request": "true"})
    assert 'data-unread="1"' in answer.text


def test_all_that_was_shown_is_marked_and_what_came_since_stays_new(site: Running) -> None:
    tell(site, "ann", "First")
    _, newest = inbox.state_of(site.context("ann"))
    tell(site, "ann", "Second")
    send(site, "/notifications/read", "ann", upto=newest)
    assert unread(site, "ann") == 1
    text = page(site, "/notifications?show=unread", "ann")
    assert "Second" in text
    assert "First" not in text
    send(site, "/notifications/read", "ann")
    assert "Nothing new" in page(site, "/notifications?show=unread", "ann")


def test_older_ones_are_on_the_next_page(site: Running) -> None:
    for number in range(41):
        tell(site, "ann", f"Number {number:02}")
    first = page(site, "/notifications", "ann")
    assert "Number 40" in first
    assert "Number 00" not in first
    cursor = first.partition("/notifications?cursor=")[2].partition('"')[0]
    assert "Number 00" in page(site, f"/notifications?cursor={cursor}", "ann")


def test_nobody_marks_or_reads_what_others_were_told(site: Running) -> None:
    tell(site, "ann", "First")
    [notice] = inbox.list_notices(site.context("ann"), unread=False, limit=9)[0]
    send(site, f"/notifications/{notice.id}/read", "rob", 404)
    send(site, "/notifications/read", "rob")
    assert unread(site, "ann") == 1
    assert "First" not in page(site, "/notifications", "rob")


def test_a_link_leads_to_a_page_of_ours_only_and_a_form_comes_back_to_one(site: Running) -> None:
    tell(site, "ann", "Elsewhere", "//example.com/x")
    assert "example.com" not in page(site, "/notifications", "ann")
    client = site.client("ann", by="session")
    answer = client.post("/notifications/read", data={"back": "https://example.com/"})
    assert answer.headers["location"] == "/"


def test_the_state_is_not_sent_twice(site: Running) -> None:
    tell(site, "ann", "First")
    client = site.client("ann", by="session")
    first = client.get("/api/v1/notifications/state")
    assert first.json()["unread"] == 1
    again = client.get("/api/v1/notifications/state", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_person_chooses_which_notifications_come_as_mails(site: Running) -> None:
    text = page(site, "/me", "ann")
    assert 'name="mail" value="approval" checked' in text
    assert 'name="mail" value="automation">' in text
    send(site, "/me/notifications", "ann", mail="automation")
    text = page(site, "/me", "ann")
    assert 'name="mail" value="approval">' in text
    assert 'name="mail" value="automation" checked' in text
    assert 'value="approval" checked' in page(site, "/me", "chen")


def test_the_dialog_in_chinese(site: Running) -> None:
    tell(site, "ann", "First")
    client = site.client("ann", by="session")
    client.cookies.set("fieldstone_language", "zh-CN")
    text = client.get("/notifications", headers={"hx-request": "true"}).text
    assert "全部标为已读" in text
    assert "1 条未读" in text
