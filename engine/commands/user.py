"""`fieldstone user`: people who can sign in, their passwords, roles and tokens."""

import argparse
import getpass
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson

from engine.access.narrow import TokenScope
from engine.api.people import told
from engine.cli import DONE, add_common_options
from engine.commands.opening import opened
from engine.commands.serve import settings
from engine.context import SYSTEM, Origin, context_of
from engine.errors import BadInput, Conflict, NotFound
from engine.mail.port import open_mailer
from engine.people import handover, links, passwords, sessions, tokens, totp, users
from engine.people.passwords import policy_of
from engine.people.users import User
from engine.tenants import Tenant
from metadata.problem import nearest
from metadata.zones import time_zones

__all__ = ["add", "run"]

Json = dict[str, Any]


def add(subparsers: Any) -> None:
    command = subparsers.add_parser("user", help="make users, set passwords and roles, make tokens")
    actions = command.add_subparsers(title="actions", metavar="ACTION", dest="action", required=True)

    create = action(actions, "create", "make a user; its password is printed once")
    create.add_argument("--role", action="append", default=[], metavar="R", help="a role; may be given several times")
    create.add_argument("--name", default="", help="as others see it; NAME unless said")
    create.add_argument("--email", default=None)
    create.add_argument("--language", default=None, help="en or zh-CN")
    create.add_argument("--time-zone", default=None, metavar="ZONE", help="Asia/Shanghai")
    create.add_argument("--no-password", action="store_true", help="for scripts: the user can only use tokens")

    password = action(actions, "password", "set a password: asked for, or the first line of the standard input")
    password.add_argument("--make", action="store_true", help="make one and print it")

    roles = action(actions, "roles", "give exactly these roles")
    roles.add_argument("role", nargs="*", metavar="ROLE")

    token = action(actions, "token", "make a token for scripts; it is the last word printed, and not shown again")
    token.add_argument("--days", type=int, default=365, metavar="N", help="how long it is valid; 365")
    token.add_argument("--label", default="", help="what it is for")

    token.add_argument("--read-only", action="store_true", help="it may only read")
    token.add_argument("--object", action="append", default=[], metavar="O", help="only this object; several times")
    token.add_argument(
        "--automation", action="append", default=[], metavar="A", help="only to call this webhook; several times"
    )
    token.add_argument("--list", action="store_true", dest="is_list", help="list the user's tokens instead")
    token.add_argument("--revoke", metavar="ID", help="revoke the token with this id (or name) instead")
    leaving = action(actions, "handover", "give all that a user holds to another: records, reports, memberships")
    leaving.add_argument("to", metavar="TO", help="user name of who takes over")
    leaving.add_argument(
        "--object", action="append", default=None, metavar="O", help="only its records; may be given several times"
    )
    leaving.add_argument("--dry-run", action="store_true", help="only count")
    leaving.add_argument("--deactivate", action="store_true", help="and refuse the user from then on")
    action(actions, "invite", "send the link by which a user chooses a first password")
    action(actions, "sessions", "end all sessions of a user")
    action(actions, "codes-off", "let a user who has lost the authenticator app sign in without codes")

    for name, help_text in (("activate", "let a user in again"), ("deactivate", "refuse a user from now on")):
        action(actions, name, help_text)
    action(actions, "list", "list users", has_name=False)


def action(actions: Any, name: str, help_text: str, *, has_name: bool = True) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = actions.add_parser(name, help=help_text, description=help_text)
    if has_name:
        made.add_argument("name_of_user", metavar="NAME", help="user name")
    made.add_argument("--json", action="store_true", help="print JSON")
    add_common_options(made)
    return made


def run(args: argparse.Namespace) -> int:
    now = datetime.now(UTC)
    with opened(args) as tenant:
        body, text = ACTIONS[args.action](tenant, args, now)
    print(orjson.dumps(body, option=orjson.OPT_INDENT_2).decode() if args.json else text)
    return DONE


def create(tenant: Tenant, args: argparse.Namespace, now: datetime) -> tuple[Any, str]:
    made = None if args.no_password else passwords.made_password()
    more = {"email": args.email, "language": args.language, "time_zone": args.time_zone}
    more = {name: value for name, value in more.items() if value is not None}
    username = args.name_of_user
    if args.time_zone is not None and args.time_zone not in (known := time_zones()):
        guess = nearest(args.time_zone, known)
        fix = f"write '{guess}'?" if guess else "write it as Asia/Shanghai"
        raise BadInput(f"no time zone is called '{args.time_zone}'", code="user.time_zone", fix=fix)
    user = users.create_user(tenant, username, now=now, name=args.name, roles=args.role, password=made, **more)
    body = {"id": user, "username": username, "roles": args.role, "password": made}
    return body, f"user {username} was made" + (f", with the password {made}" if made else "")


def set_password(tenant: Tenant, args: argparse.Namespace, now: datetime) -> tuple[Any, str]:
    username = args.name_of_user
    users.find_user(tenant, username)
    password = passwords.made_password() if args.make else asked_for(username)
    users.set_password(tenant, username, password, now, policy=policy_of(settings(args)))
    body: Json = {"username": username} | ({"password": password} if args.make else {})
    return body, f"the password of {username} is " + (password if args.make else "changed")


def asked_for(username: str) -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    first = getpass.getpass(f"New password of {username}: ")
    if getpass.getpass("Once more: ") != first:
        raise BadInput("the two are not the same", code="password.twice", fix="try again")
    return first


def set_roles(tenant: Tenant, args: argparse.Namespace, now: datetime) -> tuple[Any, str]:
    users.set_roles(tenant, args.name_of_user, args.role)
    body = {"username": args.name_of_user, "roles": args.role}
    return body, f"{args.name_of_user} has the roles: {', '.join(args.role) or 'none'}"


