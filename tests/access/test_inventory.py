"""Every route, who may call it, and what is told to whom may not: nobody, a person without rights, another tenant.

A route that is not in the table fails: whoever adds one says here what it answers.
"""

import re
from collections.abc import Iterator

import pytest
from starlette.routing import Route

from engine.api.operations import Api
from engine.api.site import CSRF_HEADER
from engine.people.sessions import COOKIE
from engine.testing import Running, running
from tests.access.conftest import NOW
from tests.api.shop import SHOP
from tests.state import state

GONE = "019ab000-0000-7000-8000-000000000000"
VALUES = {"object": "deal", "id": "", "field": "name", "value": "x", "share": GONE, "digest": "0", "path:path": "x",
          "provider": "x", "name": "x", "task": GONE, "action": "approve",
          "automation": "x"}  # fmt: skip
BODIES: dict[str, dict[str, object]] = {  # so that it is the rights that refuse, not what was sent
    "POST /api/v1/records/{object}/batch": {"operations": [{"action": "create", "values": {"name": "a"}}]},
    "POST /api/v1/records/{object}/{id}/merge": {"others": [GONE]},
    "POST /api/v1/records/{object}/{id}/unmask": {"field": "name"},
    "POST /api/v1/users/{id}/handover": {"to": GONE},
    "POST /api/v1/agents": {"user": GONE},
    "POST /api/v1/automations/{automation}/run": {"records": [GONE]},
    "POST /api/v1/approvals/bulk": {"tasks": [GONE]},
    "POST /api/v1/privacy/{object}/{id}/erase": {"confirm": "{id}"},
}

RIGHTS = "the system permission manage_rights; the person and the record as for read"

APPROVAL = "taking part in the approval, reading its record, or manage_processes"

AGENTS = "one's own; of others: manage_processes"
PART = "approvals: takes part; each action its own"
SEEN = "approvals: takes part, or records: read, or manage_processes; each action its own"

