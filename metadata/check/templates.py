"""Are templates sound? Every path must lead to a field of the object, or of the lines that it goes through."""

from collections.abc import Iterator

from metadata.assemble import Item
from metadata.check.facts import Facts
from metadata.problem import Place, Problem
from metadata.processes import Template
from metadata.template_text import Loop, TemplateError, read_template

__all__ = ["check"]


def check(facts: Facts) -> Iterator[Problem]:
    for item in facts.assembly.processes["template"]:
        built, document = item.built, item.document
        if built.object:
            yield from facts.object_exists(built.object, item.package, document.at("object"))
        for key in ("subject", "body"):
            said = document.data.get(key)
            if isinstance(said, str):
                yield from text(facts, item, said, document.at(key))
            for language, words in said.items() if isinstance(said, dict) else ():
                yield from text(facts, item, words, document.at(key, language))


def text(facts: Facts, item: Item[Template], words: str, at: Place) -> Iterator[Problem]:
    built = item.built
    try:
        read = read_template(words)
    except TemplateError as error:
        where = f" (line {error.line} of the text)" if "\n" in words.strip() else ""
        yield Problem(at, error.code, f"{error.message}{where}", error.fix)
        return
    wanted = (*read.paths, *(loop.field for loop in read.loops))
    if wanted and not built.object:
        message = f"the template '{built.name}' reads 'record.{wanted[0]}' and names no object"
        yield Problem(at, "template.object", message, "write 'object: …'")
    for path in read.paths:
        yield from facts.path_exists(path, built.object, at)
    for loop in read.loops:
        yield from loop_fits(facts, built.object, loop, at)


def loop_fits(facts: Facts, object_: str, loop: Loop, at: Place) -> Iterator[Problem]:
    """That it goes through lines, and that what it reads of them is there."""
    if object_ not in facts.objects:
        return
    fields = facts.objects[object_].fields
    field = fields.get(loop.field)
    if field is None:
        yield from facts.path_exists(loop.field, object_, at)
    elif field.source != "lines":
        known = [name for name, one in fields.items() if one.source == "lines"]
        fix = f"one of {', '.join(known)}" if known else f"'{object_}' has none"
        yield Problem(at, "template.loop", f"a template loops over lines, and '{loop.field}' holds none", fix)
    else:
        for path in loop.paths:
            yield from facts.path_exists(path, field.of, at)
