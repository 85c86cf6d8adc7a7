"""Names of files without tricks, and types by content."""

import pytest

from engine.files.kinds import disposition, safe_name, size_text, type_of

PNG = b"\x89PNG\r\n\x1a\n1234"


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("report.pdf", "report.pdf"),
        ("报告 2026.pdf", "报告 2026.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ann\\report.pdf", "report.pdf"),
        ("..", "file"),
        ("a/..", "file"),
        ("", "file"),
        (" \t", "file"),
        ("\u202ecod.exe", "cod.exe"),
        ("in\u202evoice\u2066gpj.exe", "invoicegpj.exe"),
        ("a\x00b\r\nc\x7f.txt", "abc.txt"),
        ("half \ud800.txt", "half ?.txt"),
        ("ends. . ", "ends"),
        (".profile", ".profile"),
        ("e\u0301t\u00e9.txt", "été.txt"),
        ("x" * 300 + ".pdf", "x" * 196 + ".pdf"),
        ("家" * 300, "家" * 200),
        ("\u200d", "file"),
    ],
)
def test_a_name_is_made_safe(sent: str, kept: str) -> None:
    assert safe_name(sent) == kept


@pytest.mark.parametrize(
    ("head", "name", "found"),
    [
        (PNG, "a.png", ("image/png", "a.png")),
        (PNG, "a.PNG", ("image/png", "a.PNG")),
        (b"\xff\xd8\xff\xe0", "a.jpeg", ("image/jpeg", "a.jpeg")),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "a.webp", ("image/webp", "a.webp")),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "a.webp", ("application/octet-stream", "a.webp")),
        (b"GIF89a/*<script>alert(1)</script>*/", "page.html", ("image/gif", "page.html.gif")),
        (PNG, "script.js", ("image/png", "script.js.png")),
        (b"%PDF-1.7", "a.bin", ("application/pdf", "a.bin")),
        (b" %PDF-1.7", "a.pdf", ("application/octet-stream", "a.pdf")),
        (b"PK\x03\x04", "a.xlsx", ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "a.xlsx")),
        (b"PK\x03\x04", "a.jar", ("application/zip", "a.jar")),
        (b"hello", "a.txt", ("text/plain", "a.txt")),
        (b"a\x00b", "a.txt", ("application/octet-stream", "a.txt")),
        (b"<html><script>", "a.html", ("application/octet-stream", "a.html")),
        (b"<svg onload='x'>", "a.svg", ("application/octet-stream", "a.svg")),
        (b"<svg onload='x'>", "a.png", ("application/octet-stream", "a.png")),
        (b"alert(1)", "a.js", ("application/octet-stream", "a.js")),
        (b"<html>", "a.txt", ("text/plain", "a.txt")),
        (b"", "a.png", ("application/octet-stream", "a.png")),
    ],
)
def test_a_type_follows_from_the_content(head: bytes, name: str, found: tuple[str, str]) -> None:
    assert type_of(head, name) == found


def test_the_name_in_the_header_cannot_leave_its_quotes() -> None:
    assert disposition("报告.pdf") == "attachment; filename=\"__.pdf\"; filename*=UTF-8''%E6%8A%A5%E5%91%8A.pdf"
    assert disposition('a"; filename="b.exe') == (
        "attachment; filename=\"a_; filename=_b.exe\"; filename*=UTF-8''a%22%3B%20filename%3D%22b.exe"
    )


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1 KB"), (200_000, "195 KB"), (10 * 1024**2, "10 MB"), (3_565_158, "3.4 MB")],
)
def test_a_size_is_short(size: int, text: str) -> None:
    assert size_text(size) == text
