"""The pages for who looks after processes: automations and their runs, jobs, templates, calendars, rehearsals."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest

from engine.errors import EngineError
from engine.jobs import admin
from engine.process.automation import desk as runs
from engine.testing import Running
from tests.state import state
from tests.ui.processes import NOW, PACKAGE, desk
from tests.ui.rights import page, send


@pytest.fixture
def site(screens_url: str) -> Iterator[Running]:
    with desk(screens_url) as found:
        yield found


def deal(site: Running, **values: object) -> str:
    return str(site.records("ann").create("deal", {"name": "Gear line", **values})["id"])


PAGES = (
    "/setup/automations", "/setup/automations/hot_deal", "/setup/automations/hot_deal/rehearse", "/setup/jobs",
    "/setup/templates", "/setup/templates/large_deal", "/setup/calendars",
)  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
def test_who_does_not_look_after_processes_is_shown_none_of_it(site: Running, path: str) -> None:
    assert site.client("ann", by="session").get(path).status_code == 403
    assert site.client("chen", by="session").get(path).status_code == 200


def test_the_list_says_what_sets_each_off_and_how_it_went(site: Running) -> None:
    deal(site, amount=600000)
    site.work()
    text = page(site, "/setup/automations", "chen")
    for said in (
        "When a deal is created or changed", "Before a deal is saved", "Monday to Friday at 09:00",
        "3 days before Close date, at 09:00", "When somebody presses &#39;Ask legal&#39;", "rating == &#39;hot&#39;",
        "1 failed", "One of these has changed: Rating, Amount",
    ):  # fmt: skip
        assert said in text, said
    assert text.count(">Off</span>") == 1


def test_the_list_in_chinese(site: Running) -> None:
    client = site.client("chen", by="session")
    client.cookies.set("fieldstone_language", "zh-CN")
    text = client.get("/setup/automations").text
    for said in ("新建或修改商机后", "周一至周五 09:00", "预计成交日前 3 天 09:00", "点击“提请法务审核”按钮时"):
        assert said in text, said


def test_the_steps_are_told_with_labels(site: Running) -> None:
    text = page(site, "/setup/automations/hot_deal", "chen")
    for said in ("Set fields", "Create a record", "Ticket", "Look after {name}", "ISBLANK(next_step)", "Only if"):
        assert said in text, said
    assert "It is part of the save that sets it off" in text
    assert site.client("chen", by="session").get("/setup/automations/nothing").status_code == 404


def test_a_run_that_failed_shows_where_and_runs_again(site: Running) -> None:
    record = deal(site, amount=600000)
    site.work()
    [run] = runs.list_runs(site.context("chen"), automation="tell_owner").runs
    listed = page(site, "/setup/automations/tell_owner?state=failed", "chen")
    address = f"/setup/automations/tell_owner/runs/{run.id}"
    assert f'href="{address}"' in listed
    assert "Gear line" in listed
    text = page(site, address, "chen")
    assert text.count("Taken back") == 3
    assert text.count("Not reached") == 1
    assert text.count("There is no choice &#39;Gear line&#39;") == 1
    client = site.client("chen", by="session")
    client.cookies.set("fieldstone_language", "zh-CN")
    assert client.get(address).text.count("没有选项“Gear line”") == 1
    assert f'href="/o/deal/{record}"' in text
    site.records("ann").update("deal", record, {"name": "price"})
    send(site, f"{address}/again", "chen")
    site.work(NOW + timedelta(minutes=1))
    assert runs.get_run(site.context("chen"), run.id).state == "done"
    done = page(site, address, "chen")
    assert "Run again" not in done
    assert "Passed over: its condition did not hold" in done
    assert "What came out" in done
    asked = send(site, f"{address}/again", "chen", 409)
    for said in ("Done again, it does these steps a second time", "Find a record", "Notify people"):
        assert said in asked, said
    assert asked.count("leaves the system, as a new message") == 0
    count = len(runs.list_runs(site.context("chen"), automation="tell_owner").runs)
    send(site, f"{address}/again", "chen", again="1")
    assert len(runs.list_runs(site.context("chen"), automation="tell_owner").runs) == count + 1


def test_the_secret_of_signed_calls_is_set_or_made_and_shown_once(site: Running) -> None:
    place = "/setup/automations/deal_in"
    shown = page(site, place, "chen")
    assert "POST /api/v1/hooks/deal_in/signed" in shown
    assert "There is no secret yet: calls are refused." in shown
    assert "Give the secret that the sender shows, or make one." in send(site, f"{place}/secret", "chen", 422)
    assert "A secret has 16 to 500 characters." in send(site, f"{place}/secret", "chen", 422, secret="short")
    assert "There is no secret yet" in page(site, place, "chen")
    send(site, f"{place}/secret", "chen", 303, secret="a secret of the sender")
    assert "The secret was set just now." in page(site, place, "chen")
    assert "a secret of the sender" not in page(site, place, "chen")
    assert "The one before works until" not in page(site, place, "chen")
    made = send(site, f"{place}/secret", "chen", 200, make="1", former="1")
    assert re.search(r"The one before works until [^.]*\d", made)
    assert made.count("whsec_") == 1
    assert "whsec_" not in page(site, place, "chen")
    send(site, f"{place}/secret", "ann", 403, make="1")


def test_a_rule_within_the_save_lists_the_saves_that_failed_by_it(site: Running) -> None:
    place = "/setup/automations/hot_deal"
    assert "Only runs that failed are listed here." in page(site, place, "chen")
    assert "It has not run yet" not in page(site, place, "chen")
    site.publish(PACKAGE.replace("  ticket: [create, read, update]", "  ticket: [read]"))
    with pytest.raises(EngineError):
        deal(site, amount=20000, rating="hot")
    [run] = runs.list_runs(site.context("chen"), automation="hot_deal").runs
    assert f"{place}/runs/{run.id}" in page(site, place, "chen")
    text = page(site, f"{place}/runs/{run.id}", "chen")
    assert '<p class="run-error">you may not create this ticket</p>' in text
    assert "Run again" not in text
    send(site, f"{place}/runs/{run.id}/again", "chen", 409)


def test_a_run_is_shown_below_its_own_automation_only(site: Running) -> None:
    deal(site, amount=600000)
    [run] = runs.list_runs(site.context("chen"), automation="tell_owner").runs
    client = site.client("chen", by="session")
    assert client.get(f"/setup/automations/hot_deal/runs/{run.id}").status_code == 404
    assert client.get("/setup/automations/tell_owner/runs/nothing").status_code == 404
    send(site, f"/setup/automations/tell_owner/runs/{run.id}/again", "ann", 403)


def test_the_title_of_a_record_is_not_told_to_who_may_not_read_it(site: Running) -> None:
    deal(site, amount=600000)
    [run] = runs.list_runs(site.context("chen"), automation="tell_owner").runs
    site.user("ops", "operator", name="Ops")
    text = page(site, f"/setup/automations/tell_owner/runs/{run.id}", "ops")
    assert "Gear line" not in text
    assert "Open the record" not in text
    assert "Gear line" not in page(site, "/setup/automations/tell_owner", "ops")


def test_jobs_that_are_parked_are_tried_again_or_given_up(site: Running) -> None:
    deal(site, amount=600000)
    chen = site.context("chen")
    [job] = [one for one in admin.list_jobs(chen)[0] if one.kind == "automation.run"]
    waiting = page(site, "/setup/jobs?state=waiting&kind=automation.run", "chen")
    assert "Runs of automations" in waiting
    send(site, f"/setup/jobs/{job.id}/discard", "ann", 403)
    send(site, f"/setup/jobs/{job.id}/discard", "chen", state="waiting")
    assert [one.state for one in admin.list_jobs(chen)[0] if one.id == job.id] == ["discarded"]
    assert "Discarded" in page(site, "/setup/jobs?state=discarded", "chen")
    send(site, f"/setup/jobs/{job.id}/again", "chen")
    site.work()
    send(site, f"/setup/jobs/{job.id}/discard", "chen", 409)
    send(site, "/setup/jobs/nothing/again", "chen", 404)
    assert "Nothing is parked" in page(site, "/setup/jobs", "chen")


def test_a_template_is_read_as_the_person_would_get_it(site: Running) -> None:
    company = site.records("ann").create("company", {"name": "Acme <b>"})["id"]
    record = deal(site, amount=131000, company=company, close_date="2027-03-01")
    assert "A large deal" in page(site, "/setup/templates", "chen")
    text = page(site, f"/setup/templates/large_deal?record={record}", "chen")
    assert "Gear line is worth ¥131,000" in text
    assert "Acme &lt;b&gt; is about to decide on Mar 1, 2027." in text
    assert 'href="/setup/automations/write_customer"' in text
    assert "Choose a record" in page(site, "/setup/templates/large_deal", "chen")
    client = site.client("chen", by="session")
    gone = client.get("/setup/templates/large_deal?record=019ab000-0000-7000-8000-000000000000")
    assert gone.status_code == 422
    assert "There is no such record" in gone.text
    assert client.get("/setup/templates/nothing").status_code == 404


def test_a_year_shows_holidays_and_make_up_workdays(site: Running) -> None:
    text = page(site, "/setup/calendars?year=2026", "chen")
    assert text.count('class="day-holiday') == 16  # with the colour key
    assert text.count('class="day-extra') == 3
    assert 'title="National Day"' in text
    assert "09:00–12:00, 13:30–18:00" in text
    assert "252 working days in 2026" in text
    assert 'aria-current="date"' in text
    other = page(site, "/setup/calendars?calendar=support&year=2027", "chen")
    assert "Europe/Berlin" in other
    assert "None in 2027" in other
    assert site.client("chen", by="session").get("/setup/calendars?year=99999&calendar=x").status_code == 200


def test_a_rehearsal_shows_what_would_happen_and_leaves_nothing(site: Running) -> None:
    record = deal(site, amount=131000)
    address = "/setup/automations/write_customer/rehearse"
    client = site.client("chen", by="session")
    before = state(site)
    text = client.post(address, data={"record": record}).text
    for said in (
        "The condition holds for this record.", "<del>empty</del>", "<ins>Hot</ins>", "buyer@example.com",
        "About Gear line", "Ann Lee",
    ):  # fmt: skip
        assert said in text, said
    assert state(site) == before
    small = deal(site, amount=5)
    assert "The condition does not hold for this record" in send(site, address, "chen", 200, record=small)
    assert "Choose a record" in send(site, address, "chen", 422)
    send(site, address, "chen", 422, record="019ab000-0000-7000-8000-000000000000")
    send(site, address, "ann", 403, record=record)


def test_a_button_runs_for_whom_it_is_and_a_refusal_is_said_above_the_record(site: Running) -> None:
    record = deal(site, amount=131000)
    text = page(site, f"/o/deal/{record}", "ann")
    for name in ("ask_legal", "write_customer", "close_it"):
        assert f'action="/o/deal/{record}/run/{name}"' in text, name
    assert "/run/" not in page(site, f"/o/deal/{record}", "rob")
    assert "/run/write_customer" not in page(site, f"/o/deal/{record}", "chen")
    send(site, f"/o/deal/{record}/run/ask_legal", "ann")
    assert site.records("ann").get("deal", record)["is_checked"] is True
    refused = send(site, f"/o/deal/{record}/run/close_it", "ann", 422)
    assert "Close the deal: From &#39;New&#39; one cannot go to &#39;Won&#39;" in refused
    refused = send(site, f"/o/deal/{record}/run/file_it", "ann", 422)
    assert "The automation &#39;File the deal&#39; could not do its work: Name is required" in refused
    client = site.client("ann", by="session")
    client.cookies.set("fieldstone_language", "zh-CN")
    said = {one: client.post(f"/o/deal/{record}/run/{one}").text for one in ("file_it", "close_it")}
    assert "自动化“归档商机”执行失败：请填写" in said["file_it"]
    assert "直接成交：" in said["close_it"]
    told = site.client("ann").post(f"/api/v1/records/deal/{record}/run/file_it").json()
    assert told["detail"].startswith("'file_it' could not create: ")
    send(site, f"/o/deal/{record}/run/write_customer", "chen", 403)
    send(site, f"/o/deal/{record}/run/ask_legal", "rob", 403)
    send(site, f"/o/deal/{record}/run/nothing", "ann", 404)
    site.records("ann").update("deal", record, {"amount": 5})
    assert "This is not possible for the record as it is now." in send(
        site, f"/o/deal/{record}/run/write_customer", "ann", 409
    )
