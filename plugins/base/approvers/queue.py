"""queue"""

from engine.sdk import Approver

QUEUE = Approver(
    name="queue",
    doc="The members of a queue, by its name: they are offered one task, and the first to claim it decides.",
    schema={
        "type": "object",
        "properties": {"name": {"type": "string", "minLength": 1}},
        "required": ["name"],
        "additionalProperties": False,
    },
    find=lambda asked, options: asked.queue(options["name"]),
    short="name",
    is_queue=True,
)
