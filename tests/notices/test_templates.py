from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from jinja2 import TemplateRuntimeError

from engine.errors import BadInput, NotFound
from engine.process import templates
from engine.process.notices import notify
from engine.process.templates import Rendered, render
from engine.service import Query
from engine.testing import Running
from tests.notices.conftest import DEALS, Letters

WORDS = """
---
template: news
object: deal
subject:
  en: "{{ record.name }} is {{ record.stage }}"
  zh-CN: "{{ record.name }}：{{ record.stage }}"
body: |
  Dear {{ user.name }},
  {{ record.amount }} due {{ record.due }}, called {{ record.called_at }}, for {{ record.account }} ({{ record.account.phone }}).
  Margin: {{ record.margin }}{% if raw.stage == 'won' %} Hooray!{% endif %}
  {{ values.comment }}{{ values.nothing }}
  {{ link }}
---
template: page
object: deal
html: true
subject: "{{ record.name }}"
body: "<style>p {}</style><p>{{ record.name }}</p><p>{{ record.notes | default('none', true) }}</p>"
---
template: plain
subject: Hello {{ user.username | upper }}
body: "{{ values.comment }}"
---
template: list
object: deal
html: true
subject: "{{ record.items|length }} of {{ record.items }}"
body: |
  <ul>{% for line in record.items %}<li>{{ loop.index }}/{{ loop.length }} {{ line.text }} ({{ line.account }}):
  {{ line.pieces }} at {{ line.price }}, {{ line.cost }}{% if line.raw.pieces > 1 %}, several{% endif %}</li>{% else %}<li>none</li>{% endfor %}</ul>
---
template: long_list
object: deal
subject: "{% for line in record.items %}{% if loop.last %}{{ loop.index }}{% endif %}{% endfor %} {{ record.items }}"
body: "{% for line in record.items %}{{ record.notes }}{% endfor %}"
---
object: deal_line
label: Line
kind: child
title: text
fields:
  text: {type: text, label: Text}
  pieces: {type: integer, label: Pieces}
  price: {type: currency, label: Price}
  cost: {type: currency, label: Cost}
  account: {type: reference, to: account, label: For}
  position: {type: integer, label: Position}
  deal: {type: reference, to: deal, label: Deal, master: true}
---
template: huge
object: deal
subject: huge
body: "HUGE"
"""  # noqa: E501
HUGE = "{{ record.notes }}" * 500


@pytest.fixture
def deal(site: Running) -> str:
    deals = DEALS.replace("1.0.0", "1.1.0").replace(
        "  notes: {type: longtext", "  items: {type: table, of: deal_line, label: Items}\n  notes: {type: longtext"
    )
    lines = "  deal_line: {can: [read], rows: pieces < 100, fields: {cost: hidden}}\n"
    site.publish(
        deals.replace("  account: {can: [read], f", f"{lines}  account: {{can: [read], f") + WORDS.replace("HUGE", HUGE)
    )
    records = site.records()
    account = records.create("account", {"name": "Acme & Sons", "phone": "+8613912345678"})
    made = records.create("deal", {
        "name": "Pumps <b>", "amount": Decimal("12345.50"), "margin": Decimal("12.5"), "due": date(2026, 12, 31),
        "called_at": datetime(2026, 11, 22, 2, 15, tzinfo=UTC), "stage": "won", "account": account["id"],
    })  # fmt: skip
    return str(made["id"])


def as_read(site: Running, name: str, template: str, record: str, **values: Any) -> Rendered:
    with site.tenant.database.read() as connection:
        object_name = "deal" if record else ""
        return render(site.context(), connection, template, object_name, record, site.context(name), values)


