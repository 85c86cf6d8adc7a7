"""The inbox, tasks and the panel of approvals, as the server answers."""

import re
from collections.abc import Iterator

import orjson
import pytest

from engine.errors import NotFound
from engine.process.approval import kept
from engine.service import Query
from tests.state import state
from tests.ui.approval_desk import PASSWORD, Desk, filled


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    with filled(database_url) as made:
        yield made


def test_a_task_stands_in_the_inbox_with_what_it_is_about_and_the_menu_counts_it(desk: Desk) -> None:
    assert "Nothing waits for you" in desk.page("/inbox", "wang")
    desk.submit(desk.quote("Gearbox", 12))
    page = desk.page("/inbox", "wang")
    assert '<span class="inbox-label">Discount approval</span>' in page
    assert "<b>Gearbox</b>" in page
    assert "Sam Ortiz" in page
    assert "¥120,000" in page
    assert "Due Nov 26, 2026" in page
    assert '<span class="unseen"> (1 to do)</span>' in page
    assert "(1 to do)" in desk.page("/", "wang")
    waits = desk.client("wang").get("/api/v1/notifications/state")
    assert (waits.json()["todo"], waits.json()["overdue"]) == (1, 0)
    assert "to do)" not in desk.page("/", "chen")
    desk.later(days=3)
    later = desk.client("wang").get("/api/v1/notifications/state", headers={"if-none-match": waits.headers["etag"]})
    assert (later.status_code, later.json()["overdue"]) == (200, 1)
    late = desk.page("/inbox", "wang")
    assert "Overdue since Nov 26, 2026" in late
    assert 'class="badge-count is-late"' in late
    assert "<b>Gearbox</b>" in desk.page("/inbox?overdue=1", "wang")
    assert "Nothing matches" in desk.page("/inbox?q=Bearings", "wang")
    assert "<b>Gearbox</b>" in desk.page("/inbox?box=started", "sam")


def test_who_is_asked_approves_with_a_comment_and_what_they_filled_in(desk: Desk) -> None:
    record = desk.quote("Gearbox", 12)
    instance = desk.submit(record)
    task = desk.task("wang")
    page = desk.page(f"/inbox/{task}", "wang")
    assert 'name="values.terms"' in page
    assert "To reject or return it, say why." in page
    dialog = desk.page(f"/inbox/{task}/approve?on=task", "wang", **{"hx-request": "true"})
    assert 'hx-include="#task-inputs"' in dialog
    assert 'name="values.terms"' not in dialog
    alone = desk.page(f"/inbox/{task}/approve", "wang")
    assert 'name="values.terms"' in alone
    answer = desk.send(f"/inbox/{task}/approve", "wang", comment="Fine", **{"values.terms": "60 days"})
    assert answer.headers["location"] == "/inbox"
    assert desk.site.records("sam").get("quote", record)["terms"] == "60 days"
    assert desk.approvals("sam").instance(instance).state == "APPROVED"
    told = desk.page(f"/o/quote/{record}", "sam")
    assert "<blockquote>Fine</blockquote>" in told
    assert "The approval has ended: approved" in told
    assert "<del>30 days</del>" in told
    assert "<ins>60 days</ins>" in told
    assert "Not submitted yet" not in told
    cc = desk.page("/inbox?box=cc", "he")
    assert f'href="/approvals/{instance}"' in cc
    assert "Discount approval" in desk.page(f"/approvals/{instance}", "he")


def test_a_decision_that_needs_a_comment_is_refused_without_one_and_changes_nothing(desk: Desk) -> None:
    desk.submit()
    task = desk.task("wang")
    desk.page(f"/inbox/{task}", "wang")
    before = state(desk.site)
    dialog = desk.page(f"/inbox/{task}/reject", "wang")
    assert 'aria-required="true"' in dialog
    answer = desk.send(f"/inbox/{task}/reject", "wang", 422, comment=" ")
    assert 'id="act-comment-wrong"' in answer.text
    assert state(desk.site) == before
    assert "请填写意见" in said_in_chinese(desk, f"/inbox/{task}/reject", "wang")


def said_in_chinese(desk: Desk, path: str, user: str) -> str:
    client = desk.site.client(user, by="session")
    client.cookies.set("fieldstone_language", "zh-CN")
    return str(client.post(path, data={"csrf": client.headers["x-csrf-token"]}).text)


