"""All that a plugin may import from Fieldstone. What stands here stays; the modules behind it may change."""

from engine.contracts.action import Action, Step
from engine.contracts.approver import Approver, Asked
from engine.contracts.approver_toolkit import (
    CHOICE,
    IN,
    SCOPE,
    choosable,
    departments_of,
    in_department,
    persons_of,
    those_chosen,
    within_scope,
)
from engine.contracts.field import FieldType, Parse, plain_form, plain_text, same, worked_out
from engine.contracts.function import Function, Here
from engine.errors import BadValue
from engine.files.value import FileValue
from engine.formula.exact import (
    PADDED_MAX,
    arithmetic,
    fiscal,
    hours_between,
    hours_later,
    moment,
    moment_of,
    months_between,
    months_later,
    padded,
    period,
    power,
    rounded,
    square_root,
    whole,
    workdays_before,
)
from engine.formula.exact import days_later as moved_by_days
from engine.formula.exact import text_of as number_plain
from engine.formula.moments import days_later, once
from engine.formula.native import Scaled, chosen, rounded_to
from engine.formula.toolkit import (
    as_sql,
    capitals,
    clock_of,
    count,
    fiscal_part,
    hours_on_top,
    in_days,
    in_list,
    in_period,
    in_periods,
    is_near,
    is_within,
    local_clock,
    lower,
    milliseconds_of,
    next_day,
    period_of,
    small_letters,
    upper,
    within,
)
from engine.numbers import (
    INTEGER_MAX,
    INTEGER_MIN,
    ExactNumber,
    number_from_form,
    number_json,
    number_text,
    read_decimal,
    read_integer,
)
from engine.pattern import Pattern, PatternError
from engine.richtext import safe_html
from engine.sealed import DOTS, Sealed, Unsealed
from engine.store.types import (
    Boolean,
    Date,
    DateTime,
    Decimal,
    Id,
    Integer,
    Json,
    JsonText,
    Secret,
    Text,
    TextList,
    Time,
)
from engine.values import brief, local_text, read_date, read_datetime, read_text, read_time, utc_from_local, wrong_type
from metadata.model import Choice, Field, say
from metadata.model import Text as Label

__all__ = [
    # contracts
    "Action", "Approver", "Asked", "BadValue", "Choice", "Field", "FieldType", "Function", "Label", "Parse", "Step",
    "worked_out",
    # sources of approvers
    "CHOICE", "IN", "SCOPE", "choosable", "departments_of", "in_department", "persons_of", "those_chosen",
    "within_scope",
    # columns
    "Boolean", "Date", "DateTime", "Decimal", "Id", "Integer", "Json", "JsonText", "Secret", "Text", "TextList",
    "Time",
    # reading values
    "INTEGER_MAX", "INTEGER_MIN", "ExactNumber", "brief", "number_json", "number_text", "read_date", "read_datetime",
    "read_decimal", "read_integer", "read_text", "read_time", "safe_html", "say", "wrong_type",
    # files and secrets
    "DOTS", "FileValue", "Sealed", "Unsealed",
    # safe patterns
    "Pattern", "PatternError",
    # browser forms
    "local_text", "number_from_form", "plain_form", "plain_text", "same", "utc_from_local",
    # SQL of functions
    "Scaled", "as_sql", "capitals", "chosen", "count", "days_later", "fiscal_part", "hours_on_top", "in_days",
    "in_list", "in_period", "in_periods", "local_clock", "milliseconds_of", "next_day", "once", "period_of",
    "rounded_to", "small_letters",
    # the same in Python
    "PADDED_MAX", "Here", "arithmetic", "clock_of", "fiscal", "hours_between", "hours_later", "is_near", "is_within",
    "lower", "moment", "moment_of", "months_between", "months_later", "moved_by_days", "number_plain", "padded",
    "period", "power", "rounded", "square_root", "upper", "whole", "within", "workdays_before",
]  # fmt: skip
