"""`fieldstone tenant`: make, list, copy, back up, restore and delete tenants."""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from engine.audit.log import note
from engine.cli import DONE, REFUSED, add_common_options, own_version
from engine.commands.apply import given_password, greet
from engine.commands.plan import show
from engine.context import SYSTEM
from engine.errors import BadInput, Busy, Conflict, NotFound
from engine.keyring import KEY_FILE
from engine.people.users import check_first_password
from engine.publish import apply, ensure, plan
from engine.registry import Plugins
from engine.tenancy import storage
from engine.tenancy.archive import Reader
from engine.tenancy.backup import COMMAND, backup
from engine.tenancy.catalogue import Catalogue, Entry, checked_host
from engine.tenancy.restore import Place, restore
from engine.tenants import Tenant, storage_of

__all__ = ["add", "run"]


def add(subparsers: Any) -> None:
    command = subparsers.add_parser("tenant", help="make, list, copy, back up, restore and delete tenants")
    actions = command.add_subparsers(title="actions", metavar="ACTION", dest="action", required=True)

    create = action(actions, "create", "make a tenant, with its first user and perhaps packages")
    add_hosts(create)
    create.add_argument(
        "--package", action="append", default=[], type=Path, metavar="PATH", help="a package to publish; several times"
    )
    listing = action(actions, "list", "list tenants", has_name=False)
    listing.add_argument("--json", action="store_true", help="print JSON")
    hosts = action(actions, "hosts", "serve a tenant under exactly these host names")
    hosts.add_argument("hosts", nargs="*", metavar="HOST")
    clone = action(actions, "clone", "copy a tenant: definitions, data and files")
    clone.add_argument("to", metavar="TO", help="name of the copy")
    clone.add_argument(
        "--sandbox", action="store_true", help="to try things out: nothing leaves it, tokens are not copied"
    )
    add_hosts(clone)
    saving = action(actions, "backup", "write a backup, while others go on working")
    saving.add_argument("file", type=Path, metavar="FILE", help="a new file: north.zip")
    saving.add_argument(
        "--with-keys", action="store_true",
        help="put the keys of secret fields into it: whoever has the file can read the secrets",
    )  # fmt: skip
    back = action(actions, "restore", "restore a backup as a new tenant, or over the one of its name", has_name=False)
    back.add_argument("file", type=Path, metavar="FILE")
    back.add_argument("--as", dest="name", default="", metavar="NAME", help="as this tenant; the one that it was of")
    back.add_argument("--over", action="store_true", help="replace that tenant, if it is there")
    add_hosts(back)
    gone = action(actions, "delete", "delete a tenant, its data and its files for good")
    gone.add_argument("--yes", action="store_true", help="do not ask for the name")
    action(actions, "suspend", "serve a tenant no more, but keep it")
    action(actions, "resume", "serve it again")


def action(actions: Any, name: str, text: str, *, has_name: bool = True) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = actions.add_parser(name, help=text, description=text)
    if has_name:
        made.add_argument("name", metavar="NAME", help="name of the tenant")
    add_common_options(made)
    return made


def add_hosts(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--host", action="append", default=[], dest="hosts", metavar="H", help="a host name of it; several times"
    )


def run(args: argparse.Namespace) -> int:
    place = Place(args.database, args.data)
    with closing(Catalogue(args.database, args.data)) as catalogue:
        return ACTIONS[args.action](args, place, catalogue, datetime.now(UTC))


def create(args: argparse.Namespace, place: Place, catalogue: Catalogue, now: datetime) -> int:
    need_free(place, args.name)
    with closing(place.tenant(args.name)) as tenant:
        drawn = plan(tenant, args.package) if args.package else None
        if drawn is not None and drawn.has_errors:
            show(drawn)
            return REFUSED
        check_first_password(tenant, given_password())
        catalogue.add(args.name, args.hosts, now, "unfinished")
        try:
            if drawn is None:
                ensure(tenant, now)
            else:
                show(drawn)
                apply(tenant, drawn, None, now)
            greet(tenant, now)
        except BaseException:
            remove(place, catalogue, tenant)
            raise
    catalogue.set_state(args.name, "active")
    print(f"the tenant {args.name} was made")
    return DONE


