"""What fields are called across versions of the definitions, which rename them. Opens no connection."""

from collections.abc import Mapping

from engine.snapshot import Snapshot

__all__ = ["kept_names", "name_now", "names_of_kept"]


def kept_names(snapshot: Snapshot, object_name: str) -> Mapping[str, str]:
    """Field -> what outlasts its name: its column, or where its lines stand. Others have nothing that does."""
    key = ("kept names", object_name)
    if key not in snapshot.cache:
        names, found = snapshot.physical.names, dict(snapshot.physical.names.columns[object_name])
        for field in snapshot.definitions.objects[object_name].fields.values():
            if field.source == "lines":
                found[field.name] = f"{names.tables[field.of]}.{names.columns[field.of].get(field.by, field.by)}"
        snapshot.cache[key] = found
    kept: Mapping[str, str] = snapshot.cache[key]
    return kept


def names_of_kept(snapshot: Snapshot, object_name: str) -> Mapping[str, str]:
    key = ("names of kept", object_name)
    if key not in snapshot.cache:
        snapshot.cache[key] = {kept: name for name, kept in kept_names(snapshot, object_name).items()}
    names: Mapping[str, str] = snapshot.cache[key]
    return names


def name_now(then: Snapshot, object_then: str, now: Snapshot, object_now: str, name: str) -> str:
    """What a field of an earlier version is called; "" where it is there no more. Of what nothing outlasts the name,
    the definition tells what it was called."""
    kept = kept_names(then, object_then).get(name)
    if kept is not None:
        return names_of_kept(now, object_now).get(kept, "")
    fields = now.definitions.objects[object_now].fields
    if name in fields:
        return name
    return next((field.name for field in fields.values() if name in field.was), "")
