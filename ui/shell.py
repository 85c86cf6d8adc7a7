"""The menu of a person: what the roles let them open, compiled once per (version, language, scope)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from engine.context import Context
from engine.people.guards import MANAGING
from metadata.model import MenuItem, say
from metadata.processes import ADMIN_PERMISSION
from ui.views import is_offered

__all__ = ["Item", "Menu", "Shell", "shell_of"]

SYSTEM = "system"  # the package that every tenant has
TABS = 3  # objects in a phone's bottom bar, beside Home and More


@dataclass(frozen=True, slots=True)
class Item:
    object: str
    view: str
    label: str
    icon: str
    color: str
    href: str


@dataclass(frozen=True, slots=True)
class Menu:
    label: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Shell:
    menus: tuple[Menu, ...]
    tabs: tuple[Item, ...]
    has_profile: bool  # may open their own user record
    users: str  # what users are called, for those who manage them; "" for others
    has_inbox: bool = False  # there are approvals, and a person to ask
    has_approvals_setup: bool = False  # ... and who looks after them

    @property
    def items(self) -> tuple[Item, ...]:
        return tuple(item for menu in self.menus for item in menu.items)

    @property
    def objects(self) -> tuple[str, ...]:
        """Objects of the menu, each once, in its order."""
        return tuple(dict.fromkeys(item.object for item in self.items))


def shell_of(ctx: Context) -> Shell:
    key = ("ui.shell", ctx.language, ctx.scope.key)
    cache: dict[Any, Any] = ctx.snapshot.cache
    found: Shell | None = cache.get(key)
    if found is None:
        found = cache[key] = build(ctx)
    return found


def build(ctx: Context) -> Shell:
    menus: list[Menu] = []
    system: list[Menu] = []
    for menu in ctx.snapshot.definitions.menus:
        items = tuple(item_view(ctx, item) for item in menu.items if can_open(ctx, item, menu.package))
        if items:
            (system if menu.package == SYSTEM else menus).append(Menu(say(menu.label, ctx.language), items))
    menus = [*(menus or [everything(ctx, system)]), *system]
    first: dict[str, Item] = {}
    for menu_view in menus:
        for item in menu_view.items:
            first.setdefault(item.object, item)
    manages = ctx.scope.has(MANAGING) and ctx.scope.can("read", "user")
    users = say(ctx.snapshot.definitions.objects["user"].plural, ctx.language) if manages else ""
    has_approvals = bool(ctx.snapshot.definitions.processes.approvals)
    return Shell(
        tuple(menus), tuple(first.values())[:TABS], ctx.scope.can("read", "user"), users, has_approvals,
        has_approvals and ctx.scope.has(ADMIN_PERMISSION),
    )  # fmt: skip


def can_open(ctx: Context, item: MenuItem, package: str) -> bool:
    """Many may read of people: the menus about them are for those who look after them. What leads to a view is for
    those who may ask for it."""
    is_for = "create" if package == SYSTEM else "read"
    view = ctx.snapshot.definitions.views.get(item.view)
    if view is not None and not is_offered(ctx, view):
        return False
    return item.object in ctx.snapshot.definitions.objects and ctx.scope.can(is_for, item.object)


def item_view(ctx: Context, item: MenuItem) -> Item:
    definition = ctx.snapshot.definitions.objects[item.object]
    view = ctx.snapshot.definitions.views.get(item.view)
    label = say(item.label, ctx.language) or say(view.label if view else definition.plural, ctx.language)
    href = f"/o/{item.object}" + (f"?view={item.view}" if view else "")
    return Item(item.object, item.view, label, item.icon or definition.icon, definition.color, href)


def everything(ctx: Context, others: Iterable[Menu]) -> Menu:
    """A tenant whose packages have no menu: every object that may be read, and stands in no other one."""
    known = {item.object for menu in others for item in menu.items}
    objects = ctx.snapshot.definitions.objects
    names = [name for name in objects if name not in known and objects[name].kind != "child"]
    names = [name for name in names if ctx.scope.can("read", name)]
    return Menu("", tuple(item_view(ctx, MenuItem(name)) for name in names))
