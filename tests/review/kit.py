"""A package of our own for these tests."""

KIT = """
package: kit
version: 1.0.0
label: Kit
---
object: part
label: Part
fields:
  name: {type: text, label: Name, required: true, length: 80}
  code: {type: text, label: Code, unique: true}
  size: {type: integer, label: Size}
  weight: {type: decimal, label: Weight}
  is_new: {type: boolean, label: New}
  made_on: {type: date, label: Made on}
  sold_at: {type: datetime, label: Sold at}
  opens: {type: time, label: Opens}
"""