def test_after_a_decision_the_next_task_is_offered(desk: Desk) -> None:
    desk.submit(desk.quote("First"))
    first = desk.task("wang")
    desk.later(minutes=5)
    desk.submit(desk.quote("Second"))
    second = desk.task("wang")
    client = desk.site.client("wang", by="session")
    client.post(f"/inbox/{first}/approve", data={"csrf": client.headers["x-csrf-token"]})
    page = client.get("/inbox").text
    assert "You approved First." in page
    assert f'href="/inbox/{second}">Next: Second</a>' in page


def test_the_same_form_sent_twice_decides_once(desk: Desk) -> None:
    desk.submit(desk.quote("Gearbox", 30))
    task = desk.task("wang")
    dialog = desk.page(f"/inbox/{task}/approve", "wang")
    [key] = re.findall(r'name="key" value="([^"]+)"', dialog)
    desk.send(f"/inbox/{task}/approve", "wang", key=key)
    desk.send(f"/inbox/{task}/approve", "wang", 409, key="another")
    assert [line.action for line in history(desk, "sam")].count("approve") == 1


def history(desk: Desk, user: str) -> list:  # type: ignore[type-arg]
    row = desk.approvals(user).inbox("started").rows[0]
    return list(desk.approvals(user).instance(row.instance).history)


def test_it_is_returned_changed_and_submitted_again(desk: Desk) -> None:
    record = desk.quote("Gearbox", 12)
    instance = desk.submit(record)
    task = desk.task("wang")
    assert "Who submitted it" not in desk.page(f"/inbox/{task}/return", "wang")  # there is no other
    desk.send(f"/inbox/{task}/return", "wang", comment="Lower, please", back=f"/o/quote/{record}")
    page = desk.page(f"/o/quote/{record}", "sam")
    assert "Returned" in page
    assert f'href="/approvals/{instance}/resubmit?back=%2Fo%2Fquote%2F{record}"' in page
    desk.site.records("sam").update("quote", record, {"discount": 8})
    answer = desk.send(f"/approvals/{instance}/resubmit", "sam", comment="Now 8 %", back=f"/o/quote/{record}")
    assert answer.headers["location"] == f"/o/quote/{record}"
    assert "Round 2" in desk.page("/inbox", "wang")
    page = desk.page(f"/inbox/{desk.task('wang')}", "wang")
    now, _, then = page.partition("Round 1: returned by 王伟</summary>")
    assert ("submitted it again" in now, "Lower, please" in now) == (True, False)
    assert "Lower, please" in then


def test_people_are_named_in_dialogs_and_the_history_tells_whom(desk: Desk) -> None:
    desk.submit(desk.quote("Gearbox", 30))
    task = desk.task("wang")
    assert 'name="users"' in desk.page(f"/inbox/{task}/transfer", "wang")
    nobody = desk.send(f"/inbox/{task}/transfer", "wang", 422)
    assert "name one person" in nobody.text
    desk.send(f"/inbox/{task}/add_parallel", "wang", users=[desk.ids["li"]])
    page = desk.page(f"/inbox/{task}", "wang")
    assert "added Li Na beside" in page
    added = desk.task("li")
    assert f'href="/inbox/{added}/remove_signer"' in page
    desk.send(f"/inbox/{added}/remove_signer", "wang")
    desk.send(f"/inbox/{task}/transfer", "wang", users=desk.ids["chen"], comment="Yours")
    moved = desk.page(f"/inbox/{desk.task('chen')}", "chen")
    assert "transferred it to 陈静" in moved
    assert "<blockquote>Yours</blockquote>" in moved


def test_a_step_that_is_signed_asks_for_the_password(desk: Desk) -> None:
    record = desk.quote("Plain", 0)
    form = desk.page(f"/o/quote/{record}/submit", "sam")
    assert "Terms check" in form
    assert 'name="chosen.terms.check"' in form
    desk.send(f"/o/quote/{record}/submit", "sam", approval="terms", **{"chosen.terms.check": [desk.ids["wang"]]})
    task = desk.task("wang")
    assert 'type="password"' in desk.page(f"/inbox/{task}/approve", "wang")
    assert 'type="checkbox" name="task"' not in desk.page("/inbox", "wang")
    desk.send(f"/inbox/{task}/approve", "wang", 422, comment="ok", password="wrong")
    desk.send(f"/inbox/{task}/approve", "wang", comment="ok", password=PASSWORD)
    assert desk.site.records("sam").get("quote", record)["approval_status"] == "approved"


