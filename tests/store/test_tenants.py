"""Where a tenant lives, and which version of it runs."""

from pathlib import Path

import pytest

from engine.errors import BadInput
from engine.registry import Plugins
from engine.tenants import open_tenant, storage_of


@pytest.mark.parametrize(
    ("url", "name", "database", "schema"),
    [
        ("", "main", "data/main.db", "public"),
        ("", "north", "data/north.db", "public"),
        ("sqlite:///crm.db", "main", "crm.db", "main"),
        ("sqlite:///crm.db", "north", "crm-north.db", "north"),
        ("postgresql://localhost/crm", "north", "crm", "north"),
    ],
)
def test_a_tenants_storage(url: str, name: str, database: str, schema: str) -> None:
    found = storage_of(url, Path("data"), name)
    assert (found.url.database, found.schema) == (database, schema)


@pytest.mark.parametrize("name", ["", "North", "a b", "../x", "pg_x", "public", "a" * 64, "北"])
def test_a_name_that_is_no_schemas_is_refused(name: str) -> None:
    with pytest.raises(BadInput) as refusal:
        storage_of("", Path("data"), name)
    assert refusal.value.code == "tenant.name"


def test_an_empty_database_runs_version_0_and_stays_empty(tmp_path: Path) -> None:
    tenant = open_tenant("", tmp_path / "data", plugins=Plugins())
    assert tenant.snapshot().version == 0
    assert dict(tenant.snapshot().definitions.objects) == {}
    assert list(tmp_path.iterdir()) == []
