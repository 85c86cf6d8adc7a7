"""Do the screens show and change the same on both databases?"""

import re

from engine.testing import running
from tests.ui.conftest import PACKAGE, Shop, filled


def test_pages_are_the_same_whichever_database_is_behind(front_end: None, database_url: str) -> None:
    with running(database_url, packages=[PACKAGE], ui="ui.pages:mount") as site:
        shop = filled(Shop(site, ""))
        client = site.client("ann", by="session")
        deal, acme = shop.deals["Deal 01"], shop.companies["Acme"]
        for path in ("/", f"/o/deal/{deal}", f"/o/company/{acme}", "/o/deal/new", "/o/deal/deleted", "/search?q=acme"):
            assert client.get(path).status_code == 200, path
        listed = client.get(
            f"/o/deal?q=deal&is.stage=open&is.is_private=true&where=amount~ge~2,000&where=company~is~{acme}"
            "&where=close_date~le~2026-12-20&where=tags~blank~&where=contact_mail~not~x@example.com&sort=-company.name"
        )
        assert re.findall(r'id="count" role="status">([^<]*)<', listed.text) == ["5 records"]
        sent = {"name": "Renamed", "amount": "1,234.50", "call_at": "2026-12-01T09:30", "tags": ["", "key", "far"]}
        assert client.post(f"/o/deal/{deal}/edit", data=sent).status_code == 303
        page = client.get(f"/o/deal/{deal}").text
        for shown in ("Renamed", "¥1,234.50", "Dec 1, 2026 9:30", "Key account", "Far away", "from Deal 01 to Renamed"):
            assert shown in page, shown
        assert client.post(f"/o/deal/{deal}/delete").status_code == 303
        assert client.get(f"/o/deal/{deal}").status_code == 404
        assert "Renamed" in client.get("/o/deal/deleted").text
        assert client.post(f"/o/deal/{deal}/restore").status_code == 303
        assert client.get(f"/o/deal/{deal}").status_code == 200
