"""Markdown as safe HTML: no HTML of the author's, no images, no scripts; headings below those of the page."""

from functools import lru_cache

import nh3
from markdown_it import MarkdownIt

__all__ = ["rendered"]

TAGS = {
    "a", "blockquote", "br", "code", "em", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "s", "strong", "table",
    "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
SCHEMES = {"http", "https", "mailto", "tel"}
BELOW = {"h1": "h3", "h2": "h4", "h3": "h5", "h4": "h6", "h5": "h6", "h6": "h6"}
READER = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"]).disable("image")


@lru_cache(maxsize=256)
def rendered(text: str) -> str:
    tokens = READER.parse(text)
    for token in tokens:
        token.tag = BELOW.get(token.tag, token.tag)
    html = READER.renderer.render(tokens, READER.options, {})
    # The reader escapes HTML already; nothing of what follows relies on it.
    return nh3.clean(
        html,
        tags=TAGS,
        attributes={"a": {"href", "title"}, "ol": {"start"}},
        url_schemes=SCHEMES,
        link_rel="noopener noreferrer nofollow",
    )
