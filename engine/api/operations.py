"""Operations of the API and the ASGI application that finds and runs them: one hop into a thread per request."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO
from urllib.parse import unquote

import anyio.to_thread
from starlette.types import Receive, Scope, Send

from engine.api import idempotency, reading
from engine.api.answers import Answer
from engine.api.errors import HttpRefusal, answer_to, bad_request
from engine.api.permission import ANYONE, Permission
from engine.api.site import Site, address_of
from engine.api.uploads import Gone, Upload, receive_file
from engine.audit.refusals import Asked
from engine.context import Actor, Context, Origin, context_of
from engine.errors import Forbidden
from engine.people.authentication import Identity
from engine.service import Records
from engine.store.failures import is_schema_changed
from metadata.processes import ADMIN_PERMISSION

__all__ = ["Api", "Call", "Operation", "read_body", "send_answer"]

ROOT = "/api/v1"
OVERRIDE = "override-lock"
LONGEST_REASON = 500
SENT_BYTES = 256 * 1024  # of a file at a time


@dataclass(frozen=True, slots=True)
class Operation:
    method: str
    path: str  # "/records/{object}/{id}"
    permission: Permission
    run: Callable[["Call"], Answer]
    parameters: tuple[str, ...] = ()  # of the query; any other is refused
    has_preconditions: bool = False  # without them a request with If-Match is refused, never taken as if it had none
    body_is_optional: bool = False
    is_aside: bool = False  # it waits for another server, and must not keep the database's threads waiting
    takes_key: bool = True  # False: its answer is a secret, or it sends mail, which no transaction takes back
    admits: Callable[[Context], None] | None = None  # its body is a file; asked before that is read


class Call:
    """One request, in its worker thread, after it is known who asks."""

    __slots__ = ("args", "body", "ctx", "headers", "identity", "operation", "query", "site", "upload")

    def __init__(
        self, site: Site, operation: Operation, args: list[str], query: bytes, headers: Mapping[str, str], body: bytes
    ) -> None:
        self.site, self.operation, self.args, self.query = site, operation, args, query
        self.headers, self.body = headers, body
        self.upload: Upload | None = None
        self.ctx: Context
        self.identity: Identity

    @property
    def records(self) -> Records:
        return Records(self.ctx)

    def values(self) -> dict[str, str]:
        return reading.query_values(self.query, self.operation.parameters)

    def json(self) -> dict[str, Any]:
        content_type = self.headers.get("content-type", "")
        return reading.json_object(self.body, content_type, is_optional=self.operation.body_is_optional)

    def answer_anyone(self, origin: Origin) -> Answer:
        """Of an operation that finds out by itself whether it may be: as nobody, who may do nothing."""
        nobody = Actor("", "")
        try:
            self.ctx = context_of(self.site.tenant, nobody, self.site.clock(), origin=origin)
            return self.operation.run(self)
        except Exception as error:
            if not is_schema_changed(error):
                raise
        self.ctx = context_of(self.site.tenant, nobody, self.site.clock(), origin=origin)
        return self.operation.run(self)

    def answer(self, ctx: Context, identity: Identity) -> Answer:
        self.ctx, self.identity = ctx, identity
        operation = self.operation
        if self.query and not operation.parameters:
            self.values()
        if not operation.has_preconditions and ("if-match" in self.headers or "if-unmodified-since" in self.headers):
            message = f"{operation.method} {ROOT}{operation.path} takes no If-Match"
            raise bad_request("precondition.unsupported", message, fix="leave the header out")
        if not operation.takes_key and "idempotency-key" in self.headers:
            message = f"{operation.method} {ROOT}{operation.path} takes no Idempotency-Key"
            raise bad_request("idempotency.unsupported", message, fix="leave the header out")
        if operation.method != "GET" and OVERRIDE in self.headers:
            self.ctx = overriding(ctx, self.headers[OVERRIDE])
        if operation.method == "POST" and (key := self.headers.get("idempotency-key")) is not None:
            return idempotency.once(self, key, operation.run)
        return operation.run(self)


def overriding(ctx: Context, sent: str) -> Context:
    """As an administrator of processes, who says in the header why records are written that an approval locks."""
    reason = unquote(sent).strip()
    if not reason or len(reason) > LONGEST_REASON or not reason.isprintable():
        message = f"{OVERRIDE} says why, in 1 to {LONGEST_REASON} characters"
        raise bad_request("override.reason", message, fix="percent-encode what is not ASCII")
    if not ctx.scope.has(ADMIN_PERMISSION):
        message = "you may not write what an approval locks"
        raise Forbidden(message, code="override.forbidden", fix="ask an administrator of processes")
    return replace(ctx, override=reason)


@dataclass(slots=True)
class Node:
    """One segment of the paths: what may follow, and the operations of the path that ends here."""

    named: dict[str, "Node"] = field(default_factory=dict)
    any: "Node | None" = None
    operations: dict[str, Operation] = field(default_factory=dict)
    template: str = ""
    allow: str = ""


class Api:
    """ASGI application, mounted at ROOT."""

    def __init__(self, site: Site, operations: Iterable[Operation]) -> None:
        self.site, self.operations = site, tuple(operations)
        self.tree = Node()
        for operation in self.operations:
            self.add(operation)

    def add(self, operation: Operation) -> None:
        node = self.tree
        for part in operation.path.strip("/").split("/"):
            if part.startswith("{"):
                node.any = node.any or Node()
                node = node.any
            else:
                node = node.named.setdefault(part, Node())
        if operation.method in node.operations:
            raise ValueError(f"two operations for {operation.method} {operation.path}")
        node.template = operation.path
        node.operations[operation.method] = operation
        if operation.method == "GET":
            node.operations["HEAD"] = operation
        node.allow = ", ".join(sorted({*node.operations, "OPTIONS"}))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method: str = scope["method"]
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        try:
            node, args = self.find(scope)
            scope["fieldstone.route"] = ROOT + node.template
            if method == "OPTIONS":
                await send_answer(send, Answer(204, headers=((b"allow", node.allow.encode()),)))
                return
            operation = node.operations.get(method)
            if operation is None:
                raise HttpRefusal(
                    405, "method", f"{method} is not possible here", fix=f"possible are {node.allow}", allow=node.allow
                )
            if operation.admits is not None:
                await self.send_upload(operation, args, scope, headers, receive, send)
                return
            has_body = method not in ("GET", "HEAD")
            body = await read_body(receive, headers, self.site.config.max_body_bytes) if has_body else b""
            if body is None:
                return  # the client has gone
            call = Call(self.site, operation, args, scope["query_string"], headers, body)
            run = self.site.run_aside if operation.is_aside else self.site.run
            if operation.permission.who == ANYONE:
                origin = origin_of(scope)
                answer = await run(lambda: call.answer_anyone(origin))
            else:
                whence: Any = {"origin": origin_of(scope), "asked": asked_for(operation, args)}
                answer = await run(lambda: self.site.answer(method, headers, call.answer, **whence))
        except Exception as error:
            answer = answer_to(error, method, scope.get("fieldstone.request_id", ""))
        await send_answer(send, answer, is_head=method == "HEAD")

    async def send_upload(
        self, operation: Operation, args: list[str], scope: Scope, headers: Mapping[str, str], receive: Receive,
        send: Send,
    ) -> None:  # fmt: skip
        """Who asks is found out before the file is read, and once more after it: that may take a while."""
        call = Call(self.site, operation, args, scope["query_string"], headers, b"")
        admits = operation.admits
        assert admits is not None
        whence: Any = {"origin": origin_of(scope), "asked": asked_for(operation, args)}
        await self.site.run(lambda: self.site.answer(operation.method, headers, lambda ctx, _: admits(ctx), **whence))
        try:
            call.upload = await receive_file(
                receive, headers, self.site.config.max_file_bytes, call.values().get("name", "")
            )
        except Gone:
            return
        try:
            answer = await self.site.run(lambda: self.site.answer(operation.method, headers, call.answer, **whence))
        finally:
            call.upload.close()
        await send_answer(send, answer)

    def find(self, scope: Scope) -> tuple[Node, list[str]]:
        """The node of a path and the values of its {parts}. Raises HttpRefusal 404."""
        raw: bytes = scope.get("raw_path") or scope["path"].encode()
        path = raw.partition(b"?")[0].removeprefix(ROOT.encode())
        node, args = self.tree, []
        for part in reading.segments_of(path.removeprefix(b"/")):
            if (named := node.named.get(part)) is not None:
                node = named
            elif node.any is not None and part:
                node = node.any
                args.append(part)
            else:
                raise no_such_path(scope)
        if not node.operations:
            raise no_such_path(scope)
        return node, args


def origin_of(scope: Scope) -> Origin:
    return Origin("api", address_of(scope), scope.get("fieldstone.request_id", ""))


def asked_for(operation: Operation, args: Sequence[str]) -> Asked:
    names = (part for part in operation.path.split("/") if part.startswith("{"))
    given = dict(zip(names, args, strict=False))
    return Asked(f"{operation.method} {operation.path}", given.get("{object}", ""), given.get("{id}", ""))


def no_such_path(scope: Scope) -> HttpRefusal:
    fix = f"{ROOT}/openapi.json lists what there is"
    return HttpRefusal(404, "path.unknown", f"there is nothing at {unquote(scope['path'])[:200]}", fix=fix)


async def read_body(receive: Receive, headers: Mapping[str, str], limit: int) -> bytes | None:
    """The whole body; None when the client went away. Raises HttpRefusal 413, 415."""
    if headers.get("content-encoding", "identity") != "identity":
        raise HttpRefusal(415, "body.encoding", "the body must not be compressed", fix="leave Content-Encoding out")
    declared = headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise too_large(limit)
    chunks, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise too_large(limit)
        chunks.append(chunk)
        if not message.get("more_body", False):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def too_large(limit: int) -> HttpRefusal:
    return HttpRefusal(413, "body.large", f"the body is larger than {limit} bytes", fix="send several smaller requests")


async def send_answer(send: Send, answer: Answer, *, is_head: bool = False) -> None:
    headers = list(answer.headers)
    if answer.status not in (204, 304):
        size = len(answer.body) if answer.content is None else answer.size
        headers.append((b"content-type", answer.content_type))
        headers.append((b"content-length", b"%d" % size))
    try:
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        if answer.content is not None and not is_head:
            await send_content(send, answer.content)
        else:
            await send({"type": "http.response.body", "body": b"" if is_head else answer.body})
    finally:
        if answer.content is not None:
            answer.content.close()


async def send_content(send: Send, content: BinaryIO) -> None:
    while chunk := await anyio.to_thread.run_sync(content.read, SENT_BYTES):
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
