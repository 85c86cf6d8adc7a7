"""Orders that are approved, with lines, parts of lines, papers of several kinds of masters and what refers to them."""

from datetime import UTC, datetime

from engine.testing import Running

NOW = datetime(2026, 11, 22, 2, 15, 0, 123000, tzinfo=UTC)

ORDERS = """
package: orders
version: 1.0.0
label: Orders
languages: [en, zh-CN]
---
object: client
label: Client
fields:
  name: {type: text, label: Name, required: true}
  code: {type: text, label: Code, unique: true}
  orders: {type: inverse, of: order, by: client, label: Orders}
  total: {type: rollup, label: Total, of: orders, operation: sum, field: amount, returns: currency}
---
object: order
label: {en: Order, zh-CN: 订单}
duplicates:
  - {rule: same_name, action: warn, match: {name: exact}}
fields:
  name: {type: text, label: Name, required: true}
  amount: {type: currency, label: Amount}
  cost: {type: currency, label: Cost}
  remark: {type: longtext, label: Remark}
  client: {type: reference, to: client, label: Client}
  scan: {type: file, label: Scan}
  items: {type: table, of: item, by: order, label: Items}
  talks: {type: table, of: talk, by: order, label: Talks}
  pieces: {type: rollup, label: Pieces, of: items, operation: sum, field: quantity, returns: integer}
  notes: {type: inverse, of: memo, by: order, label: Notes}
  memos: {type: rollup, label: Memos, of: notes, operation: count, returns: integer}
  double: {type: formula, label: Double, formula: amount * 2, returns: currency}
---
object: item
label: Item
kind: child
title: text
fields:
  text: {type: text, label: Text}
  quantity: {type: integer, label: Quantity, default: 1}
  order: {type: reference, to: order, label: Order, master: true}
  parts: {type: table, of: part, by: item, label: Parts}
---
object: part
label: Part
kind: child
fields:
  name: {type: text, label: Name, required: true}
  item: {type: reference, to: item, label: Item, master: true}
---
object: talk
label: Talk
kind: child
title: text
fields:
  text: {type: text, label: Text}
  order: {type: reference, to: order, label: Order, master: true}
---
object: paper
label: Paper
fields:
  name: {type: text, label: Name, required: true}
  about: {type: polymorphic_reference, to: [order, client], label: About, master: true}
---
object: memo
label: Memo
fields:
  name: {type: text, label: Name, required: true}
  order: {type: reference, to: order, label: Order}
---
approval: sign_off
label: {en: Sign-off, zh-CN: 签批}
object: order
lock: {exempt: [remark, talks]}
flow:
  - approve: boss
    label: Boss
    approvers: [{user: boss}]
---
role: seller
label: Seller
objects:
  client: [create, read, update, delete]
  order: {can: [create, read, update, delete, import], rows: "owner == user.id"}
  memo: [create, read, update, delete]
  user: [read]
---
role: clerk
label: Clerk
objects:
  client: [create, read, update, delete]
---
role: process_admin
label: Process administrator
system: [manage_processes]
objects:
  client: [create, read, update, delete]
  order: [create, read, update, delete]
  memo: [create, read, update, delete]
  user: [read]
"""


def people(site: Running) -> None:
    site.user("boss", "admin", name="The Boss")
    site.user("lin", "seller", name="林悦", time_zone="Asia/Shanghai")
    site.user("sam", "seller", name="Sam")
    site.user("cleo", "clerk", name="Cleo")
    site.user("pat", "process_admin", name="Pat")
