"""What a template may say: nothing that calls or reaches into an object, and loops over lines alone."""

import pytest

from metadata.template_text import LONGEST, Loop, TemplateError, read_template


def test_paths_are_those_of_the_record() -> None:
    text = (
        "{{ record.name }} {% if raw.account.kind == 'a' and link %}{{ record.name|upper }}{% endif %}{{ user.name }}"
    )
    assert sorted(read_template(text).paths) == ["account.kind", "name"]


def test_loops_tell_what_is_read_of_lines() -> None:
    text = (
        "{{ record.name }}{% for line in record.items %}{{ loop.index }}. {{ line.product.name }}"
        "{% if line.raw.pieces > 1 and not loop.last %}{{ line.pieces }} {{ record.stage }}{% endif %}"
        "{% else %}none{% endfor %}{% for one in record.items %}{{ one.price }}{% endfor %}"
    )
    read = read_template(text)
    assert sorted(read.paths) == ["name", "stage"]
    [loop] = read.loops
    assert (loop.field, sorted(loop.paths)) == ("items", ["pieces", "price", "product.name"])
    assert read_template("{% for line in record.items %}*{% endfor %}").loops == (Loop("items"),)


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("{{ record.name", "template.syntax", "the text cannot be read: "),
        ("{{ record.name.upper() }}", "template.syntax", "a template has no calls"),
        ("{{ ''.__class__ }}", "template.syntax", "a path begins with a name, such as record"),
        ("{{ record['name'] }}", "template.syntax", "a template has no […]"),
        ("{% for x in raw.lines %}{% endfor %}", "template.syntax", "a template loops over lines of its record alone"),
        ("{% for x in record.a.lines %}{% endfor %}", "template.syntax", "a template loops over lines of its record"),
        ("{% for x in 'abc' %}{% endfor %}", "template.syntax", "a template loops over lines of its record alone"),
        ("{% for x in record.l if x.a %}{% endfor %}", "template.syntax", "a loop of a template has one name and no"),
        ("{% for x, y in record.l %}{% endfor %}", "template.syntax", "a loop of a template has one name and no"),
        ("{% for x in record.l recursive %}{% endfor %}", "template.syntax", "a loop of a template has one name and"),
        (
            "{% for x in record.l %}{% for y in record.l %}{% endfor %}{% endfor %}",
            "template.syntax",
            "a template has no loops within loops",
        ),
        (
            "{% for x in record.l %}{% for y in x.l %}{% endfor %}{% endfor %}",
            "template.syntax",
            "a template has no loops",
        ),
        ("{% for x in record.l %}{% endfor %}" * 11, "template.syntax", "a template has at most 10 loops"),
        ("{% for record in record.l %}{% endfor %}", "template.name", "'record' is no name for a line"),
        (
            "{% for x in record.l %}{% endfor %}{{ x.name }}",
            "template.name",
            "'x.name' is nothing that a template knows",
        ),
        ("{% for x in record.l %}{% else %}{{ x.name }}{% endfor %}", "template.name", "'x.name' is nothing"),
        ("{% for x in record.l %}{{ x }}{% endfor %}", "template.name", "'x' is nothing that a template knows"),
        ("{% for x in record.l %}{{ loop.cycle }}{% endfor %}", "template.name", "'loop.cycle' is nothing that"),
        ("{% for x in record.l %}{{ x.name.upper() }}{% endfor %}", "template.syntax", "a template has no calls"),
        ("{{ 'a' * 1000000000 }}", "template.syntax", "a template has no *"),
        ("{{ 9 ** 9 ** 9 }}", "template.syntax", "a template has no **"),
        ("{{ '%1000000000d' % 1 }}", "template.syntax", "a template has no %"),
        ("{% set x = 1 %}", "template.syntax", "a template has no set"),
        ("{% include 'x' %}", "template.syntax", "a template has no include"),
        ("{% macro x() %}{% endmacro %}", "template.syntax", "a template has no macros"),
        ("{{ 1 is odd }}", "template.syntax", "a template has no tests"),
        ("{{ record }}", "template.name", "'record' is nothing that a template knows"),
        ("{{ recrod.name }}", "template.name", "'recrod.name' is nothing that a template knows"),
        ("{{ user.password }}", "template.name", "'user.password' is nothing that a template knows"),
        ("{{ values.__class__ }}", "template.name", "'values.__class__' is nothing that a template knows"),
        ("{{ self }}", "template.name", "'self' is nothing that a template knows"),
        ("{{ record.name|attr('x') }}", "template.filter", "there is no filter 'attr'"),
        ("{{ record.name|safe }}", "template.filter", "there is no filter 'safe'"),
        ("{{ 'x'|center(1000000000) }}", "template.filter", "there is no filter 'center'"),
        ("{{ 'a'|replace('a', 'aaaa')|replace('a', 'aaaa') }}", "template.filter", "there is no filter 'replace'"),
        ("x" * (LONGEST + 1), "template.long", "a template has at most 20,000 characters, not 20,001"),
        ("{{ " + "(" * 5000 + ")" * 5000 + " }}", "template.syntax", "the text"),
    ],
)
def test_what_it_may_not_say(text: str, code: str, message: str) -> None:
    with pytest.raises(TemplateError) as refusal:
        read_template(text)
    assert refusal.value.code == code
    assert refusal.value.message.startswith(message)
