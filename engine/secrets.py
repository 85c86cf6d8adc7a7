"""Values of secret fields: what they are bound to, and how the engine itself reads one."""

from engine.context import Context
from engine.sealed import Sealed
from engine.snapshot import Snapshot

__all__ = ["decrypt", "place_of"]


def decrypt(ctx: Context, object_name: str, field_name: str, stored: Sealed) -> str:
    """For what the engine itself sends to others, such as webhooks. Never for an answer. Raises KeyMissing."""
    return ctx.tenant.secrets.open(stored, place_of(ctx.snapshot, object_name, field_name))


def place_of(snapshot: Snapshot, object_name: str, field_name: str) -> str:
    """What a secret is bound to: its column, which no rename changes. Moved to another one, it cannot be decrypted."""
    names = snapshot.physical.names
    return f"{names.tables[object_name]}.{names.columns[object_name][field_name]}"
