"""How one value is shown: a factory per kind of cell makes a function from a row to HTML, once per compiled view.

A field type names its cell; a kind that is not here is shown as plain text. Whatever comes out is HTML: each factory
escapes what it puts in.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from html import escape
from urllib.parse import urlsplit
from zlib import crc32

import orjson
from markupsafe import Markup

from engine.richtext import safe_html
from metadata.model import say
from metadata.processes import APPROVAL_STATES, APPROVAL_STATUS
from ui import cells_files, cells_places
from ui.durations import duration
from ui.formats import is_currency
from ui.icons import icon
from ui.markdown import rendered
from ui.shown import Cell, Row, Shown

__all__ = ["CELLS", "Cell", "Row", "Shown", "avatar", "badge", "cell_for", "initials", "person"]

TONES = frozenset(
    ("blue", "azure", "indigo", "purple", "pink", "red", "orange", "yellow", "lime", "green", "teal", "cyan", "gray")
)
SAFE_SCHEMES = frozenset(("http", "https"))
NOT_SUBMITTED = APPROVAL_STATES[0]


def cell_for(shown: Shown) -> Cell:
    if shown.field.is_masked:
        return mask(shown)
    return CELLS.get(shown.kind, text)(shown)


def mask(shown: Shown) -> Cell:
    """No link: it leads nowhere."""
    at = shown.at
    return lambda row: f'<span class="masked">{escape(str(value))}</span>' if (value := row[at]) is not None else ""


def text(shown: Shown) -> Cell:
    at = shown.at
    return lambda row: "" if (value := row[at]) is None else escape(str(value))


def long_text(shown: Shown) -> Cell:
    at = shown.at
    if shown.is_full:
        return lambda row: f'<div class="long">{escape(row[at])}</div>' if row[at] else ""
    return lambda row: escape(" ".join(row[at][:200].split())) if row[at] else ""


def rich_text(shown: Shown) -> Cell:
    at = shown.at
    if shown.is_full:
        # Cleaned on the way in as well; what an older rule let in does not come out.
        return lambda row: f'<div class="rich">{safe_html(row[at])}</div>' if row[at] else ""
    # Markup only to take the tags out; what is left is escaped.
    return lambda row: escape(Markup(row[at]).striptags()[:200]) if row[at] else ""  # noqa: S704


def markdown(shown: Shown) -> Cell:
    at = shown.at
    if shown.is_full:
        return lambda row: f'<div class="rich">{rendered(row[at])}</div>' if row[at] else ""
    # Markup only to take the tags out; what is left is escaped.
    return lambda row: escape(Markup(rendered(row[at][:400])).striptags()[:200]) if row[at] else ""  # noqa: S704


def code(shown: Shown) -> Cell:
    """As it was typed; in a list its first line."""
    at = shown.at
    if shown.is_full:
        return lambda row: f'<pre class="code" tabindex="0"><code>{escape(row[at])}</code></pre>' if row[at] else ""
    return lambda row: f"<code>{escape(row[at].strip().split(chr(10), 1)[0][:80])}</code>" if row[at] else ""


def json_value(shown: Shown) -> Cell:
    """Indented, as the form holds it; in a list the beginning of its text."""
    at = shown.at
    if shown.is_full:
        return lambda row: (
            f'<pre class="code" tabindex="0"><code>{escape(indented(row[at]))}</code></pre>' if row[at] else ""
        )
    return lambda row: f"<code>{escape(row[at][:80])}{'…' if len(row[at]) > 80 else ''}</code>" if row[at] else ""


def indented(text: str) -> str:
    return orjson.dumps(orjson.loads(str(text)), option=orjson.OPT_INDENT_2).decode()


def color(shown: Shown) -> Cell:
    at = shown.at
    return lambda row: f'<span class="swatch">{swatch(row[at])}{escape(row[at])}</span>' if row[at] else ""


def swatch(value: str) -> str:
    return (
        '<svg viewBox="0 0 16 16" aria-hidden="true">'
        f'<rect x=".5" y=".5" width="15" height="15" rx="4" fill="{escape(value)}"/></svg>'
    )


def rating(shown: Shown) -> Cell:
    at, most = shown.at, shown.field.options.get("max")
    stars = most if isinstance(most, int) else 5
    return lambda row: "" if (value := row[at]) is None else starred(value, stars)


@lru_cache(maxsize=256)
def starred(value: int, most: int) -> str:
    stars = icon("star-filled") * value + icon("star") * (most - value)
    return f'<span class="stars"><span class="unseen">{value} / {most}</span>{stars}</span>'


def number(shown: Shown) -> Cell:
    at, show = shown.at, shown.formats.number
    scale = shown.field.options.get("scale")
    digits = scale if isinstance(scale, int) else 0

    def cell(row: Row) -> str:
        value = row[at]
        if value is None:
            return ""
        return show(value, 0 if value == int(value) else digits)

    return cell


def span(shown: Shown) -> Cell:
    at, words = shown.at, shown.formats.say
    return lambda row: "" if (value := row[at]) is None else escape(duration(value, words))


def currency(shown: Shown) -> Cell:
    at, show = shown.at, shown.formats.money
    code, scale = str(shown.field.options.get("currency") or "CNY"), shown.field.options.get("scale")
    digits, code_at = scale if isinstance(scale, int) else 2, shown.code_at
    if code_at < 0:
        return lambda row: "" if (value := row[at]) is None else show(Decimal(value), code, digits)

    def cell(row: Row) -> str:
        value, own = row[at], row[code_at]
        return "" if value is None else show(Decimal(value), own if is_currency(own) else code, digits)

    return cell


def percent(shown: Shown) -> Cell:
    at, show = shown.at, shown.formats.percent
    if not shown.is_part:
        return lambda row: "" if row[at] is None else show(row[at])

    def cell(row: Row) -> str:
        value = row[at]
        if value is None:
            return ""
        width = max(0, min(100, int(value)))
        return (
            '<span class="bar"><svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">'
            '<rect class="bar-ground" width="100" height="6"/>'
            f'<rect class="bar-fill" width="{width}" height="6"/></svg>{show(value)}</span>'
        )

    return cell


def boolean(shown: Shown) -> Cell:
    at = shown.at
    yes = f'<span class="yes">{icon("check")}<span class="unseen">{escape(shown.formats.say("Yes"))}</span></span>'
    no = f'<span class="no">{icon("minus")}<span class="unseen">{escape(shown.formats.say("No"))}</span></span>'
    if shown.is_full:
        yes, no = escape(shown.formats.say("Yes")), escape(shown.formats.say("No"))
    return lambda row: "" if (value := row[at]) is None else yes if value else no


def day(shown: Shown) -> Cell:
    at, show = shown.at, shown.formats.date
    return lambda row: "" if (value := row[at]) is None else f'<span class="nums">{show(value)}</span>'


def moment(shown: Shown) -> Cell:
    at, show = shown.at, shown.formats.datetime
    return lambda row: "" if (value := row[at]) is None else f'<span class="nums">{show(value)}</span>'


def clock(shown: Shown) -> Cell:
    at, show = shown.at, shown.formats.time
    return lambda row: "" if (value := row[at]) is None else f'<span class="nums">{show(value)}</span>'


def badges(shown: Shown) -> Mapping[str, str]:
    return {c.value: badge(say(c.label, shown.language), c.color) for c in shown.field.choices}


def choice(shown: Shown) -> Cell:
    """A badge; plain text where no choice of the field has a colour. Of a record that was never submitted the status
    says nothing."""
    at, known = shown.at, badges(shown)
    if shown.field.name == APPROVAL_STATUS and shown.field.is_kept:
        return lambda row: "" if (value := row[at]) in (None, NOT_SUBMITTED) else known.get(value) or badge(value)
    if not any(c.color for c in shown.field.choices):
        plain = {c.value: escape(say(c.label, shown.language)) for c in shown.field.choices}
        return lambda row: "" if (value := row[at]) is None else plain.get(value) or escape(value)
    return lambda row: "" if (value := row[at]) is None else known.get(value) or badge(value)


def choices(shown: Shown) -> Cell:
    at, known = shown.at, badges(shown)

    def cell(row: Row) -> str:
        values = row[at]
        return f'<span class="pills">{"".join(known.get(v) or badge(v) for v in values)}</span>' if values else ""

    return cell


def reference(shown: Shown) -> Cell:
    at, title_at = shown.at, shown.title_at
    if title_at < 0:
        return lambda row: ""
    if shown.field.target == "user":
        return lambda row: person(row[at], row[title_at]) if row[at] and row[title_at] else ""
    start = f'<a href="/o/{escape(shown.field.target)}/'

    def cell(row: Row) -> str:
        if row[at] is None or row[title_at] is None:
            return ""
        return f'{start}{escape(row[at])}">{escape(str(row[title_at]))}</a>'

    return cell


def references(shown: Shown) -> Cell:
    """Titles as links, from what ui.naming put into the row."""
    at = shown.at

    def cell(row: Row) -> str:
        links = [
            f'<a class="pill tone-gray" href="/o/{escape(o)}/{i}">{escape(title)}</a>' for o, i, title in row[at] or ()
        ]
        return f'<span class="pills">{"".join(links)}</span>' if links else ""

    return cell


def any_reference(shown: Shown) -> Cell:
    """The title as a link, behind the icon of its object."""
    at, icons = shown.at, shown.icons or {}

    def cell(row: Row) -> str:
        return "".join(
            f'<a class="any" href="/o/{escape(o)}/{i}">{icon(icons.get(o, "file"), "icon-small")}{escape(title)}</a>'
            for o, i, title in row[at] or ()
        )

    return cell


def email(shown: Shown) -> Cell:
    return linked(shown, "mailto:")


def phone(shown: Shown) -> Cell:
    return linked(shown, "tel:")


def linked(shown: Shown, scheme: str) -> Cell:
    at, as_text = shown.at, shown.as_text

    def cell(row: Row) -> str:
        if not row[at]:
            return ""
        return f'<a href="{scheme}{escape(row[at]).replace(" ", "")}">{escape(as_text(row[at]))}</a>'

    return cell


def url(shown: Shown) -> Cell:
    at = shown.at

    def cell(row: Row) -> str:
        value = row[at]
        if not value:
            return ""
        readable = escape(value.split("://", 1)[-1].rstrip("/"))
        if urlsplit(value).scheme.lower() not in SAFE_SCHEMES:
            return escape(value)
        return f'<a href="{escape(value)}" target="_blank" rel="noopener noreferrer">{readable}</a>'

    return cell


def secret(shown: Shown) -> Cell:
    at, sign = shown.at, icon("lock", "icon-small")
    return lambda row: f'<span class="secret">{sign}{escape(row[at].mask)}</span>' if row[at] is not None else ""


def badge(label: str, color: str = "") -> str:
    return f'<span class="pill tone-{color if color in TONES else "gray"}">{escape(label)}</span>'


@lru_cache(maxsize=4096)
def person(user_id: str, name: str) -> str:
    return f'<span class="person">{avatar(user_id, name)}<span class="cut">{escape(name)}</span></span>'


def avatar(user_id: str, name: str, size: str = "") -> str:
    """A disc with initials, which styles draw: they are no text to be read or copied."""
    kind = f" avatar-{size}" if size else ""
    ground = crc32(user_id.encode()) % 8
    return (
        f'<span class="avatar{kind} hue-{ground}" data-initials="{escape(initials(name))}" aria-hidden="true"></span>'
    )


def initials(name: str) -> str:
    """ "LY" of Lin Yue; of a Chinese name the last character, as colleagues call each other."""
    words = name.split()
    if not words:
        return "?"
    if ord(words[-1][-1]) > 0x2E7F:
        return words[-1][-1]
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()


CELLS: Mapping[str, Callable[[Shown], Cell]] = {
    "text": text,
    "long": long_text,
    "longtext": long_text,
    "multiline": long_text,
    "html": rich_text,
    "rich": rich_text,
    "richtext": rich_text,
    "markdown": markdown,
    "code": code,
    "json": json_value,
    "color": color,
    "rating": rating,
    "duration": span,
    "number": number,
    "integer": number,
    "decimal": number,
    "currency": currency,
    "percent": percent,
    "boolean": boolean,
    "date": day,
    "datetime": moment,
    "time": clock,
    "choice": choice,
    "choices": choices,
    "reference": reference,
    "references": references,
    "any_reference": any_reference,
    "email": email,
    "phone": phone,
    "url": url,
    "file": cells_files.file,
    "image": cells_files.image,
    "secret": secret,
    "address": cells_places.address,
    "geolocation": cells_places.geolocation,
}
