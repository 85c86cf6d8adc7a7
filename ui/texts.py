"""What the screens say, in the person's language. English texts are the keys of the other catalogues."""

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path

from engine.errors import InputProblem, InputWarning

__all__ = ["LANGUAGES", "Say", "part_words", "problem_text", "say_in", "supported"]

LOCALE = Path(__file__).parent / "locale"
LANGUAGES: Mapping[str, str] = {"en": "English", "zh-CN": "简体中文"}
"""Languages that the screens speak, each named in itself. Definitions may speak more."""

Say = Callable[..., str]
"""say("{count} records", count=3): the text in one language, its quoted values put in."""


@lru_cache
def catalogue(language: str) -> Mapping[str, Mapping[str, str]]:
    """{"texts": English -> text, "problems": code -> text with the problem's values}."""
    path = LOCALE / f"{language}.json"
    if not path.exists():
        return {"texts": {}, "problems": {}}
    read: dict[str, dict[str, str]] = json.loads(path.read_text(encoding="utf-8"))
    return read


@lru_cache
def say_in(language: str) -> Say:
    texts = catalogue(language)["texts"]

    def say(english: str, **values: object) -> str:
        text = texts.get(english, english)
        return text.format_map(values) if values else text

    return say


def problem_text(problem: InputProblem | InputWarning, language: str, **more: object) -> str:
    """The problem's sentence in `language`; its own English one where the catalogue has none.

    `more`: what the sentence may quote besides the problem's values, such as the field's label.
    """
    pattern = catalogue(language)["problems"].get(problem.code)
    if pattern is None or problem.is_worded:
        return problem.message
    try:
        return pattern.format_map({**dict(problem.values), **more})
    except (KeyError, ValueError, IndexError):
        # A plugin may use a code without the values that the sentence quotes.
        return problem.message


def part_words(name: str, language: str) -> tuple[str, str]:
    """What an action or a source of people is called in `language`, and what it does; "" where only the plugin says."""
    found = catalogue(language).get("parts", {}).get(name, "")
    title, _, doc = found.partition(" | ")
    return title, doc


def supported(wanted: str) -> str:
    """The language of ours that `wanted` (a tag, or a browser's Accept-Language) asks for first; English if none."""
    for part in wanted.split(","):
        tag = part.split(";")[0].strip().replace("_", "-").casefold()
        for language in LANGUAGES:
            if tag and (tag == language.casefold() or tag.split("-")[0] == language.casefold().split("-")[0]):
                return language
    return "en"
