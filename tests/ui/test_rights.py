"""What a person may not see is on none of their screens; what they may not write is no input."""

import re
from collections.abc import Iterator

import pytest

from engine.service import Query
from engine.testing import Running, running

PACKAGE = """\
package: shop
version: 1.0.0
label: {en: Shop, zh-CN: 店铺}
languages: [en, zh-CN]
---
object: firm
label: {en: Firm, zh-CN: 公司}
tree: above
title: name
search: [name, town]
fields:
  name: {type: text, label: {en: Name, zh-CN: 名称}, required: true, length: 80}
  town: {type: text, label: {en: Town, zh-CN: 城市}, length: 80}
  above: {type: reference, to: firm, label: {en: Above, zh-CN: 上级}}
---
object: lead
label: {en: Lead, zh-CN: 线索}
sharing: private
search: [name, phone, badge]
fields:
  name: {type: text, label: {en: Name, zh-CN: 名称}, required: true, length: 80}
  salary: {type: decimal, label: {en: Salary, zh-CN: 薪水}, precision: 15, scale: 2}
  phone: {type: text, label: {en: Phone, zh-CN: 电话}, length: 40, mask: phone}
  grade: {type: text, label: {en: Grade, zh-CN: 等级}, length: 40}
  badge: {type: text, label: {en: Badge, zh-CN: 证件}, length: 40, mask: "{2}***{2}"}
  stage: {type: choice, label: {en: Stage, zh-CN: 阶段}, default: fresh, choices: {fresh: Fresh, secretwon: Secretwon}}
  firm: {type: reference, to: firm, label: {en: Firm, zh-CN: 公司}}
  twice: {type: formula, label: {en: Twice, zh-CN: 两倍}, returns: decimal, scale: 2, precision: 15, formula: salary * 2}
  calls: {type: table, label: {en: Calls, zh-CN: 通话}, of: call}
duplicates:
  - {rule: same_badge, match: {badge: exact}, action: warn}
validations:
  - {rule: rich, error_if: salary > 900000, message: {en: "{salary} is too much", zh-CN: "{salary} 太多"}}
---
object: call
label: {en: Call, zh-CN: 通话}
kind: child
title: note
fields:
  note: {type: text, label: {en: Note, zh-CN: 备注}, length: 80}
  cost: {type: decimal, label: {en: Cost, zh-CN: 费用}, precision: 15, scale: 2}
  number: {type: text, label: {en: Number, zh-CN: 号码}, length: 40, mask: phone}
  lead: {type: reference, to: lead, label: {en: Lead, zh-CN: 线索}, master: true}
---
object: seat
label: {en: Seat, zh-CN: 席位}
fields:
  name: {type: text, label: {en: Name, zh-CN: 名称}, required: true, length: 80}
  pin: {type: text, label: {en: Pin, zh-CN: 密码}, required: true, length: 20}
---
layout: lead
object: lead
default: true
highlights: [salary, phone, grade]
path: stage
tabs:
  - label: {en: Details, zh-CN: 详情}
    sections:
      - label: {en: Basics, zh-CN: 基本信息}
        columns: 2
        fields: [name, phone, grade, badge, firm]
      - label: {en: Paid quietly, zh-CN: 薪酬}
        columns: 2
        fields: [salary, twice]
      - label: {en: Talks, zh-CN: 通话}
        columns: 1
        fields: [calls]
---
layout: firm
object: firm
default: true
tabs:
  - label: {en: Details, zh-CN: 详情}
    sections:
      - label: {en: Basics, zh-CN: 基本信息}
        columns: 2
        fields: [name, town, above]
    related:
      - {object: lead, field: firm, columns: [name, salary, phone, stage], sort: salary}
---
view: lead_all
object: lead
label: {en: All leads, zh-CN: 全部线索}
columns: [name, salary, phone, stage, grade]
sort: -salary
quick_filters: [stage, firm]
default: true
---
view: lead_rich
object: lead
label: {en: Rich leads, zh-CN: 高薪线索}
columns: [name, phone]
filter: salary > 5 and owner == user.id
---
view: lead_called
object: lead
label: {en: Called leads, zh-CN: 已致电线索}
columns: [name, phone]
filter: "BEGINS(phone, '138')"
---
view: lead_mine
object: lead
label: {en: My leads, zh-CN: 我的线索}
columns: [name, salary, phone]
filter: owner == user.id
sort: salary
---
menu: shop
label: {en: Shop, zh-CN: 店铺}
items: [{object: lead, view: lead_mine}, {object: lead, view: lead_rich}, {object: firm}, {object: seat}]
---
role: seller
label: {en: Seller, zh-CN: 销售}
objects:
  lead: [create, read, update, delete, share]
  firm: [create, read, update, delete]
  call: [create, read, update, delete]
  seat: [create, read, update, delete]
  user: [read]
  team: [read]
---
role: clerk
label: {en: Clerk, zh-CN: 文员}
objects:
  lead:
    can: [create, read, update, delete, view_all, modify_all]
    fields:
      salary: hidden
      stage: hidden
      phone: masked
      grade: read
      badge: {access: edit, mask: true}
  call: {can: [create, read, update, delete], fields: {cost: hidden, number: masked}}
  firm: {can: [create, read, update, delete], fields: {name: hidden}}
  seat: {can: [create, read, update], fields: {pin: read}}
---
role: reader
label: {en: Reader, zh-CN: 读者}
objects:
  lead: {can: [read, view_all], fields: {phone: masked}}
  user: [read]
system: [unmask]
"""
# What is hidden or masked to a clerk, as stored and as screens would write it.
CANARIES = ("31415", "31,415", "62830", "62,830", "13877778888", "7777", "AX990011ZB", "9900", "4711", "4,711",
            "13900001111", "0000", "Secretwon", "secretwon", "salary", "Salary", "Hushfirm", "Paid quietly")  # fmt: skip


