"""Refusals as HTTP: the one table of statuses, and RFC 9457 problem+json."""

import logging
import sqlite3
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import orjson
import psycopg
import sqlalchemy as sa

from engine.api.answers import Answer
from engine.api.pace import TooManyRequests
from engine.errors import (
    BadInput,
    Busy,
    Candidate,
    Conflict,
    EngineError,
    Forbidden,
    InputProblem,
    InputWarning,
    Locked,
    NeedsConfirmation,
    NotFound,
    Stale,
    Unauthenticated,
)
from engine.jobs.handlers import GivenUp
from engine.keyring import KeyMissing
from engine.mail.port import MailFailed
from engine.outbound import OutboundFailed, OutboundRefused
from engine.people.attempts import TooManyAttempts
from engine.process.steps import Broken

__all__ = [
    "PROBLEM_TYPE", "STATUSES", "HttpRefusal", "answer_to", "bad_request", "problem", "result_problem", "status_of",
    "title_of", "warning_body",
]  # fmt: skip

PROBLEM_TYPE = "application/problem+json"
MOST_PROBLEMS = 1000  # of an answer: a body of 8 MiB can be wrong in a million places
log = logging.getLogger("fieldstone.api")

STATUSES: dict[type[EngineError], int] = {
    BadInput: 422,  # 400 where only the query was sent: see status_of
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    Locked: 423,  # before Conflict, of which it is one
    Conflict: 409,
    NeedsConfirmation: 409,  # of screens only: the API answers with the warnings
    Stale: 412,
    TooManyAttempts: 429,
    MailFailed: 502,
    OutboundRefused: 502,
    OutboundFailed: 502,
    TooManyRequests: 429,
    Busy: 503,
    KeyMissing: 503,
    Broken: 422,  # what a definition says cannot be worked out for this record
    GivenUp: 502,  # of jobs only
}

HEADERS: dict[int, tuple[tuple[bytes, bytes], ...]] = {
    401: ((b"www-authenticate", b'Bearer realm="fieldstone"'),),
    429: ((b"retry-after", b"900"),),
    503: ((b"retry-after", b"5"),),
}

TITLES = {413: "Body too large", 422: "Unprocessable content"}


class HttpRefusal(EngineError):
    """What only HTTP can get wrong: the method, the content type, the syntax of a body or a query."""

    def __init__(self, status: int, code: str, message: str, *, fix: str = "", path: str = "", allow: str = "") -> None:
        problems = [InputProblem(path, code, message, fix)] if path else []
        super().__init__(message, code=code, fix=fix, problems=problems)
        self.status, self.allow = status, allow


def bad_request(code: str, message: str, *, fix: str = "", path: str = "") -> HttpRefusal:
    return HttpRefusal(400, code, message, fix=fix, path=path)


def status_of(error: EngineError, method: str = "POST") -> int:
    """The HTTP status of a refusal. What a GET got wrong stands in its query, which makes it a bad request."""
    if isinstance(error, HttpRefusal):
        return error.status
    for kind, status in STATUSES.items():
        if isinstance(error, kind):
            return 400 if status == 422 and method in ("GET", "HEAD") else status
    return 400


def answer_to(error: Exception, method: str, request_id: str) -> Answer:
    """The problem+json answer to whatever was raised. What nobody foresaw is logged and tells nothing of its inside."""
    if isinstance(error, EngineError):
        status = status_of(error, method)
        headers = HEADERS.get(status, ())
        if isinstance(error, HttpRefusal) and error.allow:
            headers = (*headers, (b"allow", error.allow.encode()))
        if isinstance(error, TooManyRequests):
            headers = ((b"retry-after", str(error.seconds).encode()),)
        return problem(status, error.code, str(error), error.fix, error.problems, headers)
    if is_unavailable(error):
        log.error("request %s: the database does not answer: %s", request_id, error)
        return problem(503, "database.unavailable", "the database does not answer at the moment", "try again", ())
    log.error("request %s failed", request_id, exc_info=error)
    return problem(500, "internal", f"something went wrong here; the log has it under request {request_id}", "", ())


def problem(
    status: int, code: str, detail: str, fix: str = "", problems: tuple[InputProblem, ...] = (),
    headers: tuple[tuple[bytes, bytes], ...] | None = None,
) -> Answer:  # fmt: skip
    body = problem_body(status, code, detail, fix, problems)
    if headers is None:
        headers = HEADERS.get(status, ())
    return Answer(status, orjson.dumps(body, default=str), headers, PROBLEM_TYPE.encode())


def result_problem(error: EngineError) -> dict[str, Any]:
    """The refusal of one operation of a batch."""
    return problem_body(status_of(error), error.code, str(error), error.fix, error.problems)


def problem_body(status: int, code: str, detail: str, fix: str, problems: tuple[InputProblem, ...]) -> dict[str, Any]:
    body: dict[str, Any] = {"title": title_of(status), "status": status, "code": code, "detail": detail}
    if fix:
        body["fix"] = fix
    body["problems"] = [one_problem(problem) for problem in problems[:MOST_PROBLEMS]]
    return body


def one_problem(problem: InputProblem) -> dict[str, Any]:
    body: dict[str, Any] = {
        "path": problem.path, "code": problem.code, "message": problem.message, "fix": problem.fix,
    }  # fmt: skip
    if problem.candidates:
        body["candidates"] = candidate_bodies(problem.candidates)
    return body


def warning_body(warning: InputWarning) -> dict[str, Any]:
    body: dict[str, Any] = {"path": warning.path, "code": warning.code, "message": warning.message}
    return body | {"candidates": candidate_bodies(warning.candidates)}


def candidate_bodies(candidates: Sequence[Candidate]) -> list[dict[str, str]]:
    return [{"object": one.object, "id": one.id, "title": one.title} for one in candidates]


def title_of(status: int) -> str:
    return TITLES.get(status) or HTTPStatus(status).phrase


def is_unavailable(error: Exception) -> bool:
    cause = getattr(error, "orig", None) or error
    if isinstance(cause, sqlite3.OperationalError):
        return "locked" in str(cause) or "unable to open" in str(cause) or "disk" in str(cause)
    return isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError | sa.exc.TimeoutError)
