"""Where fields stand on the page of a record."""

from engine.testing import running

PACKAGE = """
package: p
version: 1.0.0
label: P
---
object: deal
label: Deal
fields:
  name: {type: text, label: Name, required: true}
  pieces: {type: integer, label: Pieces}
  secret_note: {type: text, label: Secret note, hidden: true}
MORE
---
layout: deal
object: deal
sections:
  - {label: The sale, fields: [name, pieces]}
---
role: seller
label: Seller
objects: {deal: [create, read, update, delete]}
"""


def test_a_new_field_is_seen_before_the_layout_names_it() -> None:
    with running("", [PACKAGE.replace("MORE\n", "")], ui="ui.pages:mount") as site:
        site.user("ann", "seller")
        deal = site.records("ann").create("deal", {"name": "Blue door", "pieces": 3})["id"]
        client = site.client("ann", by="session")
        page = client.get(f"/o/deal/{deal}").text
        assert "The sale" in page
        assert "More fields" not in page
        site.publish(PACKAGE.replace("MORE", "  budget: {type: currency, label: Budget approved}"))
        for address in (f"/o/deal/{deal}", f"/o/deal/{deal}/edit", "/o/deal/new"):
            page = client.get(address).text
            assert "More fields" in page
            assert "Budget approved" in page
            assert "Secret note" not in page
