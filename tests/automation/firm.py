"""A firm with leads and tasks; tests add the automations."""

FIRM = """
package: firm
version: 1.0.0
languages: [en, zh-CN]
label: Firm
---
object: lead
label: Lead
fields:
  name: {type: text, required: true}
  key: {type: text, unique: true}
  rating: {type: choice, choices: {cold: Cold, warm: Warm, hot: Hot}}
  score: {type: integer}
  hint: {type: text}
  due: {type: date}
  amount: {type: currency}
  account: {type: reference, to: account}
  items: {type: table, of: item}
  total: {type: rollup, of: item, operation: sum, field: price, returns: currency}
---
object: account
label: Account
fields:
  name: {type: text, required: true}
  region: {type: text}
  parent: {type: reference, to: account}
  keeper: {type: reference, to: user}
---
object: item
label: Item
kind: child
fields:
  name: {type: text, required: true}
  lead: {type: reference, to: lead, master: true}
  price: {type: currency}
---
object: task
label: Task
fields:
  name: {type: text, required: true}
  lead: {type: reference, to: lead, on_delete: cascade}
  state: {type: choice, default: open, choices: {open: Open, done: Done}}
  due: {type: date}
---
role: seller
label: Seller
objects:
  lead: [create, read, update, delete]
  account: [create, read, update]
  task: [create, read, update, delete]
  user: [read]
---
role: newcomer
label: Newcomer
objects:
  lead: [create, read, update, delete]
"""
