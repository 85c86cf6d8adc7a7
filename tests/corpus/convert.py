"""Turn the digest of another application's metadata into a package folder.

A digest is JSON: a list of {object, label, kind, fields: [{name, label, type, required, options, reference, …}]}, with
the types as their source calls them. What has no counterpart here becomes the nearest type or is left out, and counted.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from metadata.names import RESERVED_FIELDS, is_name, suggested

__all__ = ["Converted", "convert", "flavour_of", "read_digest", "write_yaml"]

Json = dict[str, Any]

# Source type -> ours; "?" looks at the field's other keys, "-" is left out.
TYPES: Mapping[str, Mapping[str, str]] = {
    "frappe": {
        "Check": "boolean", "Link": "reference", "Data": "?text", "Select": "?choice", "Datetime": "datetime",
        "Int": "integer",
        "Float": "decimal", "Currency": "currency", "Percent": "percent", "Code": "longtext", "Text Editor": "richtext",
        "Text": "longtext", "Small Text": "longtext", "Long Text": "longtext", "Date": "date", "Time": "time",
        "Duration": "~integer", "Rating": "~decimal", "Color": "~text", "JSON": "~longtext", "Attach": "~text",
        "Attach Image": "~text", "Dynamic Link": "~text", "Table": "child", "Table MultiSelect": "child",
        "Password": "-",
    },
    "salesforce": {
        "Text": "text", "TextArea": "longtext", "LongTextArea": "longtext", "Html": "richtext", "Url": "url",
        "Email": "email",
        "Phone": "phone", "Picklist": "?choice", "MultiselectPicklist": "?multi_choice", "Lookup": "reference",
        "Hierarchy": "reference",
        "MasterDetail": "reference", "MetadataRelationship": "reference", "Number": "?number", "Currency": "currency",
        "Percent": "percent", "Date": "date", "DateTime": "datetime", "Time": "time", "Checkbox": "boolean",
        "AutoNumber": "autonumber", "Summary": "~decimal", "Location": "~text", "EncryptedText": "~text",
    },
    "steedos": {
        "text": "text", "textarea": "longtext", "select": "?choice", "lookup": "reference",
        "master_detail": "reference",
        "number": "?number", "currency": "currency", "boolean": "boolean", "date": "date", "datetime": "datetime",
        "autonumber": "autonumber", "formula": "~data_type", "summary": "~data_type", "object": "~longtext",
        "url": "url",
        "email": "email", "percent": "percent",
    },
    "corteza": {
        "String": "?text", "Select": "?choice", "Record": "reference", "User": "reference",
        "Number": "?number", "Bool": "boolean",
        "DateTime": "?datetime", "Url": "url", "Email": "email", "File": "~text", "Geometry": "~text",
    },
}  # fmt: skip
PEOPLE = {"user", "users"}
LONGEST = {"text": 10_000, "longtext": 1_000_000, "richtext": 1_000_000}
WORDS = {"date": {"today": "today", "today()": "today", "now": "today"}, "datetime": {"now": "now", "now()": "now"}}


@dataclass
class Converted:
    folder: Path
    flavour: str
    names: list[str] = field(default_factory=list)  # of all objects
    objects: int = 0
    fields: int = 0
    stubs: list[str] = field(default_factory=list)  # objects that the digest refers to but does not hold
    nearest: Counter[str] = field(default_factory=Counter)  # "Duration -> integer"
    left_out: Counter[str] = field(default_factory=Counter)
    renamed: dict[str, str] = field(default_factory=dict)

    def line(self) -> str:
        parts = (f"{what} {count}" for what, count in sorted(self.left_out.items()))
        near = sum(self.nearest.values())
        return (
            f"{self.folder.name} ({self.flavour}): {self.objects} objects, {self.fields} fields, "
            f"{near} to the nearest type, "
            f"{len(self.stubs)} stubs, {len(self.renamed)} renamed; left out: {', '.join(parts) or 'nothing'}"
        )


def read_digest(path: Path) -> list[Json]:
    read: list[Json] = json.loads(path.read_text(encoding="utf-8"))
    return read


def flavour_of(digest: Sequence[Json]) -> str:
    types = {each.get("type") for one in digest for each in one.get("fields", ())}
    return max(TYPES, key=lambda name: len(types & set(TYPES[name])))


def convert(digest: Sequence[Json], folder: Path, *, taken: Iterable[str] = ("user",), mend: bool = True) -> Converted:
    """Write the package. `taken` are names of other packages' objects; without `mend`, faults of the source stay in."""
    made = Converter(digest, folder, taken, mend)
    made.write()
    return made.result


