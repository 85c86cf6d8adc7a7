"""The package that these tests publish."""

SHOP = """
package: shop
version: 1.0.0
label: {en: Shop, zh-CN: 商店}
requires: {system: ">=0.1"}
languages: [en, zh-CN]
---
object: account
label: {en: Account, zh-CN: 客户}
fields:
  name: {type: text, label: {en: Name, zh-CN: 名称}, required: true, length: 80}
  code: {type: text, label: Code, unique: true, length: 20}
  credit: {type: currency, label: Credit, min: 0}
duplicates:
  - {rule: same_company, match: {name: company}}
  - {rule: same_code, match: {code: {how: fuzzy, threshold: 90}}, action: block, filter: "credit != 13"}
---
object: deal
label: {en: Deal, zh-CN: 商机}
fields:
  name: {type: text, label: {en: Name, zh-CN: 名称}, required: true, length: 80}
  stage:
    type: choice
    label: {en: Stage, zh-CN: 阶段}
    required: true
    default: new
    choices: {new: {label: {en: New, zh-CN: 新建}, color: gray}, won: Won, lost: Lost}
  amount: {type: currency, label: Amount, min: 0}
  close_date: {type: date, label: Close date}
  called_at: {type: datetime, label: Last call}
  is_hot: {type: boolean, label: Hot}
  account: {type: reference, to: account, label: Account, on_delete: restrict}
---
object: secret
label: Secret
fields:
  name: {type: text, label: Name, length: 80}
---
role: seller
label: Seller
objects:
  account: [read]
  deal: {can: [create, read, update, delete], rows: "owner == user.id"}
---
role: reader
label: Reader
objects:
  account: [read]
  deal: [read]
"""
