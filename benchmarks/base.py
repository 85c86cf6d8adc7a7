"""What a good developer writes by hand for the same two tables: Starlette, SQLAlchemy Core, orjson, Jinja2.

It makes the same checks as the engine: token or session, row rule, validation, a history row. It reads and writes the
tables that the engine made, with the column types of the database, so both answer from the same data.
"""

import os
import sys
from collections.abc import Callable
from contextlib import contextmanager
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import jinja2
import orjson
import sqlalchemy as sa
import uvicorn
from sqlalchemy.pool import QueuePool
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from engine.store.database import new_id

STAGES = {"new": "New", "qualified": "Qualified", "proposal": "Proposal", "won": "Won", "lost": "Lost"}
TEMPLATES = jinja2.Environment(loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True)


class Refused(Exception):
    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail


class Base:
    """Over one database. On SQLite amounts are whole cents and times are text, as the engine keeps them."""

    def __init__(self, url: str, schema: str | None) -> None:
        self.is_sqlite = url.startswith("sqlite")
        self.engine = _engine(url)
        self.writing = self.engine.execution_options(is_writing=True)
        self.limiter = anyio.CapacityLimiter(1 if self.is_sqlite else 4)
        tables = sa.MetaData(schema=schema)
        moment = sa.Text() if self.is_sqlite else sa.DateTime(timezone=True)
        day = sa.Text() if self.is_sqlite else sa.Date()
        amount = sa.BigInteger() if self.is_sqlite else sa.Numeric(18, 2)
        key = sa.Text() if self.is_sqlite else sa.Uuid(as_uuid=False)
        boolean = sa.Integer() if self.is_sqlite else sa.Boolean()
        self.yes = 1 if self.is_sqlite else True
        self.no = 0 if self.is_sqlite else False

        def column(name: str, kind: Any) -> sa.Column[Any]:
            return sa.Column(name, kind)

        record = lambda: [  # noqa: E731
            column("id", key), column("owner", key), column("created_at", moment), column("created_by", key),
            column("modified_at", moment), column("modified_by", key), column("version", sa.Integer()),
            column("deleted_at", moment),
        ]  # fmt: skip
        self.account = sa.Table("account", tables, *record(), column("name", sa.Text()), column("region", sa.Text()))
        self.opportunity = sa.Table(
            "opportunity", tables, *record(), column("name", sa.Text()), column("account", key),
            column("stage", sa.Text()), column("amount", amount), column("probability", sa.Integer()),
            column("close_date", day), column("is_private", boolean), column("next_step", sa.Text()),
        )  # fmt: skip
        number = sa.Integer() if self.is_sqlite else sa.BigInteger()
        self.invoice = sa.Table("invoice", tables, *record(), column("name", sa.Text()), column("total", amount))
        self.line = sa.Table(
            "invoice_line", tables, *record(), column("name", sa.Text()), column("invoice", key),
            column("position", number), column("quantity", number), column("price", amount),
        )  # fmt: skip
        self.names = [str(c.name) for c in self.opportunity.columns]  # orjson takes plain text for keys
        self.user = sa.Table("user", tables, *record(), column("name", sa.Text()), column("is_active", boolean))
        self.token = sa.Table(
            "fs_token", tables, column("hash", sa.Text()), column("user", key), column("expires_at", moment)
        )
        self.session = sa.Table(
            "fs_session", tables, column("hash", sa.Text()), column("user", key), column("expires_at", moment)
        )
        self.role = sa.Table("user_role", tables, column("user", key), column("role", sa.Text()))
        self.history = sa.Table(
            "fs_history", tables, column("id", key), column("object", sa.Text()), column("record", key),
            column("version", sa.Integer()), column("action", sa.Text()), column("at", moment), column("by", key),
            column("changes", sa.Text()),
        )  # fmt: skip

    # -- who asks

    def actor(self, connection: sa.Connection, request: Request) -> str:
        if cookie := request.cookies.get("fieldstone_session"):
            secrets, secret = self.session, cookie
        else:
            secrets, secret = self.token, request.headers.get("authorization", "")[7:]
        found = connection.execute(
            sa.select(secrets.c.user, secrets.c.expires_at, self.user.c.is_active, self.role.c.role)
            .join(self.user, self.user.c.id == secrets.c.user)
            .join(self.role, self.role.c.user == secrets.c.user)
            .where(secrets.c.hash == sha256(secret.encode()).hexdigest())
        ).all()
        if not found or not found[0].is_active:
            raise Refused(401, "sign in")
        if found[0].expires_at and found[0].expires_at < self.moment():
            raise Refused(401, "expired")
        if "rep" not in {row.role for row in found}:
            raise Refused(403, "not allowed")
        return str(found[0].user)

    def mine(self, actor: str) -> sa.ColumnElement[bool]:
        o = self.opportunity.c
        return sa.and_(o.deleted_at.is_(None), sa.or_(o.is_private == self.no, o.owner == actor))

    def moment(self) -> Any:
        now = datetime.now(UTC)
        return now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03d}Z" if self.is_sqlite else now

    # -- what is asked

    def page(self, connection: sa.Connection, actor: str, stage: str, count_limit: int | None) -> tuple[Any, int]:
        o, a, u = self.opportunity.c, self.account.c, self.user.c
        where = sa.and_(self.mine(actor), o.stage == stage)
        rows = connection.execute(
            sa.select(o.id, o.version, o.name, o.stage, o.amount, o.probability, o.close_date, o.account,
                      a.name.label("account_name"), o.owner, u.name.label("owner_name"))
            .join(self.account, sa.and_(a.id == o.account, a.deleted_at.is_(None)), isouter=True)
            .join(self.user, u.id == o.owner, isouter=True)
            .where(where).order_by(o.close_date.desc(), o.id.desc()).limit(50)
        ).all()  # fmt: skip
        counted = sa.select(sa.literal(1)).select_from(self.opportunity).where(where)
        if count_limit:
            counted = counted.limit(count_limit)
        total = connection.execute(sa.select(sa.func.count()).select_from(counted.subquery())).scalar_one()
        return rows, total

    def listing(self, connection: sa.Connection, request: Request, body: bytes) -> Response:
        actor = self.actor(connection, request)
        rows, total = self.page(connection, actor, request.query_params["stage"], None)
        records = [
            {"id": r.id, "version": r.version, "name": r.name, "stage": r.stage, "amount": self.amount(r.amount),
             "close_date": r.close_date, "account.name": r.account_name, "owner": r.owner}
            for r in rows
        ]  # fmt: skip
        return _json({"records": records, "next": rows[-1].id if len(rows) == 50 else None, "count": total})

    def totals(self, connection: sa.Connection, request: Request, body: bytes) -> Response:
        actor = self.actor(connection, request)
        o = self.opportunity.c
        since = date.fromisoformat(request.query_params["since"])
        rows = connection.execute(
            sa.select(o.stage, sa.func.sum(o.amount).label("amount"), sa.func.count().label("number"))
            .where(self.mine(actor), o.close_date >= (since.isoformat() if self.is_sqlite else since))
            .group_by(o.stage).order_by(o.stage)
        ).all()  # fmt: skip
        groups = [{"stage": r.stage, "sum(amount)": self.amount(r.amount), "count()": r.number} for r in rows]
        total = self.amount(sum(r.amount for r in rows))
        return _json({"groups": groups, "total": {"sum(amount)": total, "count()": sum(r.number for r in rows)}})

    def get(self, connection: sa.Connection, request: Request, body: bytes) -> Response:
        actor = self.actor(connection, request)
        row = self.one(connection, actor, request.path_params["id"])
        return _json(self.record(row), headers={"etag": f'"{row.version}"'})

    def create(self, connection: sa.Connection, request: Request, body: bytes) -> Response:
        actor = self.actor(connection, request)
        values = self.checked(orjson.loads(body), is_new=True)
        row = self.insert(connection, actor, [values])[0]
        return _json(row, 201, {"etag": '"1"', "location": f"/opportunity/{row['id']}"})

    def bulk(self, connection: sa.Connection, request: Request, body: bytes) -> Response:
        actor = self.actor(connection, request)
        values = [self.checked(each["values"], is_new=True) for each in orjson.loads(body)["operations"]]
        rows = self.insert(connection, actor, values)
        return _json({"results": [{"id": row["id"], "status": 201} for row in rows]})

    def update(self, connection: sa.Connection, request: Request, body: bytes) -> Response:
        actor = self.actor(connection, request)
        values = self.checked(orjson.loads(body), is_new=False)
        before = self.one(connection, actor, request.path_params["id"])
        changed = {name: value for name, value in values.items() if getattr(before, name) != value}
        if not changed:
            return _json(self.record(before), headers={"etag": f'"{before.version}"'})
        now = self.moment()
        o = self.opportunity.c
        done = connection.execute(
            sa.update(self.opportunity)
            .where(o.id == before.id, o.version == before.version)
            .values(**changed, modified_at=now, modified_by=actor, version=before.version + 1)
        )
        if done.rowcount != 1:
            raise Refused(412, "changed since it was read")
        after = self.one(connection, actor, before.id)
        changes = {name: [self.plain(getattr(before, name)), self.plain(value)] for name, value in changed.items()}
        self.note(connection, [(before.id, after.version, "update", changes)], actor, now)
        return _json(self.record(after), headers={"etag": f'"{after.version}"'})

    def add_line(self, connection: sa.Connection, request: Request, body: bytes) -> Response:
        """The line, and its invoice's total with it: whoever adds another one to that invoice waits."""
        actor, sent = self.actor(connection, request), orjson.loads(body)
        if not isinstance(sent.get("quantity"), int) or not isinstance(sent.get("price"), int | float):
            raise Refused(422, "quantity and price are numbers")
        i, li = self.invoice.c, self.line.c
        wanted = sa.select(i.id).where(i.id == sent["invoice"], i.deleted_at.is_(None)).with_for_update()
        if connection.execute(wanted).first() is None:
            raise Refused(422, "no such invoice")
        now = self.moment()
        values = {
            "name": sent["name"], "invoice": sent["invoice"], "quantity": sent["quantity"],
            "price": round(sent["price"] * 100) if self.is_sqlite else sent["price"],
        }  # fmt: skip
        row = {
            **values, "id": new_id(), "owner": actor, "created_at": now, "created_by": actor, "modified_at": now,
            "modified_by": actor, "version": 1, "deleted_at": None, "position": None,
        }  # fmt: skip
        connection.execute(sa.insert(self.line), [row])
        total = sa.select(sa.func.sum(li.quantity * li.price)).where(
            li.invoice == sent["invoice"], li.deleted_at.is_(None)
        )
        done = sa.update(self.invoice).where(i.id == sent["invoice"]).values(total=total.scalar_subquery())
        connection.execute(done)
        self.note(
            connection, [(row["id"], 1, "create", {k: [None, self.plain(v)] for k, v in values.items()})], actor, now
        )
        shown = {**row, "price": sent["price"], "amount": round(sent["quantity"] * sent["price"], 2)}
        return _json(shown, 201, {"etag": '"1"'})

    def invoices(self, connection: sa.Connection, request: Request, body: bytes) -> Response:
        self.actor(connection, request)
        i = self.invoice.c
        tax = sa.func.round(i.total * sa.literal_column("0.13"), sa.literal_column("0" if self.is_sqlite else "2"))
        least = int(request.query_params["tax"]) * (100 if self.is_sqlite else 1)
        rows = connection.execute(
            sa.select(i.id, i.version, i.name, i.total, tax.label("tax")).where(i.deleted_at.is_(None), tax > least)
            .order_by(sa.func.lower(i.name), i.id).limit(51)
        ).all()  # fmt: skip
        records = [
            {"id": r.id, "version": r.version, "name": r.name, "total": self.amount(r.total), "tax": self.amount(r.tax)}
            for r in rows[:50]
        ]
        return _json({"records": records, "next": rows[49].id if len(rows) > 50 else None})

    def html(self, connection: sa.Connection, request: Request, body: bytes) -> Response:
        actor = self.actor(connection, request)
        rows, total = self.page(connection, actor, request.query_params["stage"], 1001)
        return HTMLResponse(
            TEMPLATES.get_template("list.html").render(
                rows=rows, total=total, stages=STAGES, amount=self.amount, actor=actor
            )
        )

    # -- steps

    def one(self, connection: sa.Connection, actor: str, key: str) -> Any:
        row = connection.execute(
            sa.select(self.opportunity).where(self.opportunity.c.id == key, self.mine(actor))
        ).one_or_none()
        if row is None:
            raise Refused(404, "no such record")
        return row

    def checked(self, sent: Any, *, is_new: bool) -> dict[str, Any]:
        if not isinstance(sent, dict):
            raise Refused(422, "an object is expected")
        known = {"name", "account", "stage", "amount", "probability", "close_date", "is_private", "next_step"}
        if unknown := set(sent) - known:
            raise Refused(422, f"unknown fields: {unknown}")
        values: dict[str, Any] = {"stage": "new", "is_private": False} if is_new else {}
        values.update(sent)
        for name in ("name", "account", "close_date", "stage") if is_new else ():
            if not values.get(name):
                raise Refused(422, f"{name} is required")
        for name, limit in (("name", 120), ("next_step", 200)):
            if values.get(name) is not None and (not isinstance(values[name], str) or len(values[name]) > limit):
                raise Refused(422, f"{name} is too long")
        if "stage" in values and values["stage"] not in STAGES:
            raise Refused(422, "no such stage")
        if values.get("amount") is not None:
            if not isinstance(values["amount"], int | float) or values["amount"] < 0:
                raise Refused(422, "amount is not a positive number")
            values["amount"] = round(values["amount"] * 100) if self.is_sqlite else values["amount"]
        if values.get("probability") is not None and not 0 <= values["probability"] <= 100:
            raise Refused(422, "probability is 0 to 100")
        if values.get("close_date") is not None:
            day = date.fromisoformat(values["close_date"])
            values["close_date"] = values["close_date"] if self.is_sqlite else day
        return values

    def insert(self, connection: sa.Connection, actor: str, sent: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The new records. A reference to an account that is not there is refused."""
        accounts = {values["account"] for values in sent}
        a = self.account.c
        found = connection.execute(sa.select(a.id).where(a.id.in_(accounts), a.deleted_at.is_(None))).scalars().all()
        if len(found) != len(accounts):
            raise Refused(422, "no such account")
        now = self.moment()
        blank = {"amount": None, "probability": None, "next_step": None, "deleted_at": None}
        rows = [
            {**blank, **values, "id": new_id(), "owner": actor, "created_at": now, "created_by": actor,
             "modified_at": now, "modified_by": actor, "version": 1,
             "is_private": int(values["is_private"]) if self.is_sqlite else values["is_private"]}
            for values in sent
        ]  # fmt: skip
        connection.execute(sa.insert(self.opportunity), rows)
        notes = [
            (row["id"], 1, "create", {name: [None, self.plain(value)] for name, value in values.items()})
            for row, values in zip(rows, sent, strict=True)
        ]
        self.note(connection, notes, actor, now)
        for row in rows:
            row["amount"] = self.amount(row["amount"])
            row["is_private"] = bool(row["is_private"])
            del row["deleted_at"]
        return rows

    def note(self, connection: sa.Connection, notes: list[tuple[str, int, str, Any]], actor: str, now: Any) -> None:
        connection.execute(
            sa.insert(self.history),
            [
                {"id": new_id(), "object": "opportunity", "record": record, "version": version, "action": action,
                 "at": now, "by": actor, "changes": orjson.dumps(changes).decode()}
                for record, version, action, changes in notes
            ],
        )  # fmt: skip

    def record(self, row: Any) -> dict[str, Any]:
        values = dict(zip(self.names, row, strict=True))
        values["amount"] = self.amount(values["amount"])
        values["is_private"] = bool(values["is_private"])
        del values["deleted_at"]
        return values

    def amount(self, value: Any) -> float | None:
        if value is None:
            return None
        return value / 100 if self.is_sqlite else float(value)

    def plain(self, value: Any) -> Any:
        return value.isoformat() if isinstance(value, date) else float(value) if hasattr(value, "as_tuple") else value

    @contextmanager
    def connect(self, is_writing: bool):  # type: ignore[no-untyped-def]
        if is_writing:
            with self.writing.begin() as connection:
                yield connection
        else:
            with self.engine.connect() as connection:
                yield connection

    def endpoint(self, work: Callable[..., Response], *, is_writing: bool = False) -> Any:
        async def answer(request: Request) -> Response:
            body = await request.body() if is_writing else b""

            def run() -> Response:
                try:
                    with self.connect(is_writing) as connection:
                        return work(connection, request, body)
                except Refused as refusal:
                    return _json({"detail": refusal.detail}, refusal.status)

            return await anyio.to_thread.run_sync(run, limiter=self.limiter)

        return answer


def _engine(url: str) -> sa.Engine:
    engine = sa.create_engine(url, poolclass=QueuePool, pool_size=4)
    if engine.dialect.name == "sqlite":

        @sa.event.listens_for(engine, "connect")
        def connected(connection: Any, _: Any) -> None:
            connection.isolation_level = None
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA foreign_keys=ON")
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.execute("PRAGMA busy_timeout=10000")
            connection.execute("PRAGMA temp_store=MEMORY")
            connection.execute("PRAGMA cache_size=-16000")
            connection.execute("PRAGMA mmap_size=268435456")

        @sa.event.listens_for(engine, "begin")
        def begun(connection: sa.Connection) -> None:
            is_writing = connection.get_execution_options().get("is_writing", False)
            connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writing else "BEGIN")  # it reads first, and then writes

    return engine


def _json(data: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(
        orjson.dumps(data, default=str, option=orjson.OPT_UTC_Z), status, headers, media_type="application/json"
    )


def app(url: str, schema: str | None) -> Starlette:
    base = Base(url, schema)
    return Starlette(
        routes=[
            Route("/opportunity", base.endpoint(base.listing)),
            Route("/opportunity", base.endpoint(base.create, is_writing=True), methods=["POST"]),
            Route("/opportunity/batch", base.endpoint(base.bulk, is_writing=True), methods=["POST"]),
            Route("/opportunity/totals", base.endpoint(base.totals)),
            Route("/opportunity/{id}", base.endpoint(base.get)),
            Route("/opportunity/{id}", base.endpoint(base.update, is_writing=True), methods=["PATCH"]),
            Route("/invoice_line", base.endpoint(base.add_line, is_writing=True), methods=["POST"]),
            Route("/invoice", base.endpoint(base.invoices)),
            Route("/list", base.endpoint(base.html)),
        ]
    )


if __name__ == "__main__":
    uvicorn.run(
        app(os.environ["BENCH_URL"], os.environ.get("BENCH_SCHEMA") or None),
        host="127.0.0.1", port=int(sys.argv[1]), log_level="error", access_log=False,
    )  # fmt: skip