class Converter:
    def __init__(self, digest: Sequence[Json], folder: Path, taken: Iterable[str], mend: bool) -> None:
        self.digest, self.mend = digest, mend
        self.result = Converted(folder, flavour_of(digest))
        self.types = TYPES[self.result.flavour]
        self.language = "zh-CN" if self.result.flavour == "steedos" else "en"
        names = Names(taken, self.result.renamed)
        self.names = {one["object"]: names.give(one["object"]) for one in digest}
        self.more_names = names
        self.children: dict[str, list[str]] = {}  # child object -> names of its parents
        for one in digest:
            for each in one.get("fields", ()):
                if self.types.get(str(each.get("type"))) == "child":
                    parents = self.children.setdefault(str(each["reference"]), [])
                    parents += [] if one["object"] in parents else [one["object"]]

    def write(self) -> None:
        objects = [self.object(one) for one in self.digest]
        objects += [self.stub(name) for name in self.result.stubs]
        self.result.objects = len(objects)
        self.result.names = [one["object"] for one in objects]
        self.result.fields = sum(len(one["fields"]) for one in objects)
        folder = self.result.folder
        (folder / "objects").mkdir(parents=True)
        manifest = {
            "package": suggested(folder.name), "version": "1.0.0", "label": folder.name,
            "requires": {"system": ">=1.0"},
            "languages": [self.language],
        }  # fmt: skip
        write_yaml(folder / "package.yaml", manifest)
        for one in objects:
            write_yaml(folder / "objects" / f"{one['object'].casefold()}.yaml", one)

    def object(self, source: Json) -> Json:
        name = self.names[source["object"]]
        fields: dict[str, Json] = {}
        names = Names(RESERVED_FIELDS, self.result.renamed, f"{name}.")
        known: dict[str, str] = {}
        if self.result.flavour == "salesforce" and "Name" not in {each["name"] for each in source.get("fields", ())}:
            fields[names.give("Name")] = self.name_field(source.get("name_field") or {})
        for each in source.get("fields", ()):
            made = self.field(each)
            if made is not None:
                known[each["name"]] = names.give(each["name"])
                fields[known[each["name"]]] = made
        parents = self.children.get(source["object"], [])
        for parent in parents:
            fields[names.give(f"parent_{self.names[parent]}")] = {
                "type": "reference", "to": self.names[parent], "on_delete": "cascade", "required": len(parents) == 1,
            }  # fmt: skip
        if not fields:
            fields["name"] = {"type": "text"}
        made_object: Json = {"object": name, "label": source.get("label") or source["object"], "fields": fields}
        for key, ours in (("label_plural", "plural"), ("description", "description")):
            if source.get(key):
                made_object[ours] = source[key]
        title = self.title(source, known)
        if title and fields[title]["type"] in ("text", "email", "autonumber"):
            made_object["title"] = title
        return made_object

    def title(self, source: Json, known: Mapping[str, str]) -> str:
        autoname = str(source.get("autoname", ""))
        named = [each["name"] for each in source.get("fields", ()) if each.get("is_name")]
        wanted = (
            source.get("title_field") or (autoname[6:] if autoname.startswith("field:") else "") or "".join(named[:1])
        )
        return known.get(wanted, "")

    def name_field(self, source: Json) -> Json:
        if source.get("type") == "AutoNumber":
            return {
                "type": "autonumber",
                "label": source.get("label") or "Name",
                "format": source.get("displayFormat", "{00000}"),
            }
        return {"type": "text", "label": source.get("label") or "Name", "length": 80}

    def stub(self, name: str) -> Json:
        return {"object": self.names[name], "label": name, "fields": {"name": {"type": "text", "required": True}}}

    def field(self, source: Json) -> Json | None:
        named, computed = str(source.get("type")), False
        kind = self.types.get(named, "~text" if named == "None" else "-")
        if named == "None" and source["name"] in RESERVED_FIELDS:
            kind = "-"  # says something of a field that the system keeps
        if kind.startswith("?"):
            kind = getattr(self, f"{kind[1:]}_type")(source)
        if (source.get("formula") and kind != "autonumber") or named in ("Summary", "summary"):
            computed = True
        if kind == "~data_type":
            kind = "~" + {"number": "decimal", "currency": "currency", "date": "date"}.get(
                str(source.get("data_type")), "text"
            )
        if kind == "reference" and (source.get("multiple") or len(targets(source)) != 1):
            kind = "~text"
        if kind in ("-", "child"):
            self.result.left_out["child table (a reference in the child)" if kind == "child" else named] += 1
            return None
        if kind.startswith("~") or computed:
            kind = kind.removeprefix("~")
            self.result.nearest[f"{'formula' if computed else named} -> {kind}"] += 1
        return self.shaped(source, kind, computed)

    def shaped(self, source: Json, kind: str, computed: bool) -> Json:
        made: Json = {"type": kind, "label": source.get("label") or source["name"]}
        help_text = source.get("help") or source.get("description")
        if help_text:
            made["help"] = help_text
        if kind == "reference":
            (target,) = targets(source)
            made["to"] = self.target(target)
            made["on_delete"] = on_delete(source)
        if kind in ("choice", "multi_choice"):
            made["choices"] = choices(source)
        if kind in LONGEST and source.get("length"):
            made["length"] = min(int(source["length"]), LONGEST[kind])
        if kind in ("decimal", "currency", "percent") and not computed:
            made |= self.digits(source)
        if kind == "autonumber":
            made["format"] = source.get("formula") or source.get("displayFormat") or "{00000}"
        else:
            made |= {"required": True} if source.get("required") and not computed else {}
            made |= {"read_only": True} if source.get("readonly") or computed else {}
        made |= {"hidden": True} if source.get("hidden") else {}
        if kind not in ("longtext", "richtext", "boolean", "multi_choice"):
            made |= {"unique": True} if source.get("unique") else {}
            made |= {"index": True} if source.get("index") or source.get("externalid") else {}
        if kind not in ("autonumber", "richtext", "reference") and not computed:
            default = self.default(source, kind, made)
            made |= {} if default is None else {"default": default}
        return made

    def digits(self, source: Json) -> Json:
        """Corteza's "precision" is the number of decimal places."""
        if self.result.flavour == "corteza":
            return {"scale": int(source["precision"])} if source.get("precision") else {}
        return {key: int(source[key]) for key in ("precision", "scale") if source.get(key) not in (None, "")}

    def target(self, name: str) -> str:
        if name.casefold() in PEOPLE:
            return "user"
        if name not in self.names:
            self.names[name] = self.more_names.give(name)
            self.result.stubs.append(name)
        return self.names[name]

    def default(self, source: Json, kind: str, made: Json) -> object:
        marked = [one["value"] for one in source.get("options", ()) if isinstance(one, dict) and one.get("default")]
        written = source.get("default", marked[0] if marked else None)
        if written is None or written == "":
            return None
        text = str(written).strip().strip("\"'")
        read = literal(text, kind)
        if kind == "multi_choice" and read is not None:
            read = [text]
        fits = read is not None and (kind != "choice" or text in made["choices"])
        if not fits:
            self.result.left_out["default"] += 1
            return None if self.mend else text
        return read

    def text_type(self, source: Json) -> str:
        if source.get("richtext"):
            return "richtext"
        if source.get("multiline"):
            return "longtext"
        return {"Email": "email", "Phone": "phone", "URL": "url"}.get(str(source.get("subtype")), "text")

    def choice_type(self, source: Json) -> str:
        if not choices(source):
            return "~text"
        return "multi_choice" if source.get("multiple") else "choice"

    def multi_choice_type(self, source: Json) -> str:
        return "multi_choice" if choices(source) else "~text"

    def number_type(self, source: Json) -> str:
        return "integer" if str(source.get("scale", "")) == "0" else "decimal"

    def datetime_type(self, source: Json) -> str:
        return "date" if source.get("only_date") else "datetime"


