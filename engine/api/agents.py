"""Who decides for somebody who is away."""

from typing import Any

from engine.api.answers import Answer, json_answer
from engine.api.errors import bad_request
from engine.api.operations import ROOT, Call, Operation
from engine.api.permission import Permission
from engine.process import agents, standing_in
from engine.process.agents import Agent
from engine.store.types import utc_text

__all__ = ["OPERATIONS"]

WHOSE = ("mine", "all")


def list_agents(call: Call) -> Answer:
    whose = call.values().get("of", "mine")
    if whose not in WHOSE:
        raise bad_request("query.value", f"of is mine or all, not '{whose[:40]}'", path="of")
    found = agents.agents(call.ctx, of_all=whose == "all")
    return json_answer({"agents": [told(call, one) for one in found]})


def appoint_agent(call: Call) -> Answer:
    made = standing_in.appoint(call.ctx, call.json())
    return json_answer(told(call, made), 201, ((b"location", f"{ROOT}/agents/{made.id}".encode()),))


def take_back_agent(call: Call) -> Answer:
    standing_in.take_back(call.ctx, call.args[0])
    return Answer(204)


def told(call: Call, one: Agent) -> dict[str, Any]:
    objects = call.ctx.snapshot.physical.names.objects
    return {
        "id": one.id, "user": one.user, "agent": one.agent, "from": utc_text(one.starts), "to": utc_text(one.ends),
        "approvals": one.approvals, "objects": [objects[table] for table in one.objects if table in objects],
        "reason": one.reason, "is_now": one.starts <= call.ctx.now < one.ends,
    }  # fmt: skip


AGENTS = Permission("person", "one's own; of others: manage_processes")
OPERATIONS = (
    Operation("GET", "/agents", AGENTS, list_agents, ("of",)),
    Operation("POST", "/agents", AGENTS, appoint_agent),
    Operation("DELETE", "/agents/{id}", AGENTS, take_back_agent),
)
