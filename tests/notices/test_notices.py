from datetime import timedelta
from typing import Any

from engine.people import users
from engine.process.notices import notify
from engine.testing import Running
from tests.notices.conftest import NOW, Letters


def deal(site: Running) -> str:
    return str(site.records().create("deal", {"name": "Pumps"})["id"])


def tell(site: Running, *names: str, kind: str = "approval.asked", key: str = "", **more: Any) -> None:
    ctx = site.context()
    with site.tenant.database.write() as connection:
        notify(ctx, connection, [site.user(name) for name in names], kind, key=key, **more)


def inbox(site: Running, name: str, query: str = "") -> dict[str, Any]:
    answer = site.client(name).get(f"/api/v1/notifications{query}")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def test_each_is_told_in_their_language_with_what_they_may_see(site: Running) -> None:
    record = deal(site)
    tell(site, "kim", "lin", "out", object_name="deal", record=record, link="/approvals/7",
         values={"approval": {"en": "Discount", "zh-CN": "折扣审批"}, "comment": "quick!"})  # fmt: skip
    [kim] = inbox(site, "kim")["notifications"]
    assert (kim["subject"], kim["body"], kim["link"]) == ("Please decide: Pumps", "Discount\nquick!", "/approvals/7")
    assert (kim["kind"], kim["object"], kim["record"], kim["read_at"]) == ("approval.asked", "deal", record, None)
    [lin] = inbox(site, "lin")["notifications"]
    assert (lin["subject"], lin["body"]) == ("待您审批：Pumps", "折扣审批\nquick!")
    [out] = inbox(site, "out")["notifications"]
    assert (out["subject"], out["body"]) == ("Please decide", "Discount\nquick!")
    assert inbox(site, "boss")["notifications"] == []


def test_who_did_it_is_named(site: Running) -> None:
    site.user("max", "admin", name="Max")
    record = deal(site)
    tell(site, "boss", kind="approval.urged", object_name="deal", record=record, values={"actor": site.user("kim")})
    assert inbox(site, "boss")["notifications"][0]["subject"] == "Kim Lee asks you to decide soon: Pumps"


def test_nobody_is_told_twice_by_one_key_nor_in_one_call(site: Running) -> None:
    tell(site, "kim", "kim", key="a")
    tell(site, "kim", "lin", key="a")
    assert (len(inbox(site, "kim")["notifications"]), len(inbox(site, "lin")["notifications"])) == (1, 1)


def test_who_is_not_active_is_told_nothing(site: Running) -> None:
    users.set_active(site.tenant, "kim", False, NOW)
    tell(site, "kim", "lin")
    users.set_active(site.tenant, "kim", True, NOW)
    assert inbox(site, "kim")["notifications"] == []
    assert len(inbox(site, "lin")["notifications"]) == 1


def test_a_mail_comes_with_approvals_and_goes_out_as_a_job(site: Running, letters: Letters) -> None:
    tell(site, "kim", "lin", object_name="deal", record=deal(site), link="/approvals/7", key="a")
    assert letters.mails == []
    site.work()
    assert [(mail.to, mail.subject) for mail in letters.mails] == [
        ("kim@example.com", "Please decide: Pumps"), ("lin@example.com", "待您审批：Pumps"),
    ]  # fmt: skip
    assert letters.mails[0].text == "Please decide: Pumps\n\nhttps://crm.example.com/approvals/7\n"
    tell(site, "kim", "lin", key="a")
    site.work()
    assert len(letters.mails) == 2


