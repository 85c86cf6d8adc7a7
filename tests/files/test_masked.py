"""Is a file kept from whoever sees the mask of its field only?"""

from dataclasses import replace
from typing import Any

import pytest

from engine.access.scope import Scope
from engine.errors import NotFound
from engine.files import catalogue
from engine.testing import Running
from tests.files.test_rights import upload


def test_a_file_in_a_masked_field_is_not_given_out(workshop: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """Definitions cannot mask a file: this holds for a Scope that does all the same."""
    file = upload(workshop, "ann")
    workshop.records("ann").create("machine", {"name": "m", "manual": file})
    assert catalogue.get(workshop.context("cid"), file).id == file
    readable = Scope.readable

    def masked(scope: Scope, object_name: str) -> dict[str, Any]:
        found = readable(scope, object_name)
        return {**found, "manual": replace(found["manual"], is_masked=True)} if "manual" in found else found

    workshop.tenant.snapshot().cache.clear()
    monkeypatch.setattr(Scope, "readable", masked)
    with pytest.raises(NotFound):
        catalogue.get(workshop.context("cid"), file)
