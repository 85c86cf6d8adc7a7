"""Pages for what went wrong: in the shell where we know who looks, alone where we do not."""

from starlette.requests import Request
from starlette.responses import Response

from engine.api.errors import status_of
from engine.errors import BadInput, Conflict, EngineError, Forbidden, NotFound
from engine.store.types import is_id
from ui.screens.refusals import sentence, whom_to_ask
from ui.texts import LANGUAGES, Say, say_in
from ui.visit import Visit, here, html, is_part, language_of, theme_of

__all__ = ["error_page", "no_such_page", "refusal_page"]

LATER = (429, 500, 502, 503)  # what may work in a moment


def no_such_page(visit: Visit) -> Response:
    raise NotFound(f"no page '{visit.request.url.path}'")


def refusal_page(visit: Visit, refusal: EngineError) -> Response:
    status = status_of(refusal, visit.request.method)
    title, text = words(status, visit.say)
    if isinstance(refusal, BadInput | Conflict):
        # What the person can mend is said in detail.
        text = sentence(
            visit, visit.ctx.snapshot.definitions.objects.get(visit.request.path_params.get("object", "")), refusal
        )
    back = ""
    if isinstance(refusal, Forbidden) and (help_ := helped(visit)):
        text, back = help_, "/o/{object}/{id}".format_map(visit.request.path_params)
    if isinstance(refusal, Forbidden) and refusal.code == "csrf":
        text = visit.say("This page was open too long. Please try again.")
    marks = {403: "lock", 404: "map-search"}
    template = "error_part.html" if visit.is_part else "error_page.html"
    response = visit.render(
        template, status, title=title, text=text, back=back, mark=marks.get(status, "alert-triangle"), current="",
        again=again(visit.request, status),
    )  # fmt: skip
    return over_the_page(response) if visit.is_part else response


def over_the_page(response: Response) -> Response:
    """A refusal of a part opens a dialog of its own, wherever the part was meant for."""
    response.headers["HX-Retarget"], response.headers["HX-Reswap"] = "#trouble", "innerHTML"
    return response


def helped(visit: Visit) -> str:
    """Whom to ask about a record that the person may read; "" where the refusal is about no such record."""
    params = visit.request.path_params
    name, record_id = params.get("object", ""), params.get("id", "")
    if "owner" not in visit.ctx.scope.fields(name) or not is_id(record_id):
        return ""
    try:
        return whom_to_ask(visit, visit.records.get_row(name, record_id, ("owner",)))
    except EngineError:
        return ""


def error_page(request: Request, status: int, error: Exception) -> Response:
    """Where nobody is known: unknown paths, refusals of the guard, failures of our own. Reads no database."""
    language = language_of(request)
    say = say_in(language)
    title, text = words(status, say)
    if isinstance(error, Forbidden) and error.code == "csrf":
        text = say("This page was open too long. Please try again.")
    number = request.scope.get("fieldstone.request_id", "") if status == 500 else ""
    if is_part(request):
        return over_the_page(html("error_part.html", status, _=say, title=title, text=text, number=number))
    links = {code: f"/login?language={code}" for code in LANGUAGES}
    return html(
        "lost.html", status, _=say, language=language, theme=theme_of(request), title=title, text=text,
        href="/", link=say("To the home page"), language_links=links, number=number, again=again(request, status),
    )  # fmt: skip


def again(request: Request, status: int) -> str:
    """Where what did not work now may work in a moment: the page that was asked for."""
    return here(request) if status in LATER and request.method == "GET" else ""


def words(status: int, say: Say) -> tuple[str, str]:
    known = {
        400: (
            say("That address does not work"),
            say("Something in it cannot be understood. Start again from the list."),
        ),
        403: (say("You may not do that"), say("Your roles do not allow it. An administrator can change that.")),
        404: (say("There is nothing here"), say("It may have been deleted, or you may not see it.")),
        405: (say("There is nothing here"), say("This address is not one to send something to.")),
        409: (say("That is not possible now"), say("It would contradict other records.")),
        412: (say("Somebody was faster"), say("The record was changed meanwhile. Open it again.")),
        413: (say("That is too large"), say("Send less at a time.")),
        422: (say("That cannot be saved"), say("Something in it is not allowed.")),
        502: (
            say("The mail could not be sent"),
            say("The mail server did not take it. Try again, or look at the log."),
        ),
        429: (say("That was too much at once"), say("Wait a minute, then go on.")),
        503: (say("Busy at the moment"), say("The database does not answer. Try again in a moment.")),
    }
    return known.get(status, (say("Something went wrong"), say("It is not your fault, and it has been written down.")))
