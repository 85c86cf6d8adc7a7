"""The stages of records with a workflow: what a page offers, what a move asks for, what is refused."""

from collections.abc import Iterator

import pytest

from engine.errors import BadInput
from engine.testing import Running
from tests.ui.processes import desk
from tests.ui.rights import page, send


@pytest.fixture
def site(screens_url: str) -> Iterator[Running]:
    with desk(screens_url) as found:
        yield found


def deal(site: Running, stage: str = "new", **values: object) -> str:
    record = site.records("ann").create("deal", {"name": "Gear line", **values})["id"]
    if stage != "new":
        site.records("ann").update("deal", record, {"stage": stage})
    return str(record)


def stage_of(site: Running, record: str) -> object:
    return site.records("ann").get("deal", record)["stage"]


def test_the_page_shows_what_is_done_the_guidance_and_open_moves_as_buttons(site: Running) -> None:
    record = deal(site, "proposal", amount=10, close_date="2027-01-05")
    text = page(site, f"/o/deal/{record}", "ann")
    assert 'class="is-now" aria-current="step"' in text
    assert text.count('class="is-past"') == 2
    assert 'name="value" value="qualified"' in text
    assert f'href="/o/deal/{record}/move?to=negotiation" data-sheet data-why="Asks for Next step"' in text
    assert "From &#39;Proposal&#39; one cannot go to &#39;Won&#39;." in text
    first = page(site, f"/o/deal/{deal(site)}", "ann")
    assert "Find out who decides, and by when." in first


def test_a_move_that_needs_nothing_is_made_by_a_click(site: Running) -> None:
    record = deal(site, "proposal", amount=10, close_date="2027-01-05")
    send(site, f"/o/deal/{record}/stage", "ann", value="qualified")
    assert stage_of(site, record) == "qualified"


def test_a_move_asks_for_exactly_the_fields_that_it_needs_and_saves_both(site: Running) -> None:
    record = deal(site, amount=10)
    form = page(site, f"/o/deal/{record}/move?to=negotiation", "ann")
    assert 'name="next_step"' in form
    assert 'name="amount"' not in form
    assert 'name="name"' not in form
    assert "Change to Negotiation" in form
    again = send(site, f"/o/deal/{record}/move", "ann", 422, _to="negotiation", next_step="")
    assert "Needed for &#39;Negotiation&#39;" in again
    assert stage_of(site, record) == "new"
    send(site, f"/o/deal/{record}/move", "ann", _to="negotiation", next_step="Send the contract")
    held = site.records("ann").get("deal", record)
    assert (held["stage"], held["next_step"]) == ("negotiation", "Send the contract")


def test_a_move_sets_no_field_that_it_does_not_ask_for(site: Running) -> None:
    record = deal(site, amount=10)
    send(site, f"/o/deal/{record}/move", "ann", _to="negotiation", next_step="Call", name="Other", amount="5")
    held = site.records("ann").get("deal", record)
    assert (held["name"], held["amount"]) == ("Gear line", 10)


def test_a_click_without_the_values_brings_the_form(site: Running) -> None:
    record = deal(site)
    answer = site.client("ann", by="session").post(f"/o/deal/{record}/stage", data={"value": "lost"})
    assert answer.status_code == 200
    assert 'name="loss_reason"' in answer.text
    assert stage_of(site, record) == "new"


def test_a_guard_and_roles_are_said_in_words(site: Running) -> None:
    record = deal(site, "negotiation", amount=10, next_step="Call", close_date="2027-01-05")
    assert "Legal has to check the contract first." in page(site, f"/o/deal/{record}", "ann")
    refused = send(site, f"/o/deal/{record}/stage", "ann", 422, value="won")
    assert "Legal has to check the contract first." in refused
    site.records("ann").update("deal", record, {"is_checked": True})
    site.records("ann").update("deal", record, {"stage": "won"})
    assert "&#39;Reopen&#39; is only for: Sales manager" in page(site, f"/o/deal/{record}", "ann")
    own = page(site, f"/o/deal/{record}", "chen")
    assert 'name="value" value="negotiation"' in own
    assert "Lost" not in own
    send(site, f"/o/deal/{record}/stage", "chen", value="negotiation")
    assert stage_of(site, record) == "negotiation"


def test_the_edit_of_the_stage_alone_comes_back_with_the_fields_that_are_missing(site: Running) -> None:
    record = deal(site)
    again = send(site, f"/o/deal/{record}/edit", "ann", 422, _only="stage", stage="qualified")
    assert 'name="_only" value="stage,amount,close_date"' in again
    assert 'name="amount"' in again
    send(
        site, f"/o/deal/{record}/edit", "ann", _only="stage,amount,close_date", stage="qualified", amount="7",
        close_date="2027-01-05", name="Other",
    )  # fmt: skip
    held = site.records("ann").get("deal", record)
    assert (held["stage"], held["amount"], held["name"]) == ("qualified", 7, "Gear line")


def test_many_are_moved_together_or_none_and_the_refusal_names_the_record(site: Running) -> None:
    full, bare = deal(site, amount=10, close_date="2027-01-05"), deal(site)
    client = site.client("ann", by="session")
    sent = {"do": "change", "field": "stage", "value": "qualified", "id": [full, bare]}
    answer = client.post("/o/deal/bulk", data=sent)
    assert answer.status_code == 422
    assert "Gear line: Amount: Needed for &#39;Qualified&#39;" in answer.text
    assert [stage_of(site, one) for one in (full, bare)] == ["new", "new"]


def test_whoever_only_reads_sees_the_path_without_ways(site: Running) -> None:
    record = deal(site, "proposal", amount=10, close_date="2027-01-05")
    text = page(site, f"/o/deal/{record}", "rob")
    assert 'aria-current="step"' in text
    assert f"/o/deal/{record}/stage" not in text
    assert "/move?to=" not in text
    assert site.client("rob", by="session").get(f"/o/deal/{record}/move?to=lost").status_code == 403


def test_an_object_without_a_workflow_keeps_its_path(site: Running) -> None:
    record = site.records("ann").create("ticket", {"name": "Look"})["id"]
    assert 'name="value" value="closed"' in page(site, f"/o/ticket/{record}", "ann")
    assert site.client("ann", by="session").get(f"/o/ticket/{record}/move?to=closed").status_code == 404
    send(site, f"/o/ticket/{record}/stage", "ann", value="closed")
    assert site.records("ann").get("ticket", record)["state"] == "closed"


def test_the_move_is_said_in_chinese(site: Running) -> None:
    record = deal(site, amount=10)
    client = site.client("ann", by="session")
    client.cookies.set("fieldstone_language", "zh-CN")
    answer = client.post(f"/o/deal/{record}/move", data={"_to": "negotiation", "next_step": ""})
    assert "进入“商务谈判”前请填写下一步" in answer.text
    with pytest.raises(BadInput):
        site.records("ann").update("deal", record, {"stage": "negotiation"})