def test_each_reads_it_in_their_language_and_zone_with_what_they_may_see(site: Running, deal: str) -> None:
    boss = as_read(site, "boss", "news", deal, comment="Well done", link="https://crm.example.com/o/deal/1")
    assert boss.subject == "Pumps <b> is Won"
    assert boss.text.splitlines() == [
        "Dear The Boss,",
        "¥12,345.50 due Dec 31, 2026, called Nov 22, 2026 2:15\u00a0AM, for Acme & Sons (+8613912345678).",
        "Margin: 12.5% Hooray!",
        "Well done",
        "https://crm.example.com/o/deal/1",
    ]
    lin = as_read(site, "lin", "news", deal)
    assert lin.subject == "Pumps <b>：赢单"
    lines = lin.text.splitlines()
    assert "2026年11月22日 10:15" in lines[1]
    assert lines[2] == "Margin: … Hooray!"


def test_no_hidden_and_no_masked_field_leaks(site: Running, deal: str) -> None:
    text = as_read(site, "kim", "news", deal).text
    assert "12.5" not in text
    assert "12345678" not in text
    assert "139****5678" in text
    out = as_read(site, "out", "news", deal)
    assert (out.subject, "Acme" in out.text, "Hooray" in out.text) == ("… is …", False, False)


def test_a_record_that_the_reader_may_not_see_is_not_told_of(site: Running, deal: str) -> None:
    site.records().delete("deal", deal)
    assert as_read(site, "kim", "news", deal).subject == "… is …"


def test_html_escapes_values_and_comes_with_a_text(site: Running, deal: str) -> None:
    made = as_read(site, "boss", "page", deal)
    assert made.html == "<style>p {}</style><p>Pumps &lt;b&gt;</p><p>none</p>"
    assert made.text == "Pumps <b>\nnone\n"


def test_lines_are_gone_through_as_the_reader_may_see_them(site: Running, deal: str) -> None:
    records = site.records()
    account = records.list(Query("account", ("id",))).records[0]["id"]
    assert as_read(site, "boss", "list", deal).text == "none\n"
    records.update("deal", deal, {"items": [
        {"text": "Pump <1>", "pieces": 2, "price": Decimal("1200.50"), "cost": Decimal(700), "account": account},
        {"text": "Fitting", "pieces": 1, "price": Decimal(80), "cost": Decimal(30)},
        {"text": "Screws", "pieces": 500, "price": Decimal(1), "cost": Decimal(1)},
    ]})  # fmt: skip
    boss = as_read(site, "boss", "list", deal)
    assert boss.subject == "3 of 3"
    assert boss.html == (
        "<ul><li>1/3 Pump &lt;1&gt; (Acme &amp; Sons):\n2 at ¥1,200.50, ¥700, several</li>"
        "<li>2/3 Fitting ():\n1 at ¥80, ¥30</li><li>3/3 Screws ():\n500 at ¥1, ¥1, several</li></ul>"
    )
    kim = as_read(site, "kim", "list", deal)
    assert (kim.subject, "Screws" in kim.html, "700" in kim.html) == ("2 of 2", False, False)  # by rows, and by fields
    assert "<li>1/2 Pump &lt;1&gt; (Acme &amp; Sons):\n2 at ¥1,200.50, …, several</li>" in kim.html
    out = as_read(site, "out", "list", deal)
    assert (out.subject, out.html) == ("0 of …", "<ul><li>none</li></ul>")
    answer = site.client("kim").post("/api/v1/templates/list/preview", json={"record": deal}).json()
    assert (answer["subject"], "Pump <1>" in answer["text"]) == ("2 of 2", True)


def test_a_loop_ends_after_so_many_lines_and_characters(site: Running, deal: str) -> None:
    records = site.records()
    records.update("deal", deal, {"items": [{"text": str(at), "pieces": 1} for at in range(201)]})
    assert as_read(site, "boss", "long_list", deal).subject == "200 200+"
    records.update("deal", deal, {"notes": "x" * 1001})
    with pytest.raises(BadInput) as refusal:
        as_read(site, "boss", "long_list", deal)
    assert refusal.value.code == "template.long"


