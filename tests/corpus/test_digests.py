"""Metadata of other applications is loaded, published, filled and shown. Skipped where the digests are not at hand."""

import os
from pathlib import Path

import pytest

from engine.publish import plan
from engine.testing import Running, running
from tests.corpus.convert import convert, read_digest
from tests.corpus.exercise import Exercise
from tests.depth import IS_DEEP

DIGESTS = ("helpdesk", "ebikes", "outbound_funds", "steedos_contract", "corteza_service", "npsp")
LARGE = ("helpdesk", "steedos_contract", "corteza_service", "npsp")
FOLDER = Path(os.environ.get("CORPORA") or Path(__file__).parents[3] / "shared/corpora")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not FOLDER.is_dir(), reason="no digests: set CORPORA to the folder that holds them"),
]


def published(site: Running, *folders: Path) -> Exercise:
    site.publish(*folders)
    assert plan(site.tenant, folders).steps == ()
    return Exercise(site)


@pytest.mark.parametrize("digest", DIGESTS)
def test_a_foreign_application_works(digest: str, database_url: str, tmp_path: Path) -> None:
    if digest in LARGE and database_url.startswith("postgresql") and not IS_DEEP:
        pytest.skip("the large ones are tried on SQLite; on PostgreSQL in make deep")
    convert(read_digest(FOLDER / f"{digest}.json"), tmp_path / digest)
    with running(database_url, ui="ui.pages:mount") as site:
        # Pages ask no database of their own: one of the two is enough for them.
        faults = published(site, tmp_path / digest).run(pages=database_url.startswith("sqlite"))
    assert not faults, "\n".join(faults)


@pytest.mark.skipif(not IS_DEEP, reason="each alone is tried already; all six at once in make deep")
def test_all_of_them_work_in_one_tenant(database_url: str, tmp_path: Path) -> None:
    folders = [tmp_path / name for name in DIGESTS]
    taken: set[str] = set()
    for folder in folders:
        made = convert(read_digest(FOLDER / f"{folder.name}.json"), folder, taken=taken)
        taken |= set(made.names)
    with running(database_url, ui="ui.pages:mount") as site:
        faults = published(site, *folders).run(pages=False)
    assert not faults, "\n".join(faults)
