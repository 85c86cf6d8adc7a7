"""Every route says what it asks of the person: SECURITY.md, "a side route without the check"."""

from collections.abc import Iterator

from starlette.routing import BaseRoute, Mount, Route

from engine.api.operations import Api
from engine.api.permission import Permission
from engine.testing import Running, running
from tests.api.shop import SHOP

OPEN = {"/healthz", "/readyz", "/metrics", "POST /api/v1/hooks/{automation}/signed"}


def declared(routes: list[BaseRoute], base: str = "") -> Iterator[tuple[str, object]]:
    """Each route's path and the permission that it declares, None without one."""
    for route in routes:
        path = base + getattr(route, "path", "")
        app = getattr(route, "app", None)
        if isinstance(app, Api):
            yield from (
                (f"{operation.method} {path}{operation.path}", operation.permission) for operation in app.operations
            )
        elif isinstance(route, Mount) and route.routes:
            yield from declared(list(route.routes), path)
        elif isinstance(route, Route):
            yield path, getattr(route.endpoint, "permission", None)
        else:
            yield path, getattr(app, "permission", None)


def undeclared(site: Running) -> list[str]:
    return [path for path, permission in declared(site.app.routes) if not isinstance(permission, Permission)]


def test_every_route_of_the_engine_declares_its_permission(small_shop: Running) -> None:
    assert undeclared(small_shop) == []


def test_route_without_permission_is_found(small_shop: Running) -> None:
    small_shop.app.routes.append(Route("/side", lambda request: None))
    assert undeclared(small_shop) == ["/side"]


def test_every_screen_declares_its_permission(sqlite_url: str) -> None:
    with running(sqlite_url, [SHOP], ui="ui.pages:mount") as site:
        assert undeclared(site) == []


def test_only_health_and_signed_calls_are_open_to_anyone(small_shop: Running) -> None:
    found = {path for path, permission in declared(small_shop.app.routes) if permission.who == "anyone"}  # type: ignore[attr-defined]
    assert found == OPEN


def test_what_asks_for_a_person_refuses_anyone_else(small_shop: Running) -> None:
    client = small_shop.client()
    asked = [path for path, permission in declared(small_shop.app.routes) if permission.who == "person"]  # type: ignore[attr-defined]
    assert len(asked) > 20
    for name in asked:
        method, path = name.split(" ")
        for part, value in {"{object}": "deal", "{id}": "x", "{field}": "name", "{value}": "x"}.items():
            path = path.replace(part, value)
        assert client.request(method, path).status_code == 401, name