def test_several_are_approved_at_once_and_what_cannot_be_is_told(desk: Desk) -> None:
    for name in ("One", "Two", "Three"):
        desk.submit(desk.quote(name))
    tasks = [row.task for row in desk.approvals("wang").inbox("todo").rows]
    form = desk.page(f"/inbox/several?task={tasks[0]}&task={tasks[1]}&task={tasks[2]}", "wang")
    assert form.count('type="hidden" name="task"') == 3
    desk.approvals("wang").act(tasks[2], "reject", comment="No")
    answer = desk.send("/inbox/several", "wang", 200, task=tasks, comment="All fine")
    assert "2 approved. Those below could not be." in answer.text
    assert "no longer open" in answer.text
    states = {row.title: row.state for row in desk.approvals("wang").inbox("done").rows}
    assert sorted(states.values()) == ["APPROVED", "APPROVED", "REJECTED"]


def test_a_stranger_is_told_of_nothing(desk: Desk) -> None:
    record = desk.quote()
    instance = desk.submit(record)
    task = desk.task("wang")
    desk.site.user("max")
    gone = "019ab000-0000-7000-8000-000000000000"
    for path in (f"/inbox/{task}", f"/inbox/{task}/approve", f"/approvals/{instance}", f"/approvals/{instance}/cancel"):
        missing = desk.page(path.replace(task, gone).replace(instance, gone), "max", 404)
        assert desk.page(path, "max", 404).replace(task, gone).replace(instance, gone) == missing
    desk.client("li")
    before = state(desk.site)
    desk.send(f"/inbox/{task}/approve", "max", 404)
    desk.send(f"/approvals/{instance}/cancel", "li", 409, comment="because")
    assert state(desk.site) == before


def test_a_hidden_field_is_nowhere_on_the_task(desk: Desk) -> None:
    desk.submit(desk.quote("Gearbox", 30, margin=17))
    desk.act("wang", "approve")
    page = desk.page(f"/inbox/{desk.task('chen')}", "chen")
    assert "Payment terms" in page
    assert "Margin" not in page
    assert "17%" not in page


def test_who_has_no_right_of_their_own_reads_through_the_step_alone(desk: Desk) -> None:
    record = desk.quote("Gearbox", 30, margin=17)
    desk.site.records("sam").create("quote_item", {"quote": record, "product": "Shaft", "pieces": 3, "price": 5})
    instance = desk.submit(record)
    desk.act("wang", "approve", values={"terms": "60 days"})
    task = desk.task("zhou")
    page = desk.page(f"/inbox/{task}", "zhou")
    assert "17%" in page
    assert "Shaft" in page
    assert "Acme" in page
    assert f'href="/o/customer/{desk.customer}"' not in page
    assert "<del>30 days</del></td>" in page
    assert "Open the record" not in page
    desk.page(f"/o/quote/{record}", "zhou", 404)
    desk.send(f"/inbox/{task}/approve", "zhou")
    desk.act("chen", "approve")
    desk.site.records("sam").update("quote", record, {"notes": "For later"})
    after = desk.page(f"/approvals/{instance}", "zhou")
    assert "The record as it was when you decided, Nov 24, 2026" in after
    assert "17%" in after
    assert "Shaft" in after
    assert "For later" not in after


def test_a_record_in_approval_is_locked_and_its_page_says_why(desk: Desk) -> None:
    record = desk.quote()
    desk.submit(record)
    page = desk.page(f"/o/quote/{record}", "sam")
    assert "Locked: Discount approval runs since" in page
    assert f'href="/o/quote/{record}/edit"' not in page
    instance = desk.approvals("sam").of_record("quote", record)[0].id
    assert f"/approvals/{instance}/withdraw?back=" in page
    assert f"/approvals/{instance}/urge?back=" in page
    desk.send(f"/approvals/{instance}/withdraw", "sam", comment="A mistake", back=f"/o/quote/{record}")
    again = desk.page(f"/o/quote/{record}", "sam")
    assert "withdrew it" in again
    assert "Locked:" not in again
    assert f'href="/o/quote/{record}/submit"' in again


