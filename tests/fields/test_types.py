"""What single field types promise beyond their good and bad values."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

from engine.errors import BadValue
from metadata.model import Choice, Field
from tests.fields.cases import PLUGINS, field_of

SHANGHAI, NEW_YORK, UTC_ZONE = ZoneInfo("Asia/Shanghai"), ZoneInfo("America/New_York"), ZoneInfo("UTC")
MOMENT = datetime(2026, 11, 21, 23, 15, 0, 123_000, UTC)


NO_BACK_REFERENCES = r"'\1' is not taken: no back-references, word edges or codes"


def make(type_name: str, **options: object) -> Field:
    return field_of(PLUGINS.fields[type_name], options)


def read(type_name: str, value: object, **options: object) -> object:
    return PLUGINS.fields[type_name].parser(make(type_name, **options))(value)


def read_form(type_name: str, *sent: str, zone: ZoneInfo = UTC_ZONE, **options: object) -> object:
    return PLUGINS.fields[type_name].from_form(make(type_name, **options), sent, zone)


def shown(type_name: str, value: object, zone: ZoneInfo = UTC_ZONE) -> object:
    return PLUGINS.fields[type_name].to_form(make(type_name), value, zone)


def refusal(type_name: str, value: object, **options: object) -> tuple[str, str]:
    with pytest.raises(BadValue) as refused:
        read(type_name, value, **options)
    return refused.value.message, refused.value.fix


def problems(type_name: str, **options: object) -> list[tuple[str, str, str, str]]:
    check = PLUGINS.fields[type_name].check
    assert check is not None
    return list(check(make(type_name, **options)))


def test_text_loses_its_ends_and_nothing_else() -> None:
    assert read("text", "  Ada  Lovelace\u3000") == "Ada  Lovelace"
    assert read("text", "   ") is None


def test_a_pattern_holds_for_what_is_sent_and_for_what_is_stored() -> None:
    assert refusal("text", " ab ", pattern="[a-z]+")[0] == "'ab' does not match the pattern [a-z]+"


def test_a_pattern_may_bring_its_own_message() -> None:
    own = {"en": "two letters, please", "zh-CN": "请填两个字母"}
    assert refusal("text", "a", pattern="[a-z]{2}", pattern_message=own)[0] == "two letters, please"
    assert refusal("text", "a", pattern="[a-z]{2}", pattern_message="two letters")[0] == "two letters"


def test_a_pattern_that_cannot_be_safe_is_a_problem_of_the_definition() -> None:
    assert problems("text", pattern=r"(a)\1") == [
        ("pattern", "field.pattern", r"the pattern '(a)\1' is refused at character 4: " + NO_BACK_REFERENCES, "")
    ]


def test_long_text_has_lf_whatever_the_browser_sends() -> None:
    assert read("longtext", "a\r\nb\rc") == "a\nb\nc"


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("<p onclick='x()'>a</p>", "<p>a</p>"),
        ("<img src=x onerror=alert(1)>a", "a"),
        ('<a href="javascript:alert(1)">a</a>', '<a rel="noopener noreferrer">a</a>'),
        ('<a href="/o/lead">a</a>', '<a href="/o/lead" rel="noopener noreferrer">a</a>'),
        ("<p style='position:fixed'>a</p>", "<p>a</p>"),
        ("<svg><script>alert(1)</script></svg>a", "a"),
        ("<p></p>", None),
        ("<p>&nbsp;<br></p>", None),
        ("<!-- a -->", None),
        ("<hr>", "<hr>"),
        ("<div>one</div><div>two</div>", "<div>one</div><div>two</div>"),
    ],
)
def test_rich_text_is_safe_when_it_is_stored(sent: str, kept: str | None) -> None:
    assert read("richtext", sent) == kept


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (0.1, "0.10"),
        (19.990000000000002, "19.99"),
        (0.1 + 0.2, "0.30"),
        ("-0", "0.00"),
        (7, "7.00"),
        (1e15, "1000000000000000.00"),
    ],
)
def test_a_number_is_what_its_sender_meant(sent: object, kept: str) -> None:
    stored = read("decimal", sent, precision=18, scale=2)
    assert stored == Decimal(kept)
    assert str(stored) == kept


def test_a_number_is_refused_rather_than_rounded() -> None:
    assert refusal("decimal", 1.005, scale=2)[0] == "1.005 has 3 decimal places; at most 2 are allowed"
    assert refusal("currency", 1234567890123456.8) == (
        "1234567890123456.8 has more digits than a JSON number keeps exactly", 'send it as text: "1234567890123456.8"',
    )  # fmt: skip


@pytest.mark.parametrize(
    ("sent", "meant"),
    [(" 1,234.50 ", "1234.50"), ("１，２３４", "1234"), ("−5", "-5"), ("1,23", "1,23"), ("", None), ("abc", "abc")],
)
def test_a_form_takes_numbers_as_people_write_them(sent: str, meant: str | None) -> None:
    assert read_form("decimal", sent) == meant


def test_a_form_takes_a_percent_sign_and_whole_numbers() -> None:
    assert read_form("percent", "12.5 %") == "12.5"
    assert read_form("percent", "５％") == "5"
    assert read_form("integer", "1,200") == 1200
    assert read_form("integer", "12.5") == "12.5"


def test_a_form_takes_the_sign_of_a_currency() -> None:
    assert read_form("currency", "￥1,234.50") == "1234.50"


def test_a_form_shows_no_closing_zeros() -> None:
    assert shown("decimal", Decimal("12.5000")) == "12.5"
    assert shown("currency", Decimal("1200.00")) == "1200"


def test_limits_that_leave_nothing_are_a_problem() -> None:
    assert problems("integer", min=5, max=1)[0][:3] == ("min", "field.range", "min 5 is more than max 1: no value fits")
    assert problems("decimal", precision=2, scale=4)[0][:2] == ("scale", "field.scale")


def test_a_switch_that_is_off_sends_nothing_which_is_no() -> None:
    assert read_form("boolean") is False
    assert read_form("boolean", "false", "true") is True
    assert read_form("boolean", "") is None
    assert read_form("boolean", "是") is True


def test_a_moment_is_typed_and_shown_in_the_persons_zone() -> None:
    assert read_form("datetime", "2026-11-22T10:15", zone=SHANGHAI) == "2026-11-22T02:15:00.000Z"
    assert shown("datetime", datetime(2026, 11, 22, 2, 15, tzinfo=UTC), SHANGHAI) == "2026-11-22T10:15"
    assert shown("datetime", MOMENT, SHANGHAI) == "2026-11-22T07:15:00.123"


def test_an_hour_that_the_clocks_skip_moves_on_by_an_hour() -> None:
    sent = read_form("datetime", "2026-03-08T02:30", zone=NEW_YORK)
    assert sent == "2026-03-08T07:30:00.000Z"
    assert shown("datetime", read("datetime", sent), NEW_YORK) == "2026-03-08T03:30"


def test_an_hour_that_comes_twice_is_the_first_unless_the_second_was_stored() -> None:
    second = "2026-11-01T06:30:00.000Z"
    assert shown("datetime", read("datetime", second), NEW_YORK) == "2026-11-01T01:30"
    assert read_form("datetime", "2026-11-01T01:30", zone=NEW_YORK) == "2026-11-01T05:30:00.000Z"
    assert read_form("datetime", second, "2026-11-01T01:30", zone=NEW_YORK) == second
    assert read_form("datetime", second, "2026-11-01T02:30", zone=NEW_YORK) == "2026-11-01T07:30:00.000Z"
    assert read_form("datetime", "Z", "2026-11-01T02:30", zone=NEW_YORK) == "2026-11-01T07:30:00.000Z"


def test_a_moment_is_kept_to_the_millisecond() -> None:
    assert read("datetime", "2026-11-22T10:15:00.123999+08:00") == datetime(2026, 11, 22, 2, 15, 0, 123_000, UTC)


def test_words_as_defaults_follow_the_person() -> None:
    context = SimpleNamespace(now=MOMENT, time_zone=SHANGHAI, actor=SimpleNamespace(id="0199f2c4"))
    assert PLUGINS.fields["date"].default_words["today"](context) == date(2026, 11, 22)
    assert PLUGINS.fields["datetime"].default_words["now"](context) == MOMENT
    assert str(PLUGINS.fields["time"].default_words["now"](context)) == "07:15:00"
    assert PLUGINS.fields["reference"].default_words["user"](context) == "0199f2c4"


def test_the_person_acting_is_no_default_of_a_reference_to_another_object() -> None:
    field = replace(make("reference"), default="user", target="account")
    assert [p[:2] for p in PLUGINS.fields["reference"].check(field)] == [("default", "field.default")]
    assert list(PLUGINS.fields["reference"].check(replace(field, target="user"))) == []


CHOICES = (Choice("new", {"en": "New"}), Choice("old", {"en": "Old"}, is_retired=True))


def test_a_retired_choice_stays_but_does_not_come_anew() -> None:
    kind, field = PLUGINS.fields["choice"], replace(make("choice"), choices=CHOICES)
    assert kind.parser(field)("old") == "old"
    kind.check_change(field, "old", "old")
    kind.check_change(field, "new", "old")
    with pytest.raises(BadValue, match="'old' is no longer offered; choose one of new") as refused:
        kind.check_change(field, "old", "new")
    assert refused.value.code == "value.choice.retired"


def test_retired_values_of_a_list_stay_but_do_not_come_anew() -> None:
    kind, field = PLUGINS.fields["multi_choice"], replace(make("multi_choice"), choices=CHOICES)
    kind.check_change(field, ["new", "old"], ["old"])
    with pytest.raises(BadValue, match="'old' is no longer offered"):
        kind.check_change(field, ["new", "old"], ["new"])


def test_a_retired_default_is_a_problem() -> None:
    for name, default in (("choice", "old"), ("multi_choice", ["old"])):
        field = replace(make(name), choices=CHOICES, default=default)
        assert [p[:2] for p in PLUGINS.fields[name].check(field)] == [("default", "field.default.retired")]


def test_several_choices_are_kept_in_the_order_of_the_definition() -> None:
    assert read("multi_choice", ["green", "red"], choices=("red", "blue", "green")) == ["red", "green"]
    assert read("multi_choice", [], choices=("red",)) is None
    assert read_form("multi_choice", "red; green", choices=("red", "green")) == ["red", "green"]
    assert read_form("multi_choice", "", "red", choices=("red", "green")) == ["red"]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("13800138000", "+8613800138000"),
        ("021-5555 1234", "+862155551234"),
        ("021-55551234-801", "+862155551234;ext=801"),
        ("(0755) 8888 6666 转 801", "+8675588886666;ext=801"),
        ("+1 (202) 555-0143 ext. 5", "+12025550143;ext=5"),
        ("400-820-8820", "+864008208820"),
        ("95588", "95588"),
        ("５５５５1234", "55551234"),
    ],
)
def test_a_telephone_number_is_stored_in_one_way(sent: str, kept: str) -> None:
    assert read("phone", sent) == kept
    assert read("phone", kept) == kept


def test_a_telephone_number_is_shown_as_people_write_it() -> None:
    assert shown("phone", "+862155551234;ext=801") == "+86 21 5555 1234 ext. 801"


def test_a_region_without_telephone_numbers_is_a_problem() -> None:
    assert problems("phone", region="XX") == [
        ("region", "field.region", "'XX' is no region whose telephone numbers are known", "write CN, US, DE, …")
    ]


def test_a_form_completes_a_web_address_and_no_script() -> None:
    assert read_form("url", "example.com/a") == "https://example.com/a"
    assert read_form("url", "javascript:alert(1)") == "javascript:alert(1)"
    assert read("url", "HTTPS://Example.com/A") == "https://Example.com/A"


def test_only_the_domain_of_a_mail_address_is_folded() -> None:
    assert read("email", "Lin.Yue@Example.COM") == "Lin.Yue@example.com"


@pytest.mark.parametrize(
    ("form", "period", "text"),
    [
        ("{00000}", "", "00017"),
        ("L-{YYYY}-{00000}", "2026", "L-2026-00017"),
        ("{YY}{MM}-{000}", "2026-11", "2611-017"),
        ("{YYYY}{MM}{DD}{0}", "2026-11-22", "2026112217"),
        ("合同第{0}号", "", "合同第17号"),
    ],
)
def test_a_number_given_in_turn_follows_its_format(form: str, period: str, text: str) -> None:
    kind, field = PLUGINS.fields["autonumber"], make("autonumber", format=form)
    now = MOMENT.astimezone(SHANGHAI)
    assert kind.generate(field, now, 17, {}) == text
    assert kind.counter_period(field, now, {}) == period
    assert problems("autonumber", format=form) == []


@pytest.mark.parametrize(
    ("form", "restart", "period"),
    [
        ("{kind}-{YYYY}-{000}", None, "2026|red|a-1"),
        ("{kind}-{YYYY}{MM}-{000}", "year", "2026|red|a-1"),
        ("{kind}-{YYYY}{DD}-{000}", "never", "|red|a-1"),
    ],
)
def test_a_number_given_in_turn_holds_values_of_its_record(form: str, restart: str | None, period: str) -> None:
    options = {"format": form.replace("{kind}", "{kind}{account.code}"), **({"restart": restart} if restart else {})}
    kind, field = PLUGINS.fields["autonumber"], make("autonumber", **options)
    now, values = MOMENT.astimezone(SHANGHAI), {"kind": "red", "account.code": "a-1"}
    assert kind.reads is not None
    assert kind.reads(field) == ("kind", "account.code")
    assert kind.counter_period(field, now, values) == period
    assert kind.generate(field, now, 3, values).startswith("reda-1-2026")
    assert kind.generate(field, now, 3, {"kind": None, "account.code": "x" * 60}).startswith("x" * 40 + "-2026")
    assert problems("autonumber", **options) == []


def test_a_number_that_would_come_again_is_a_problem() -> None:
    assert [code for _, code, _, _ in problems("autonumber", format="{YYYY}-{000}", restart="month")] == [
        "field.format"
    ]
    assert [fix for *_, fix in problems("autonumber", format="{MM}-{000}")] == ["add {YYYY}, or write restart: never"]


def test_a_number_given_in_turn_begins_where_it_is_told() -> None:
    kind = PLUGINS.fields["autonumber"]
    assert kind.counter_start(make("autonumber")) == 1
    assert kind.counter_start(make("autonumber", start=1000)) == 1000


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ("L-{YYYY}", "the format 'L-{YYYY}' has 0 counters; it needs one"),
        ("{0}{0}", "the format '{0}{0}' has 2 counters; it needs one"),
        (
            "{a b}-{000}",
            "the format '{a b}-{000}' holds a brace that is none of {YYYY}, {YY}, {MM}, {DD}, {000}, {field}",
        ),
        ("{MM}-{000}", "the format '{MM}-{000}' would give the same number again in another year"),
        ("{YYYY}-{DD}-{000}", "the format '{YYYY}-{DD}-{000}' would give the same number again in another month"),
    ],
)
def test_a_format_that_cannot_number_is_a_problem(form: str, message: str) -> None:
    assert [p[:3] for p in problems("autonumber", format=form)] == [("format", "field.format", message)]


def test_the_type_of_ids_is_not_for_packages() -> None:
    assert [name for name, kind in PLUGINS.kinds().items() if kind.is_internal] == ["id"]


def test_a_cell_of_a_sheet_is_read_as_what_the_field_holds() -> None:
    kinds = PLUGINS.kinds()
    assert kinds["integer"].read_text(make("integer"), "1,200") == 1200
    assert kinds["boolean"].read_text(make("boolean"), "no") is False
    assert kinds["text"].read_text(make("text"), "12") == "12"
    assert kinds["integer"].check_value(make("integer"), "x") == "'x' is text; a whole number is expected"
    assert kinds["integer"].check_value(make("integer"), 3) is None
