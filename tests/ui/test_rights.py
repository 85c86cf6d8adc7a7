"""What a person may not see is on none of their screens; what they may not write is no input."""

import re
from collections.abc import Iterator

import pytest

from engine.audit.search import Wanted, find
from engine.service import Query
from engine.testing import Running
from tests.ui.rights import filled, lead, leaks, page, send, stored


@pytest.fixture
def shop(screens_url: str) -> Iterator[Running]:
    with filled(screens_url) as site:
        yield site


def test_no_screen_shows_a_clerk_what_is_hidden_or_masked(shop: Running) -> None:
    firm = shop.records("ann").create("firm", {"name": "Hushfirm", "town": "Kiel"})["id"]
    below = shop.records("ann").create("firm", {"name": "Hushfirm two", "town": "Bonn", "above": firm})["id"]
    record, other = lead(shop, "Known", firm=firm), lead(shop, "Other", firm=firm)
    shop.records("ann").update("lead", record, {"salary": "31415.50", "phone": "13877778889", "badge": "AX990011ZC"})
    shop.records("ann").update("lead", record, {"phone": "13877778888"})
    paths = [
        "/", "/o/lead", "/o/lead?view=lead_mine", "/o/lead?view=lead_rich", "/o/lead?view=lead_called",
        "/o/lead?sort=salary", "/o/lead?sort=-phone", "/o/lead?where=phone~has~7777x", "/o/lead?q=Known",
        f"/o/lead/{record}", f"/o/lead/{record}/edit",
        f"/o/lead/{record}/edit?only=badge", f"/o/lead/{record}/edit?only=phone", f"/o/lead/{record}/edit?only=salary",
        "/o/lead/new", f"/o/lead/new?_like={record}", f"/o/lead/new?firm={firm}", "/o/lead/deleted",
        f"/o/lead/merge?ids={record},{other}", f"/o/firm/merge?ids={firm},{below}", "/search?q=Known", "/search?q=Kiel",
        f"/o/firm/{firm}", f"/o/firm/{below}", f"/o/firm/{below}/edit", "/o/firm", "/o/firm/deleted",
        "/o/lead/filter?add.path=salary", "/o/lead/bulk?field=stage", "/o/lead/options?q=Known",
        "/o/firm/options?q=Kiel", f"/o/firm/options?id={below}", "/o/firm/options?q=Bonn",
    ]  # fmt: skip
    found = {}
    for path in paths:
        text = page(shop, path)
        for module in re.findall(r"/o/\w+/rules-\w+\.js", text):
            text += page(shop, module)
        if leaked := [one for one in leaks(text) if one not in path]:  # an address is written on its own page
            found[path] = leaked
    assert found == {}
    assert len(shop.records("cleo").list(Query("lead", ("name",))).records) == 2


def test_no_answer_to_a_form_shows_a_clerk_what_is_hidden_or_masked(shop: Running) -> None:
    record, other = lead(shop), lead(shop, "Other")
    answers = [
        send(shop, f"/o/lead/{record}/edit", status=422, name="", badge=""),
        send(shop, f"/o/lead/{record}/edit", status=409, name="Newer", badge="", version="999"),
        send(shop, "/o/lead/new", status=422, name="", salary="31415", stage="secretwon"),
    ]
    assert [leaks(text) for text in answers] == [[], [], []]
    send(shop, "/o/lead/merge", ids=[record, other], keep=record, **{"take.badge": other})
    assert leaks(page(shop, f"/o/lead/{record}")) == []
    send(shop, f"/o/lead/{record}/unmerge")
    send(shop, f"/o/lead/{record}/delete")
    assert leaks(page(shop, "/o/lead/deleted")) == []


