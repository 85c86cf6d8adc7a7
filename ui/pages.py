"""The routes of the screens: mounted by the engine through `mount(site)`."""

from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import urlencode

from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from engine.api.permission import asks
from engine.api.site import Site, session_secret
from engine.api.uploads import UPLOADS
from engine.context import Context
from engine.errors import EngineError, Forbidden, Unauthenticated
from engine.people.authentication import Identity
from ui.files import static_file
from ui.screens import (
    access,
    account,
    approval_actions,
    approval_mail,
    approval_move,
    approval_panel,
    approval_setup,
    audit,
    automation,
    automations,
    away_change,
    bulk,
    buttons,
    calendars,
    deleted,
    door,
    door_code,
    door_links,
    door_providers,
    errors,
    files,
    forms,
    handover,
    home,
    inbox,
    inbox_task,
    jobs,
    lists,
    live,
    merge,
    notifications,
    people,
    permissions,
    privacy,
    record,
    rehearsals,
    runs,
    search,
    shares,
    stages,
    templates,
    unmask,
)
from ui.visit import Visit, asked_for, here, origin_of

__all__ = ["mount"]

Screen = Callable[[Visit], Response]
Door = Callable[[Site, Request], Response]
Knock = Callable[[Site, Request, FormData], Response]
Endpoint = Callable[[Request], Awaitable[Response]]
MOST_FIELDS = 10_000  # of a wide object, some fields send two values; the size of a body is bounded elsewhere

TAKES_PART = "approvals: takes part; each action its own"
SEES = "approvals: takes part, or records: read, or manage_processes; each action its own"

