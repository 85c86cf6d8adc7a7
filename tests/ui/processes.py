"""A tenant with stages, automations, templates and calendars, for the tests of their screens."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from engine.testing import Running, running

NOW = datetime(2026, 10, 12, 8, 30, tzinfo=UTC)  # a Monday

PACKAGE = """\
package: desk
version: 1.0.0
label: {en: Desk, zh-CN: 销售台}
languages: [en, zh-CN]
---
object: company
label: {en: Company, zh-CN: 公司}
plural: {en: Companies, zh-CN: 公司}
icon: building
color: azure
fields:
  name: {type: text, label: {en: Name, zh-CN: 名称}, required: true}
---
object: deal
label: {en: Deal, zh-CN: 商机}
plural: {en: Deals, zh-CN: 商机}
icon: target-arrow
color: orange
fields:
  name: {type: text, label: {en: Name, zh-CN: 名称}, required: true}
  company: {type: reference, to: company, label: {en: Company, zh-CN: 公司}}
  stage:
    type: choice
    label: {en: Stage, zh-CN: 阶段}
    choices:
      new: {label: {en: New, zh-CN: 新建}, color: gray}
      qualified: {label: {en: Qualified, zh-CN: 已确认}, color: azure}
      proposal: {label: {en: Proposal, zh-CN: 方案报价}, color: blue}
      negotiation: {label: {en: Negotiation, zh-CN: 商务谈判}, color: purple}
      won: {label: {en: Won, zh-CN: 赢单}, color: green}
      lost: {label: {en: Lost, zh-CN: 输单}, color: red}
  rating:
    type: choice
    label: {en: Rating, zh-CN: 热度}
    choices:
      cold: {label: {en: Cold, zh-CN: 冷}, color: blue}
      hot: {label: {en: Hot, zh-CN: 热}, color: red}
  amount: {type: currency, label: {en: Amount, zh-CN: 金额}, min: 0}
  close_date: {type: date, label: {en: Close date, zh-CN: 预计成交日}}
  next_step: {type: text, label: {en: Next step, zh-CN: 下一步}}
  loss_reason:
    type: choice
    label: {en: Loss reason, zh-CN: 输单原因}
    choices:
      price: {label: {en: Price, zh-CN: 价格}}
      rival: {label: {en: Competitor, zh-CN: 竞争对手}}
  is_checked: {type: boolean, label: {en: Checked by legal, zh-CN: 法务已审}}
---
object: ticket
label: {en: Ticket, zh-CN: 工单}
plural: {en: Tickets, zh-CN: 工单}
icon: ticket
color: teal
fields:
  name: {type: text, label: {en: Name, zh-CN: 名称}, required: true}
  state:
    type: choice
    label: {en: State, zh-CN: 状态}
    default: open
    choices: {open: {label: {en: Open, zh-CN: 处理中}}, closed: {label: {en: Closed, zh-CN: 已关闭}}}
---
layout: deal
object: deal
default: true
highlights: [company, amount, close_date, owner]
path: stage
tabs:
  - label: {en: Details, zh-CN: 详情}
    sections:
      - label: {en: Basics, zh-CN: 基本信息}
        columns: 2
        fields: [name, company, stage, rating, amount, close_date, next_step, loss_reason, is_checked]
---
layout: ticket
object: ticket
default: true
path: state
tabs: [{label: {en: Details}, sections: [{label: {en: Basics}, fields: [name, state]}]}]
---
view: deal_all
object: deal
label: {en: All deals, zh-CN: 全部商机}
columns: [name, company.name, stage, amount, close_date, owner]
sort: name
default: true
---
workflow: deal_stages
label: {en: Stages of a deal, zh-CN: 商机阶段}
object: deal
field: stage
moves: [forward, skip, back]
states:
  - {state: new, guidance: {en: "Find out who decides, and by when.", zh-CN: "确认决策人与时间表。"}}
  - state: qualified
    required: [amount, close_date]
    guidance: {en: Agree on what is needed., zh-CN: 确认客户需求。}
  - {state: proposal, required: [amount]}
  - state: negotiation
    required: [amount, next_step]
    guidance: {en: Agree on price and terms., zh-CN: 谈定价格与商务条款。}
  - {state: won, required: [amount, close_date], final: true, won: true}
  - {state: lost, required: [loss_reason], final: true, won: false}
transitions:
  - transition: win
    label: {en: Mark as won, zh-CN: 标记赢单}
    from: [negotiation]
    to: won
    when: is_checked
    message: {en: "Legal has to check the contract first.", zh-CN: "须先由法务审核合同。"}
  - transition: reopen
    label: {en: Reopen, zh-CN: 重新打开}
    from: [won, lost]
    to: negotiation
    roles: [chief]
---
automation: hot_deal
label: {en: Hot deals are looked after, zh-CN: 重点商机自动跟进}
description:
  en: A deal that becomes hot gets a next step and a ticket.
  zh-CN: 商机变为高热度时，填写下一步并建立工单。
object: deal
on: [create, update]
phase: after_save
when: "rating == 'hot' and amount > 10000"
becomes: true
changed: [rating, amount]
do:
  - {set: {next_step: "Call {name} today"}, when: "ISBLANK(next_step)"}
  - {create: {object: ticket, values: {name: "Look after {name}", state: open}}, as: ticket}
---
automation: not_negative
label: {en: No deal is closed in the past, zh-CN: 成交日不能早于今天}
object: deal
on: [create, update]
phase: before_save
when: "close_date < TODAY() and stage != 'won'"
do:
  - {refuse: {message: {en: "The close date has passed.", zh-CN: "预计成交日已过。"}, field: close_date}}
