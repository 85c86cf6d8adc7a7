"""Files and images in forms, lists and pages."""

import io
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from engine.files import catalogue
from engine.testing import Running, running
from tests.files.conftest import PNG
from tests.ui.conftest import Shop, Visitors, served

PACKAGE = """\
package: works
version: 1.0.0
label: {en: Works, zh-CN: 工厂}
languages: [en, zh-CN]
---
object: machine
label: {en: Machine, zh-CN: 设备}
plural: {en: Machines, zh-CN: 设备}
fields:
  name: {type: text, label: {en: Name, zh-CN: 名称}, required: true}
  manual: {type: file, label: {en: Manual, zh-CN: 说明书}, accept: [.pdf], max_bytes: 1000}
  papers: {type: file, label: {en: Papers, zh-CN: 资料}, multiple: true, max_files: 2}
  photo: {type: image, label: {en: Photo, zh-CN: 照片}}
---
role: fitter
label: Fitter
objects: {machine: [create, read, update, delete], user: [read]}
---
role: guest
label: Guest
objects: {machine: [read]}
"""
PDF = {"name": "manual.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7 manual"}


@pytest.fixture(scope="module")
def shop(front_end: None) -> Iterator[Shop]:
    with running(packages=[PACKAGE], ui="ui.pages:mount") as site, served(site) as url:
        site.user("ann", "fitter", name="Ann Lee", language="en", time_zone="UTC")
        site.user("ming", "fitter", name="王小明", language="zh-CN", time_zone="Asia/Shanghai")
        site.user("gus", "guest")
        shop = Shop(site, url)
        values = {"name": "Lathe", "manual": upload(site, "报告.pdf", b"%PDF-1.7 " + b"x" * 500),
                  "papers": [upload(site, "a.txt", b"a"), upload(site, "<b>.txt", b"b")],
                  "photo": upload(site, "pump.png", PNG)}  # fmt: skip
        shop.deals["Lathe"] = site.records("ann").create("machine", values)["id"]
        yield shop


def upload(site: Running, name: str, content: bytes) -> str:
    return catalogue.add(site.context("ann"), name, io.BytesIO(content)).id


@pytest.mark.browser
def test_files_are_sent_while_the_form_is_open(visitor: Visitors) -> None:
    ann = visitor("ann")
    ann.go("/o/machine/new")
    page = ann.page
    manual, papers = (page.locator(f"fs-upload:has(#f-{name})") for name in ("manual", "papers"))
    page.get_by_label("Manual", exact=True).set_input_files({**PDF, "buffer": b"x" * 1001})
    expect(manual.get_by_role("alert")).to_have_text("manual.pdf has 1001 B; at most 1000 B are allowed")
    page.get_by_label("Manual", exact=True).set_input_files({**PDF, "name": "a.html", "mimeType": "text/html"})
    expect(manual.get_by_role("alert")).to_have_text("a.html is not of a kind that is taken here")
    # The browser goes by the name; the server looks inside.
    drawing = {"name": "a.png", "mimeType": "image/png", "buffer": b"<svg xmlns='http://www.w3.org/2000/svg'/>"}
    page.get_by_label("Photo", exact=True).set_input_files(drawing)
    expect(page.locator("fs-upload:has(#f-photo)").get_by_role("alert")).to_have_text(
        "a.png is not one of image/png, image/jpeg, image/gif, image/webp"
    )
    page.get_by_label("Manual", exact=True).set_input_files({**PDF, "name": "old.pdf"})
    expect(manual.get_by_role("link", name="old.pdf")).to_be_visible()
    page.get_by_label("Manual", exact=True).set_input_files(PDF)
    expect(manual.get_by_role("listitem")).to_have_count(1)
    expect(manual.get_by_role("listitem")).to_contain_text("manual.pdf")
    expect(manual.get_by_role("status")).to_have_text("manual.pdf was added")
    many = [{**PDF, "name": f"{letter}.pdf"} for letter in "abc"]
    page.get_by_label("Papers", exact=True).set_input_files(many)
    expect(papers.get_by_role("alert")).to_have_text("At most 2 files")
    papers.get_by_role("button", name="Remove a.pdf").focus()
    expect(papers.get_by_role("link")).to_have_count(2)  # both were sent
    expect(papers.get_by_role("button", name="Remove a.pdf")).to_be_focused()
    page.keyboard.press("Enter")
    expect(papers.get_by_role("listitem")).to_have_count(1)
    expect(page.get_by_label("Papers", exact=True)).to_be_focused()
    # Refused for its name, the form still holds what was sent.
    page.get_by_role("button", name="Save").click()
    page.locator("#f-name-wrong").wait_for()
    expect(page.locator("fs-upload:has(#f-papers)").get_by_role("listitem")).to_have_count(1)
    page.locator("#f-name").fill("Drill")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("heading", name="Drill", level=1).wait_for()
    with page.expect_download() as download:
        page.get_by_role("link", name="manual.pdf").click()
    assert download.value.suggested_filename == "manual.pdf"
    assert page.get_by_role("link", name="b.pdf").is_visible()