SCREENS: tuple[tuple[str, str, Screen, str], ...] = (
    ("GET", "/", home.home_page, "records: read"),
    ("GET", "/search", search.search_page, "records: read"),
    ("GET", "/audit", audit.audit_page, "may_view_audit"),
    ("GET", "/inbox", inbox.inbox_page, "own tasks"),
    ("GET", "/inbox/several", inbox.several_page, "own tasks"),
    ("POST", "/inbox/several", inbox.approve_several, "own tasks"),
    ("GET", "/inbox/{task}", inbox_task.task_page, TAKES_PART),
    ("GET", "/inbox/{task}/{action}", approval_actions.action_page, TAKES_PART),
    ("POST", "/inbox/{task}/{action}", approval_actions.act, TAKES_PART),
    ("GET", "/approvals/{id}", inbox_task.approval_page, SEES),
    ("GET", "/approvals/{id}/{action}", approval_actions.instance_action_page, SEES),
    ("POST", "/approvals/{id}/{action}", approval_actions.act_on, SEES),
    ("GET", "/setup/permissions", permissions.permissions_page, "manage_rights"),
    ("GET", "/setup/permissions/role/{name}", permissions.role_page, "manage_rights"),
    ("GET", "/setup/permissions/set/{name}", permissions.set_page, "manage_rights"),
    ("GET", "/setup/approvals", approval_setup.approvals_page, "manage_processes"),
    ("GET", "/setup/approvals/{name}/move", approval_move.move_page, "manage_processes"),
    ("POST", "/setup/approvals/{name}/move", approval_move.move, "manage_processes"),
    ("GET", "/setup/people/{id}/access", permissions.person_page, "manage_rights"),
    ("POST", "/setup/people/{id}/access", permissions.preview_page, "manage_rights"),
    ("GET", "/setup/automations", automations.automations_page, "manage_processes"),
    ("GET", "/setup/automations/{name}", automation.automation_page, "manage_processes"),
    ("POST", "/setup/automations/{name}/secret", automation.set_secret, "manage_processes"),
    ("GET", "/setup/automations/{name}/rehearse", rehearsals.rehearsal_page, "manage_processes"),
    ("POST", "/setup/automations/{name}/rehearse", rehearsals.rehearse_on, "manage_processes"),
    ("GET", "/setup/automations/{name}/runs/{id}", runs.run_page, "manage_processes"),
    ("POST", "/setup/automations/{name}/runs/{id}/again", runs.try_again, "manage_processes"),
    ("GET", "/setup/jobs", jobs.jobs_page, "manage_processes"),
    ("POST", "/setup/jobs/{id}/again", jobs.try_again, "manage_processes"),
    ("POST", "/setup/jobs/{id}/discard", jobs.discard, "manage_processes"),
    ("GET", "/setup/templates", templates.templates_page, "manage_processes"),
    ("GET", "/setup/templates/{name}", templates.template_page, "manage_processes"),
    ("GET", "/setup/calendars", calendars.calendars_page, "manage_processes"),
    ("GET", "/notifications", notifications.notifications_page, "own notifications"),
    ("POST", "/notifications/read", notifications.read_all, "own notifications"),
    ("POST", "/notifications/{id}/read", notifications.read_one, "own notifications"),
    ("POST", "/me/notifications", notifications.change_mail, "own notifications"),
    ("POST", "/logout", door.sign_out, "own session"),
    ("POST", "/preferences", door.preferences, "own cookies"),
    ("GET", "/me", account.account_page, "own account"),
    ("POST", "/me/password", account.change_password, "own account"),
    ("POST", "/me/codes/begin", account.begin_codes, "own account"),
    ("POST", "/me/codes/confirm", account.confirm_codes, "own account"),
    ("POST", "/me/codes/off", account.codes_off, "own account"),
    ("POST", "/me/codes/renew", account.renew_codes, "own account"),
    ("POST", "/me/away", away_change.add_away, "own account"),
    ("POST", "/me/away/end", away_change.end_away, "own account"),
    ("POST", "/me/sessions/end", account.end_session, "own account"),
    ("POST", "/me/sessions/end-others", account.end_other_sessions, "own account"),
    ("POST", "/me/tokens", account.make_token, "own account"),
    ("POST", "/me/tokens/revoke", account.revoke_token, "own account"),
    ("POST", "/o/user/{id}/invite", people.invite, "people: manage"),
    ("POST", "/o/user/{id}/codes-off", people.codes_off, "people: manage"),
    ("POST", "/o/user/{id}/end-sessions", people.end_sessions, "people: manage"),
    ("GET", "/o/{object}", lists.list_page, "records: read"),
    ("GET", "/o/{object}/filter", lists.filter_part, "records: read"),
    ("GET", "/o/{object}/options", search.options, "records: read"),
    ("GET", "/o/{object}/rules-{digest}.js", live.rules_module, "records: read"),
    ("GET", "/o/{object}/reach", live.reach_part, "records: read"),
    ("GET", "/o/{object}/deleted", deleted.deleted_page, "records: read"),
    ("GET", "/o/{object}/new", forms.new_page, "records: create"),
    ("POST", "/o/{object}/new", forms.create, "records: create"),
    ("GET", "/o/{object}/bulk", bulk.bulk_part, "records: read"),
    ("POST", "/o/{object}/bulk", bulk.bulk, "records: update, delete; a button's own"),
    ("GET", "/o/{object}/merge", merge.merge_page, "records: update, delete"),
    ("POST", "/o/{object}/merge", merge.merge, "records: update, delete"),
    ("GET", "/o/{object}/{id}", record.record_page, "records: read"),
    ("GET", "/o/{object}/{id}/access", access.access_page, "manage_rights"),
    ("GET", "/o/{object}/{id}/privacy", privacy.privacy_page, "records: read, and manage_privacy"),
    ("POST", "/o/{object}/{id}/privacy/export", privacy.export_person, "records: read, and manage_privacy"),
    ("POST", "/o/{object}/{id}/privacy/erase", privacy.erase_person, "records: read, and manage_privacy"),
    ("GET", "/o/{object}/{id}/edit", forms.edit_page, "records: update"),
    ("POST", "/o/{object}/{id}/edit", forms.update, "records: update"),
    ("GET", "/o/{object}/{id}/shares", shares.shares_page, "records: share, update"),
    ("POST", "/o/{object}/{id}/shares", shares.add_share, "records: share, update"),
    ("POST", "/o/{object}/{id}/shares/end", shares.end_share, "records: share, update"),
    ("POST", "/o/{object}/{id}/unmask", unmask.unmask, "unmask, or records: unmask"),
    ("GET", "/o/{object}/{id}/submit", approval_panel.submit_page, "records: read; the approval's submit_by"),
    ("GET", "/o/{object}/{id}/approvals", approval_panel.past_page, "records: read"),
    ("POST", "/o/{object}/{id}/submit", approval_panel.submit, "records: read; the approval's submit_by"),
    ("POST", "/o/{object}/{id}/stage", record.change_stage, "records: update"),
    ("POST", "/o/{object}/{id}/run/{automation}", buttons.press, "the button's roles, else update of the record"),
    ("GET", "/o/{object}/{id}/move", stages.move_page, "records: update"),
    ("POST", "/o/{object}/{id}/move", stages.move, "records: update"),
    ("POST", "/o/{object}/{id}/delete", deleted.delete, "records: delete"),
    ("POST", "/o/{object}/{id}/restore", deleted.restore, "records: delete"),
    ("POST", "/o/{object}/{id}/unmerge", merge.unmerge, "records: update, delete"),
    ("GET", "/o/user/{id}/handover", handover.handover_page, "update of the user, and all rights that the user has"),
    ("POST", "/o/user/{id}/handover", handover.hand_over_all, "update of the user, and all rights that the user has"),
    ("GET", "/files/{id}", files.fetch, "records: read"),
    ("GET", "/{path:path}", errors.no_such_page, "tells only that there is no such page"),
)

