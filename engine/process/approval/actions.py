"""All actions there are: importing this module registers them, and the jobs of approvals."""

from engine.process.approval import admin, decisions, signers, submitter, timers
from engine.process.approval.door import ACTIONS

__all__ = ["ACTIONS", "admin", "decisions", "signers", "submitter", "timers"]
