"""A message of a validation tells nobody what they see the mask of, or nothing of."""

import pytest

from engine.errors import BadInput
from engine.testing import running
from tests.access.conftest import NOW

PACKAGE = """
package: desk
version: 1.0.0
label: Desk
languages: [en]
---
object: person
label: Person
fields:
  name: {type: text, label: Name, required: true}
  phone: {type: text, label: Phone, mask: phone}
  secret: {type: text, label: Secret}
  size: {type: integer, label: Size}
validations:
  - {rule: small, error_if: size > 5, message: "{name} - {phone} - {secret}", field: size}
---
role: all
label: All
objects:
  person: [create, read, update]
---
role: part
label: Part
objects:
  person: {can: [create, read, update], fields: {phone: masked, secret: hidden, "*": edit}}
"""


def test_what_is_masked_or_hidden_is_left_out_of_a_message(database_url: str) -> None:
    with running(database_url, [PACKAGE], now=NOW) as site:
        site.user("ann", "all")
        site.user("bob", "part")
        values = {"name": "Eve", "phone": "13812345678", "secret": "canary"}
        one = site.records("ann").create("person", values)["id"]
        said = {}
        for username in ("ann", "bob"):
            with pytest.raises(BadInput) as refusal:
                site.records(username).update("person", one, {"size": 6})
            said[username] = refusal.value.problems[0].message
        assert said == {"ann": "Eve - 13812345678 - canary", "bob": "Eve - … - …"}