def test_people_choose_with_what_they_get_a_mail(site: Running, letters: Letters) -> None:
    client = site.client("kim")
    assert client.get("/api/v1/notifications/preferences").json() == {"mail": {"approval": True, "automation": False}}
    answer = client.patch("/api/v1/notifications/preferences", json={"mail": {"approval": False, "automation": True}})
    assert answer.json() == {"mail": {"approval": False, "automation": True}}
    tell(site, "kim", "lin", kind="approval.asked")
    tell(site, "kim", "lin", kind="automation", values={"subject": "Stock is low", "body": "Order more"})
    site.work()
    assert sorted((mail.to, mail.subject) for mail in letters.mails) == [
        ("kim@example.com", "Stock is low"), ("lin@example.com", "待您审批"),
    ]  # fmt: skip
    for wrong in ({"mail": {"approval": "no"}}, {"mail": {"gossip": True}}, {"mail": []}):
        assert client.patch("/api/v1/notifications/preferences", json=wrong).status_code in (400, 422)
    assert client.get("/api/v1/notifications/preferences").json() == {"mail": {"approval": False, "automation": True}}


def test_read_one_and_all(site: Running) -> None:
    for number in range(3):
        site.fixed_now = NOW + timedelta(minutes=number)
        tell(site, "kim", "lin")
    found = inbox(site, "kim")
    ids = [one["id"] for one in found["notifications"]]
    assert (found["unread"], found["next"]) == (3, None)
    client = site.client("kim")
    assert client.post(f"/api/v1/notifications/{ids[1]}/read").status_code == 204
    assert [one["id"] for one in inbox(site, "kim", "?unread=true")["notifications"]] == [ids[0], ids[2]]
    assert client.post("/api/v1/notifications/read-all", json={"upto": ids[1]}).json() == {"read": 1}
    assert client.post("/api/v1/notifications/read-all").json() == {"read": 1}
    assert inbox(site, "kim")["unread"] == 0
    assert inbox(site, "lin")["unread"] == 3


def test_nobody_reads_or_marks_what_another_was_told(site: Running) -> None:
    tell(site, "kim")
    [notice] = inbox(site, "kim")["notifications"]
    assert site.client("lin").post(f"/api/v1/notifications/{notice['id']}/read").status_code == 404
    assert inbox(site, "lin") == {"notifications": [], "next": None, "unread": 0}
    assert inbox(site, "kim")["unread"] == 1


def test_the_state_is_asked_for_at_little_cost(site: Running) -> None:
    tell(site, "kim")
    client = site.client("kim")
    first = client.get("/api/v1/notifications/state")
    newest = inbox(site, "kim")["notifications"][0]["id"]
    assert first.json() == {"unread": 1, "newest": newest, "todo": 0, "overdue": 0}
    tag = {"if-none-match": first.headers["etag"]}
    assert client.get("/api/v1/notifications/state", headers=tag).status_code == 304
    client.post("/api/v1/notifications/read-all")
    assert client.get("/api/v1/notifications/state", headers=tag).status_code == 200


def test_the_list_is_read_piece_by_piece(site: Running) -> None:
    for number in range(3):
        site.fixed_now = NOW + timedelta(minutes=number)
        tell(site, "kim", kind="automation", values={"subject": f"no. {number}"})
    first = inbox(site, "kim", "?limit=2")
    assert [one["subject"] for one in first["notifications"]] == ["no. 2", "no. 1"]
    second = inbox(site, "kim", f"?limit=2&cursor={first['next']}")
    assert ([one["subject"] for one in second["notifications"]], second["next"]) == (["no. 0"], None)


def test_a_link_leads_nowhere_else(site: Running) -> None:
    for link in ("https://evil.example/x", "//evil.example", "/\\evil.example", "javascript:alert(1)"):
        tell(site, "kim", link=link)
    assert {one["link"] for one in inbox(site, "kim")["notifications"]} == {None}


def test_a_limited_token_reads_no_notifications(site: Running) -> None:
    made = site.client("kim").post("/api/v1/tokens", json={"objects": ["deal"]}).json()["token"]
    answer = site.client().get("/api/v1/notifications", headers={"authorization": f"Bearer {made}"})
    assert (answer.status_code, answer.json()["code"]) == (403, "token.scope")
