"""Do menus lead to objects and views that exist?"""

from collections.abc import Iterator

from metadata.check.facts import Facts
from metadata.check.objects import icon_is_a_name
from metadata.problem import Problem

__all__ = ["check"]


def check(facts: Facts) -> Iterator[Problem]:
    views = {item.built.name: item.built for item in facts.assembly.views}
    for item in facts.assembly.menus:
        document = item.document
        for index, entry in enumerate(item.built.items):
            here = ("items", index)
            yield from facts.object_exists(entry.object, item.package, document.at(*here, "object"))
            yield from icon_is_a_name(entry.icon, document.at(*here, "icon"))
            if entry.object in facts.objects and facts.objects[entry.object].kind == "child":
                message = f"'{entry.object}' holds lines of other records, which nobody looks for by themselves"
                fix = "name the object that they belong to"
                yield Problem(document.at(*here, "object"), "menu.child", message, fix, "warning")
            if not entry.view:
                continue
            at = document.at(*here, "view")
            own = [name for name, view in views.items() if view.object == entry.object]
            if ("view", entry.view) in facts.unread:
                continue
            if entry.view not in views:
                yield facts.no_such("view", entry.view, own or views, at=at, code="view.unknown")
            elif entry.object in facts.objects and entry.view not in own:
                other = views[entry.view].object
                message = f"the view '{entry.view}' lists '{other}', not '{entry.object}'"
                yield Problem(at, "menu.view", message, f"write 'object: {other}'?")