def make_token(tenant: Tenant, args: argparse.Namespace, now: datetime) -> tuple[Any, str]:
    user = users.find_user(tenant, args.name_of_user)
    if args.is_list:
        return list_tokens(tenant, user)
    if args.revoke is not None:
        return revoke_token(tenant, user, args.revoke, now)
    if not user.is_active:  # it would come to life with its user
        fix = f"fieldstone user activate {user.username}"
        raise Conflict(f"{user.username} is not active", code="user.inactive", fix=fix)
    tokens.check_objects(tenant.snapshot().definitions.objects, args.object)
    tokens.check_automations(tenant.snapshot(), args.automation)
    scope = TokenScope(args.read_only, frozenset(args.object), frozenset(args.automation))
    token = tokens.make_token(tenant, user.id, now=now, days=args.days, name=args.label, scope=scope)
    body = {"username": user.username, "token": token, "days": args.days, **scope.told}
    return body, f"token of {user.username}, valid for {args.days} days, not shown again: {token}"


def list_tokens(tenant: Tenant, user: User) -> tuple[Any, str]:
    found = tokens.list_tokens(tenant, user.id)
    body = [
        {"id": one.id, "name": one.name, "expires_at": one.expires_at, "used_at": one.used_at, **one.scope.told}
        for one in found
    ]
    lines = [
        f"{one.id}  until {one.expires_at:%Y-%m-%d}  {one.name}{'  (reads only)' if one.scope.read_only else ''}"
        f"{'  ' + ', '.join(sorted(one.scope.objects)) if one.scope.objects else ''}"
        for one in found
    ]
    return body, "\n".join(line.rstrip() for line in lines) or f"{user.username} has no tokens"


def revoke_token(tenant: Tenant, user: User, wanted: str, now: datetime) -> tuple[Any, str]:
    """By its id, or by a label that only one of them has."""
    named = [one.id for one in tokens.list_tokens(tenant, user.id) if wanted in (one.id, one.name)]
    if len(named) != 1:
        why = "several tokens are" if named else "no token is"
        fix = f"fieldstone user token {user.username} --list"
        raise NotFound(f"{why} called '{wanted}'", code="token.unknown", fix=fix)
    tokens.revoke_token(tenant, user.id, named[0], now=now)
    return {"username": user.username, "revoked": named[0]}, f"the token {wanted} of {user.username} is revoked"


def invite(tenant: Tenant, args: argparse.Namespace, now: datetime) -> tuple[Any, str]:
    config = settings(args)
    user = users.find_user(tenant, args.name_of_user)
    mail = links.invite(tenant, config, user.id, SYSTEM, Origin("command"), now)
    open_mailer(config.smtp_url, config.mail_from, config.data).send(mail)
    return {"username": user.username, "sent_to": mail.to}, f"an invitation for {user.username} was sent to {mail.to}"


def end_sessions(tenant: Tenant, args: argparse.Namespace, now: datetime) -> tuple[Any, str]:
    user = users.find_user(tenant, args.name_of_user)
    count = sessions.end_others(tenant, user.id, "", actor=SYSTEM, origin=Origin("command"), now=now)
    return {"username": user.username, "ended": count}, f"{count} sessions of {user.username} have ended"


def codes_off(tenant: Tenant, args: argparse.Namespace, now: datetime) -> tuple[Any, str]:
    user = users.find_user(tenant, args.name_of_user)
    totp.switch_off(tenant, user.id, actor=SYSTEM, origin=Origin("command"), now=now)
    return {"username": user.username}, f"{user.username} signs in without a code"


def activate(tenant: Tenant, args: argparse.Namespace, now: datetime) -> tuple[Any, str]:
    is_active = args.action == "activate"
    users.set_active(tenant, args.name_of_user, is_active, now)
    state = "active" if is_active else "not active any more"
    return {"username": args.name_of_user, "is_active": is_active}, f"{args.name_of_user} is {state}"


def hand_over(tenant: Tenant, args: argparse.Namespace, now: datetime) -> tuple[Any, str]:
    giver, taker = users.find_user(tenant, args.name_of_user), users.find_user(tenant, args.to)
    ctx = context_of(tenant, SYSTEM, now)
    report = handover.hand_over(
        ctx, giver.id, taker.id, objects=args.object, is_dry_run=args.dry_run, deactivates=args.deactivate
    )
    lines = [f"  {one.count:>8,}  {one.object}, {one.field}" for one in report.moved]
    lines += [f"  {one.count:>8,}  {one.object}, {one.field}: not moved, {one.message}" for one in report.left]
    done = "would go" if args.dry_run else "went"
    text = f"{report.count:,} references {done} from {giver.username} to {taker.username}"
    return {"dry_run": args.dry_run, **told(report)}, "\n".join([text, *lines])


def list_users(tenant: Tenant, args: argparse.Namespace, now: datetime) -> tuple[Any, str]:
    found = users.list_users(tenant)
    lines = [
        f"{user.username:<20} {user.name:<20} {', '.join(user.roles)}" + ("" if user.is_active else "  (not active)")
        for user in found
    ]
    return [
        {"id": user.id, "username": user.username, "name": user.name, "roles": user.roles, "is_active": user.is_active}
        for user in found
    ], "\n".join(line.rstrip() for line in lines)


ACTIONS: dict[str, Callable[[Tenant, argparse.Namespace, datetime], tuple[Any, str]]] = {
    "create": create,
    "password": set_password,
    "roles": set_roles,
    "token": make_token,
    "invite": invite,
    "sessions": end_sessions,
    "codes-off": codes_off,
    "activate": activate,
    "deactivate": activate,
    "handover": hand_over,
    "list": list_users,
}