@pytest.fixture
def shop(database_url: str) -> Iterator[Running]:
    with running(database_url, [PACKAGE], ui="ui.pages:mount") as site:
        site.user("ann", "seller", name="Ann Lee", language="en")
        site.user("bob", "seller", name="Bob Ray", language="en")
        site.user("cleo", "clerk", name="Cleo", language="en")
        site.user("rea", "reader", name="Rea", language="en")
        yield site


def lead(site: Running, name: str = "Known", **more: object) -> str:
    values = {
        "name": name, "salary": "31415.00", "phone": "13877778888", "grade": "Gold", "badge": "AX990011ZB",
        "stage": "secretwon", "calls": [{"note": "First", "cost": "4711.00", "number": "13900001111"}], **more,
    }  # fmt: skip
    return str(site.records("ann").create("lead", values)["id"])


def page(site: Running, path: str, username: str = "cleo", **headers: str) -> str:
    answer = site.client(username, by="session").get(path, headers=headers)
    assert answer.status_code == 200, (path, answer.status_code, answer.text)
    return answer.text


def send(site: Running, path: str, username: str = "cleo", status: int = 303, **form: object) -> str:
    client = site.client(username, by="session")
    answer = client.post(path, data={**form, "_csrf": client.headers["x-csrf-token"], "csrf": client.headers["x-csrf-token"]})
    assert answer.status_code == status, (path, answer.status_code, answer.text)
    return answer.text


def leaks(text: str) -> list[str]:
    text = re.sub(r"/static/[^\"']+|[0-9A-HJKMNP-TV-Z]{26}|name=\"_?csrf\" value=\"[^\"]*\"|csrf[^>]{0,90}|<svg.*?</svg>", "", text)
    return [one for one in CANARIES if one in text]


def stored(site: Running, record: str, name: str) -> object:
    return site.records().get("lead", record)[name]


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
    assert "Rich leads" in own and "Called leads" in own
    assert "Rich leads" not in clerks and "Called leads" not in clerks and "My leads" in clerks
    assert "Known" in page(shop, "/o/lead?view=lead_rich")  # the default instead
    assert 'href="/o/lead?view=lead_rich"' in page(shop, "/", "ann")
    assert "lead_rich" not in page(shop, "/")


def test_a_form_leaves_out_hidden_fields_and_shows_read_only_ones_as_text(shop: Running) -> None:
    record = lead(shop)
    text = page(shop, f"/o/lead/{record}/edit")
    assert 'name="grade"' not in text and "Gold" in text
    assert 'name="phone"' not in text and "138****8888" in text
    assert 'name="badge"' in text and 'name="stage"' not in text
    fresh = page(shop, "/o/lead/new")
    assert 'name="grade"' not in fresh and 'name="phone"' not in fresh and 'name="badge"' in fresh


def test_a_masked_value_that_may_be_written_is_kept_changed_and_cleared(shop: Running) -> None:
    record = lead(shop)
    text = page(shop, f"/o/lead/{record}/edit")
    assert 'name="badge" value=""' in text and 'placeholder="AX***ZB"' in text
    assert "Leave empty to keep AX***ZB" in text and 'name="badge._clear"' in text
    send(shop, f"/o/lead/{record}/edit", name="Known", badge="")
    assert stored(shop, record, "badge") == "AX990011ZB"
    send(shop, f"/o/lead/{record}/edit", name="Known", badge="BY123456CD")
    assert stored(shop, record, "badge") == "BY123456CD"
    send(shop, f"/o/lead/{record}/edit", name="Known", badge="", **{"badge._clear": "1"})
    assert stored(shop, record, "badge") is None
    assert stored(shop, record, "phone") == "13877778888" and stored(shop, record, "salary") == 31415


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
    assert "Pin" in refused and "You may not fill it in: ask an administrator." in refused
    assert shop.records().list(Query("seat", ("id",))).records == []
