"""HYPERLINK(address, text)"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine.sdk import Function

# In the address what would end it, in the text what would: the backslash first, as the others get one.
IN_ADDRESS = ((" ", "%20"), ("(", "%28"), (")", "%29"), ("<", "%3C"), (">", "%3E"), ("\\", "%5C"), ("\n", "%0A"))
IN_TEXT = (("\\", "\\\\"), ("[", "\\["), ("]", "\\]"), ("\n", " "))
MOST = 2000


def escaped(text: str, pairs: Sequence[tuple[str, str]]) -> str:
    for sign, other in pairs:
        text = text.replace(sign, other)
    return text


def linked(here: Any, address: str, text: str) -> str:
    return f"[{escaped(text[:MOST], IN_TEXT)}]({escaped(address[:MOST], IN_ADDRESS)})"


def sql(context: Any, args: Sequence[Any]) -> Any:
    def made(text: Any, pairs: Sequence[tuple[str, str]]) -> Any:
        found = sa.func.left(text, MOST, type_=sa.Text())
        for sign, other in pairs:
            found = sa.func.replace(found, sign, other, type_=sa.Text())
        return found

    address, text = args
    return sa.literal("[") + made(text, IN_TEXT) + "](" + made(address, IN_ADDRESS) + ")"


HYPERLINK = Function(
    name="HYPERLINK",
    doc="A link in Markdown, for a formula field that returns `markdown`; each part is cut after 2,000 characters.",
    takes=("text", "text"),
    returns="text",
    sql=sql,
    python=linked,
    js="(here, address, label) => fs.hyperlink(address, label)",
    in_sqlite="python",
    examples=(
        ("HYPERLINK('https://example.com/a', 'A')", "[A](https://example.com/a)"),
        ("HYPERLINK('/o/deal/(1) 2', 'a [b] \\\\')", "[a \\[b\\] \\\\](/o/deal/%281%29%202)"),
        ("HYPERLINK(null, 'A')", None),
        ("HYPERLINK('https://example.com', null)", None),
    ),
)
