"""A package whose forms think along: conditions, formulas, dependent choices, record types and lines."""

from engine.testing import Running

PACKAGE = """\
package: workshop
version: 1.0.0
label: {en: Workshop, zh-CN: 工坊}
languages: [en, zh-CN]
---
object: region
label: {en: Region, zh-CN: 区域}
plural: {en: Regions, zh-CN: 区域}
icon: map-pin
color: teal
fields:
  name: {type: text, label: {en: Name, zh-CN: 名称}, required: true}
  discount: {type: percent, label: {en: Discount, zh-CN: 折扣}}
---
object: customer
label: {en: Customer, zh-CN: 客户}
plural: {en: Customers, zh-CN: 客户}
icon: building
color: azure
fields:
  name: {type: text, label: {en: Name, zh-CN: 名称}, required: true}
  is_key: {type: boolean, label: {en: Key customer, zh-CN: 重点客户}}
  region: {type: reference, to: region, label: {en: Region, zh-CN: 区域}}
  terms: {type: integer, label: {en: Days to pay, zh-CN: 账期（天）}}
---
object: product
label: {en: Product, zh-CN: 产品}
plural: {en: Products, zh-CN: 产品}
icon: package
color: purple
fields:
  name: {type: text, label: {en: Name, zh-CN: 名称}, required: true}
  price: {type: currency, label: {en: Price, zh-CN: 单价}}
---
object: quote
label: {en: Quote, zh-CN: 报价单}
plural: {en: Quotes, zh-CN: 报价单}
icon: file-invoice
color: orange
fields:
  name: {type: text, label: {en: Name, zh-CN: 名称}, required: true, length: 80}
  customer: {type: reference, to: customer, label: {en: Customer, zh-CN: 客户}, required: true}
  status:
    type: choice
    label: {en: Status, zh-CN: 状态}
    required: true
    default: draft
    choices:
      draft: {label: {en: Draft, zh-CN: 草稿}, color: gray}
      sent: {label: {en: Sent, zh-CN: 已发送}, color: blue}
      won: {label: {en: Won, zh-CN: 赢单}, color: green}
      lost: {label: {en: Lost, zh-CN: 丢单}, color: red}
      repaired: {label: {en: Repaired, zh-CN: 已修复}, color: teal}
  region: {type: reference, to: region, label: {en: Region, zh-CN: 区域}, fetch: customer.region}
  terms:
    type: integer
    label: {en: Days to pay, zh-CN: 账期（天）}
    fetch: customer.terms
    fetch_when: blank
  reason:
    type: text
    label: {en: Reason of the loss, zh-CN: 丢单原因}
    show_if: status == 'lost'
    require_if: status == 'lost'
    help: {en: One sentence is enough., zh-CN: 一句话即可。}
  discount:
    type: percent
    label: {en: Discount, zh-CN: 折扣}
    min: 0
    max: 100
    lock_if: status in ['won', 'sent']
    default: {formula: region.discount}
  starts: {type: date, label: {en: Starts, zh-CN: 开始日期}, default: today}
  ends: {type: date, label: {en: Ends, zh-CN: 结束日期}, default: {formula: starts + 30}}
  days: {type: formula, label: {en: Days, zh-CN: 天数}, formula: "DAYS_BETWEEN(starts, ends)", returns: integer}
  country:
    type: choice
    label: {en: Country, zh-CN: 国家}
    choices: {cn: {en: China, zh-CN: 中国}, de: {en: Germany, zh-CN: 德国}}
  city:
    type: choice
    label: {en: City, zh-CN: 城市}
    depends_on: country
    choices:
      shanghai: {label: {en: Shanghai, zh-CN: 上海}, for: cn}
      suzhou: {label: {en: Suzhou, zh-CN: 苏州}, for: cn}
      berlin: {label: {en: Berlin, zh-CN: 柏林}, for: de}
  district:
    type: choice
    label: {en: District, zh-CN: 区}
    depends_on: city
    choices:
      pudong: {label: {en: Pudong, zh-CN: 浦东}, for: shanghai}
      gusu: {label: {en: Gusu, zh-CN: 姑苏}, for: suzhou}
      mitte: {label: {en: Mitte, zh-CN: 米特}, for: berlin}
  serial:
    type: text
    label: {en: Serial number, zh-CN: 序列号}
    set_once: true
    copy: false
  notes: {type: longtext, label: {en: Notes, zh-CN: 备注}}
  lines: {type: table, of: quote_line, label: {en: Items, zh-CN: 明细}}
  total:
    type: rollup
    label: {en: Total, zh-CN: 合计}
    of: lines
    operation: sum
    field: amount
    returns: currency
  pieces:
    type: formula
    label: {en: Pieces, zh-CN: 件数}
    formula: SUM(lines, quantity)
    returns: integer
  net:
    type: formula
    label: {en: Net, zh-CN: 净额}
    formula: total * (100 - discount) / 100
    returns: currency
record_types:
  sale:
    label: {en: Sale, zh-CN: 销售}
    description: {en: Goods from stock., zh-CN: 库存商品。}
    choices: {status: [draft, sent, won, lost]}
    default: true
  repair:
    label: {en: Repair, zh-CN: 维修}
    description: {en: Work on a machine of the customer., zh-CN: 维修客户的机器。}
    choices: {status: [draft, sent, repaired]}
  rent: {label: {en: Rent, zh-CN: 租赁}, retired: true}
validations:
  - rule: ends_after_start
    error_if: ends < starts
    field: ends
    message: {en: It ends before it starts, zh-CN: 结束日期早于开始日期}
  - rule: not_too_long
    error_if: days > 400
    field: ends
    message:
      en: "{status}: {days * 3} thirds until {ends} are too many for {customer} of {customer.region}"
      zh-CN: "{status}：至{ends}共{days}天，对{customer}过长"
  - rule: deep_discount
    error_if: discount > 30
    level: warning
    field: discount
    message: {en: More than 30 % is unusual, zh-CN: 超过 30% 的折扣不常见}
  - rule: too_much
    error_if: total > 1000000
    message: {en: Quotes over a million need a contract, zh-CN: 超过一百万的报价需要合同}
  - rule: line_quantity
    each: lines
    error_if: quantity > 500
    field: quantity
    message: {en: At most 500 of a product, zh-CN: 每种产品最多 500 件}
---
object: quote_line
kind: child
label: {en: Item, zh-CN: 明细行}
plural: {en: Items, zh-CN: 明细行}
title: text
fields:
  quote: {type: reference, to: quote, master: true, label: {en: Quote, zh-CN: 报价单}}
  product: {type: reference, to: product, label: {en: Product, zh-CN: 产品}, required: true}
  text: {type: text, label: {en: Description, zh-CN: 说明}, fetch: product.name, fetch_when: blank}
  quantity: {type: integer, label: {en: Quantity, zh-CN: 数量}, min: 1, default: 1}
  price: {type: currency, label: {en: Price, zh-CN: 单价}, fetch: product.price}
  is_free: {type: boolean, label: {en: Free, zh-CN: 赠送}}
  amount:
    type: formula
    label: {en: Amount, zh-CN: 金额}
    formula: IF(is_free, 0, quantity * price)
    returns: currency
  why:
    type: text
    label: {en: Why free, zh-CN: 赠送原因}
    show_if: is_free
    require_if: is_free
  note: {type: longtext, label: {en: Note, zh-CN: 备注}}
---
layout: quote
object: quote
default: true
highlights: [customer, total, net]
path: status
tabs:
  - label: {en: Details, zh-CN: 详情}
    sections:
      - label: {en: Basics, zh-CN: 基本信息}
        columns: 2
        fields: [name, customer, status, reason, region, terms, starts, ends, days, serial]
      - label: {en: Place, zh-CN: 地点}
        columns: 3
        show_if: status != 'lost'
        fields: [country, city, district]
      - label: {en: Items, zh-CN: 明细}
        columns: 1
        fields: [lines]
      - label: {en: Sum, zh-CN: 汇总}
        columns: 2
        fields: [discount, pieces, total, net, {field: notes, span: 2}]
---
layout: quote_repair
object: quote
record_types: repair
path: status
sections:
  - label: {en: Repair, zh-CN: 维修}
    columns: 2
    fields: [name, customer, status, serial, {field: notes, span: 2}]
---
view: quote_all
object: quote
label: {en: All, zh-CN: 全部}
columns: [name, customer.name, status, total]
default: true
---
object: company_settings
kind: single
label: {en: Company settings, zh-CN: 公司设置}
plural: {en: Company settings, zh-CN: 公司设置}
icon: settings
fields:
  name: {type: text, label: {en: Name, zh-CN: 名称}}
  tax: {type: percent, label: {en: Tax, zh-CN: 税率}}
---
object: category
label: {en: Category, zh-CN: 类别}
plural: {en: Categories, zh-CN: 类别}
tree: parent
icon: sitemap
fields:
  name: {type: text, label: {en: Name, zh-CN: 名称}, required: true}
  parent: {type: reference, to: category, label: {en: Parent, zh-CN: 上级}}
---
object: task
label: {en: Task, zh-CN: 任务}
plural: {en: Tasks, zh-CN: 任务}
icon: checkbox
fields:
  name: {type: text, label: {en: Name, zh-CN: 名称}, required: true}
  customer: {type: reference, to: customer, label: {en: Customer, zh-CN: 客户}}
  quote:
    type: reference
    to: quote
    label: {en: Quote, zh-CN: 报价单}
    filter: customer == record.customer
  category: {type: reference, to: category, label: {en: Category, zh-CN: 类别}}
  products: {type: multi_reference, to: product, label: {en: Products, zh-CN: 产品}}
  about: {type: polymorphic_reference, to: [customer, quote], label: {en: About, zh-CN: 关于}}
---
menu: workshop
label: {en: Workshop, zh-CN: 工坊}
items: [{object: quote}, {object: customer}, {object: product}, {object: category}, {object: company_settings}]
---
role: seller
label: Seller
objects:
  quote: [create, read, update, delete]
  customer: [create, read, update, delete]
  product: [create, read]
  region: [create, read]
  category: [create, read, update, delete]
  task: [create, read, update, delete]
  company_settings: [read, update]
  user: [read]
---
role: clerk
label: Clerk
objects:
  quote: [create, read, update, delete]
  product: [read]
"""


