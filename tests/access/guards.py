"""Each guard of docs/security.md: how it is taken away, and the check that must then fail."""

from unittest.mock import ANY

import engine.access.fields
import engine.access.scope
import engine.api.guard
import engine.api.operations
import engine.api.site
import engine.audit.verify
import engine.outbound
import engine.process.approval.attachments
import engine.process.automation.hooks
import engine.process.reading
import engine.rules.pipeline
import engine.rules.told
import engine.rules.values
import engine.store.query_rows
import engine.store.rows
import engine.store.rows_files
import engine.store.rows_locks
import engine.store.rows_people
import metadata.files
from engine.access.narrow import TokenScope
from engine.access.scope import Scope
from engine.api.site import Site
from engine.config import Config
from engine.context import Context
from engine.people.authentication import fingerprint
from engine.process.approval import mail_links
from engine.process.approval.work import Work
from engine.store.database import Connection
from engine.store.query_build import Builder
from engine.store.system_approvals import approval_link
from tests.access.guard_checks import (
    CLAUSES,
    Check,
    aggregate_holds,
    archive_limit_holds,
    attachments_hold,
    audit_chain_holds,
    body_limit_holds,
    connection_stays_with_its_tenant,
    cookie_holds,
    count_holds,
    csp_holds,
    csrf_holds,
    error_holds,
    field_is_read_only,
    files_hold,
    get_holds,
    hidden_files_hold,
    hidden_in,
    history_hides,
    history_holds,
    host_holds,
    list_holds,
    lookup_holds,
    mask_cannot_be_guessed,
    mask_holds,
    mask_in_history_holds,
    mask_in_search_holds,
    outbound_holds,
    pace_holds,
    path_holds,
    related_holds,
    restriction_holds,
    row_after_write_holds,
    row_before_write_holds,
    search_holds,
    session_ends,
    system_fields_hold,
    token_scope_holds,
    trash_holds,
    unmask_holds,
    update_of_unseen_holds,
    upload_limit_holds,
    words_hold,
    worked_out_is_hidden,
)
from tests.access.guard_checks_processes import (
    link_decides_by_post_alone,
    link_decides_once,
    link_is_of_its_person,
    lock_holds,
    own_submission_holds,
    signature_holds,
    step_hides,
)
from tests.access.taken_away import (
    OPEN_FIELDS,
    Patch,
    all_fields,
    anybody_decides,
    attribute,
    everything_visible,
    files_of_all,
    large_bodies,
    large_files,
    opening_decides,
    system_fields_open,
    unflagged,
    written_is_allowed,
)

