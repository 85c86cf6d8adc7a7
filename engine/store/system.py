"""Tables that the engine keeps for itself in each tenant, all named fs_…: definitions, history, people, requests."""

from collections.abc import Callable, Mapping
from functools import cache

import sqlalchemy as sa

from engine.store import system_approvals, system_jobs, system_locks, system_runs, system_scenarios
from engine.store.database import Connection
from engine.store.sql import DIALECTS
from engine.store.system_base import TABLES, column, key, table
from engine.store.types import DateTime, Id, Integer, Text

__all__ = [
    "TABLES", "attempt", "audit", "audit_head", "counter", "credential", "deletion", "duplicate_key", "ensure",
    "exists", "file", "file_use", "halfway", "history", "idempotency", "identity", "is_current", "mail_link", "merge",
    "name",
    "oidc_flow", "package", "password_before", "recovery_code", "session", "share", "state", "tenant", "token", "totp",
    "user_role", "version",
]  # fmt: skip

MORE = (system_jobs, system_approvals, system_locks, system_runs, system_scenarios)  # whose tables there are, too

LAYOUT = 4  # of these tables; a release that adds or changes one counts up
state = table(
    "fs_state",  # one row
    key("id", Integer),
    column("version", Integer),  # of the definitions that run; 0: none yet
    column("layout", Integer),
)
version = table(
    "fs_version",
    key("number", Integer),
    column("hash", Text),  # the plan's
    column("at", DateTime),
    column("by", Id, nullable=True),  # a user; null: the command line
    column("plan", Text),  # its steps, as JSON
    sa.Column("definitions", sa.LargeBinary, nullable=False),  # compiled, with their physical names: engine/snapshot.py
    column("note", Text, nullable=True),
)
package = table(
    "fs_package",  # the packages of each version
    key("version", Integer),
    key("package", Text),
    column("package_version", Text),
    sa.Column("files", sa.LargeBinary, nullable=True),  # compressed JSON: path -> text; null: as in `files_of`
    column("files_of", Integer),  # the version whose row holds the files
)
name = table(
    "fs_name",  # every physical name ever given; none is given twice
    key("table", Text),
    key("column", Text),  # "" for the table itself
    column("kind", Text),  # "table" or "column"
    column("object", Text),
    column("field", Text),  # "" for the table itself
    column("dropped_in", Integer, nullable=True),
)
# The next three name tables and columns by their physical names, which no rename changes.
history = table(
    "fs_history",
    key("id", Id),
    column("object", Text),
    column("record", Id),
    column("version", Integer),
    column("action", Text),
    column("at", DateTime),
    column("by", Id, nullable=True),
    column("changes", Text, nullable=True),  # JSON
    sa.Index("ix_fs_history_record", "record", "id"),
    sa.Index("ix_fs_history_at", "at"),
)
deletion = table(
    "fs_deletion",
    key("batch", Id),
    key("object", Text),
    key("record", Id),
    key("field", Text),  # "" for the record itself, else the reference that was set to null
    column("old_value", Text, nullable=True),
    column("at", DateTime),
    column("by", Id, nullable=True),
    sa.Index("ix_fs_deletion_record", "record"),
)
credential = table(
    "fs_credential",
    key("user", Id),
    column("hash", Text),
    column("changed_at", DateTime),
)
user_role = table("fs_user_role", key("user", Id), key("role", Text))  # of a release before: engine/people/roles.py
session = table(
    "fs_session",
    key("hash", Text),
    column("user", Id),
    column("csrf", Text),
    column("created_at", DateTime),
    column("seen_at", DateTime),
    column("expires_at", DateTime),
    column("agent", Text, nullable=True),
    column("address", Text, nullable=True),
    sa.Index("ix_fs_session_user", "user"),
)
token = table(
    "fs_token",
    key("id", Id),
    column("hash", Text),
    column("user", Id),
    column("name", Text),
    column("created_at", DateTime),
    column("expires_at", DateTime, nullable=True),
    column("used_at", DateTime, nullable=True),
    column("scope", Text, nullable=True),  # JSON: {"read_only", "objects"}; null: all that its user may
    sa.Index("ux_fs_token_hash", "hash", unique=True),
    sa.Index("ix_fs_token_user", "user"),
)
idempotency = table(
    "fs_idempotency",
    key("key", Text),
    key("user", Id),
    column("request_hash", Text),
    column("status", Integer, nullable=True),
    column("body", Text, nullable=True),
    column("created_at", DateTime),
    sa.Index("ix_fs_idempotency_created_at", "created_at"),
)
counter = table(
    "fs_counter",
    key("object", Text),
    key("field", Text),
    key("period", Text),
    column("value", Integer),
)
password_before = table(
    "fs_password_before",  # hashes of passwords that a user had
    key("id", Id),
    column("user", Id),
    column("hash", Text),
    sa.Index("ix_fs_password_before_user", "user", "id"),
)
mail_link = table(
    "fs_mail_link",  # links that let somebody choose a password: engine/people/links.py
    key("hash", Text),
    column("user", Id),
    column("purpose", Text),  # "reset", "invite" or "expired"
    column("created_at", DateTime),
    column("expires_at", DateTime),
    column("used_at", DateTime, nullable=True),
    sa.Index("ix_fs_mail_link_user", "user"),
    sa.Index("ix_fs_mail_link_expires_at", "expires_at"),
)
halfway = table(
    "fs_halfway",  # people who have shown their password and not yet their code: engine/people/halfway.py
    key("hash", Text),
    column("user", Id),
    column("expires_at", DateTime),
    column("tries", Integer),
    sa.Index("ix_fs_halfway_user", "user"),
)
totp = table(
    "fs_totp",
    key("user", Id),
    column("secret", Text),  # encrypted: engine/people/totp.py
    column("is_on", Integer),  # 0: it waits for its first code
    column("last_step", Integer),  # of the last code taken: none is taken twice
    column("created_at", DateTime),
)
recovery_code = table("fs_recovery_code", key("user", Id), key("hash", Text))
identity = table(
    "fs_identity",  # whom a provider's `sub` is here
    key("provider", Text),
    key("subject", Text),
    column("user", Id),
    column("created_at", DateTime),
    sa.Index("ix_fs_identity_user", "user"),
)
oidc_flow = table(
    "fs_oidc_flow",  # sign-ins that a provider has not answered yet: engine/people/oidc.py
    key("state", Text),  # its hash
    column("browser", Text),  # the hash of what the browser holds
    column("provider", Text),
    column("nonce", Text),
    column("verifier", Text),
    column("next", Text),
    column("expires_at", DateTime),
    sa.Index("ix_fs_oidc_flow_expires_at", "expires_at"),
)
attempt = table(
    "fs_attempt",  # what failed or was asked for lately; both keys begin with its kind
    column("account", Text),
    column("address", Text),
    column("at", DateTime),
    sa.Index("ix_fs_attempt_account", "account", "at"),
    sa.Index("ix_fs_attempt_address", "address", "at"),
)
duplicate_key = table(
    "fs_duplicate_key",  # under what the records of an object with duplicate rules are found, living or in the trash
    key("key", Text),  # a hash of the rule and of what it compares
    key("record", Id),
    column("rule", Text),  # which fields it compares, and how: engine/rules/duplicates.py
    column("object", Text),
    sa.Index("ix_fs_duplicate_key_record", "record"),
)
merge = table(
    "fs_merge",
    key("id", Id),
    column("object", Text),
    column("master", Id),
    column("at", DateTime),
    column("by", Id, nullable=True),
    column("losers", Text),  # JSON: ids
    column("values", Text),  # JSON: column -> [before, after] of the master
    column("moved", Text),  # JSON: [table, column, record, losers that it referred to, whether to the master too]
    column("undone_at", DateTime, nullable=True),
    sa.Index("ix_fs_merge_master", "master", "id"),
)

