"""DISTANCE(from, to)"""

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import DOUBLE_PRECISION, JSONB

from engine.sdk import Function, JsonText, once

RADIUS_KM = 6371.0088  # of a sphere as large as the earth: IUGG's mean radius
RADIAN = 0.017453292519943295  # a degree
MOST = {"latitude": 90, "longitude": 180}


def kilometres(here: Any, one: JsonText, other: JsonText) -> Decimal | None:
    """By the formula that is well-conditioned everywhere, antipodes too: rounded to metres, all back ends agree."""
    sides = [side(value, name) for value in (one, other) for name in MOST]
    if None in sides:
        return None
    lat1, lon1, lat2, lon2 = (float(degrees) * RADIAN for degrees in sides if degrees is not None)
    turn = lon2 - lon1
    x = math.cos(lat2) * math.sin(turn)
    y = math.cos(lat1) * math.sin(lat2) - math.sin(lat1) * math.cos(lat2) * math.cos(turn)
    z = math.sin(lat1) * math.sin(lat2) + math.cos(lat1) * math.cos(lat2) * math.cos(turn)
    far = RADIUS_KM * math.atan2(math.sqrt(x * x + y * y), z)
    return Decimal(math.floor(far * 1000 + 0.5)).scaleb(-3)


def side(value: JsonText, name: str) -> float | None:
    found = value.value
    degrees = found.get(name) if isinstance(found, dict) else None
    is_number = isinstance(degrees, int | float) and not isinstance(degrees, bool)
    return degrees if is_number and abs(degrees) <= MOST[name] else None


def sql(context: Any, args: Sequence[Any]) -> Any:
    double = DOUBLE_PRECISION()

    def radians(value: Any, name: str) -> Any:
        key = sa.literal_column(f"'{name}'", sa.Text())
        is_number = sa.func.jsonb_typeof(value.op("->", return_type=JSONB())(key)) == "number"
        degrees = sa.cast(value.op("->>", return_type=sa.Text())(key), double)
        most = sa.literal_column(str(MOST[name]), double)
        near = sa.case((is_number, sa.case((sa.func.abs(degrees, type_=double) <= most, degrees))))
        return near * sa.literal_column(repr(RADIAN), double)

    def build(one: Any, other: Any) -> Any:
        return once(
            angles, radians(one, "latitude"), radians(one, "longitude"), radians(other, "latitude"),
            radians(other, "longitude"),
        )  # fmt: skip

    def angles(lat1: Any, lon1: Any, lat2: Any, lon2: Any) -> Any:
        sin, cos, turn = of_double("sin"), of_double("cos"), lon2 - lon1
        x = cos(lat2) * sin(turn)
        y = cos(lat1) * sin(lat2) - sin(lat1) * cos(lat2) * cos(turn)
        z = sin(lat1) * sin(lat2) + cos(lat1) * cos(lat2) * cos(turn)
        return once(rounded, once(lambda a, b: a * a + b * b, x, y), z)

    def rounded(square: Any, z: Any) -> Any:
        far = sa.literal_column(repr(RADIUS_KM), double) * of_double("atan2")(of_double("sqrt")(square), z)
        metres = of_double("floor")(far * sa.literal_column("1000", double) + sa.literal_column("0.5", double))
        return sa.cast(metres, sa.Numeric()) / sa.literal_column("1000", sa.Numeric())

    return once(build, *(sa.cast(arg, JSONB()) for arg in args))


def of_double(name: str) -> Any:
    return lambda *args: getattr(sa.func, name)(*args, type_=DOUBLE_PRECISION())


DISTANCE = Function(
    name="DISTANCE",
    doc="Kilometres between two places, as a bird flies over a sphere, to the metre; blank unless both are places.",
    takes=("json", "json"),
    returns="number",
    sql=sql,
    python=kilometres,
    js="(here, one, other) => fs.distance(one, other)",
    in_sqlite="python",
    examples=(
        ("DISTANCE(shop, depot)", 1067.079),
        ("DISTANCE(shop, shop)", 0),
        ("DISTANCE(shop, home)", None),
        ("DISTANCE(shop, null)", None),
    ),
)
