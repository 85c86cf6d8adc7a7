"""Records that are given to others by hand, on the record's page."""

from collections.abc import Iterator

import pytest

from engine.errors import NotFound
from engine.testing import Running
from tests.ui.rights import filled, lead, page, send


@pytest.fixture
def shop(screens_url: str) -> Iterator[Running]:
    with filled(screens_url) as site:
        yield site


def test_a_record_is_shared_in_the_dialog_and_its_timeline_tells_of_it(shop: Running) -> None:
    record, bob = lead(shop), shop.user("bob")
    assert f'href="/o/lead/{record}/shares"' in page(shop, f"/o/lead/{record}", "ann")
    dialog = page(shop, f"/o/lead/{record}/shares", "ann", **{"hx-request": "true"})
    assert "Share Known" in dialog
    assert 'name="to_user"' in dialog
    assert 'name="to_department"' not in dialog
    send(
        shop, f"/o/lead/{record}/shares", "ann", kind="user", to_user=bob, access="read", until="2126-12-31",
        reason="holiday cover",
    )  # fmt: skip
    assert shop.records("bob").get("lead", record)["name"] == "Known"
    listed = page(shop, f"/o/lead/{record}/shares", "ann")
    assert "Bob Ray" in listed
    assert "Reads" in listed
    assert "holiday cover" in listed
    assert "Dec 31, 2126" in listed
    told = page(shop, f"/o/lead/{record}", "ann")
    assert "shared this record with Bob Ray for reading: holiday cover" in told
    own = page(shop, f"/o/lead/{record}", "bob")
    assert "holiday cover" not in own
    assert f"/o/lead/{record}/shares" not in own
    [given] = shop.records("ann").shares("lead", record)
    send(shop, f"/o/lead/{record}/shares/end", "ann", id=given.id)
    with pytest.raises(NotFound):
        shop.records("bob").get("lead", record)
    assert "ended the share with Bob Ray" in page(shop, f"/o/lead/{record}", "ann")


def test_a_role_gets_a_record_for_editing(shop: Running) -> None:
    record = lead(shop)
    send(shop, f"/o/lead/{record}/shares", "ann", kind="role", to_role="seller", access="edit")
    assert shop.records("bob").update("lead", record, {"grade": "Iron"})["grade"] == "Iron"
    assert "Seller" in page(shop, f"/o/lead/{record}/shares", "ann")


def test_a_share_that_cannot_be_is_refused_at_its_field(shop: Running) -> None:
    record, bob = lead(shop), shop.user("bob")
    nobody = send(shop, f"/o/lead/{record}/shares", "ann", 422, kind="user", to_user="", access="edit", reason="kept")
    assert "Choose somebody" in nobody
    assert 'value="kept"' in nobody
    past = send(shop, f"/o/lead/{record}/shares", "ann", 422, kind="user", to_user=bob, until="2020-01-01")
    assert "a day to come" in past
    send(shop, f"/o/lead/{record}/shares", "ann", 422, kind="user", to_user=bob, until="soon")
    assert shop.records("ann").shares("lead", record) == []


def test_who_may_not_share_a_record_is_refused_and_sees_no_button(shop: Running) -> None:
    record = lead(shop)
    assert "/shares" not in page(shop, f"/o/lead/{record}")
    client = shop.client("cleo", by="session")
    assert client.get(f"/o/lead/{record}/shares").status_code == 403
    assert shop.client("bob", by="session").get(f"/o/lead/{record}/shares").status_code == 404
    send(shop, f"/o/lead/{record}/shares", "cleo", 403, kind="role", to_role="seller")
    send(shop, f"/o/lead/{record}/shares", "bob", 404, kind="role", to_role="seller")
    assert shop.records("ann").shares("lead", record) == []


def test_the_menu_of_a_row_offers_what_may_be_done_to_that_record(shop: Running) -> None:
    read, edited = lead(shop), lead(shop, "Other")
    bob = shop.user("bob")
    for record, access in ((read, "read"), (edited, "edit")):
        shop.records("ann").share("lead", record, {"kind": "user", "to": bob, "access": access})
    own = shop.records("bob").create("lead", {"name": "Own"})["id"]
    listed = page(shop, "/o/lead", "bob")
    assert f'<tr data-id="{read}" data-may="">' in listed
    assert f'<tr data-id="{edited}" data-may="update">' in listed
    assert f'<tr data-id="{own}">' in listed
    assert "data-may" not in page(shop, "/o/lead", "ann")