file = table(
    "fs_file",  # what was uploaded; its content lies in the file store under its hash
    key("id", Id),
    column("hash", Text),  # SHA-256, in hexadecimal
    column("name", Text),
    column("type", Text),  # a media type that is safe to send
    column("size", Integer),
    column("created_at", DateTime),
    column("created_by", Id, nullable=True),
    sa.Index("ix_fs_file_hash", "hash"),
    sa.Index("ix_fs_file_created_by", "created_by", "created_at"),
    sa.Index("ix_fs_file_created_at", "created_at"),
)
file_use = table(
    "fs_file_use",  # which records hold which files, deleted records too; by physical names, which no rename changes
    sa.Column("file", Id, sa.ForeignKey("fs_file.id"), primary_key=True),  # a file that is taken up is not removed
    key("record", Id),
    key("field", Text),
    column("object", Text),
    sa.Index("ix_fs_file_use_record", "record", "field"),
)

audit = table(
    "fs_audit",  # who did what: engine/audit
    key("chain", Integer),
    key("seq", Integer),  # 1, 2, 3, ... in its chain
    column("at", DateTime),
    column("kind", Text),  # "record.update", "sign_in.refused", ...
    column("by", Id, nullable=True),
    column("on_behalf_of", Id, nullable=True),
    column("channel", Text, nullable=True),
    column("address", Text, nullable=True),
    column("request", Text, nullable=True),
    column("object", Text, nullable=True),
    column("record", Id, nullable=True),
    column("details", Text, nullable=True),  # JSON
    column("mac", Text),  # over the one before and all of this: engine/audit/chain.py
    sa.Index("ix_fs_audit_at", "at"),
    sa.Index("ix_fs_audit_record", "record", "at"),
    has_rowid=False,  # each write writes to it: one tree less
)
audit_head = table(
    "fs_audit_head",  # where each chain of the audit log ends; row 0 counts the chains
    key("chain", Integer),
    column("key", Text),  # the id of the key
    column("gone", Integer),  # entries at its beginning that were removed because of their age
    column("gone_mac", Text),  # of the last of these
    column("length", Integer),  # the seq of its last entry
    column("mac", Text),  # of its last entry; in row 0 since when the log tells of all history
    column("seal", Text),  # over this row
)

