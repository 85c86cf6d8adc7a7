from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.publish.stage import Stage


@pytest.fixture
def stage(database_url: str, tmp_path: Path) -> Iterator[Stage]:
    made = Stage(database_url, tmp_path)
    yield made
    made.tenant.close()