# Pages before a session. What is sent there takes a password's while, so it is worked on beside the database's threads.
DOORS: tuple[tuple[str, Door, Knock, str], ...] = (
    ("/login", door.login_page, door.sign_in, "who signs in has no session yet"),
    ("/login/code", door_code.code_page, door_code.take_code, "who has shown a password has no session yet"),
    ("/login/forgot", door_links.ask_page, door_links.ask, "who forgot a password has no session"),
    ("/login/password", door_links.choose_page, door_links.choose, "whoever holds the link of a mail"),
    ("/approve/{token}", approval_mail.confirm_page, approval_mail.decide, "whoever holds the link of a mail"),
)
WITH = "/login/with/{provider}"


def mount(site: Site) -> Sequence[BaseRoute]:
    site.error_page = errors.error_page
    screens = [Route(path, endpoint(site, screen, why), methods=[method]) for method, path, screen, why in SCREENS]
    return [
        Route("/static/{path:path}", static_file, methods=["GET"]),
        *(Route(path, door_page(site, page, why), methods=["GET"]) for path, page, _, why in DOORS),
        Route(WITH, elsewhere(site, door_providers.go_there, "who is to sign in elsewhere"), methods=["GET"]),
        Route(f"{WITH}/back", elsewhere(site, door_providers.come_back, "who has signed in there"), methods=["GET"]),
        *(Route(path, knock(site, work, why), methods=["POST"]) for path, _, work, why in DOORS),
        Route(UPLOADS, files.upload(site), methods=["POST"]),
        *screens,
    ]


def endpoint(site: Site, screen: Screen, why: str) -> Endpoint:
    @asks("person", why)
    async def page(request: Request) -> Response:
        form = await read_form(request)

        def work(ctx: Context, identity: Identity) -> Response:
            visit = Visit(site, request, ctx, identity, form)
            try:
                return screen(visit)
            except EngineError as refusal:
                if isinstance(refusal, Forbidden):
                    site.refusals.note(ctx, refusal, asked)
                return errors.refusal_page(visit, refusal)

        # A record's form says "_csrf": an object may have a field "csrf".
        csrf = (form.get("_csrf") or form.get("csrf") or [""])[-1]
        origin, asked = origin_of(request), asked_for(request)
        try:
            run = site.run_aside if is_slow(request.url.path) else site.run
            return await run(
                lambda: site.answer(request.method, request.headers, work, csrf=csrf, origin=origin, asked=asked)
            )
        except Unauthenticated:
            return to_login(request)

    return page


def is_slow(path: str) -> bool:
    """Whether it checks a password or waits for a mail server: beside the database's threads."""
    return path.startswith("/me/") or path.endswith("/invite")


def to_login(request: Request) -> Response:
    """The sign-in page, from where the way leads back here. A form that was sent cannot be sent again."""
    pairs = [("next", here(request) if request.method == "GET" else "/")]
    if session_secret(request.headers):
        pairs.append(("why", "over"))
    address = f"/login?{urlencode(pairs)}"
    if request.headers.get("hx-request") == "true":
        if request.method == "GET":
            address = "/login?why=over"
        return Response(status_code=204, headers={"HX-Redirect": address})
    return RedirectResponse(address, 303)


def door_page(site: Site, show: Door, why: str) -> Endpoint:
    @asks("anyone", why)
    async def page(request: Request) -> Response:
        return await site.run_aside(lambda: show(site, request))  # it may ask whether this is a sandbox

    return page


def elsewhere(site: Site, work: Door, why: str) -> Endpoint:
    @asks("anyone", why)
    async def page(request: Request) -> Response:
        return await site.run_aside(lambda: work(site, request))  # it waits for the provider

    return page


def knock(site: Site, work: Knock, why: str) -> Endpoint:
    @asks("anyone", why)
    async def page(request: Request) -> Response:
        form = await sent_form(request, 20)
        return await site.run_aside(lambda: work(site, request, form))

    return page


async def sent_form(request: Request, most_fields: int) -> FormData:
    """In UTF-8, as browsers send it: another encoding could bring characters that cannot be stored."""
    _, options = parse_options_header(request.headers.get("content-type", ""))
    if options.get(b"charset", b"utf-8").lower() != b"utf-8":
        raise HTTPException(415, "A form is sent in UTF-8")
    return await request.form(max_files=0, max_fields=most_fields)


async def read_form(request: Request) -> dict[str, list[str]]:
    """Every value of every field, in order. Files are not taken here."""
    values: dict[str, list[str]] = {}
    if request.method == "POST":
        form = await sent_form(request, MOST_FIELDS)
        for name, value in form.multi_items():
            if not isinstance(value, UploadFile):
                values.setdefault(name, []).append(value)
    return values
