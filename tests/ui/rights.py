"""A shop whose fields not all may see, and what tests of its screens ask of it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

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
  stage:
    {type: choice, label: {en: Stage, zh-CN: 阶段}, default: fresh, choices: {fresh: Fresh, secretwon: Secretwon}}
  firm: {type: reference, to: firm, label: {en: Firm, zh-CN: 公司}}
  twice:
    {type: formula, label: {en: Twice, zh-CN: 两倍}, returns: decimal, scale: 2, precision: 15, formula: salary * 2}
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
CANARIES = (
    "31415", "31,415", "62830", "62,830", "13877778888", "7777", "AX990011ZB", "9900", "4711", "4,711", "13900001111",
    "0000", "Secretwon", "secretwon", "salary", "Salary", "Hushfirm", "Paid quietly",
)  # fmt: skip


@contextmanager
def filled(database_url: str) -> Iterator[Running]:
    with running(database_url, [PACKAGE], ui="ui.pages:mount", fill=people) as site:
        yield site


def people(site: Running) -> None:
    site.user("ann", "seller", name="Ann Lee", language="en")
    site.user("bob", "seller", name="Bob Ray", language="en")
    site.user("cleo", "clerk", name="Cleo", language="en")
    site.user("rea", "reader", name="Rea", language="en")


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
    answer = client.post(
        path, data={**form, "_csrf": client.headers["x-csrf-token"], "csrf": client.headers["x-csrf-token"]}
    )
    assert answer.status_code == status, (path, answer.status_code, answer.text)
    return answer.text


def leaks(text: str) -> list[str]:
    without = r"/static/[^\"']+|csrf[^>]{0,90}|<svg.*?</svg>"  # hashes and drawings, where digits mean nothing
    text = re.sub(without, "", text)
    return [one for one in CANARIES if one in text]


def stored(site: Running, record: str, name: str) -> object:
    return site.records().get("lead", record)[name]
