"""Files over HTTP: sent raw or in a form, within limits, and given back in a way that runs nothing."""

import hashlib
import io
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from engine.testing import Running, running
from tests.files.conftest import NOW, PNG, WORKSHOP, people

FILES = "/api/v1/files"
PDF = b"%PDF-1.7 manual"


@pytest.fixture
def workshop(sqlite_url: str) -> Iterator[Running]:
    with running(sqlite_url, [WORKSHOP], now=NOW, max_file_bytes=2_000_000) as site:
        people(site)
        yield site


def sent(client: TestClient, content: bytes = PDF, name: str = "manual.pdf", **more: object) -> dict:
    answer = client.post(FILES, params={"name": name}, content=content, **more)
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_a_raw_body_becomes_a_file_and_comes_back(workshop: Running) -> None:
    ann = workshop.client("ann")
    answer = ann.post(f"{FILES}?name=%E6%8A%A5%E5%91%8A.pdf", content=PDF, headers={"content-type": "text/html"})
    assert answer.status_code == 201
    made = answer.json()
    assert made == {"id": made["id"], "name": "报告.pdf", "type": "application/pdf", "size": 15}
    assert answer.headers["location"] == f"{FILES}/{made['id']}"
    got = ann.get(answer.headers["location"])
    assert (got.status_code, got.content) == (200, PDF)
    assert {name: got.headers[name] for name in (
        "content-type", "content-length", "content-disposition", "x-content-type-options", "content-security-policy",
        "cross-origin-resource-policy", "cache-control", "accept-ranges", "vary",
    )} == {
        "content-type": "application/pdf", "content-length": "15",
        "content-disposition": "attachment; filename=\"__.pdf\"; filename*=UTF-8''%E6%8A%A5%E5%91%8A.pdf",
        "x-content-type-options": "nosniff", "content-security-policy": "sandbox; default-src 'none'",
        "cross-origin-resource-policy": "same-origin", "cache-control": "private, no-cache", "accept-ranges": "none",
        "vary": "Authorization, Cookie",
    }  # fmt: skip


def test_one_part_of_a_form_becomes_a_file(workshop: Running) -> None:
    ann = workshop.client("ann")
    made = ann.post(FILES, files={"file": ("../../pump.png", PNG, "text/html")})
    assert (made.status_code, made.json()["name"], made.json()["type"]) == (201, "pump.png", "image/png")
    assert ann.get(f"{FILES}/{made.json()['id']}").content == PNG
    two = ann.post(FILES, files=[("a", ("a.txt", b"a")), ("b", ("b.txt", b"b"))])
    assert (two.status_code, two.json()["code"]) == (400, "body.malformed")
    none = ann.post(FILES, data={"a": "b"}, files={})
    assert none.status_code == 201  # not a multipart form: these bytes are the file
    empty = ann.post(FILES, content=b"--x--\r\n", headers={"content-type": "multipart/form-data; boundary=x"})
    assert (empty.status_code, empty.json()["code"]) == (400, "body.malformed")
    unbound = ann.post(FILES, content=b"x", headers={"content-type": "multipart/form-data"})
    assert (unbound.status_code, unbound.json()["code"]) == (400, "body.malformed")


def test_a_large_file_comes_whole_and_in_pieces(workshop: Running) -> None:
    ann, content = workshop.client("ann"), bytes(range(256)) * 7800
    for made in (sent(ann, content, "big.bin"),
                 ann.post(FILES, files={"file": ("big.bin", io.BytesIO(content))}).json()):  # fmt: skip
        assert made["size"] == 1_996_800
        got = ann.get(f"{FILES}/{made['id']}")
        assert hashlib.sha256(got.content).digest() == hashlib.sha256(content).digest()


def test_what_is_too_large_is_refused_whatever_its_length_claims(workshop: Running) -> None:
    ann = workshop.client("ann")

    def endless() -> Iterator[bytes]:
        for _ in range(40):
            yield b"x" * 100_000

    raw = ann.post(FILES, content=b"x" * 2_000_001)
    chunked = ann.post(FILES, content=endless())
    form = ann.post(FILES, files={"file": ("a", b"x" * 2_000_001)})
    for answer in (raw, chunked, form):
        assert (answer.status_code, answer.json()["code"]) == (413, "file.large")
        assert answer.json()["detail"] == "the file is larger than 1.9 MB"
    lying = ann.post(FILES, content=endless(), headers={"content-length": "10"})
    assert lying.status_code == 413
    assert list(workshop.tenant.files.hashes()) == []
    assert [path for path in (workshop.folder / "files").rglob("*") if path.is_file()] == []


def test_an_empty_or_compressed_body_is_refused(workshop: Running) -> None:
    ann = workshop.client("ann")
    empty = ann.post(FILES, content=b"")
    assert (empty.status_code, empty.json()["code"]) == (422, "file.empty")
    packed = ann.post(FILES, content=b"x", headers={"content-encoding": "gzip"})
    assert (packed.status_code, packed.json()["code"]) == (415, "body.encoding")
    assert ann.post(f"{FILES}?nam=x", content=b"x").json()["code"] == "query.unknown"


