"""Is one new file in a scanned package a whole field type: checked, stored, written, published in the schema?"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from engine.errors import BadInput
from engine.testing import Running, running

DOCS = Path(__file__).parents[2] / "docs" / "fields.md"
PACKAGE = """
package: library
version: 1.0.0
label: Library
---
object: book
label: Book
plural: Books
fields:
  name: {type: text, label: Name, required: true}
  number: {type: isbn, label: ISBN, unique: true}
---
role: librarian
label: Librarian
objects: {book: [create, read, update, delete]}
"""


def isbn_file() -> str:
    """The example of docs/fields.md: what stands there is what runs here."""
    match = re.search(r"```python\n(\"\"\"A book's number.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert match is not None
    return match[1]


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A package of plugins that holds nothing but the new file."""
    folder = tmp_path / "acme_library"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "isbn.py").write_text(isbn_file(), encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "acme_library"
    for name in [name for name in sys.modules if name.startswith("acme_library")]:
        del sys.modules[name]


@pytest.fixture
def library(database_url: str, acme: str) -> Iterator[Running]:
    with running(database_url, [PACKAGE], plugins=["plugins.base", acme]) as site:
        site.user("lin", "librarian")
        yield site


def test_records_hold_the_new_type(library: Running) -> None:
    records = library.records("lin")
    made = records.create("book", {"name": "Refactoring", "number": "978-0-13-475759-9"})
    assert made["number"] == "9780134757599"
    assert records.get("book", made["id"], ["number"])["number"] == "9780134757599"


def test_the_new_types_refusal_reaches_the_sender(library: Running) -> None:
    with pytest.raises(BadInput) as refused:
        library.records("lin").create("book", {"name": "Refactoring", "number": "978-0-13-475759-8"})
    (problem,) = refused.value.problems
    assert (problem.path, problem.code) == ("number", "value.isbn")
    assert problem.message == "'978-0-13-475759-8' is not an ISBN: its last digit does not fit the others"


def test_the_published_schema_has_the_new_type(library: Running) -> None:
    client: TestClient = library.client("lin")
    answer = client.post("/api/v1/records/book", json={"name": "Refactoring", "number": "9780134757599"})
    assert answer.status_code == 201
    schemas = client.get("/api/v1/openapi.json").json()["components"]["schemas"]
    assert "[0-9][0-9 -]{11,16}[0-9]" in str(schemas["book"]["properties"]["number"])


def test_a_definition_that_misuses_the_new_type_is_told_where(library: Running) -> None:
    wrong = PACKAGE.replace("type: isbn,", "type: isbn, publisher: 7,")
    with pytest.raises(AssertionError) as refused:
        library.publish(wrong)
    assert str(refused.value).splitlines()[1:] == [
        "package.yaml:11:35: fields.number.publisher: 'publisher' is a text, not the number 7 [value.type]",
        '    fix: write "7"',
    ]