INVENTORY: dict[str, tuple[str, int, int]] = {
    # route: (what it asks, status for nobody, status for a person without rights)
    "GET /api/v1/records/{object}": ("read", 401, 404),
    "GET /api/v1/records/{object}/{id}": ("read", 401, 404),
    "POST /api/v1/records/{object}": ("create", 401, 404),
    "PATCH /api/v1/records/{object}/{id}": ("update", 401, 404),
    "DELETE /api/v1/records/{object}/{id}": ("delete", 401, 404),
    "POST /api/v1/records/{object}/{id}/restore": ("delete", 401, 404),
    "PUT /api/v1/records/{object}/by/{field}/{value}": ("create, update", 401, 404),
    "POST /api/v1/records/{object}/batch": ("each operation's own", 401, 404),
    "POST /api/v1/records/{object}/imported": ("import, and read", 401, 404),
    "GET /api/v1/duplicates/{object}/{id}": ("read", 401, 404),
    "POST /api/v1/records/{object}/{id}/merge": ("update of the record, delete of the others", 401, 404),
    "POST /api/v1/records/{object}/{id}/unmerge": ("update of the record, delete of the others", 401, 404),
    "GET /api/v1/records/{object}/{id}/shares": ("share and update of the record", 401, 404),
    "POST /api/v1/records/{object}/{id}/shares": ("share and update of the record", 401, 404),
    "DELETE /api/v1/records/{object}/{id}/shares/{share}": ("share and update of the record", 401, 404),
    "POST /api/v1/records/{object}/{id}/unmask": ("unmask, and read of the record", 401, 404),
    "POST /api/v1/records/{object}/{id}/submit": (
        "read of the record, and what the approval says of submitters",
        401,
        404,
    ),
    "GET /api/v1/records/{object}/{id}/approvals": (APPROVAL, 401, 404),
    "GET /api/v1/agents": (AGENTS, 401, 200),
    "POST /api/v1/agents": (AGENTS, 401, 403),
    "DELETE /api/v1/agents/{id}": (AGENTS, 401, 404),
    "GET /api/v1/approvals": ("own tasks", 401, 200),
    "GET /api/v1/approvals/counts": ("own tasks", 401, 200),
    "GET /api/v1/approvals/tasks/{id}": ("taking part in the approval", 401, 404),
    "POST /api/v1/approvals/tasks/{id}/{action}": ("the task, or what the action says", 401, 404),
    "POST /api/v1/approvals/bulk": ("each task", 401, 200),
    "POST /api/v1/approvals/move": ("the system permission manage_processes", 401, 403),
    "POST /api/v1/approvals/rehearse": ("the system permission manage_processes", 401, 403),
    "GET /api/v1/approvals/statistics": ("the system permission manage_processes", 401, 403),
    "GET /api/v1/approvals/{id}": (APPROVAL, 401, 404),
    "POST /api/v1/approvals/{id}/{action}": ("what the action says", 401, 404),
    "GET /api/v1/aggregate/{object}": ("records: read", 401, 404),
    "POST /api/v1/files": ("create or update where a field takes files, or an approval", 401, 403),
    "GET /api/v1/files/{id}": ("read: a record, or what was said in an approval, that holds it", 401, 404),
    "GET /api/v1/objects": ("objects that may be read", 401, 200),
    "GET /api/v1/objects/{object}": ("read", 401, 404),
    "GET /api/v1/openapi.json": ("objects that may be read", 401, 200),
    "GET /api/v1/tokens": ("own account", 401, 200),
    "POST /api/v1/tokens": ("own account", 401, 201),
    "DELETE /api/v1/tokens/{id}": ("own account", 401, 404),
    "GET /api/v1/sessions": ("own account", 401, 200),
    "DELETE /api/v1/sessions/{id}": ("own account", 401, 404),
    "POST /api/v1/users/{id}/invite": ("people: manage", 401, 404),
    "DELETE /api/v1/users/{id}/sessions": ("people: manage", 401, 404),
    "POST /api/v1/users/{id}/handover": (
        "update of the user and of all records of what is handed over; all rights of the user",
        401,
        404,
    ),
    "GET /api/v1/notifications": ("own notifications", 401, 200),
    "GET /api/v1/notifications/state": ("own notifications", 401, 200),
    "GET /api/v1/notifications/preferences": ("own notifications", 401, 200),
    "PATCH /api/v1/notifications/preferences": ("own notifications", 401, 400),
    "POST /api/v1/notifications/read-all": ("own notifications", 401, 200),
    "POST /api/v1/notifications/{id}/read": ("own notifications", 401, 404),
    "POST /api/v1/templates/{name}/preview": ("read of the record", 401, 404),
    "POST /api/v1/webhooks/secret": ("the system permission manage_processes", 401, 403),
    "GET /api/v1/records/{object}/{id}/path": ("read of the record", 401, 404),
    "GET /api/v1/records/{object}/{id}/run": ("read of the record, and the button's roles", 401, 404),
    "POST /api/v1/records/{object}/{id}/run/{automation}": ("the button's roles, else update of the record", 401, 404),
    "POST /api/v1/automations/{automation}/run": ("the button's roles, else update of each record", 401, 404),
    "POST /api/v1/automations/{automation}/secret": ("manage_processes", 401, 403),
    "POST /api/v1/hooks/{automation}": ("what the automation's steps ask of whom it runs as", 401, 404),
    "GET /api/v1/automations/runs": ("manage_processes", 401, 403),
    "GET /api/v1/automations/runs/{id}": ("manage_processes", 401, 403),
    "POST /api/v1/automations/runs/{id}/replay": ("manage_processes", 401, 403),
    "POST /api/v1/automations/{automation}/rehearse": ("manage_processes", 401, 403),
    "GET /api/v1/jobs": ("the system permission manage_processes", 401, 403),
    "POST /api/v1/jobs/{id}/replay": ("the system permission manage_processes", 401, 403),
    "POST /api/v1/jobs/{id}/discard": ("the system permission manage_processes", 401, 403),
    "GET /api/v1/audit": ("may_view_audit", 401, 403),
    "POST /api/v1/privacy/{object}/{id}/export": ("may_handle_privacy", 401, 403),
    "POST /api/v1/privacy/{object}/{id}/erase": ("may_handle_privacy", 401, 403),
    "POST /files": ("create or update where a field takes files, or an approval", 401, 403),
    "GET /": ("records: read", 303, 200),
    "GET /search": ("records: read", 303, 200),
    "GET /audit": ("may_view_audit", 303, 403),
    "GET /setup/automations": ("manage_processes", 303, 403),
    "GET /setup/automations/{name}": ("manage_processes", 303, 403),
    "POST /setup/automations/{name}/secret": ("manage_processes", 303, 403),
    "GET /setup/automations/{name}/rehearse": ("manage_processes", 303, 403),
    "POST /setup/automations/{name}/rehearse": ("manage_processes", 303, 403),
    "GET /setup/automations/{name}/runs/{id}": ("manage_processes", 303, 403),
    "POST /setup/automations/{name}/runs/{id}/again": ("manage_processes", 303, 403),
    "GET /setup/jobs": ("manage_processes", 303, 403),
    "POST /setup/jobs/{id}/again": ("manage_processes", 303, 403),
    "POST /setup/jobs/{id}/discard": ("manage_processes", 303, 403),
    "GET /o/{object}/{id}/privacy": ("records: read, and manage_privacy", 303, 404),
    "POST /o/{object}/{id}/privacy/export": ("records: read, and manage_privacy", 303, 404),
    "POST /o/{object}/{id}/privacy/erase": ("records: read, and manage_privacy", 303, 404),
    "POST /o/{object}/{id}/run/{automation}": ("the button's roles, else update of the record", 303, 404),
    "GET /setup/templates": ("manage_processes", 303, 403),
    "GET /setup/templates/{name}": ("manage_processes", 303, 403),
    "GET /setup/calendars": ("manage_processes", 303, 403),
    "GET /notifications": ("own notifications", 303, 200),
    "POST /notifications/read": ("own notifications", 303, 303),
    "POST /notifications/{id}/read": ("own notifications", 303, 404),
    "POST /me/notifications": ("own notifications", 303, 303),
    "POST /logout": ("own session", 303, 303),
    "POST /preferences": ("own cookies", 303, 303),
    "GET /me": ("own account", 303, 200),
    "POST /me/password": ("own account", 303, 422),
    "POST /me/codes/begin": ("own account", 303, 422),
    "POST /me/codes/confirm": ("own account", 303, 422),
    "POST /me/codes/off": ("own account", 303, 422),
    "POST /me/codes/renew": ("own account", 303, 422),
    "POST /me/away": ("own account", 303, 422),
    "POST /me/away/end": ("own account", 303, 404),
    "POST /me/sessions/end": ("own account", 303, 404),
    "POST /me/sessions/end-others": ("own account", 303, 303),
    "POST /me/tokens": ("own account", 303, 422),
    "POST /me/tokens/revoke": ("own account", 303, 404),
    "POST /o/user/{id}/invite": ("people: manage", 303, 404),
    "POST /o/user/{id}/codes-off": ("people: manage", 303, 404),
    "POST /o/user/{id}/end-sessions": ("people: manage", 303, 404),
    "GET /o/{object}": ("records: read", 303, 404),
    "GET /o/{object}/filter": ("records: read", 303, 404),
    "GET /o/{object}/options": ("records: read", 303, 404),
    "GET /o/{object}/rules-{digest}.js": ("records: read", 303, 404),
    "GET /o/{object}/reach": ("records: read", 303, 404),
    "GET /o/{object}/deleted": ("records: read", 303, 404),
    "GET /o/{object}/new": ("records: create", 303, 404),
    "POST /o/{object}/new": ("records: create", 303, 404),
    "GET /o/{object}/bulk": ("records: read", 303, 404),
    "POST /o/{object}/bulk": ("records: update, delete; a button's own", 303, 404),
    "GET /o/{object}/merge": ("records: update, delete", 303, 404),
    "POST /o/{object}/merge": ("records: update, delete", 303, 404),
    "GET /o/{object}/{id}": ("records: read", 303, 404),
    "GET /o/{object}/{id}/edit": ("records: update", 303, 404),
    "POST /o/{object}/{id}/edit": ("records: update", 303, 404),
    "POST /o/{object}/{id}/stage": ("records: update", 303, 404),
    "GET /o/{object}/{id}/move": ("records: update", 303, 404),
    "POST /o/{object}/{id}/move": ("records: update", 303, 404),
    "POST /o/{object}/{id}/delete": ("records: delete", 303, 404),
    "POST /o/{object}/{id}/restore": ("records: delete", 303, 404),
    "POST /o/{object}/{id}/unmerge": ("records: update, delete", 303, 404),
    "GET /o/user/{id}/handover": ("update of the user, and all rights that the user has", 303, 404),
    "POST /o/user/{id}/handover": ("update of the user, and all rights that the user has", 303, 404),
    "GET /files/{id}": ("records: read", 303, 404),
    "GET /api/v1/objects/{object}/access": (RIGHTS, 401, 403),
    "GET /api/v1/records/{object}/{id}/access": (RIGHTS, 401, 403),
    "GET /api/v1/records/{object}/{id}/viewers": (RIGHTS, 401, 403),
    "POST /api/v1/access/preview": (RIGHTS, 401, 403),
    "GET /setup/permissions": ("manage_rights", 303, 403),
    "GET /setup/permissions/role/{name}": ("manage_rights", 303, 403),
    "GET /setup/permissions/set/{name}": ("manage_rights", 303, 403),
    "GET /setup/people/{id}/access": ("manage_rights", 303, 403),
    "POST /setup/people/{id}/access": ("manage_rights", 303, 403),
    "GET /o/{object}/{id}/access": ("manage_rights", 303, 403),
    "GET /o/{object}/{id}/shares": ("records: share, update", 303, 404),
    "POST /o/{object}/{id}/shares": ("records: share, update", 303, 404),
    "POST /o/{object}/{id}/shares/end": ("records: share, update", 303, 404),
    "POST /o/{object}/{id}/unmask": ("unmask, or records: unmask", 303, 404),
    "GET /inbox": ("own tasks", 303, 200),
    "GET /inbox/several": ("own tasks", 303, 200),
    "POST /inbox/several": ("own tasks", 303, 422),
    "GET /inbox/{task}": (PART, 303, 404),
    "GET /inbox/{task}/{action}": (PART, 303, 404),
    "POST /inbox/{task}/{action}": (PART, 303, 404),
    "GET /approvals/{id}": (SEEN, 303, 404),
    "GET /approvals/{id}/{action}": (SEEN, 303, 404),
    "POST /approvals/{id}/{action}": (SEEN, 303, 404),
    "GET /o/{object}/{id}/approvals": ("records: read", 303, 404),
    "GET /o/{object}/{id}/submit": ("records: read; the approval's submit_by", 303, 404),
    "POST /o/{object}/{id}/submit": ("records: read; the approval's submit_by", 303, 404),
    "GET /setup/approvals": ("manage_processes", 303, 403),
    "GET /setup/approvals/{name}/move": ("manage_processes", 303, 403),
    "POST /setup/approvals/{name}/move": ("manage_processes", 303, 403),
    "GET /{path:path}": ("tells only that there is no such page", 303, 404),
}