def list_tenants(args: argparse.Namespace, place: Place, catalogue: Catalogue, now: datetime) -> int:
    entries = {entry.name: entry for entry in catalogue.entries()}
    stored = set(storage.stored_names(place.url, place.data))
    rows = [row_of(place, name, entries.get(name), name in stored) for name in sorted(entries.keys() | stored)]
    rows = [row for row in rows if row["name"] in entries or row["version"] or row["state"] == "unreadable"]
    if args.json:
        print(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode())
    else:
        for row in rows:
            marks = [row["state"], *(f"sandbox of {of}" for of in (row["sandbox_of"],) if of), *row["hosts"]]
            print(f"{row['name']:<20} version {row['version']:<4} {', '.join(marks)}")
    return DONE


def row_of(place: Place, name: str, entry: Entry | None, is_stored: bool) -> dict[str, Any]:
    state: str
    version, sandbox_of, state = 0, "", entry.state if entry else "active"
    if is_stored:
        with closing(place.tenant(name, Plugins())) as tenant:
            try:
                version = tenant.version()
                sandbox_of = tenant.sandbox_of
            except Busy:  # others are listed all the same
                state = "unreadable"
    return {
        "name": name, "state": state, "hosts": list(entry.hosts) if entry else [],
        "created_at": entry.created_at if entry else None, "version": version, "sandbox_of": sandbox_of or None,
    }  # fmt: skip


def set_hosts(args: argparse.Namespace, place: Place, catalogue: Catalogue, now: datetime) -> int:
    adopt(place, catalogue, args.name, now)
    catalogue.set_hosts(args.name, args.hosts)
    told = ", ".join(dict.fromkeys(map(checked_host, args.hosts)))
    print(f"{args.name} has the host names: {told or 'none'}")
    return DONE


def clone(args: argparse.Namespace, place: Place, catalogue: Catalogue, now: datetime) -> int:
    need_stored(place, args.name)
    need_free(place, args.to)
    catalogue.free_hosts(args.to, args.hosts)
    with tempfile.TemporaryDirectory(prefix=storage.CLONES, dir=args.data if args.data.is_dir() else None) as at:
        file = Path(at) / "clone.zip"
        with closing(place.tenant(args.name)) as tenant:
            ensure(tenant, now)
            backup(tenant, file, now=now, release=own_version(), told=tell)
        restore(
            place, file, args.to, now=now, sandbox_of=args.name if args.sandbox else "", hosts=tuple(args.hosts),
            told=tell,
        )  # fmt: skip
    quiet()
    print(f"{args.to} is {'a sandbox' if args.sandbox else 'a copy'} of {args.name}")
    return DONE


def back_up(args: argparse.Namespace, place: Place, catalogue: Catalogue, now: datetime) -> int:
    need_stored(place, args.name)
    keys = keys_of(place) if args.with_keys else ""
    with closing(place.tenant(args.name)) as tenant:
        ensure(tenant, now)
        manifest = backup(tenant, args.file, now=now, release=own_version(), keys=keys, told=tell)
    quiet()
    rows = sum(part.rows for part in manifest.parts.values())
    files = sum(name.startswith("files/") for name in manifest.parts)
    print(f"{args.file}: {rows} rows, {files} files, version {manifest.version}")
    if manifest.keys and not keys:
        print(f"the keys of its secrets are not in it: keep {', '.join(manifest.keys)} elsewhere", file=sys.stderr)
    if manifest.lost:
        print(f"{len(manifest.lost)} files were lost or changed before: fieldstone files verify", file=sys.stderr)
        return REFUSED
    return DONE


def bring_back(args: argparse.Namespace, place: Place, catalogue: Catalogue, now: datetime) -> int:
    with_name = args.name or name_in(args.file)
    catalogue.free_hosts(with_name, args.hosts)
    manifest = restore(
        place, args.file, with_name, now=now, over=args.over, hosts=tuple(args.hosts), told=tell
    )  # fmt: skip
    quiet()
    print(f"{with_name} is as {manifest.tenant} was at {manifest.made_at}")
    with closing(place.tenant(with_name, Plugins())) as tenant:
        missing = sorted(set(manifest.keys) - tenant.secrets.keys.keys()) if manifest.keys else []
    if missing:
        there = f"; the backup has them, as {KEY_FILE}" if KEY_FILE in manifest.parts else ""
        print(f"its secrets cannot be read without the keys {', '.join(missing)}{there}: add them to "
              f"FIELDSTONE_SECRET_KEY, or to {KEY_FILE} in the data folder", file=sys.stderr)  # fmt: skip
    return DONE


