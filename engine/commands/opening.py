"""The tenant that a command works on."""

import argparse
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime

from engine.errors import NotFound
from engine.publish import ensure
from engine.tenants import MAIN, Tenant, open_tenant

__all__ = ["opened"]


@contextmanager
def opened(args: argparse.Namespace) -> Iterator[Tenant]:
    """With its tables as this release wants them. `main` is made where there is none yet; raises NotFound for any other
    name that nobody made a tenant of: it is misspelt."""
    with closing(open_tenant(args.database, args.data, args.tenant)) as tenant:
        if args.tenant != MAIN and tenant.version() == 0:
            fix = "look at fieldstone tenant list"
            raise NotFound(f"there is no tenant '{args.tenant}'", code="tenant.unknown", fix=fix)
        ensure(tenant, datetime.now(UTC))
        yield tenant