GUARDS: dict[str, tuple[str, Patch, Check]] = {
    # guard: (where it stands, how it is taken away, the check)
    "row rule in lists": ("Builder.visible", everything_visible, list_holds),
    "row rule of one record": ("Builder.visible", everything_visible, get_holds),
    "row rule in search": ("Builder.visible", everything_visible, search_holds),
    "row rule in counts": ("Builder.visible", everything_visible, count_holds),
    "row rule in aggregates": ("Builder.visible", everything_visible, aggregate_holds),
    "row rule in lookups": ("Builder.visible", everything_visible, lookup_holds),
    "row rule in histories": ("Builder.visible", everything_visible, history_holds),
    "row rule in the trash": ("Builder.visible", everything_visible, trash_holds),
    "row rule of what is written": ("Builder.visible", everything_visible, update_of_unseen_holds),
    "row rule through references": ("Builder._row_rule", attribute(Builder, "_row_rule", lambda *_: []), path_holds),
    "row rule of the master": (
        "Scope._with_masters", attribute(Scope, "_with_masters", lambda self, action, name, own: own), related_holds,
    ),
    "row rule in files": ("rows_files.readable", files_of_all, files_hold),
    "sharing": ("sharing.shared", attribute(engine.access.scope, "shared", lambda *_: None), list_holds),
    "restriction rules": ("sharing.restrictions", attribute(engine.access.scope, "restrictions", lambda *_: []),
                          restriction_holds),
    **{f"hidden field in {clause}": ("Scope.sees", OPEN_FIELDS, hidden_in(clause)) for clause in CLAUSES
       if clause != "upsert"},
    "hidden field in upserts": ("Scope.sees", OPEN_FIELDS, hidden_in("upsert", "passport")),
    "hidden field in histories": ("Scope.sees", OPEN_FIELDS, history_hides),
    "hidden field in errors": ("told.error_told", attribute(engine.rules.told, "error_told", lambda ctx, name, e: e),
                               error_holds),
    "hidden field in words of a service identity": (
        "Context.told", attribute(Context, "told", property(lambda ctx: ctx)), words_hold,
    ),
    "what is worked out from a hidden field": (
        "fields.reads_of", attribute(engine.access.scope, "reads_of", lambda *_: frozenset()), worked_out_is_hidden,
    ),
    "mask": ("query_rows.mask_of", attribute(engine.store.query_rows, "mask_of", lambda _: lambda value: value),
             mask_holds),
    "mask in histories": ("Scope.masks", attribute(Scope, "masks", lambda *_: {}), mask_in_history_holds),
    "mask in search": ("Scope.sees", OPEN_FIELDS, mask_in_search_holds),
    "mask in filters": ("Scope.sees", OPEN_FIELDS, hidden_in("filter", "phone")),
    "mask against guesses": ("values._is_guessed", attribute(engine.rules.values, "_is_guessed", lambda *_: False),
                             mask_cannot_be_guessed),
    "unmasking": ("Scope.has", attribute(Scope, "has", lambda *_: True), unmask_holds),
    "field that may be read only": ("Scope.writes", attribute(Scope, "writes", lambda *_, **__: True),
                                    field_is_read_only),
    "row check before a write": ("rows.may_flag", unflagged, row_before_write_holds),
    "row check after a write": ("rows._written", written_is_allowed, row_after_write_holds),
    "fields of the system": ("values.read_values", system_fields_open, system_fields_hold),
    "CSRF token": ("site.check_csrf", attribute(engine.api.site, "check_csrf", lambda *_: None), csrf_holds),
    "host names": ("Config.allowed_hosts", attribute(Config, "allowed_hosts", frozenset({"*"})), host_holds),
    "flags of the cookie": ("Site.cookie", attribute(Site, "cookie", lambda _: {"httponly": False, "samesite": "none",
                            "secure": False}), cookie_holds),
    "content security policy": ("guard.API_POLICY", attribute(engine.api.guard, "API_POLICY", b""), csp_holds),
    "size of bodies": ("operations.read_body", large_bodies, body_limit_holds),
    "size of uploads": ("uploads.receive_file", large_files, upload_limit_holds),
    "requests in a minute": ("Pace.count", attribute(engine.api.site.Pace, "count", lambda *_: None), pace_holds),
    "archives that unpack to too much": ("files.MAX_RATIO", attribute(metadata.files, "MAX_RATIO", 1 << 40),
                                         archive_limit_holds),
    "addresses inside": ("outbound.is_inside", attribute(engine.outbound, "is_inside", lambda _: False),
                         outbound_holds),
    "sessions of who is deactivated": ("rows_people.note", attribute(engine.store.rows_people, "note", lambda *_: None),
                                       session_ends),
    "records that are being approved": (
        "rows_locks._check", attribute(engine.store.rows_locks, "_check", lambda *_: None), lock_holds,
    ),
    "what a step of an approval hides": (
        "visible.visible_fields", attribute(engine.process.reading, "visible_fields", all_fields), step_hides,
    ),
    "files with what is said in an approval": (
        "sight.may_see", attribute(engine.process.approval.attachments, "may_see", lambda *_: True), attachments_hold,
    ),
    "a mail's link that is only opened": ("mail_links.asked_by", opening_decides, link_decides_by_post_alone),
    "a mail's link that was used": (
        "mail_links.holds",
        attribute(mail_links, "holds", lambda secret, _: [approval_link.c.hash == fingerprint(secret)]),
        link_decides_once,
    ),
    "a mail's link of another person": ("door.need_owner", anybody_decides, link_is_of_its_person),
    "decisions on one's own submission": ("Work.is_barred", attribute(Work, "is_barred", lambda *_: False),
                                          own_submission_holds),
    "connections of another tenant": ("Connection.need", attribute(Connection, "need", lambda *_: None),
                                      connection_stays_with_its_tenant),
    "files in hidden fields": ("rows_files.readable", files_of_all, hidden_files_hold),
    "signature of calls from outside": (
        "signatures.delivery_of", attribute(engine.process.automation.hooks, "delivery_of", lambda *_: "1"),
        signature_holds,
    ),
    "limits of a token": ("TokenScope.allows", attribute(TokenScope, "allows", lambda *_: True), token_scope_holds),
    "chain of the audit log": ("verify.entry_mac", attribute(engine.audit.verify, "entry_mac", lambda *_: ANY),
                               audit_chain_holds),
}  # fmt: skip
