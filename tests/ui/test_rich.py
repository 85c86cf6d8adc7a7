"""Formatted text on the page of a record."""

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
  story: {type: richtext, label: Story}
---
role: seller
label: Seller
objects: {deal: [create, read, update, delete]}
"""


def test_all_formatting_that_is_stored_is_shown() -> None:
    sent = (
        "<h1>Offer</h1><table><tbody><tr><td>12 t</td></tr></tbody></table><p><mark>soon</mark><script>x()</script></p>"
    )
    kept = "<h1>Offer</h1><table><tbody><tr><td>12 t</td></tr></tbody></table><p><mark>soon</mark></p>"
    with running("", [PACKAGE], ui="ui.pages:mount") as site:
        site.user("ann", "seller")
        deal = site.records("ann").create("deal", {"name": "Steel", "story": sent})
        assert deal["story"] == kept
        page = site.client("ann", by="session").get(f"/o/deal/{deal['id']}").text
    assert f'<div class="rich">{kept}</div>' in page
