"""Column types: how each kind of value is stored on SQLite and PostgreSQL. The only column types there are."""

import datetime as dt
import decimal
import re
from collections.abc import Callable
from typing import Any, ClassVar

import orjson
import sqlalchemy as sa

from engine.sealed import Mask, Sealed

__all__ = [
    "SQLITE_DIGITS", "Boolean", "Date", "DateTime", "Decimal", "Id", "Integer", "Json", "JsonText", "Secret",
    "StoredType", "Text", "TextList", "Time", "is_id",
]  # fmt: skip

Convert = Callable[[Any], Any]

EXACT_DIGITS = 15  # a double tells every decimal of 15 digits from its neighbours
SQLITE_DIGITS = 18  # what a 64-bit integer holds of any number
UUID_SHAPE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")


def is_id(value: object) -> bool:
    """Whether this could be a record's id. PostgreSQL raises on any other text where SQLite finds nothing."""
    return isinstance(value, str) and UUID_SHAPE.match(value) is not None


class StoredType(sa.types.TypeDecorator[Any]):
    """A column type that knows both dialects. Without loaders the driver's value is the value already."""

    impl = sa.Text
    cache_ok = True

    postgresql: ClassVar[sa.types.TypeEngine[Any]]
    sqlite: ClassVar[sa.types.TypeEngine[Any]]

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        cls.cache_ok = True  # SQLAlchemy asks each class for its own

    @property
    def shape(self) -> tuple[object, ...]:
        """Equal for two types whose columns hold any value in the same way."""
        return (type(self).__name__,)

    def dumper(self, dialect_name: str) -> Convert | None:
        """Stored Python value (never None) -> what the driver is given; None: as it is."""
        return None

    def loader(self, dialect_name: str) -> Convert | None:
        """Driver value (never None) -> stored Python value; None: as it is."""
        return None

    def json_loader(self, dialect_name: str) -> Convert | None:
        """Driver value (never None) -> what orjson is given; None: as it is."""
        return None

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        return dialect.type_descriptor(self.sqlite if dialect.name == "sqlite" else self.postgresql)

    def bind_processor(self, dialect: sa.Dialect) -> Convert | None:
        return blank_kept(self.dumper(dialect.name))

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Convert | None:
        return blank_kept(self.loader(dialect.name))

    def process_literal_param(self, value: Any, dialect: sa.Dialect) -> str:
        raise NotImplementedError("values are bound, never written into SQL")


class Text(StoredType):
    sqlite = sa.Text()
    postgresql = sa.Text(collation="C")  # the same order on every machine, and LIKE 'a%' can use an index


class Integer(StoredType):
    sqlite = sa.Integer()
    postgresql = sa.BigInteger()


class Decimal(StoredType):
    """Exact. On SQLite the value times 10^scale: columns of two scales must not be compared with each other there."""

    sqlite = sa.Integer()
    postgresql = sa.Numeric()

    def __init__(self, precision: int = SQLITE_DIGITS, scale: int = 2) -> None:
        super().__init__()
        if not 0 <= scale <= precision <= SQLITE_DIGITS:
            raise ValueError(f"a decimal has 1-{SQLITE_DIGITS} digits, not {precision} with {scale} after the point")
        self.precision, self.scale = precision, scale

    @property
    def shape(self) -> tuple[object, ...]:
        return ("Decimal", self.scale)  # the parser keeps the precision

    def dumper(self, dialect_name: str) -> Convert | None:
        if dialect_name != "sqlite":
            return None
        factor = 10**self.scale

        def dump(value: Any) -> int | float:
            scaled = value * factor
            # A value between two of the column's own is no value of it, but may be compared with: amount > 0.005.
            return int(scaled) if scaled == int(scaled) else float(scaled)

        return dump

    def loader(self, dialect_name: str) -> Convert | None:
        if dialect_name != "sqlite":
            return None
        scale = -self.scale
        return lambda value: decimal.Decimal(value).scaleb(scale)

    def json_loader(self, dialect_name: str) -> Convert | None:
        if dialect_name == "sqlite":
            return self._json_of_scaled()
        if self.precision <= EXACT_DIGITS:
            return float
        largest = decimal.Decimal(10) ** (EXACT_DIGITS - self.scale)
        form = f"{{:.{self.scale}f}}".format
        return lambda value: float(value) if -largest < value < largest else orjson.Fragment(form(value))

    def _json_of_scaled(self) -> Convert | None:
        factor, largest, scale = 10**self.scale, 10**EXACT_DIGITS, self.scale
        form = f"{{:.{scale}f}}".format

        def load(value: int) -> object:
            if -largest < value < largest:
                return value / factor  # the nearest double: its shortest text is the decimal
            return orjson.Fragment(form(decimal.Decimal(value).scaleb(-scale)))

        return load


