"""Where a decision is signed: the person types their password again."""

from engine.context import Context
from engine.errors import BadInput, InputProblem
from engine.people import attempts
from engine.people.credentials import account_of
from engine.people.passwords import verify

__all__ = ["check_password", "refused"]


def check_password(ctx: Context, password: str) -> None:
    """Outside of any transaction: attempts count whatever comes of it. Raises BadInput, TooManyAttempts."""
    account = account_of(ctx.tenant, ctx.actor.id)
    if account is None:
        raise refused("the password is wrong")
    attempts.begin(ctx.tenant, account.username, ctx.origin.address, ctx.now)
    if not verify(account.hash, password):
        raise refused("the password is wrong")
    attempts.forget(ctx.tenant, account.username)


def refused(message: str = "this step is signed: the password is needed") -> BadInput:
    problem = InputProblem("password", "approval.signature", message, "type your password again")
    return BadInput(message, code="approval.signature", fix=problem.fix, problems=[problem])