def test_a_view_whose_filter_names_what_a_person_does_not_see_is_not_offered_to_them(shop: Running) -> None:
    lead(shop)
    own, clerks = page(shop, "/o/lead", "ann"), page(shop, "/o/lead")
    assert "Rich leads" in own
    assert "Called leads" in own
    assert "Rich leads" not in clerks
    assert "Called leads" not in clerks
    assert "My leads" in clerks
    assert "Known" in page(shop, "/o/lead?view=lead_rich")  # the default instead
    assert 'href="/o/lead?view=lead_rich"' in page(shop, "/", "ann")
    assert "lead_rich" not in page(shop, "/")


def test_a_form_leaves_out_hidden_fields_and_shows_read_only_ones_as_text(shop: Running) -> None:
    record = lead(shop)
    text = page(shop, f"/o/lead/{record}/edit")
    assert 'name="grade"' not in text
    assert "Gold" in text
    assert 'name="phone"' not in text
    assert "138****8888" in text
    assert 'name="badge"' in text
    assert 'name="stage"' not in text
    fresh = page(shop, "/o/lead/new")
    assert 'name="grade"' not in fresh
    assert 'name="phone"' not in fresh
    assert 'name="badge"' in fresh


def test_a_masked_value_that_may_be_written_is_kept_changed_and_cleared(shop: Running) -> None:
    record = lead(shop)
    text = page(shop, f"/o/lead/{record}/edit")
    assert 'name="badge" value=""' in text
    assert 'placeholder="AX***ZB"' in text
    assert "Leave empty to keep AX***ZB" in text
    assert 'name="badge._clear"' in text
    send(shop, f"/o/lead/{record}/edit", name="Known", badge="")
    assert stored(shop, record, "badge") == "AX990011ZB"
    send(shop, f"/o/lead/{record}/edit", name="Known", badge="BY123456CD")
    assert stored(shop, record, "badge") == "BY123456CD"
    send(shop, f"/o/lead/{record}/edit", name="Known", badge="", **{"badge._clear": "1"})
    assert stored(shop, record, "badge") is None
    assert stored(shop, record, "phone") == "13877778888"
    assert stored(shop, record, "salary") == 31415


def test_a_copy_takes_over_no_mask(shop: Running) -> None:
    record = lead(shop)
    send(shop, f"/o/lead/new?_like={record}", name="Copy", badge="")
    made = shop.records("ann").list(Query("lead", ("id",), filter="name == 'Copy'")).records
    text = page(shop, f"/o/lead/new?_like={record}")
    assert "***" not in text
    assert made == [] or stored(shop, str(made[0]["id"]), "badge") is None


def test_a_required_field_that_a_person_cannot_fill_is_refused_in_words_that_help(shop: Running) -> None:
    text = page(shop, "/o/seat/new")
    assert 'name="pin"' not in text
    refused = send(shop, "/o/seat/new", status=422, name="One")
    assert "Pin" in refused
    assert "You may not fill it in: ask an administrator." in refused
    assert shop.records().list(Query("seat", ("id",))).records == []


def test_a_masked_value_is_shown_once_to_who_may_see_it_and_audited(shop: Running) -> None:
    record = lead(shop)
    offered = page(shop, f"/o/lead/{record}", "rea")
    assert 'data-unmask="phone"' in offered
    assert "13877778888" not in offered
    assert "138****8888" in offered
    assert "data-unmask" not in page(shop, f"/o/lead/{record}")
    assert "data-unmask" not in page(shop, "/o/lead", "rea")
    assert send(shop, f"/o/lead/{record}/unmask", "rea", 200, field="phone") == '{"text":"13877778888"}'
    send(shop, f"/o/lead/{record}/unmask", "cleo", 403, field="phone")
    send(shop, f"/o/lead/{record}/unmask", "rea", 422, field="salary")
    told, _ = find(shop.context(), Wanted(kind="unmask"))
    assert [(one.object, one.record, one.details) for one in told] == [("lead", record, {"field": "phone"})]


def test_no_button_shows_a_value_that_is_not_there(shop: Running) -> None:
    record = lead(shop, phone=None)
    assert "data-unmask" not in page(shop, f"/o/lead/{record}", "rea")
