"""team"""

from engine.sdk import Approver

TEAM = Approver(
    name="team",
    doc="The members of a team, by its name.",
    schema={
        "type": "object",
        "properties": {"name": {"type": "string", "minLength": 1}},
        "required": ["name"],
        "additionalProperties": False,
    },
    find=lambda asked, options: asked.team(options["name"]),
    short="name",
)
