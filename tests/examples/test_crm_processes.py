"""The CRM's approvals, stages and automations at work, after what people did with the sample data."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from engine.errors import BadInput, Conflict
from engine.mail.message import Mail
from engine.process.approval import kept
from engine.process.approval.service import Approvals
from engine.process.approval.state import Event
from engine.service import Query
from engine.store import system_approvals, system_jobs
from engine.testing import Running
from tests.examples.filled import filled

NOW = datetime(2026, 11, 22, 2, 15, tzinfo=UTC)  # a Sunday, 10:15 in Shanghai
MONDAY_NINE = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


class Post:
    def __init__(self) -> None:
        self.mails: list[Mail] = []

    def send(self, mail: Mail) -> None:
        self.mails.append(mail)


@pytest.fixture
def site(postgres_url: str) -> Iterator[Running]:
    with filled(postgres_url, NOW) as site:
        site.site.mailer = Post()  # type: ignore[misc]
        yield site


def test_a_company_works_with_it(site: Running) -> None:
    # one tenant for all of it: publishing, loading and playing take most of the time
    approvals_are_in_every_state(site)
    everybody_finds_their_work(site)
    a_small_discount_needs_the_manager(site)
    a_large_discount_needs_finance_and_legal_at_once(site)
    a_contract_is_returned_and_submitted_again(site)
    stages_ask_for_what_they_need(site)
    hot_leads_go_to_the_salespeople_in_turn(site)
    a_welcome_goes_out_once_and_only_with_consent(site)
    overdue_payments_are_told_of_once_a_day(site)  # from here on the days go by
    a_manager_who_does_not_answer_is_helped(site)


def approvals_are_in_every_state(site: Running) -> None:
    table = system_approvals.approval
    with site.tenant.database.read() as connection:
        found = Counter((row[0], row[1]) for row in connection.sa.execute(sa.select(table.c.approval, table.c.state)))
    assert found == {
        ("quote_discount", "APPROVED"): 2, ("quote_discount", "RUNNING"): 4, ("quote_discount", "RETURNED"): 1,
        ("quote_discount", "REJECTED"): 1, ("quote_discount", "WITHDRAWN"): 1,
        ("contract_approval", "APPROVED"): 1, ("contract_approval", "RUNNING"): 4,
        ("contract_approval", "REJECTED"): 1, ("contract_approval", "WITHDRAWN"): 1,
    }  # fmt: skip
    statuses = Counter(row[0] for row in page(site, "contract", "status"))
    assert (statuses["draft"], statuses["review"], statuses["approved"]) == (3, 4, 1)
    assert history(site, "quote", "Catheter tip inspection") == [
        "submit", "timer_remind", "timer_remind", "timer_escalate", "timer_remind", "timer_remind", "timer_escalate",
        "urge",
    ]  # fmt: skip
    [(demo,)] = page(site, "quote", "id", "name == 'Demo machines for two showrooms, second version'")
    assert [(one.actor, one.on_behalf_of) for one in events(site, "quote", demo) if one.action == "approve"] == [
        (site.user("lin"), site.user("wang"))  # who was away
    ]


def everybody_finds_their_work(site: Running) -> None:
    found = {who: Approvals(site.context(who)).counts() for who in ("wang", "gao", "zhou", "meng", "chen", "lin", "he")}
    assert {who: counts.todo for who, counts in found.items()} == {
        "wang": 2, "gao": 2, "zhou": 3, "meng": 2, "chen": 1, "lin": 0, "he": 0,
    }  # fmt: skip
    assert len(Approvals(site.context("he")).inbox("cc").rows) == 3
    # legal reads no quotes but those that she is asked about
    assert not site.context("zhou").scope.can("read", "quote")
    told = [{one.name: one.value for one in row.summary} for row in Approvals(site.context("zhou")).inbox().rows]
    about_quotes = [(one["total"], one["max_discount"]) for one in told if "total" in one]
    assert about_quotes == [(264400.0, 30.0), (2125484.8, 18.0)]
    # of the queue of legal one contract waits for whoever claims it, the other was claimed
    amounts = {who: contracts_that_wait(site, who) for who in ("zhou", "meng")}
    assert amounts == {"zhou": [(96800.0, "queue")], "meng": [(58400.0, "self"), (96800.0, "queue")]}


def contracts_that_wait(site: Running, who: str) -> list[tuple[float, str]]:
    """Their amounts, and as whose they wait."""
    rows = [row for row in Approvals(site.context(who)).inbox().rows if row.approval == "contract_approval"]
    return sorted((one.value, row.via) for row in rows for one in row.summary if one.name == "amount")


def page(site: Running, object_name: str, fields: str, filter_: str = "") -> list[tuple[Any, ...]]:
    return list(site.records().page(Query(object_name, tuple(fields.split(", ")), filter_, limit=1000)).rows)


def history(site: Running, object_name: str, name: str) -> list[str]:
    """What was done with the approval of a record, and by timers."""
    [(record,)] = page(site, object_name, "id", f"name == '{name}'")
    done = ("submit", "approve", "return", "resubmit", "reject", "urge", "timer_remind", "timer_escalate", "end")
    return [one.action for one in events(site, object_name, record) if one.action in done]


def events(site: Running, object_name: str, record: str) -> list[Event]:
    with site.tenant.database.read() as connection:
        table = site.tenant.snapshot().physical.names.tables[object_name]
        [instance] = kept.of_record(connection, table, record)
        return kept.events_of(connection, instance.id)


def waiting(site: Running, instance: str) -> list[tuple[str, str]]:
    """(node, person) of what has to be decided now."""
    names = {site.user(name): name for name in ("wang", "gao", "zhou", "meng", "chen", "lin", "sam", "he", "admin")}
    names |= {"": "a queue"}
    with site.tenant.database.read() as connection:
        state = kept.load(connection, instance)
    assert state is not None
    return sorted((one.node, names[one.user or ""]) for one in state.tasks.values() if one.state == "PENDING")


def decide(site: Running, who: str, instance: str, action: str, **given: Any) -> str:
    """The state of the approval after that."""
    with site.tenant.database.read() as connection:
        state = kept.load(connection, instance)
    assert state is not None
    task = next((one.id for one in state.tasks.values() if one.user == site.user(who) and one.state == "PENDING"), "")
    approvals = Approvals(site.context(who))
    return (approvals.act(task, action, **given) if task else approvals.act_on(instance, action, **given)).state


def refusal(site: Running, who: str, object_name: str, record: str, values: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(BadInput) as refused:
        site.records(who).update(object_name, record, values)
    return sorted((problem.path, problem.code) for problem in refused.value.problems)


def quote(site: Running, discount: int, quantity: int = 1) -> str:
    [(sale,)] = page(site, "opportunity", "id", "name == '骨科植入物二线视觉检测'")
    [(product,)] = page(site, "product", "id", "code == 'SW-SPC'")
    line = {"product": product, "discount": discount, "quantity": quantity}
    name = f"{discount} %, {quantity}"
    return str(site.records("lin").create("quote", {"name": name, "opportunity": sale, "lines": [line]})["id"])


def a_small_discount_needs_the_manager(site: Running) -> None:
    record = quote(site, 20)
    assert refusal(site, "lin", "quote", record, {"status": "sent"}) == [("status", "validation.failed")]
    instance = Approvals(site.context("lin")).submit("quote", record).instance
    assert waiting(site, instance) == [("manager", "wang")]
    with pytest.raises(Conflict) as locked:
        site.records("lin").update("quote", record, {"delivery_weeks": 3})
    assert locked.value.code == "record.locked"
    assert decide(site, "wang", instance, "approve") == "APPROVED"
    assert site.records("lin").update("quote", record, {"status": "sent"})["approval_status"] == "approved"
    with pytest.raises(Conflict) as none:
        Approvals(site.context("lin")).submit("quote", quote(site, 15))
    assert none.value.code == "approval.none"
    a_quote_is_mailed_with_its_lines(site, record)


def a_quote_is_mailed_with_its_lines(site: Running, record: str) -> None:
    post = site.site.mailer
    assert isinstance(post, Post)
    post.mails.clear()
    number = site.records("lin").get("quote", record)["number"]
    answer = site.client("lin").post(f"/api/v1/records/quote/{record}/run/mail_quote")
    assert answer.status_code == 200, answer.text
    site.work()
    [mail] = [one for one in post.mails if one.subject.startswith("报价单")]
    assert mail.subject == f"报价单 {number}：20 %, 1"
    assert "<td>1</td>" in mail.html
    assert "<td>20%</td>" in mail.html
    assert mail.html.count("<tr>") == 2


def a_large_discount_needs_finance_and_legal_at_once(site: Running) -> None:
    record = quote(site, 30)
    instance = Approvals(site.context("lin")).submit("quote", record).instance
    assert decide(site, "wang", instance, "approve") == "RUNNING"
    assert waiting(site, instance) == [("finance", "chen"), ("legal", "zhou")]
    assert decide(site, "zhou", instance, "approve") == "RUNNING"
    assert decide(site, "chen", instance, "approve") == "APPROVED"
    line = site.records("lin").get("quote", record)["lines"][0]
    dear = {"lines": [{"id": line["id"], "discount": 40}]}
    assert ("lines", "validation.failed") in refusal(site, "lin", "quote", record, dear)
    by_amount = Approvals(site.context("lin")).submit("quote", quote(site, 16, quantity=11)).instance
    decide(site, "wang", by_amount, "approve")
    assert waiting(site, by_amount) == [("finance", "chen"), ("legal", "zhou")]


def a_manager_who_does_not_answer_is_helped(site: Running) -> None:
    """Two workdays after a Sunday is Wednesday at nine."""
    instance = Approvals(site.context("lin")).submit("quote", quote(site, 21)).instance
    site.work(datetime(2026, 11, 25, 0, 59, tzinfo=UTC))
    assert waiting(site, instance) == [("manager", "wang")]
    site.work(datetime(2026, 11, 25, 1, 0, tzinfo=UTC))
    assert waiting(site, instance) == [("manager", "gao"), ("manager", "wang")]


def a_contract_is_returned_and_submitted_again(site: Running) -> None:
    [(record,)] = page(site, "contract", "id", "name == 'Ring gauging for heavy bearings, contract'")
    assert refusal(site, "sam", "contract", record, {"status": "approved"}) == [("status", "validation.failed")]
    instance = Approvals(site.context("sam")).submit("contract", record).instance
    assert waiting(site, instance) == [("head", "wang")]  # sam heads his department himself
    decide(site, "wang", instance, "approve")
    assert waiting(site, instance) == [("legal", "a queue")]
    assert claim(site, "zhou", instance) == [("legal", "zhou")]
    assert site.records("sam").get("contract", record)["status"] == "review"
    assert decide(site, "zhou", instance, "return", comment="Whose law?") == "RETURNED"
    returned = site.records("sam").update("contract", record, {"special_terms": "<p>Swedish law.</p>"})
    assert (returned["status"], returned["approval_status"]) == ("draft", "returned")
    assert decide(site, "sam", instance, "resubmit") == "RUNNING"
    assert waiting(site, instance) == [("legal", "a queue")]  # what the head approved stays
    assert claim(site, "meng", instance) == [("legal", "meng")]
    decide(site, "meng", instance, "approve")
    assert decide(site, "chen", instance, "approve") == "APPROVED"
    agreed = site.records("sam").get("contract", record)
    assert (agreed["status"], agreed["approval_status"]) == ("approved", "approved")


def claim(site: Running, who: str, instance: str) -> list[tuple[str, str]]:
    """What waits after that."""
    with site.tenant.database.read() as connection:
        state = kept.load(connection, instance)
    assert state is not None
    [task] = [one.id for one in state.tasks.values() if one.state == "PENDING"]
    Approvals(site.context(who)).act(task, "claim")
    return waiting(site, instance)


def stages_ask_for_what_they_need(site: Running) -> None:
    records = site.records("lin")
    [(account,)] = page(site, "account", "id", "name == '沪屿汽车零部件'")
    [(contact,)] = page(site, "contact", "id", "name == '陈立群'")
    values = {"name": "齿轮箱在线检测", "account": account, "close_date": "2026-12-31"}
    sale = records.create("opportunity", values)["id"]
    assert refusal(site, "lin", "opportunity", sale, {"stage": "trial"}) == [
        ("next_step_date", "workflow.required"), ("primary_contact", "workflow.required"),
    ]  # fmt: skip
    filled_in = {"stage": "trial", "next_step_date": "2026-12-01", "primary_contact": contact}
    assert records.update("opportunity", sale, filled_in)["stage"] == "trial"
    won = records.update("opportunity", sale, {"stage": "won", "amount": 90000})
    assert (won["probability"], won["forecast"]) == (100.0, "commit")
    with pytest.raises(BadInput):
        records.update("opportunity", sale, {"stage": "negotiation"})
    assert site.records("wang").update("opportunity", sale, {"stage": "negotiation"})["stage"] == "negotiation"


def hot_leads_go_to_the_salespeople_in_turn(site: Running) -> None:
    names = {site.user(name): name for name in ("lin", "sam", "priya")}
    owners = [names[lead["owner"]["id"] if isinstance(lead["owner"], dict) else lead["owner"]]
              for lead in (hot_lead(site, name) for name in ("马丁", "Ines", "Olaf"))]  # fmt: skip
    assert owners == ["lin", "sam", "lin"]  # after the two of the sample data
    [(own,)] = page(site, "lead", "id", "name == 'Marco Bellandi'")
    site.records("sam").update("lead", own, {"rating": "hot"})
    assert page(site, "lead", "owner.username", "name == 'Marco Bellandi'") == [("sam",)]
    site.work()
    assert "Hot lead: Marco Bellandi, Officine Bellandi" in subjects(site, "sam", "lead")


def hot_lead(site: Running, name: str) -> dict[str, Any]:
    values = {"name": name, "company": f"{name} GmbH", "source": "fair", "phone": "+49 30 5550100"}
    lead = site.records("priya").create("lead", {**values, "rating": "warm"})
    site.records("priya").update("lead", lead["id"], {"rating": "hot"})
    return site.records().get("lead", lead["id"])


def subjects(site: Running, who: str, object_name: str) -> list[str]:
    """What a person was told of records of an object, oldest first."""
    notice = system_jobs.notification
    wanted = sa.select(notice.c.subject).where(notice.c.user == site.user(who), notice.c.object == object_name)
    with site.tenant.database.read() as connection:
        return [str(one) for one in connection.sa.scalars(wanted.order_by(notice.c.created_at, notice.c.id))]


def a_welcome_goes_out_once_and_only_with_consent(site: Running) -> None:
    post = site.site.mailer
    assert isinstance(post, Post)
    post.mails.clear()
    values = {"company": "Nordlys AS", "source": "website", "source_detail": "contact_form"}
    asked = {**values, "name": "Nora", "email": "nora@nordlys.example.com", "has_consent": True}
    nora = site.records("priya").create("lead", asked)
    site.records("priya").create("lead", {**values, "name": "Ole", "email": "ole@nordlys.example.com"})
    site.records("priya").update("lead", nora["id"], {"rating": "warm"})
    site.work()
    site.work()
    assert [(mail.to, mail.subject) for mail in post.mails if "nordlys" in mail.to] == [
        ("nora@nordlys.example.com", "感谢您的咨询 · Thank you for writing to us")
    ]


def overdue_payments_are_told_of_once_a_day(site: Running) -> None:
    assert len(page(site, "payment", "id", "is_late and open_amount > 0")) == 3  # and one more from Monday on
    site.work(MONDAY_NINE - timedelta(minutes=1))
    assert len(subjects(site, "chen", "payment")) == 3  # of Friday: sample data
    site.work(MONDAY_NINE)
    site.work(MONDAY_NINE + timedelta(hours=3))
    assert len(subjects(site, "chen", "payment")) == 3 + 4
    site.work(MONDAY_NINE + timedelta(days=1))
    told = subjects(site, "chen", "payment")
    assert len(told) == 3 + 4 + 5
    assert "Hartwell Aero Components：¥746,040 已逾期 1 天" in told
