"""Files that forms send while they are open, and files that people fetch."""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from engine.api.errors import HttpRefusal, status_of
from engine.api.files import FileResponse, download
from engine.api.permission import asks
from engine.api.site import Site
from engine.api.uploads import Gone, Upload, receive_file
from engine.context import Context
from engine.errors import BadValue, EngineError, Forbidden, InputProblem, Unauthenticated
from engine.files.catalogue import add, need_upload
from engine.files.kinds import size_text
from engine.people.authentication import Identity
from engine.process.approval.attachments import FIELD
from metadata.model import Field
from ui.columns import readable
from ui.screens.errors import words
from ui.texts import problem_text, say_in
from ui.visit import Visit, asked_for, language_of, origin_of
from ui.widgets_files import file_view

__all__ = ["fetch", "upload"]

HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


def fetch(visit: Visit) -> Response:
    return FileResponse(download(visit.ctx, visit.request.path_params["id"], visit.request.headers))


def upload(site: Site) -> Callable[[Request], Awaitable[Response]]:
    """Answers JSON: the file as a form shows it, or {"error"} in the person's language."""

    @asks("person", "create or update where a field takes files, or an approval")
    async def page(request: Request) -> Response:
        def answer(work: Callable[[Context, Identity], Any]) -> Any:
            return site.answer("POST", request.headers, work, origin=origin_of(request), asked=asked_for(request))

        sent: Upload | None = None
        try:
            await site.run(lambda: answer(lambda ctx, identity: need_upload(ctx)))
            name, limit = request.query_params.get("name", ""), site.config.max_file_bytes
            received = sent = await receive_file(request.receive, request.headers, limit, name)
            return await site.run(
                lambda: answer(lambda ctx, identity: kept(Visit(site, request, ctx, identity), received))
            )
        except Gone:
            return Response(status_code=204)
        except EngineError as refusal:
            return refused(site, request, refusal)
        finally:
            if sent is not None:
                sent.close()

    return page


def kept(visit: Visit, sent: Upload) -> Response:
    """Raises BadInput for a file that the field would not take."""
    file = add(visit.ctx, sent.name, sent.content).view()
    query = visit.request.query_params
    field: Field | None = FIELD if query.get("for") == "approval" else None
    if field is None:
        field = readable(visit.ctx.snapshot, visit.ctx.scope, query.get("object", ""), query.get("field", ""))
    if field is not None and (problem := refusal_of(visit, field, file)):
        return JSONResponse({"error": problem_text(problem, visit.language)}, 422, HEADERS)
    return JSONResponse(file_view(file), 201, HEADERS)


def refusal_of(visit: Visit, field: Field, file: dict[str, Any]) -> InputProblem | None:
    kind = visit.ctx.snapshot.plugins.fields[field.type]
    if kind.attaches is None:
        return None
    try:
        kind.parser(field)([file] if field.options.get("multiple") else file)
    except BadValue as bad:
        return InputProblem(field.name, bad.code, bad.message, bad.fix, bad.values)
    return None


def refused(site: Site, request: Request, refusal: EngineError) -> Response:
    language = language_of(request)
    say, status = say_in(language), status_of(refusal, "POST")
    if isinstance(refusal, Unauthenticated):
        text = say("Your session is over. Sign in again in another tab, then try once more.")
    elif isinstance(refusal, Forbidden) and refusal.code == "csrf":
        text = say("This page was open too long. Please try again.")
    elif isinstance(refusal, HttpRefusal) and status == 413:
        text = say("The file is larger than {size}", size=size_text(site.config.max_file_bytes))
    else:
        known = {
            "file.empty": say("The file is empty"),
            "file.unused.limit": say("You have sent too many files today that no record holds. Save what you have."),
        }
        text = known.get(refusal.code) or " ".join(words(status, say))
    return JSONResponse({"error": text}, status, HEADERS)
