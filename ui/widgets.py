"""What a form shows for a field: a view dict per widget, made of the field's definition and what it holds."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metadata.model import Field
from ui import widgets_files, widgets_places
from ui.formats import currency_sign
from ui.widgets_lookup import any_reference, lookup, lowered, references

if TYPE_CHECKING:
    from ui.visit import Visit

__all__ = ["LONG", "WIDE", "WIDGETS", "lowered", "template_of", "widget_view"]

TEMPLATES = Path(__file__).parent / "templates" / "widgets"
FALLBACK, MASKED = "text", "masked"
PARTED = frozenset(("address", "geolocation"))  # an input for each part
UPLOADED = frozenset(("file", "image"))
GROUPS = PARTED | {"multiselect", "rating", "readonly"}  # not one control that a <label> could name
LONG = frozenset(("textarea", "richtext", "code", "json", "markdown"))  # take a row of a form and no column of a list
WIDE = LONG | PARTED | UPLOADED | {"secret"}  # too wide for a column of lines
IN_FORMS_ONLY = LONG | PARTED | UPLOADED | {"rating"}  # a filter asks for their values in one line
View = dict[str, Any]


def widget_view(
    visit: "Visit",
    object_name: str,
    field: Field,
    held: Any,
    *,
    sent: Sequence[str] | None = None,
    error: str = "",
    is_locked: bool = False,
    for_filter: bool = False,
    at: str = "",
    titles: Mapping[str, str] | None = None,
    hides: bool = False,
) -> View:
    """`held` is the stored value; `sent`, when a form comes back refused, is shown instead of it.

    `at` goes before the control's name ("lines.0."); `titles` has those of records that lookups hold, where known.
    With `hides`, what is held is the mask of a value: it stands beside an input that is empty.
    """
    kind = visit.ctx.snapshot.plugins.fields[field.type]
    # A secret that was typed is not sent back.
    value = list(sent) if sent is not None and not kind.is_secret else kind.to_form(field, held, visit.ctx.time_zone)
    if hides and sent is None:
        value = ""
    values = value if isinstance(value, list) else [value] if value else []
    name = "add.value" if for_filter else f"{at}{field.name}"
    view: View = {
        "widget": kind.widget,
        "template": template_of(
            "readonly"
            if is_locked
            else MASKED
            if hides
            else FALLBACK
            if for_filter and kind.widget in IN_FORMS_ONLY
            else kind.widget
        ),
        "name": name,
        "id": "add-value" if for_filter else f"f-{name}",
        "label": visit.text(field.label),
        "help": "" if for_filter else visit.text(field.help),
        "required": field.is_required and not for_filter,
        "error": error,
        "value": values[-1] if values else "",
        "values": values,
        "for_filter": for_filter,
        "length": field.options.get("length"),
        "held": held if sent is None else None,
        "titles": titles,
        "mask": str(held or "") if hides else held.mask if kind.is_secret and held is not None else "",
        "is_lost": kind.is_secret and any(sent or ()),
        "is_plain": kind.widget in GROUPS or is_locked,
    }
    described = [f"{view['id']}-{part}" for part, there in (("wrong", error), ("help", view["help"])) if there]
    view["described"] = " ".join(described)
    more = WIDGETS.get(kind.widget)
    if more is not None and not hides:
        view |= more(visit, object_name, field, view)
    return view


@lru_cache
def template_of(widget: str) -> str:
    return f"widgets/{widget if (TEMPLATES / f'{widget}.html').exists() else FALLBACK}.html"


def options(visit: "Visit", object_name: str, field: Field, view: View) -> View:
    """Retired choices are offered only where a record holds one."""
    held = set(view["values"])
    return {
        "options": [
            {"value": c.value, "label": visit.text(c.label), "color": c.color or "gray", "is_chosen": c.value in held}
            for c in field.choices
            if not c.is_retired or c.value in held or view["for_filter"]
        ]
    }


def currency(visit: "Visit", object_name: str, field: Field, view: View) -> View:
    before, after = currency_sign(visit.formats.locale, str(field.options.get("currency") or "CNY"))
    return {"unit": (before or after).strip()}


def moment(visit: "Visit", object_name: str, field: Field, view: View) -> View:
    """What is stored goes along: a time that occurs twice a year is not told by the clock alone."""
    held = view.pop("held", None)
    return {"was": held.isoformat(timespec="milliseconds").replace("+00:00", "Z") if held is not None else ""}


def rating(visit: "Visit", object_name: str, field: Field, view: View) -> View:
    most = field.options.get("max")
    return {"stars": range(1, (most if isinstance(most, int) else 5) + 1)}


def switch(visit: "Visit", object_name: str, field: Field, view: View) -> View:
    return {"is_on": view["value"] in ("true", "on", "1", "yes")}


WIDGETS: Mapping[str, Callable[["Visit", str, Field, View], View]] = {
    "select": options,
    "multiselect": options,
    "currency": currency,
    "datetime": moment,
    "rating": rating,
    "switch": switch,
    "lookup": lookup,
    "references": references,
    "any_reference": any_reference,
    "file": widgets_files.files,
    "image": widgets_files.files,
    "address": widgets_places.address,
    "geolocation": widgets_places.geolocation,
}
