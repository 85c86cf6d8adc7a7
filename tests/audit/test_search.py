"""Who may read the audit log, what narrows it, and what the screen says of an entry."""

from datetime import timedelta
from typing import Any

from engine.testing import Running, running
from tests.audit.conftest import NOW, SHOP, entries

AUDIT = "/api/v1/audit"


def kinds(shop: Running, query: str) -> list[tuple[str, str | None]]:
    body: dict[str, Any] = shop.client("boss").get(f"{AUDIT}?{query}").json()
    return [(entry["kind"], entry["title"]) for entry in body["entries"]]


def fill(shop: Running) -> list[str]:
    ids = []
    for hour, name in enumerate(("Ada", "Bob", "Cyd")):
        shop.fixed_now = NOW + timedelta(hours=hour)
        ids.append(shop.records("boss" if hour else "lin").create("contact", {"name": name})["id"])
    return ids


def test_only_administrators_read_it(shop: Running) -> None:
    answer = shop.client("lin").get(AUDIT)
    assert (answer.status_code, answer.json()["code"]) == (403, "audit.forbidden")
    assert shop.client("boss").get(AUDIT).status_code == 200


def test_it_is_narrowed_by_what_who_which_and_when(shop: Running) -> None:
    ids = fill(shop)
    shop.records("boss").update("contact", ids[0], {"name": "Ada L."})
    created = "record.create"
    assert kinds(shop, "kind=record&object=contact") == [
        ("record.update", "Ada L."), (created, "Cyd"), (created, "Bob"), (created, "Ada L."),
    ]  # fmt: skip
    assert kinds(shop, f"kind=record.create&by={shop.user('lin')}") == [(created, "Ada L.")]
    assert kinds(shop, f"record={ids[1]}") == [(created, "Bob")]
    window = "since=2026-11-22T03:00:00Z&until=2026-11-22T04:00:00Z"
    assert kinds(shop, f"object=contact&{window}") == [(created, "Bob")]
    assert kinds(shop, "kind=rec") == []


def test_a_record_is_found_in_what_was_done_to_many_at_once(shop: Running) -> None:
    ids = fill(shop)
    shop.fixed_now = NOW + timedelta(hours=5)
    changes = [{"action": "update", "id": one, "values": {"phone": "1"}} for one in ids[:2]]
    shop.records("boss").batch("contact", changes, atomic=True)
    assert kinds(shop, f"record={ids[0]}") == [("record.update", None), ("record.create", "Ada")]
    assert kinds(shop, f"record={ids[1]}") == [("record.update", None), ("record.create", "Bob")]
    assert kinds(shop, f"record={ids[2]}") == [("record.create", "Cyd")]


def test_pages_follow_each_other_without_gap(shop: Running) -> None:
    fill(shop)
    client, seen, cursor = shop.client("boss"), list[str](), ""
    while cursor is not None:
        page = client.get(f"{AUDIT}?limit=2" + (f"&cursor={cursor}" if cursor else "")).json()
        seen += [entry["id"] for entry in page["entries"]]
        cursor = page["next"]
    assert sorted(seen) == sorted(f"{entry['chain']}.{entry['seq']}" for entry in entries(shop, ""))
    assert client.get(f"{AUDIT}?cursor=bm8").status_code == 400
    assert client.get(f"{AUDIT}?by=me").status_code == 400
    assert client.get(f"{AUDIT}?since=soon").status_code == 400


def test_the_screen_tells_it_in_words(sqlite_url: str) -> None:
    with running(sqlite_url, [SHOP], now=NOW, ui="ui.pages:mount") as shop:
        shop.user("boss", "admin", name="The Boss")
        shop.user("lin", "seller")
        client = shop.client("boss", by="session")
        one = client.post("/api/v1/records/contact", json={"name": "Ada"}).json()["id"]
        shop.client("lin", by="session").post(f"/o/contact/{one}/delete")
        page = client.get("/audit?object=contact").text
        assert "The Boss" in page
        assert f'<a href="/o/contact/{one}">Contact Ada</a>' in page
        assert "record.delete.forbidden" in page
        assert 'href="/audit"' in client.get("/").text
        assert f"/audit?object=contact&amp;record={one}" in client.get(f"/o/contact/{one}").text
        seller = shop.client("lin", by="session")
        assert seller.get("/audit").status_code == 403
        assert 'href="/audit"' not in seller.get("/").text