def test_a_template_without_an_object(site: Running, deal: str) -> None:
    assert as_read(site, "kim", "plain", "", comment={"en": "Hi", "zh-CN": "嗨"}) == Rendered("Hello KIM", "Hi")
    assert as_read(site, "lin", "plain", "", comment={"en": "Hi", "zh-CN": "嗨"}).text == "嗨"


def test_what_comes_out_has_a_limit(site: Running, deal: str) -> None:
    site.records().update("deal", deal, {"notes": "x" * 1000})
    with pytest.raises(BadInput) as refusal:
        as_read(site, "boss", "huge", deal)
    assert refusal.value.code == "template.long"


def test_what_there_is_not(site: Running, deal: str) -> None:
    with pytest.raises(NotFound):
        as_read(site, "boss", "lost", deal)
    with pytest.raises(BadInput) as refusal:
        as_read(site, "boss", "news", "")
    assert refusal.value.code == "template.object"


def test_a_notification_and_its_mail_have_the_words_of_the_template(site: Running, deal: str, letters: Letters) -> None:
    ctx = site.context()
    with site.tenant.database.write() as connection:
        users = [site.user("kim"), site.user("lin")]
        notify(ctx, connection, users, "approval.asked", object_name="deal", record=deal, template="page", link="/x")
    site.work()
    [notice] = site.client("kim").get("/api/v1/notifications").json()["notifications"]
    assert (notice["subject"], notice["body"]) == ("Pumps <b>", "Pumps <b>\nnone\n")
    kim, _ = letters.mails
    assert (kim.subject, kim.html) == ("Pumps <b>", "<style>p {}</style><p>Pumps &lt;b&gt;</p><p>none</p>")


def test_a_template_that_fails_leaves_the_words_of_the_kind(site: Running, deal: str, letters: Letters) -> None:
    ctx = site.context()
    with site.tenant.database.write() as connection:
        notify(ctx, connection, [site.user("kim")], "approval.asked", object_name="deal", record=deal, template="lost")
    site.work()
    assert [mail.subject for mail in letters.mails] == ["Please decide: Pumps <b>"]


def test_preview_shows_it_as_the_person_who_asks_would_read_it(site: Running, deal: str) -> None:
    def preview(name: str, template: str, record: str) -> Any:
        return site.client(name).post(f"/api/v1/templates/{template}/preview", json={"record": record})

    answer = preview("kim", "news", deal)
    assert (answer.status_code, answer.json()["subject"]) == (200, "Pumps <b> is Won")
    assert "Margin: …" in answer.json()["text"]
    assert preview("kim", "lost", deal).status_code == 404
    assert preview("out", "news", deal).status_code == 404
    assert preview("kim", "news", "00000000-0000-7000-8000-000000000000").status_code == 404
    assert preview("kim", "news", 7).status_code == 400


def test_a_mail_of_an_automation_is_read_as_its_reader_or_as_whoever_had_it_sent(
    site: Running, deal: str, letters: Letters
) -> None:
    from engine.jobs.port import enqueue

    with site.tenant.database.write() as connection:
        for to in ("boss@example.com", "ada@elsewhere.example"):
            payload = {"to": to, "template": "news", "subject": "", "body": "", "object": "deal", "record": deal}
            enqueue(connection, "mail", payload, now=site.now, by=site.user("kim"))
    site.work()
    texts = {mail.to: mail.text for mail in letters.mails}
    assert "Margin: 12.5%" in texts["boss@example.com"]
    assert "Margin: …" in texts["ada@elsewhere.example"]


@pytest.mark.parametrize("text", ["{{ record.__class__ }}", "{{ link.upper }}", "{{ link.upper() }}", "{{ range(9) }}"])
def test_the_sandbox_holds_by_itself_whatever_was_let_through_before(text: str) -> None:
    known = {"record": templates.Values(name="Ada"), "link": "x"}
    assert templates.PLAIN.from_string("{{ record.name }}").render(known) == "Ada"
    for sandbox in (templates.PLAIN, templates.HTML):
        with pytest.raises(TemplateRuntimeError):
            sandbox.from_string(text).render(known)
