"""manager_chain"""

from collections.abc import Mapping, Sequence
from typing import Any

from engine.sdk import Approver, Asked, persons_of


def find(asked: Asked, options: Mapping[str, Any]) -> Sequence[str]:
    found: list[str] = []
    for person in persons_of(asked, options):
        chain = asked.manager_chain(person)
        if "level" in options:
            found += chain[options["level"] - 1 : options["level"]]
        elif "up_to" in options:
            found += chain[: options["up_to"]]
        elif "until_role" in options:
            found += until(asked, chain, options["until_role"])
        else:
            found += chain[:1]
    return found


def until(asked: Asked, chain: Sequence[str], role: str) -> Sequence[str]:
    """Those up to the first who has the role; all of them where nobody has it."""
    for place, one in enumerate(chain, start=1):
        if asked.has_role(one, role):
            return chain[:place]
    return chain


def most(options: Mapping[str, Any]) -> int | None:
    if "person" in options or ("until_role" in options and "up_to" not in options):
        return None
    return int(options.get("up_to", 1)) if "level" not in options else 1


def lacks(options: Mapping[str, Any]) -> str:
    who = f"'{options['person']}'" if "person" in options else f"the {options.get('of', 'submitter')}"
    level = options.get("level", 1)
    return f"{who} has no manager" if level == 1 else f"{who} has fewer than {level} managers above"


MANAGER_CHAIN = Approver(
    name="manager_chain",
    doc="Managers above a person: the n-th, all up to the n-th, or all up to one who has a role.",
    schema={
        "type": "object",
        "properties": {
            "of": {"enum": ["submitter", "owner"], "description": "Above whom; the submitter unless said."},
            "person": {"type": "string", "minLength": 1, "description": "A path to a user, in place of 'of'."},
            "level": {"type": "integer", "minimum": 1, "maximum": 20, "description": "The n-th; 1 is the nearest."},
            "up_to": {"type": "integer", "minimum": 1, "maximum": 20, "description": "All of them up to the n-th."},
            "until_role": {"type": "string", "minLength": 1, "description": "All up to the first who has the role."},
        },
        "additionalProperties": False,
    },
    find=find,
    paths=("person",),
    short="level",
    refers={"until_role": "role"},
    most=most,
    lacks=lacks,
)
