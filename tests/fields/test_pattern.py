"""Are accepted patterns safe, and do they mean what `re` means?"""

import random
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.pattern import Pattern, PatternError
from tests.depth import at_depth

SLOW_FOR_RE = [
    r"(a+)+b",
    r"(a|a)*b",
    r"(a|ab|b)*c",
    r"a*a*a*a*a*b",
    r"(.*)*x",
    r"([a-z]+)*\d",
    r"(\w+\s?)*!",
    r"(a|b)*a(a|b){120}",
]
NEVER_THE_SAME = "".join(random.Random(7).choices("ab", k=10_000))  # each state of a long memory is a new one
ADVERSARIAL = [
    "a" * 10_000,
    "ab" * 5_000,
    "a" * 9_999 + "!",
    "aab" * 3_333 + "b",
    "a " * 5_000,
    "界" * 10_000,
    NEVER_THE_SAME,
]

plain = st.sampled_from(
    [*"ab1-_ 界", r"\d", r"\w", r"\s", r"\.", ".", "[ab]", "[^a]", r"[\d-]", "[a-c1]", "[^b1a]", r"[\u0061-b]"]
)
patterns = st.recursive(
    plain,
    lambda part: st.one_of(
        st.lists(part, min_size=1, max_size=3).map("".join),
        st.lists(part, min_size=1, max_size=3).map(lambda parts: f"({'|'.join(parts)})"),
        st.tuples(part, st.sampled_from(["*", "+", "?", "{2}", "{1,3}", "{2,}", "{0,2}"])).map(
            lambda t: f"(?:{t[0]}){t[1]}"
        ),
    ),
    max_leaves=6,
).filter(lambda source: len(source) <= 60)


@settings(max_examples=at_depth(150, 400), deadline=None)
@given(patterns, st.lists(st.text(alphabet="ab1-_. 界é", max_size=9), min_size=1, max_size=5))
def test_it_matches_what_re_matches(source: str, texts: list[str]) -> None:
    pattern = Pattern(source)
    reference = re.compile(source, re.ASCII)
    published = re.compile(pattern.ecma)
    for text in texts:
        wanted = reference.fullmatch(text) is not None
        assert pattern.matches(text) is wanted
        assert (published.search(text) is not None) is wanted


@pytest.mark.parametrize("text", ADVERSARIAL, ids=range(len(ADVERSARIAL)))
@pytest.mark.parametrize("source", SLOW_FOR_RE)
def test_a_pattern_that_stops_re_takes_no_time(source: str, text: str) -> None:
    pattern = Pattern(source)
    before = time.thread_time()
    pattern.matches(text)
    assert time.thread_time() - before < 0.25  # minutes for others; the machine may be busy


@settings(max_examples=60, deadline=None)
@given(patterns)
def test_any_accepted_pattern_takes_no_time(source: str) -> None:
    pattern = Pattern(source)
    for text in ("a" * 10_000, "ab1" * 3_333, "a1 -b_" * 1_666):
        before = time.thread_time()
        pattern.matches(text)
        assert time.thread_time() - before < 0.25  # minutes for others; the machine may be busy


@settings(max_examples=at_depth(150, 500), deadline=None)
@given(st.text(alphabet="ab01(){}[]|*+?.^$\\-,:=!<>PdDwWsSbBnt", max_size=25))
def test_any_text_is_a_pattern_or_is_refused(source: str) -> None:
    try:
        pattern = Pattern(source)
    except PatternError:
        return
    pattern.matches("ab01(){}")
    re.compile(pattern.ecma)


@pytest.mark.parametrize(
    ("source", "message", "column"),
    [
        (r"(a)\1", r"'\1' is not taken: no back-references, word edges or codes", 4),
        (r"\bword", r"'\b' is not taken: no back-references, word edges or codes", 1),
        (r"(?=a)b", "only plain groups are taken: no look-around, names or flags", 1),
        (r"(?P<x>a)", "only plain groups are taken: no look-around, names or flags", 1),
        (r"(?i)a", "only plain groups are taken: no look-around, names or flags", 1),
        (r"a**", "'*' follows another repetition", 3),
        (r"a+?", "'?' follows another repetition", 3),
        (r"*a", "'*' repeats nothing", 1),
        (r"a{201}", "more than 200 repetitions", 2),
        (r"(a{20}){20}", "with its repetitions it is longer than 256 characters", 2),
        (r"a{3,2}", "{3,2} ends before it begins", 2),
        (r"a{x}", r"'{' needs counts, such as {2} or {2,5}; write '\{' for the character", 2),
        (r"(a", "'(' is not closed", 1),
        (r"a)", "')' closes nothing", 2),
        (r"[a", "'[' is not closed", 1),
        (r"[b-a]", "the range does not go from a lower to a higher character", 3),
        (r"[\W]", r"'\W' is not taken inside brackets", 2),
        (r"a^b", "'^' may stand at the start only", 2),
        (r"a$b", "'$' may stand at the end only", 2),
        (r"a]", r"write '\]' for the character", 2),
        ("a" * 201, "it is longer than 200 characters", 201),
        ("(" * 11 + "a" + ")" * 11, "groups lie more than 10 deep", 11),
    ],
)
def test_a_refusal_says_what_and_where(source: str, message: str, column: int) -> None:
    with pytest.raises(PatternError) as refused:
        Pattern(source)
    assert (refused.value.message, refused.value.column) == (message, column)


@pytest.mark.parametrize(
    ("source", "yes", "no"),
    [
        (r"[A-Z]{2}-\d{3,5}", "AB-1234", "AB-12"),
        (r"\d{17}[\dX]", "11010519491231002X", "11010519491231002Y"),
        (r"[0-9A-HJ-NPQRTUWXY]{18}", "91310000MA1FL0001X", "91310000MA1FL0001I"),
        (r"^(?:\+86)?1\d{10}$", "+8613800138000", "+8623800138000"),
        (r"[\u4e00-\u9fff]{2,4}", "华东", "AB"),
        (r"a\$b\.c", "a$b.c", "a$bxc"),
        (r"", "", "a"),
        (r"x|", "", "xx"),
        (r"[]a]".replace("[]", r"[\]"), "]", "b"),
    ],
)
def test_the_whole_text_has_to_match(source: str, yes: str, no: str) -> None:
    pattern = Pattern(source)
    assert pattern.matches(yes)
    assert not pattern.matches(no)


def test_digits_and_letters_are_ascii_as_in_javascript() -> None:
    assert not Pattern(r"\d+").matches("١٢٣")
    assert not Pattern(r"\w+").matches("é")
    assert Pattern(r"[\w-]+\d\S").ecma == r"^(?:[A-Za-z0-9_-]+[0-9][^ \t\n\r\f\v])$"
