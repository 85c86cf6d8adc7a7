"""What a route asks of the person. Every route says it; tests/api/test_routes.py fails for one that does not."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

__all__ = ["ANYONE", "Permission", "asks"]

F = TypeVar("F")


@dataclass(frozen=True, slots=True)
class Permission:
    who: Literal["anyone", "person"]
    why: str  # what decides further ("records: read"), or why anyone may


ANYONE: Literal["anyone"] = "anyone"


def asks(who: Literal["anyone", "person"], why: str) -> Callable[[F], F]:
    """Declares the permission of a Starlette endpoint:

    @asks("person", "records: read")
    async def list_page(request: Request) -> Response: ...
    """

    def declare(endpoint: F) -> F:
        endpoint.permission = Permission(who, why)  # type: ignore[attr-defined]
        return endpoint

    return declare
