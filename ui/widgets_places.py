"""What a form shows of an address and of a place on earth: an input for each part."""

from typing import TYPE_CHECKING, Any

from metadata.model import Field
from ui.places import countries, parts_in_order

if TYPE_CHECKING:
    from ui.visit import Visit

__all__ = ["address", "geolocation"]

ORDER = "parts:"  # the first text that the form sends says which of the others is which
LENGTHS = {"province": 100, "city": 100, "district": 100, "street": 300, "postcode": 20}
PARTS = ("country", *LENGTHS)
View = dict[str, Any]


def address(visit: "Visit", object_name: str, field: Field, view: View) -> View:
    said = field.options.get("parts")
    parts = [str(part) for part in said] if isinstance(said, list | tuple) else list(PARTS)
    parts = parts_in_order(visit.language, parts)
    held = held_parts(view["values"])
    labels = {
        "country": visit.say("Country"), "province": visit.say("State or province"), "city": visit.say("City"),
        "district": visit.say("District"), "street": visit.say("Street"), "postcode": visit.say("Postcode"),
    }  # fmt: skip
    return {
        "order": ORDER + ",".join(parts),
        "parts": [
            {"name": part, "label": labels[part], "value": held.get(part, ""), "length": LENGTHS.get(part)}
            for part in parts
        ],
        "countries": countries(visit.language) if "country" in parts else (),
    }


def held_parts(values: list[str]) -> dict[str, str]:
    if not values or not values[0].startswith(ORDER):
        return {}
    return dict(zip(values[0].removeprefix(ORDER).split(","), values[1:], strict=False))


def geolocation(visit: "Visit", object_name: str, field: Field, view: View) -> View:
    texts = [*view["values"], "", ""]
    return {"sides": [
        {"label": visit.say("Latitude"), "value": texts[0], "example": "31.230400"},
        {"label": visit.say("Longitude"), "value": texts[1], "example": "121.473700"},
    ]}  # fmt: skip
