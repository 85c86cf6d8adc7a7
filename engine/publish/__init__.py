"""Plan a change of the definitions, carry out exactly that plan, and tell what was published."""

from engine.publish.apply import apply, ensure
from engine.publish.history import Published, history
from engine.publish.plan import Plan, plan
from engine.publish.steps import Step

__all__ = ["Plan", "Published", "Step", "apply", "ensure", "history", "plan"]