@pytest.mark.browser
def test_a_file_is_dropped_and_a_form_waits_for_what_is_on_its_way(visitor: Visitors) -> None:
    ann = visitor("ann")
    ann.go(f"/o/machine/{visitor.shop.deals['Lathe']}/edit")
    page = ann.page
    held = []
    page.route("**/files?*", lambda route: held.append(route))
    data = page.evaluate_handle("""() => {
        const data = new DataTransfer();
        data.items.add(new File(["%PDF-1.7 dropped"], "dropped.pdf", {type: "application/pdf"}));
        return data;
    }""")
    page.locator("fs-upload:has(#f-manual) .upload-drop").dispatch_event("drop", {"dataTransfer": data})
    expect(page.locator("fs-upload:has(#f-manual) progress")).to_be_visible()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Files are still being sent.")).to_be_visible()
    held[0].continue_()
    expect(page.get_by_role("link", name="dropped.pdf")).to_be_visible()
    expect(page.get_by_role("link", name="报告.pdf")).to_have_count(0)


@pytest.mark.browser
@pytest.mark.parametrize("is_phone", [False, True])
def test_all_can_use_files(visitor: Visitors, is_phone: bool) -> None:
    ming = visitor("ming", phone=is_phone, color_scheme="dark" if is_phone else "light")
    lathe = visitor.shop.deals["Lathe"]
    for path in ("/o/machine", f"/o/machine/{lathe}", f"/o/machine/{lathe}/edit"):
        ming.go(path)
        assert ming.violations() == []
        width = ming.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert width == 0, path
    picture = ming.page.locator(".upload-mark img")
    assert picture.evaluate("image => image.complete")


def test_cells_show_names_sizes_and_pictures(shop: Shop) -> None:
    client = shop.site.client("ann", by="session")
    listed = client.get("/o/machine").text
    assert '<span class="cut">报告.pdf</span>' in listed
    assert "&lt;b&gt;.txt" in listed
    assert '<img src="/files/' in listed
    page = client.get(f"/o/machine/{shop.deals['Lathe']}").text
    assert "<small>509 B</small>" in page


def test_the_history_says_names(shop: Shop) -> None:
    records = shop.site.records("ann")
    made = records.create("machine", {"name": "Past", "manual": upload(shop.site, "old.pdf", b"%PDF-1")})["id"]
    records.update("machine", made, {"manual": upload(shop.site, "new.pdf", b"%PDF-2")})
    page = shop.site.client("ann", by="session").get(f"/o/machine/{made}").text
    assert "changed Manual from old.pdf to new.pdf" in page


def test_a_download_is_for_readers_and_safe(shop: Shop) -> None:
    file = shop.site.records("ann").get("machine", shop.deals["Lathe"])["manual"]["id"]
    got = shop.site.client("gus", by="session").get(f"/files/{file}")
    assert got.status_code == 200
    assert got.headers["content-disposition"].startswith("attachment; ")
    assert got.headers["content-security-policy"] == "sandbox; default-src 'none'"
    loose = upload(shop.site, "loose.txt", b"loose")
    for one in (loose, "0199f2c4-5d1e-7a3b-8c4d-5e6f708192a3"):
        assert shop.site.client("gus", by="session").get(f"/files/{one}").status_code == 404
    signed_out = shop.site.client().get(f"/files/{file}")
    assert (signed_out.status_code, signed_out.headers["location"][:12]) == (303, "/login?next=")


@pytest.mark.parametrize(
    ("username", "content", "headers", "status", "text"),
    [
        ("ming", b"", {}, 422, "文件是空的"),
        ("ming", b"x" * 1001, {}, 422, "a.pdf 大小为 1001 B，最大允许 1000 B"),
        ("ming", b"x", {"x-csrf-token": "wrong"}, 403, "This page was open too long. Please try again."),
        ("gus", b"x", {}, 403, "You may not do that Your roles do not allow it. An administrator can change that."),
        ("", b"x", {}, 401, "Your session is over. Sign in again in another tab, then try once more."),
    ],
)
def test_what_cannot_be_sent_is_told(
    shop: Shop, username: str, content: bytes, headers: dict[str, str], status: int, text: str
) -> None:
    client = shop.site.client(username, by="session") if username else shop.site.client()
    if username == "ming" and not headers:
        client.cookies.set("fieldstone_language", "zh-CN")
    answer = client.post("/files?object=machine&field=manual&name=a.pdf", content=content, headers=headers)
    assert (answer.status_code, answer.json()) == (status, {"error": text})


def test_a_form_that_holds_others_files_is_refused_at_the_field(shop: Shop) -> None:
    foreign = catalogue.add(shop.site.context("ming"), "own.pdf", io.BytesIO(b"%PDF")).id
    client = shop.site.client("ann", by="session")
    for held in (
        foreign,
        f'{{"id": "{foreign}", "name": "x.pdf", "type": "application/pdf", "size": 1}}',
        "{broken",
        "x",
    ):
        answer = client.post("/o/machine/new", data={"name": "Stolen", "manual": ["", held],
                                                     "_csrf": client.headers["x-csrf-token"]})  # fmt: skip
        assert answer.status_code == 422
        assert 'id="f-manual-wrong"' in answer.text