def test_who_may_not_upload_is_told_before_the_file_is_read(workshop: Running) -> None:
    def never() -> Iterator[bytes]:
        raise AssertionError("the body was read")
        yield b""

    nobody = workshop.client().post(FILES, content=never())
    guest = workshop.client("gus").post(FILES, content=never())
    assert (nobody.status_code, guest.status_code) == (401, 403)
    assert guest.json()["code"] == "file.upload.forbidden"


def test_a_session_uploads_with_its_csrf_token_only(workshop: Running) -> None:
    ann = workshop.client("ann", by="session")
    assert ann.post(FILES, content=b"x").status_code == 201
    for token in ("", "wrong"):
        answer = ann.post(FILES, content=b"x", headers={"x-csrf-token": token})
        assert (answer.status_code, answer.json()["code"]) == (403, "csrf")
        form = ann.post(FILES, files={"file": ("a", b"x")}, data={}, headers={"x-csrf-token": token})
        assert (form.status_code, form.json()["code"]) == (403, "csrf")


def test_what_is_not_ones_own_and_what_is_not_there_answer_alike(workshop: Running) -> None:
    file = sent(workshop.client("ann"))["id"]
    bob = workshop.client("bob")
    for one in (file, "0199f2c4-5d1e-7a3b-8c4d-5e6f708192a3", "..%2f..%2fetc%2fpasswd", "x"):
        answer = bob.get(f"{FILES}/{one}")
        body = answer.json()
        assert (answer.status_code, body["code"]) == (404, "file.unknown")
        assert body["detail"].startswith("no file has the id '")
    record = bob.post("/api/v1/records/machine", json={"manual": file}).json()
    assert [problem["code"] for problem in record["problems"]] == ["value.file.unknown"]


@pytest.mark.parametrize(
    ("content", "name", "kind"),
    [
        (b"<html><script>alert(1)</script>", "page.html", "application/octet-stream"),
        (b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "a.svg",
         "application/octet-stream"),
        (b"GIF89a/*<script>*/=1;alert(1)", "a.js", "image/gif"),
        (b"\xff\xd8\xff<html><script>alert(1)</script>", "a.htm", "image/jpeg"),
        (b"<script>alert(1)</script>", "notes.txt", "text/plain"),
    ],
)  # fmt: skip
def test_what_could_run_is_never_shown(workshop: Running, content: bytes, name: str, kind: str) -> None:
    ann = workshop.client("ann")
    got = ann.get(f"{FILES}/{sent(ann, content, name)['id']}")
    assert got.content == content
    assert got.headers["content-type"] == kind
    assert got.headers["content-disposition"].startswith("attachment; ")
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["content-security-policy"] == "sandbox; default-src 'none'"


def test_a_range_gives_the_whole_and_head_gives_none_of_it(workshop: Running) -> None:
    ann = workshop.client("ann")
    address = f"{FILES}/{sent(ann)['id']}"
    many = ann.get(address, headers={"range": "bytes=" + ",".join("0-1" for _ in range(1000))})
    assert (many.status_code, many.content) == (200, PDF)
    head = ann.head(address)
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", "15")


def test_an_unchanged_file_is_not_sent_again(workshop: Running) -> None:
    ann = workshop.client("ann")
    address = f"{FILES}/{sent(ann)['id']}"
    tag = ann.get(address).headers["etag"]
    again = ann.get(address, headers={"if-none-match": tag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert workshop.client("bob").get(address, headers={"if-none-match": tag}).status_code == 404


def test_an_upload_that_is_sent_again_is_one(workshop: Running) -> None:
    ann, key = workshop.client("ann"), {"idempotency-key": "one"}
    first, again = sent(ann, headers=key), sent(ann, headers=key)
    assert first == again
    other = ann.post(FILES, params={"name": "manual.pdf"}, content=b"other", headers=key)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency.reused")


def test_a_lost_content_is_told_to_who_may_have_it(workshop: Running, caplog: pytest.LogCaptureFixture) -> None:
    ann = workshop.client("ann")
    file = sent(ann)["id"]
    for one in list(workshop.tenant.files.hashes()):
        workshop.tenant.files.delete(one)
    answer = ann.get(f"{FILES}/{file}")
    assert (answer.status_code, answer.json()["code"]) == (404, "file.lost")
    assert file in caplog.text
    assert workshop.client("bob").get(f"{FILES}/{file}").json()["code"] == "file.unknown"


def test_ten_thousand_files_in_one_value_are_refused(workshop: Running) -> None:
    ann = workshop.client("ann")
    file = sent(ann)["id"]
    answer = ann.post("/api/v1/records/machine", json={"papers": [file] * 10_000})
    assert [problem["code"] for problem in answer.json()["problems"]] == ["value.file.many"]


def test_a_record_shows_its_files_as_openapi_says(workshop: Running) -> None:
    ann = workshop.client("ann")
    document = ann.get("/api/v1/openapi.json").json()
    assert set(document["paths"]["/files"]) == {"post"}
    assert set(document["paths"]["/files/{id}"]) == {"get", "parameters"}
    schema = document["components"]["schemas"]["machine.create"]["properties"]["papers"]
    assert (schema["type"], schema["maxItems"]) == (["array", "null"], 3)
    made = ann.post("/api/v1/records/machine", json={"papers": [sent(ann)["id"]]}).json()
    assert [set(one) for one in made["papers"]] == [{"id", "name", "type", "size"}]
