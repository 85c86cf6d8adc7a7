"""The column type of numbers that a formula works out. Opens no connection."""

import sqlalchemy as sa

from engine.formula import exact
from engine.store.types import Convert, StoredType

__all__ = ["QUOTIENT_DIGITS", "Number"]

QUOTIENT_DIGITS = sa.literal_column("200", sa.Integer())  # of PostgreSQL's, before it is rounded as all others are


class Number(StoredType):
    """An exact number: NUMERIC, or on SQLite its shortest text, since no integer has room for it."""

    sqlite = sa.Text()
    postgresql = sa.Numeric()

    def dumper(self, dialect_name: str) -> Convert | None:
        return exact.text_of if dialect_name == "sqlite" else None

    def loader(self, dialect_name: str) -> Convert | None:
        return exact.number_of if dialect_name == "sqlite" else None

    def json_loader(self, dialect_name: str) -> Convert | None:
        return float