def fill(site: Running) -> dict[str, str]:
    """People, and records by their names."""
    site.user("ann", "seller", name="Ann Lee", language="en", time_zone="UTC")
    site.user("ming", "seller", name="王小明", language="zh-CN", time_zone="Asia/Shanghai")
    site.user("cleo", "clerk", name="Cleo Clerk", language="en", time_zone="UTC")
    records, found = site.records("ann"), {}
    for name, discount in (("North", 5), ("South", 10)):
        found[name] = records.create("region", {"name": name, "discount": discount})["id"]
    for name, region, terms in (("Acme", "North", 30), ("华东精密机械", "South", 60)):
        values = {"name": name, "region": found[region], "terms": terms}
        found[name] = records.create("customer", values)["id"]
    for name, price in (("Gear box", 1250), ("Servo motor", 899.5), ("Cable", 12.3)):
        found[name] = records.create("product", {"name": name, "price": price})["id"]
    return found


def quote(site: Running, ids: dict[str, str], name: str, lines: int = 0, **more: object) -> str:
    """A quote for Acme with lines of 1 to 5 pieces."""
    products = ("Gear box", "Servo motor", "Cable")
    prices = {"Gear box": 1250, "Servo motor": 899.5, "Cable": 12.3}
    values = {
        "name": name, "customer": ids["Acme"], "region": ids["North"], "discount": 5, "starts": "2026-11-01",
        "ends": "2026-12-01", "record_type": "sale", **more,
        "lines": [
            {"product": ids[one], "text": one, "quantity": n % 5 + 1, "price": prices[one]}
            for n, one in ((n, products[n % 3]) for n in range(lines))
        ],
    }  # fmt: skip
    made: str = site.records("ann").create("quote", values)["id"]
    return made