class Boolean(StoredType):
    sqlite = sa.Integer()
    postgresql = sa.Boolean()

    def dumper(self, dialect_name: str) -> Convert | None:
        return int if dialect_name == "sqlite" else None

    def loader(self, dialect_name: str) -> Convert | None:
        return bool if dialect_name == "sqlite" else None

    json_loader = loader


class Date(StoredType):
    sqlite = sa.Text()
    postgresql = sa.Date()

    def dumper(self, dialect_name: str) -> Convert | None:
        return dt.date.isoformat if dialect_name == "sqlite" else None

    def loader(self, dialect_name: str) -> Convert | None:
        return dt.date.fromisoformat if dialect_name == "sqlite" else None


class DateTime(StoredType):
    """UTC to the millisecond: '2026-11-22T02:15:00.123Z' on SQLite and in JSON."""

    sqlite = sa.Text()
    postgresql = sa.DateTime(timezone=True)

    def dumper(self, dialect_name: str) -> Convert | None:
        return utc_text if dialect_name == "sqlite" else whole_milliseconds

    def loader(self, dialect_name: str) -> Convert | None:
        return dt.datetime.fromisoformat if dialect_name == "sqlite" else None

    def json_loader(self, dialect_name: str) -> Convert | None:
        return None if dialect_name == "sqlite" else utc_text


class Time(StoredType):
    sqlite = sa.Text()
    postgresql = sa.Time()

    def dumper(self, dialect_name: str) -> Convert | None:
        return clock_text if dialect_name == "sqlite" else None

    def loader(self, dialect_name: str) -> Convert | None:
        return dt.time.fromisoformat if dialect_name == "sqlite" else None

    def json_loader(self, dialect_name: str) -> Convert | None:
        return None if dialect_name == "sqlite" else clock_text


class Id(StoredType):
    """A UUID as lower-case text. Connections of engine.store.database load PostgreSQL's as text, too."""

    sqlite = sa.Text()
    postgresql = sa.Uuid(as_uuid=False)


class TextList(StoredType):
    """A JSON array as text. It contains "x" exactly if the text contains `element("x")`."""

    sqlite = sa.Text()
    postgresql = sa.Text(collation="C")

    @staticmethod
    def element(value: str) -> str:
        return orjson.dumps(value).decode()

    def dumper(self, dialect_name: str) -> Convert | None:
        # No JSON text holds a raw line break: with it between the elements, `","` is found only where it is an element.
        return lambda values: "[" + ",\n".join(map(self.element, values)) + "]"

    def loader(self, dialect_name: str) -> Convert | None:
        return orjson.loads

    json_loader = loader


class JsonText(str):
    """A stored JSON value: its canonical text. Of the value itself Python would say that 1 is True."""

    @classmethod
    def of(cls, value: object) -> "JsonText":
        """Raises TypeError for what is no JSON."""
        return cls(orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode())

    @property
    def value(self) -> Any:
        return orjson.loads(str(self))  # it takes no kinds of str


class Json(StoredType):
    """Any JSON value as its canonical text, so that equal values have equal text."""

    sqlite = sa.Text()
    postgresql = sa.Text(collation="C")

    def dumper(self, dialect_name: str) -> Convert | None:
        return str

    def loader(self, dialect_name: str) -> Convert | None:
        return JsonText

    def json_loader(self, dialect_name: str) -> Convert | None:
        return orjson.loads


class Secret(StoredType):
    """An encrypted text with what of it is shown. Answers get that only; what is not encrypted is not stored."""

    sqlite = sa.Text()
    postgresql = sa.Text(collation="C")

    def __init__(self, mask: Mask = "all") -> None:
        super().__init__()
        self.mask = mask

    @property
    def shape(self) -> tuple[object, ...]:
        return ("Secret",)

    def dumper(self, dialect_name: str) -> Convert | None:
        def dump(value: Any) -> str:
            if not isinstance(value, Sealed):
                raise TypeError("a secret is encrypted before it is stored")
            return value.text

        return dump

    def loader(self, dialect_name: str) -> Convert | None:
        mask = self.mask
        return lambda text: Sealed.read(text, mask)

    def json_loader(self, dialect_name: str) -> Convert | None:
        mask = self.mask
        return lambda text: Sealed.read(text, mask).mask


def blank_kept(convert: Convert | None) -> Convert | None:
    if convert is None:
        return None
    return lambda value: None if value is None else convert(value)


def utc_text(value: dt.datetime) -> str:
    return value.astimezone(dt.UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def whole_milliseconds(value: dt.datetime) -> dt.datetime:
    return value.replace(microsecond=value.microsecond // 1000 * 1000)


def clock_text(value: dt.time) -> str:
    return value.isoformat(timespec="seconds")