def test_earlier_approvals_are_told_in_short_piece_by_piece(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    record = desk.quote()
    ended = []
    for number in range(4):
        ended.append(desk.submit(record))
        desk.act("wang", "reject", comment=f"Not {number}")
        desk.later(minutes=5)
    monkeypatch.setattr("ui.screens.approval_panel.MOST_PAST", 2)
    loaded: list[str] = []
    events_of = kept.events_of
    monkeypatch.setattr(kept, "events_of", lambda connection, one: loaded.append(one) or events_of(connection, one))
    page = desk.page(f"/o/quote/{record}", "sam")
    assert loaded == [ended[3]]
    assert "Not 3" in page
    assert "Not 2" not in page
    assert f'href="/approvals/{ended[2]}"' in page
    [more] = re.findall(rf'hx-get="(/o/quote/{record}/approvals[^"]+)"', page)
    part = desk.page(more.replace("&amp;", "&"), "sam", **{"hx-request": "true"})
    assert re.findall(r'href="/approvals/([^"]+)"', part) == [ended[1], ended[0]]
    assert "Show more" not in part
    assert "<h1>Earlier approvals</h1>" in desk.page(more.replace("&amp;", "&"), "sam")
    assert loaded == [ended[3]]
    desk.page(f"/o/quote/{record}/approvals", "zhou", 404)


def test_submitting_what_no_approval_is_for_is_refused_in_words(desk: Desk) -> None:
    record = desk.quote()
    desk.submit(record)
    page = desk.page(f"/o/quote/{record}/submit", "sam")
    assert "no approval is for this record as it is" in page
    with pytest.raises(NotFound):
        desk.approvals("max" if "max" in desk.ids else "he").task("019ab000-0000-7000-8000-000000000000")


def test_administrators_look_after_what_runs_and_give_a_reason(desk: Desk) -> None:
    record = desk.quote("Gearbox", 30)
    instance = desk.submit(record)
    desk.later(days=4)
    page = desk.page("/setup/approvals", "boss")
    assert "Gearbox" in page
    assert "王伟" in page
    assert "Overdue since" in page
    assert 'href="/setup/approvals"' in desk.page("/", "boss")
    assert 'href="/setup/approvals"' not in desk.page("/", "wang")
    desk.page("/setup/approvals", "wang", 403)
    own = desk.page(f"/approvals/{instance}", "boss")
    for action in ("jump", "force", "cancel", "suspend"):
        assert f'href="/approvals/{instance}/{action}"' in own
    task = desk.task("wang")
    assert f'href="/inbox/{task}/reassign"' in own
    desk.send(f"/approvals/{instance}/force", "boss", 422, decision="approved")
    desk.send(f"/approvals/{instance}/suspend", "boss", comment="An audit")
    assert "Suspended: nobody can decide now. An audit" in desk.page(f"/approvals/{instance}", "boss")
    assert "Gearbox" in desk.page("/setup/approvals?state=SUSPENDED", "boss")
    desk.send(f"/approvals/{instance}/resume", "boss", comment="Done")
    desk.send(f"/approvals/{instance}/cancel", "boss", comment="Too old")
    assert "Override" in desk.page(f"/approvals/{instance}", "boss")
    assert desk.site.records("sam").get("quote", record)["approval_status"] == "none"


def test_who_decides_reads_first_what_was_said_when_it_was_submitted(desk: Desk) -> None:
    instance = desk.submit(desk.quote("Gearbox", 12), comment="They know our price of last year.")
    said = '<div class="approval-said approval-asked"><b>Sam Ortiz</b>: They know our price of last year.</div>'
    task = desk.task("wang")
    assert said in desk.page(f"/inbox/{task}", "wang")
    desk.send(f"/inbox/{task}/return", "wang", comment="Which?")
    desk.send(f"/approvals/{instance}/resubmit", "sam")
    assert "approval-asked" not in desk.page(f"/inbox/{desk.task('wang')}", "wang")  # nothing was said this time


def test_a_queue_says_which_objects_it_takes_by_choosing_among_them(desk: Desk) -> None:
    desk.site.user("root", "admin")
    form = desk.page("/o/queue/new", "root")
    assert re.findall(r'name="objects"[^>]* value="([^"]+)"', form) == ["customer", "quote"]
    assert ">Quote</label>" in form
    before = state(desk.site)
    refused = desk.send("/o/queue/new", "root", 422, name="Desk", objects=["quote", "quotation"])
    assert "no object is called &#39;quotation&#39;" in refused.text
    assert state(desk.site) == before
    desk.send("/o/queue/new", "root", name="Desk", objects=["quote", "customer"])
    (queue,) = [one for one in desk.site.records("root").list(Query("queue")).records if one["name"] == "Desk"]
    assert queue["objects"] == ["customer", "quote"]
    assert "Customer" in desk.page(f"/o/queue/{queue['id']}", "root")


def test_who_is_away_says_who_decides_and_both_are_told(desk: Desk) -> None:
    nobody = desk.send("/me/away", "wang", 422, **{"agent": "", "from": "2026-11-24", "to": "2026-11-30"})
    assert "this person is not there, or not active" in nobody.text
    past = desk.send("/me/away", "wang", 422, **{"agent": desk.ids["chen"], "from": "2026-11-01", "to": "2026-11-02"})
    assert "it ends after it begins, and not in the past" in past.text
    desk.send("/me/away", "wang", agent=desk.ids["chen"], to="2026-11-30", reason="Leave", **{"from": "2026-11-24"})
    own = desk.page("/me", "wang")
    assert "陈静 decides for you" in own
    assert "Nov 24, 2026 until Nov 30, 2026" in own
    assert "You are away until Nov 30, 2026: 陈静 decides for you." in desk.page("/inbox", "wang")
    again = desk.send("/me/away", "wang", 409, agent=desk.ids["li"], to="2026-11-28", **{"from": "2026-11-26"})
    assert "stands in for this person at that time already" in again.text
    desk.submit(desk.quote("Gearbox", 12))
    inbox = desk.page("/inbox", "chen")
    assert "王伟 is away until Nov 30, 2026: you decide for them." in inbox
    assert "For 王伟" in inbox
    task = desk.task("chen")
    assert "You decide for 王伟, who is away." in desk.page(f"/inbox/{task}", "chen")
    desk.send(f"/inbox/{task}/approve", "chen")
    row = desk.approvals("sam").inbox("started").rows[0]
    assert "陈静 on behalf of 王伟" in desk.page(f"/approvals/{row.instance}", "sam")
    [end] = re.findall(r'action="/me/away/end".*?name="id" value="([^"]+)"', desk.page("/me", "wang"))
    desk.send("/me/away/end", "chen", 404, id=end)
    desk.send("/me/away/end", "wang", id=end)
    assert "You are away" not in desk.page("/inbox", "wang")


def test_statistics_tell_how_long_each_step_takes(desk: Desk) -> None:
    desk.submit(desk.quote("Gearbox", 12))
    desk.later(hours=3)
    desk.act("wang", "approve")
    desk.submit(desk.quote("Shafts", 12))
    desk.act("wang", "reject", comment="No")
    page = desk.page("/setup/approvals?approval=discount", "boss")
    assert "Step by step: Discount approval" in page
    assert re.search(r"<b>Sales manager</b></td><td class=\"number\" data-label=\"Entered\">2</td>", page)
    assert "50%" in page
    assert "Step by step" not in desk.page("/setup/approvals", "boss")


def test_urging_marks_the_task_and_a_return_shows_its_reason(desk: Desk) -> None:
    record = desk.quote("Gearbox", 12)
    instance = desk.submit(record)
    assert "Urged" not in desk.page("/inbox", "wang")
    desk.send(f"/approvals/{instance}/urge", "sam")
    assert "Urged" in desk.page("/inbox", "wang")
    desk.send(f"/approvals/{instance}/urge", "sam", 409)
    desk.act("wang", "delegate", users=("li",), comment="Is it right?")
    desk.act("li", "approve", comment="It is")
    page = desk.page(f"/inbox/{desk.task('wang')}", "wang")
    assert "asked Li Na to look at it" in page
    assert "<blockquote>Is it right?</blockquote>" in page
    assert re.search(r"What you were told.*Li Na.*It is", page)
    sent = desk.site.client("wang").post("/api/v1/files?name=prices.pdf", content=b"%PDF-1.4").json()
    dialog = desk.page(f"/inbox/{desk.task('wang')}/return", "wang")
    assert 'data-source="/files?for=approval" data-accept="" data-max-bytes="10485760"' in dialog
    answer = desk.send(f"/inbox/{desk.task('wang')}/return", "wang", 422, attachments=sent["id"])
    assert f'<a class="cut" href="/files/{sent["id"]}" data-upload-name>' in answer.text  # chosen still
    held = orjson.dumps(sent).decode()
    desk.send(f"/inbox/{desk.task('wang')}/return", "wang", comment="Lower, please", attachments=held)
    page = desk.page(f"/o/quote/{record}", "sam")
    assert '<div class="approval-said"><b>王伟</b>: Lower, please<div class="attached">' in page
    assert page.count(f'href="/files/{sent["id"]}"') == 2  # there, and in the history
    assert '<span class="cut">prices.pdf</span><span class="file-size">8 B</span>' in page
    taken = desk.send(f"/approvals/{instance}/resubmit", "sam", 422, attachments=sent["id"])
    assert '<p class="wrong" id="act-attachments-wrong">' in taken.text
