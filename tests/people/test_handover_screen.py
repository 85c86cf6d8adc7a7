"""The handover on the person's page."""

from engine.people.users import find_user
from engine.service import Query
from engine.testing import running
from tests.people.conftest import NOW, OFFICE, staff

SCREENS = "ui.pages:mount"


def test_the_page_tells_what_goes_and_hands_it_over(sqlite_url: str) -> None:
    with running(sqlite_url, [OFFICE], now=NOW, ui=SCREENS) as site:
        staff(site)
        lin, cai = site.user("lin"), site.user("cai")
        site.records("boss").create("deal", {"name": "Big one", "owner": lin})
        client = site.client("boss", by="session")
        assert f'href="/o/user/{lin}/handover"' in client.get(f"/o/user/{lin}").text
        page = client.get(f"/o/user/{lin}/handover").text
        assert "Big one" in page
        assert "Deactivate 林悦" in page
        refused = client.post(f"/o/user/{lin}/handover", data={"to": lin})
        assert (refused.status_code, "Nobody hands over to themselves" in refused.text) == (422, True)
        done = client.post(f"/o/user/{lin}/handover", data={"to": cai, "deactivate": "1"})
        assert (done.status_code, done.headers["location"]) == (303, f"/o/user/{lin}")
        assert not find_user(site.tenant, "lin").is_active
        assert site.records().page(Query("deal", ("owner",))).rows[0][0] == cai
        after = client.get(f"/o/user/{lin}").text
        assert "Handed over: 1." in after
        assert "This person is not active" in after
        assert "Nothing to hand over" in client.get(f"/o/user/{lin}/handover").text


def test_who_may_not_manage_a_person_is_offered_nothing(sqlite_url: str) -> None:
    with running(sqlite_url, [OFFICE], now=NOW, ui=SCREENS) as site:
        staff(site)
        boss = site.user("boss")
        client = site.client("pia", by="session")
        assert "/handover" not in client.get(f"/o/user/{boss}").text
        assert client.get(f"/o/user/{boss}/handover").status_code == 403
        assert client.post(f"/o/user/{boss}/handover", data={"to": site.user("pia")}).status_code == 403


def test_the_menu_of_people_is_for_those_who_look_after_them(sqlite_url: str) -> None:
    with running(sqlite_url, [OFFICE], now=NOW, ui=SCREENS) as site:
        staff(site)
        assert 'href="/o/team"' in site.client("boss", by="session").get("/").text
        assert 'href="/o/team"' not in site.client("lin", by="session").get("/").text