def delete(args: argparse.Namespace, place: Place, catalogue: Catalogue, now: datetime) -> int:
    entry = catalogue.entry(args.name)
    if entry is None:
        need_stored(place, args.name)
    if not args.yes:
        print(f"This deletes '{args.name}', its data and its files for good. Its name, to go on: ", end="", flush=True)
        if sys.stdin.readline().strip() != args.name:
            raise Conflict("that is not its name: nothing was deleted", code="tenant.delete", fix="or add --yes")
    if entry is None:
        catalogue.add(args.name, [], now, "unfinished")
    else:
        catalogue.set_state(args.name, "unfinished")
    with closing(place.tenant(args.name, Plugins())) as tenant:
        storage.wait_until_left(tenant.database)
        remove(place, catalogue, tenant)
    print(f"the tenant {args.name} is gone")
    return DONE


def set_state(args: argparse.Namespace, place: Place, catalogue: Catalogue, now: datetime) -> int:
    adopt(place, catalogue, args.name, now)
    entry = catalogue.entry(args.name)
    if entry is not None and entry.state == "unfinished":
        message = f"'{args.name}' was never finished, or is half deleted"
        raise Conflict(message, code="tenant.unfinished", fix=f"fieldstone tenant delete {args.name}")
    with closing(place.tenant(args.name)) as tenant:
        ensure(tenant, now)
        with tenant.database.write() as connection:
            note(connection, f"tenant.{args.action}", actor=SYSTEM, origin=COMMAND, now=now)
    catalogue.set_state(args.name, "suspended" if args.action == "suspend" else "active")
    print(f"{args.name} is {'suspended' if args.action == 'suspend' else 'active'}")
    return DONE


def remove(place: Place, catalogue: Catalogue, tenant: Tenant) -> None:
    """Row of the catalogue last: what is broken off can be done again."""
    storage.drop(tenant.database)
    storage.drop_files(tenant.files)
    catalogue.remove(tenant.name)


def adopt(place: Place, catalogue: Catalogue, name: str, now: datetime) -> None:
    """Put a tenant that was made without `tenant create` into the catalogue. Raises NotFound."""
    if catalogue.entry(name) is None:
        need_stored(place, name)
        catalogue.add(name, [], now)


def need_stored(place: Place, name: str) -> None:
    if storage.kind_of(place.url, place.data, name) not in ("tenant", "unreadable"):
        raise NotFound(f"there is no tenant '{name}'", code="tenant.unknown", fix="fieldstone tenant list")


def need_free(place: Place, name: str) -> None:
    storage_of(place.url, place.data, name)
    if storage.exists(place.url, place.data, name):
        raise Conflict(f"there is a tenant '{name}' already", code="tenant.taken", fix="choose another name")


def name_in(file: Path) -> str:
    with Reader.of(file) as reader:
        return reader.manifest.tenant


def keys_of(place: Place) -> str:
    if given := os.environ.get("FIELDSTONE_SECRET_KEY", "").strip():
        return given
    path = place.data / KEY_FILE
    if not path.exists():
        raise BadInput("there are no keys of secrets", code="backup.keys", fix="leave out --with-keys")
    return path.read_text(encoding="ascii").strip()


def tell(text: str) -> None:
    """Where a person looks on: one line, written over."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text[:100]}", end="", file=sys.stderr, flush=True)


def quiet() -> None:
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)


ACTIONS: Mapping[str, Callable[[argparse.Namespace, Place, Catalogue, datetime], int]] = {
    "create": create,
    "list": list_tenants,
    "hosts": set_hosts,
    "clone": clone,
    "backup": back_up,
    "restore": bring_back,
    "delete": delete,
    "suspend": set_state,
    "resume": set_state,
}