def routes(site: Running) -> Iterator[tuple[str, str, str]]:
    """(method and path, who, what it asks)."""
    for route in site.app.routes:
        app = getattr(route, "app", None)
        if isinstance(app, Api):
            for one in app.operations:
                yield f"{one.method} {route.path}{one.path}", one.permission.who, one.permission.why  # type: ignore[attr-defined]
        elif isinstance(route, Route):
            permission = route.endpoint.permission  # type: ignore[attr-defined]
            for method in sorted((route.methods or set()) - {"HEAD"}):
                yield f"{method} {route.path}", permission.who, permission.why


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("inventory")
    with running(f"sqlite:///{folder / 'a.db'}", [SHOP], now=NOW, ui="ui.pages:mount") as site:
        site.user("boss", "admin")
        site.user("nobody")
        site.user("other")
        yield site


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("elsewhere")
    with running(f"sqlite:///{folder / 'b.db'}", [SHOP], now=NOW) as site:
        site.user("boss", "admin")
        yield site


def call(client, name: str, ids: dict[str, str]) -> int:  # type: ignore[no-untyped-def]
    method, path = name.split(" ")
    for part in re.findall(r"{([^}]+)}", path):
        kind = "user" if "/user" in path else "deal"
        value = ids[kind] if part == "id" else VALUES[part]
        path = path.replace("{" + part + "}", value)
    sent = {key: ids["deal"] if one == "{id}" else one for key, one in BODIES.get(name, {}).items()}
    body = {"json": sent} if method not in ("GET", "DELETE") and path.startswith("/api") else {}
    return int(client.request(method, path, **body).status_code)


def answered(shop: Running, elsewhere: Running, name: str) -> tuple[int, int, int]:
    boss = shop.records("boss")
    ids = {"deal": boss.create("deal", {"name": "Pumps"})["id"], "user": shop.user("other")}
    is_api, before = " /api/" in name, None
    person = shop.client("nobody", by="token" if is_api else "session")
    foreign = shop.client()
    if is_api:
        foreign.headers["authorization"] = f"Bearer {elsewhere.token('boss')}"
    else:
        session = elsewhere.session("boss")
        foreign.cookies.set(COOKIE, session.secret)
        foreign.headers[CSRF_HEADER] = session.csrf
    found = []
    for client in (shop.client(), person, foreign):
        before = state(shop)
        found.append(call(client, name, ids))
        if found[-1] >= 400 or client is not person:
            assert state(shop) == before, name
    return found[0], found[1], found[2]


def test_every_route_is_in_the_table_and_answers_as_it_says(shop: Running, elsewhere: Running) -> None:
    found = {}
    for name, who, why in routes(shop):
        if who != "person":
            continue
        nobody, person, foreign = answered(shop, elsewhere, name)
        assert foreign == nobody, name
        found[name] = (why, nobody, person)
    assert found == INVENTORY