share = table(
    "fs_share",  # records that somebody gave to others: engine/access/shares.py
    key("id", Id),
    column("object", Text),  # by its physical name, which no rename changes
    column("record", Id),
    column("kind", Text),  # "user", "team", "department" or "role"
    column("to", Text),  # an id, or the name of a role
    column("access", Text),  # "read" or "edit"
    column("expires_at", DateTime, nullable=True),
    column("reason", Text, nullable=True),
    column("at", DateTime),
    column("by", Id, nullable=True),
    sa.Index("ix_fs_share_to", "to", "object", "record"),
    sa.Index("ix_fs_share_record", "record"),
)

tenant = table(
    "fs_tenant",  # at most one row: what kind of tenant this is
    key("id", Integer),
    column("sandbox_of", Text, nullable=True),  # the tenant that it is a copy of: nothing it does may leave it
)


def add_token_scope(connection: Connection) -> None:
    if "scope" not in columns_of(connection, "fs_token"):
        connection.run("ALTER TABLE fs_token ADD COLUMN scope TEXT")


CHANGES: Mapping[int, Callable[[Connection], None]] = {3: add_token_scope}
"""Layout -> what changes the tables of the one before. Tables that are only new need nothing here."""


def exists(connection: Connection) -> bool:
    if connection.dialect == "sqlite":
        return bool(connection.rows("SELECT 1 FROM sqlite_master WHERE name = 'fs_state'"))
    # Not to_regclass: after waiting for the lock it may still answer from the catalogue as it was before.
    return bool(
        connection.rows(
            "SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE c.relname = 'fs_state' AND n.nspname = current_setting('search_path')"
        )
    )


def is_current(connection: Connection) -> bool:
    """Whether the tables are as this release wants them."""
    return exists(connection) and layout_of(connection) >= LAYOUT


def ensure(connection: Connection, schema: str) -> None:
    """Create what is missing and bring an older layout up to date, within the caller's transaction, which keeps others
    from doing so at the same time."""
    if not exists(connection):
        create(connection, schema)
    elif (found := layout_of(connection)) < LAYOUT:
        there = names_of(connection)
        for one in TABLES.sorted_tables:
            if one.name not in there:
                connection.sa.execute(sa.schema.CreateTable(one))
                for index in sorted(one.indexes, key=lambda index: str(index.name)):
                    connection.sa.execute(sa.schema.CreateIndex(index))
        for layout in range(found + 1, LAYOUT + 1):
            if layout in CHANGES:
                CHANGES[layout](connection)
        connection.sa.execute(sa.update(state).values(layout=LAYOUT))


def create(connection: Connection, schema: str) -> None:
    if connection.dialect == "postgresql":
        found = connection.rows("SELECT 1 FROM pg_namespace WHERE nspname = %s", (schema,))
        if not found:
            connection.sa.execute(sa.schema.CreateSchema(schema))
    for text in ddl(connection.dialect):
        connection.run(text)
    connection.sa.execute(sa.insert(state).values(id=1, version=0, layout=LAYOUT))


@cache
def ddl(dialect: str) -> tuple[str, ...]:
    """What makes all tables and their indexes. Compiled once: SQLAlchemy takes longer for it than the database."""
    made = DIALECTS[dialect]
    statements: list[sa.schema.ExecutableDDLElement] = []
    for one in TABLES.sorted_tables:
        indexes = sorted(one.indexes, key=lambda index: str(index.name))
        statements += [sa.schema.CreateTable(one), *map(sa.schema.CreateIndex, indexes)]
    return tuple(str(statement.compile(dialect=made)) for statement in statements)


def layout_of(connection: Connection) -> int:
    return int(connection.rows("SELECT layout FROM fs_state")[0][0])


def names_of(connection: Connection) -> set[str]:
    if connection.dialect == "sqlite":
        return {row[0] for row in connection.rows("SELECT name FROM sqlite_master WHERE type = 'table'")}
    return {
        row[0]
        for row in connection.rows(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE c.relkind = 'r' AND n.nspname = current_setting('search_path')"
        )
    }


def columns_of(connection: Connection, table: str) -> set[str]:
    if connection.dialect == "sqlite":
        return {row[0] for row in connection.rows("SELECT name FROM pragma_table_info(?)", (table,))}
    return {
        row[0]
        for row in connection.rows(
            "SELECT column_name FROM information_schema.columns"
            " WHERE table_name = %s AND table_schema = current_setting('search_path')",
            (table,),
        )
    }