class Names:
    """Legal names, each given once. A name that is legal already stays as it is."""

    def __init__(self, taken: Iterable[str], renamed: dict[str, str], before: str = "") -> None:
        self.taken, self.renamed, self.before = set(taken), renamed, before

    def give(self, wanted: str) -> str:
        name = base = wanted if is_name(wanted) else suggested(wanted) or "n"
        number = 1
        while name in self.taken:
            number += 1
            name = f"{base[:60]}_{number}"
        self.taken.add(name)
        if name != wanted:
            self.renamed[self.before + wanted] = name
        return name


def targets(source: Json) -> list[str]:
    found = source.get("reference") or []
    return [found] if isinstance(found, str) else list(found)


def on_delete(source: Json) -> str:
    if source.get("reference_kind") == "owner":
        return "cascade"
    said = {"SetNull": "set_null", "Restrict": "restrict", "Cascade": "cascade"}.get(
        str(source.get("on_delete")), "set_null"
    )
    return "restrict" if source.get("required") and said == "set_null" else said


def choices(source: Json) -> dict[str, object]:
    """Without blank options."""
    pairs = [
        (one, one) if isinstance(one, str) else (one.get("value"), one.get("label"))
        for one in source.get("options") or ()
    ]
    return {str(value): {"label": str(label or value)} for value, label in pairs if str(value or "").strip()}


def literal(text: str, kind: str) -> object:
    """The default as a value of the type; None if it is a formula or a script, or does not fit."""
    if "function" in text or "{{" in text or "\n" in text:
        return None
    if kind in WORDS:
        return WORDS[kind].get(text.casefold())
    if kind == "boolean":
        return {"1": True, "true": True, "0": False, "false": False}.get(text.casefold())
    if kind in ("integer", "decimal", "currency", "percent"):
        return (
            (int(text) if kind == "integer" else float(text))
            if re.fullmatch(r"-?\d+(\.0*)?", text) and "." not in text
            else None
        )
    return None if "(" in text and kind == "text" else text


class Quoted(yaml.CSafeDumper):
    """Texts in quotes: a 1.1 writer leaves bare what YAML 1.2 reads as a number (1e3)."""


Quoted.add_representer(str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"'))


def write_yaml(path: Path, document: object) -> None:
    text = yaml.dump(document, Dumper=Quoted, allow_unicode=True, sort_keys=False, width=10_000)
    path.write_text(text, encoding="utf-8")