---
automation: morning_list
label: {en: Deals without a next step, zh-CN: 缺少下一步的商机}
object: deal
schedule: "0 9 * * 1-5"
run_as: chen
when: "ISBLANK(next_step) and stage not in ['won', 'lost']"
do:
  - {set: {next_step: "Ask what comes next"}}
---
automation: closing_soon
label: {en: A deal closes soon, zh-CN: 商机即将到期}
object: deal
active: false
run_as: chen
date: {field: close_date, offset: -3 days, at: "09:00"}
do:
  - {set: {rating: hot}}
---
automation: deal_in
label: {en: A deal comes from the shop, zh-CN: 商城推送商机}
run_as: boss
webhook: {signature: {header: X-Signature, timestamp: X-Timestamp}}
do:
  - {create: {object: ticket, values: {name: "{body.name}"}}}
---
automation: ask_legal
label: {en: Ask legal, zh-CN: 提请法务审核}
object: deal
button: {label: {en: Ask legal, zh-CN: 提请法务审核}}
do:
  - {set: {is_checked: true}}
---
automation: tell_owner
label: {en: Tell the owner of a large deal, zh-CN: 大额商机通知负责人}
object: deal
on: [create, update]
phase: after_commit
when: "amount > 500000"
do:
  - {find: {object: company, filter: "name == record.company.name"}, as: customer}
  - {set: {next_step: "Visit {company.name}"}, when: "rating == 'hot'"}
  - {update: {object: ticket, filter: "name == record.name", values: {state: closed}}}
  - {set: {loss_reason: "=name"}}
  - {notify: {to: [{owner: {}}], subject: "Large deal: {name}", body: "It is worth {amount}."}}
---
automation: write_customer
label: {en: Write to the customer, zh-CN: 致函客户}
object: deal
button: {label: {en: Write to the customer, zh-CN: 致函客户}, roles: [seller]}
when: "amount > 100000"
do:
  - {set: {rating: hot}}
  - {mail: {address: buyer@example.com, subject: "About {name}", body: "We have sent you our proposal."}}
  - {notify: {to: [{owner: {}}], template: large_deal}}
---
automation: close_it
label: {en: Close the deal, zh-CN: 直接成交}
object: deal
button: true
do: [{set: {stage: won}}]
---
automation: file_it
label: {en: File the deal, zh-CN: 归档商机}
object: deal
button: true
do: [{create: {object: ticket, values: {name: "=next_step"}}}]
---
template: large_deal
label: {en: A large deal, zh-CN: 大额商机}
object: deal
subject: {en: "{{ record.name }} is worth {{ record.amount }}", zh-CN: "{{ record.name }}，金额 {{ record.amount }}"}
body:
  en: |
    Dear {{ user.name }},

    {{ record.company.name }} is about to decide on {{ record.close_date }}.
    {{ link }}
  zh-CN: |
    {{ user.name }}，您好！

    {{ record.company.name }} 预计于 {{ record.close_date }} 决策。
    {{ link }}
---
calendar: china
label: {en: China, zh-CN: 中国工作日历}
default: true
zone: Asia/Shanghai
hours:
  mon: ["09:00-12:00", "13:30-18:00"]
  tue: ["09:00-12:00", "13:30-18:00"]
  wed: ["09:00-12:00", "13:30-18:00"]
  thu: ["09:00-12:00", "13:30-18:00"]
  fri: ["09:00-12:00", "13:30-18:00"]
holidays:
  - {date: 2026-01-01, label: {en: New Year, zh-CN: 元旦}}
  - {date: 2026-02-16, until: 2026-02-22, label: {en: Spring Festival, zh-CN: 春节}}
  - {date: 2026-10-01, until: 2026-10-07, label: {en: National Day, zh-CN: 国庆节}}
workdays: [2026-02-28, 2026-10-10]
---
calendar: support
label: {en: Support, zh-CN: 客服}
zone: Europe/Berlin
hours: {mon: "08:00-20:00", sat: "10:00-16:00"}
---
menu: desk
label: {en: Desk, zh-CN: 销售台}
items: [{object: deal}, {object: company}, {object: ticket}]
---
role: seller
label: {en: Seller, zh-CN: 销售}
objects:
  deal: [create, read, update, delete]
  company: [create, read, update, delete]
  ticket: [create, read, update]
  user: [read]
---
role: chief
label: {en: Sales manager, zh-CN: 销售经理}
objects:
  deal: [create, read, update, delete]
  company: [create, read, update, delete]
  ticket: [create, read, update]
  user: [read]
system: [manage_processes]
---
role: operator
label: {en: Operator, zh-CN: 运维}
system: [manage_processes]
---
role: reader
label: {en: Reader, zh-CN: 只读}
objects:
  deal: [read]
"""


@contextmanager
def desk(database_url: str = "", now: datetime | None = NOW) -> Iterator[Running]:
    """Ann sells, Chen is in charge and looks after processes, Rob reads."""
    with running(database_url, [PACKAGE], now=now, ui="ui.pages:mount", fill=people) as site:
        yield site


def people(site: Running) -> None:
    site.user("ann", "seller", name="Ann Lee", language="en", time_zone="UTC")
    site.user("chen", "chief", name="陈晓", language="en", time_zone="UTC")
    site.user("rob", "reader", name="Rob Reader", language="en", time_zone="UTC")
    site.user("boss", "admin", name="The Boss", language="en", time_zone="UTC")
