"""Turn the digest of another application's metadata into a package folder.

A digest is JSON: a list of {object, label, kind, fields: [{name, label, type, required, options, reference, …}]}, with
the types as their source calls them. First everything but formulas and conditions is written and read; then these are
translated with the names and types that there are (rules.py), and written too. What has no counterpart here becomes the
nearest type or is left out, and is told as lost.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from engine.tenants import load_plugins
from metadata.names import RESERVED_FIELDS, is_name, suggested
from metadata.package import load
from tests.corpus.pages import layout_of, views_of
from tests.corpus.rules import Known, Wish, grant, wishes_of
from tests.corpus.source_types import TYPES, choices, flavour_of, literal, on_delete, targets

__all__ = ["Converted", "Loss", "convert", "flavour_of", "read_digest", "write_yaml"]

Json = dict[str, Any]

PEOPLE = {"user", "users"}
LONGEST = {"text": 10_000, "longtext": 1_000_000, "richtext": 1_000_000, "code": 1_000_000, "markdown": 1_000_000}
NUMBERS = frozenset({"decimal", "currency", "percent"})
NOT_UNIQUE = frozenset({"longtext", "richtext", "boolean", "multi_choice", "code", "markdown", "json"})
NO_DEFAULT = frozenset({"autonumber", "richtext", "reference", "json", "color"})
KINDS = load_plugins().kinds()
PLATFORM: Mapping[str, str] = {"company_id": "company"}  # fields that every object of Steedos has
SIGNS: Mapping[str, str] = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "CNY"}
# Of Salesforce's own objects a digest holds added fields only; these are what formulas and filters ask for.
EXTENDED: Mapping[str, Json] = {
    "Account": {"ParentId": {"type": "reference", "to": "Account"}, "Phone": {"type": "phone"}},
    "Contact": {
        "AccountId": {"type": "reference", "to": "Account"}, "FirstName": {"type": "text", "length": 40},
        "LastName": {"type": "text", "length": 80}, "Email": {"type": "email"},
    },
    "Opportunity": {
        "AccountId": {"type": "reference", "to": "Account"}, "Amount": {"type": "currency"},
        "CloseDate": {"type": "date"}, "StageName": {"type": "text"}, "Probability": {"type": "percent"},
    },
    "Case": {
        "CaseNumber": {"type": "text"}, "Status": {"type": "text"}, "Subject": {"type": "text"},
        "AccountId": {"type": "reference", "to": "Account"}, "ContactId": {"type": "reference", "to": "Contact"},
    },
}  # fmt: skip
# What is there of every record.
STANDARD: Mapping[str, str] = {
    "id": "id", "ownerid": "owner", "owner": "owner", "createddate": "created_at", "createdbyid": "created_by",
    "lastmodifieddate": "modified_at", "lastmodifiedbyid": "modified_by", "created": "created_at",
    "created_by": "created_by", "modified": "modified_at", "modified_by": "modified_by", "creation": "created_at",
    "createdat": "created_at",
}  # fmt: skip


@dataclass(frozen=True)
class Loss:
    object: str
    name: str  # of the field, or of what stands at it
    why: str
    is_outside: bool  # the digest itself does not hold it


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
    wishes: list[Wish] = field(default_factory=list)  # formulas and conditions of the source, granted or not
    lost: list[Loss] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # what is kept in another way
    source_fields: int = 0

    def lose(self, object_: str, name: str, why: str, *, is_outside: bool = False) -> None:
        self.lost.append(Loss(object_, name, why, is_outside))


def read_digest(path: Path) -> list[Json]:
    read: list[Json] = json.loads(path.read_text(encoding="utf-8"))
    return read


def system_objects() -> frozenset[str]:
    """Names that every tenant has already."""
    plugins = load_plugins()
    return frozenset(load([], plugins.kinds(), plugins.functions).definitions.objects)


def convert(
    digest: Sequence[Json], folder: Path, *, taken: Iterable[str] = (), mend: bool = True
) -> Converted:  # fmt: skip
    """Write the package. `taken` are names of other packages' objects, besides the system's; without `mend`, faults of
    the source stay in.
    """
    made = Converter(digest, folder, {*taken, *system_objects()}, mend)
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
        self.known: Known = {}  # our object -> their field in small letters -> our field
        self.parents: dict[str, list[tuple[str, str]]] = {}  # child object -> (parent, its field of lines)
        for one in digest:
            for each in one.get("fields", ()):
                if self.types.get(str(each.get("type"))) == "table":
                    self.parents.setdefault(str(each["reference"]), []).append((one["object"], each["name"]))

    def write(self) -> None:
        documents = {self.names[one["object"]]: self.object(one) for one in self.digest}
        documents |= {self.names[name]: self.stub(name) for name in self.result.stubs}
        self.result.objects = len(documents)
        self.result.names = list(documents)
        self.result.fields = sum(len(one["fields"]) for one in documents.values())
        folder = self.result.folder
        for part in ("objects", "pages"):
            (folder / part).mkdir(parents=True)
        manifest = {
            "package": suggested(folder.name), "version": "1.0.0", "label": folder.name,
            "requires": {"system": ">=1.0"},
            "languages": [self.language],
        }  # fmt: skip
        write_yaml(folder / "package.yaml", manifest)
        self.write_objects(documents)
        for one in self.digest:
            self.result.wishes += wishes_of(one, documents[self.names[one["object"]]], self.known)
        pages = [page for one in self.digest for page in self.pages(one, documents)]
        grant(self.result.wishes, folder, self.known, self.result.flavour)
        for wish in self.result.wishes:
            if wish.why:
                self.result.lose(wish.owner, wish.what, wish.why, is_outside=wish.is_outside)
        for one in documents.values():  # rules that were not granted are empty
            one["validations"] = [rule for rule in one.get("validations", ()) if rule]
            if not one["validations"]:
                del one["validations"]
        self.write_objects(documents)
        for page in pages:
            write_yaml(folder / "pages" / f"{page.get('view', page.get('layout'))}.yaml", page)

    def write_objects(self, documents: Mapping[str, Json]) -> None:
        for number, one in enumerate(documents.values()):
            write_yaml(self.result.folder / "objects" / f"{number:03}_{one['object'].casefold()[:40]}.yaml", one)

    def pages(self, source: Json, documents: Mapping[str, Json]) -> list[Json]:
        """Views and a layout, whose filters and conditions are wishes too."""
        ours = self.names[source["object"]]
        made = [*views_of(source, documents[ours], self.known[ours]), *layout_of(source, ours, self.known[ours])]
        for _, wishes in made:
            self.result.wishes += wishes
        return [page for page, _ in made]

    def object(self, source: Json) -> Json:
        name = self.names[source["object"]]
        fields: dict[str, Json] = {}
        names = Names(RESERVED_FIELDS, self.result.renamed, f"{name}.")
        known = self.known[name] = dict(STANDARD)
        if self.result.flavour == "salesforce" and "Name" not in {each["name"] for each in source.get("fields", ())}:
            known["name"] = names.give("Name")
            fields[known["name"]] = self.name_field(source.get("name_field") or {})
        autoname = str(source.get("autoname", ""))
        for each in source.get("fields", ()):
            self.result.source_fields += 1
            made = self.field(name, each)
            if made is not None:
                ours = known[each["name"].casefold()] = names.give(each["name"])
                fields[ours] = made
        if autoname.startswith("field:"):  # the record's own name is this field's value
            known.setdefault("name", known.get(autoname[6:].casefold(), ""))
        self.all_masters(fields)
        if source.get("kind") == "standard_extension":
            self.extend(source["object"], known, names, fields)
        for parent, table in self.parents.get(source["object"], []):
            is_only = len(self.parents[source["object"]]) == 1
            fields[names.give(self.way_name(self.names[parent], table))] = {
                "type": "reference", "to": self.names[parent], "master": True, "on_delete": "cascade",
                "required": is_only,
            }  # fmt: skip
        if not fields:
            fields["name"] = {"type": "text"}
        return self.shaped_object(source, name, fields)

    def all_masters(self, fields: dict[str, Json]) -> None:
        """Salesforce's junctions belong to two records at once."""
        masters = [each for each, made in fields.items() if made.get("master")]
        for each in masters if len(masters) > 1 else ():
            fields[each]["required"] = True

    def extend(self, name: str, known: dict[str, str], names: "Names", fields: dict[str, Json]) -> None:
        for standard, made in EXTENDED.get(name, {}).items():
            if standard.casefold() not in known:
                known[standard.casefold()] = names.give(standard)
                fields[known[standard.casefold()]] = {
                    **made,
                    **({"to": self.target(made["to"])} if "to" in made else {}),
                }

    def way_name(self, parent: str, table: str) -> str:
        """The reference of lines to their parent, of which they may have several."""
        return (suggested(f"{parent}_{table}") or "parent")[:58]

    def shaped_object(self, source: Json, name: str, fields: dict[str, Json]) -> Json:
        known = self.known[name]
        made: Json = {"object": name, "label": source.get("label") or source["object"], "fields": fields}
        for key, ours in (("label_plural", "plural"), ("description", "description")):
            if source.get(key):
                made[ours] = source[key]
        title = self.title(source, known)
        if title and fields[title]["type"] in ("text", "email", "autonumber"):
            made["title"] = title
        if source["object"] in self.parents or source.get("kind") == "child":
            made["kind"] = "child"
        elif source.get("kind") in ("single", "custom_setting_hierarchy"):
            made["kind"] = "single"
            if source["kind"] != "single":
                self.result.notes.append(f"{name}: settings of Salesforce may differ by profile and person")
        tree = known.get(str(source.get("parent_field", "")).casefold(), "")
        if tree in fields and fields[tree].get("to") == name:
            made["tree"] = tree
        if source.get("search_fields"):
            asked = [known.get(each.strip().casefold(), "") for each in str(source["search_fields"]).split(",")]
            kept = [each for each in asked if each in fields and KINDS[fields[each]["type"]].is_searchable]
            made |= {"search": kept} if kept else {}
        return made

    def title(self, source: Json, known: Mapping[str, str]) -> str:
        autoname = str(source.get("autoname", ""))
        named = [each["name"] for each in source.get("fields", ()) if each.get("is_name")]
        wanted = (
            source.get("title_field") or (autoname[6:] if autoname.startswith("field:") else "") or "".join(named[:1])
        )
        found = known.get(str(wanted).casefold(), "")
        return "" if found in RESERVED_FIELDS else found

    def name_field(self, source: Json) -> Json:
        if source.get("type") == "AutoNumber":
            return {
                "type": "autonumber",
                "label": source.get("label") or "Name",
                "format": source.get("displayFormat", "{00000}"),
            }
        return {"type": "text", "label": source.get("label") or "Name", "length": 80}

    def stub(self, name: str) -> Json:
        """An object that is elsewhere, with the fields that this package takes values over from."""
        known = self.known[self.names[name]] = {**STANDARD, "name": "name"}
        fields: dict[str, Json] = {"name": {"type": "text", "required": True}}
        for one in self.digest:
            to = {each["name"]: targets(each) for each in one.get("fields", ())}
            for each in one.get("fields", ()):
                by, _, asked = str(each.get("fetch_from") or "").partition(".")
                if asked.isidentifier() and to.get(by) == [name]:
                    known[asked.casefold()] = asked
                    fields[asked] = self.field(self.names[one["object"]], {**each, "readonly": False}) or {}
        for parent, table in self.parents.get(name, []):
            way = {"type": "reference", "to": self.names[parent], "master": True, "on_delete": "cascade"}
            fields[self.way_name(self.names[parent], table)] = way
        kind = {"kind": "child"} if name in self.parents else {}
        return {"object": self.names[name], "label": name, **kind, "fields": fields}

    def field(self, owner: str, source: Json) -> Json | None:
        named = str(source.get("type"))
        kind = self.types.get(named, "~text" if named == "None" else "-")
        if named == "None" and source["name"] in RESERVED_FIELDS:
            kind = "-"  # says something of a field that the system keeps
        elif named == "None" and source["name"] in PLATFORM:
            kind, source = "reference", {**source, "reference": PLATFORM[source["name"]]}
        if kind.startswith("?"):
            kind = getattr(self, f"{kind[1:]}_type")(source)
        wanted, _, otherwise = kind.partition("|")
        kind = wanted if not otherwise or wanted in KINDS else otherwise
        computed = (bool(source.get("formula")) and kind != "autonumber") or kind in ("formula", "rollup")
        if computed:
            kind = self.computed_type(source)
        elif kind == "reference" and (source.get("multiple") or len(targets(source)) != 1):
            kind = self.several(source)
        if kind == "-":
            self.result.left_out[named] += 1
            if source["name"] not in RESERVED_FIELDS:
                self.result.lose(owner, source["name"], f"no type like {named}")
            return None
        if kind.startswith("~"):
            kind = kind.removeprefix("~")
            self.result.nearest[f"{named} -> {kind}"] += 1
            has_none = named in ("Picklist", "Select") and not source.get("options")
            why = "its options are elsewhere" if has_none else f"{named} is only {kind}"
            self.result.lose(owner, source["name"], why, is_outside=has_none)
        if source.get("is_virtual"):
            self.result.lose(owner, source["name"], "its value comes from code")
        return self.shaped(owner, source, kind, computed)

    def several(self, source: Json) -> str:
        """A reference to several records, or to records of several objects."""
        wanted = "multi_reference" if source.get("multiple") else "polymorphic_reference"
        return wanted if wanted in KINDS and targets(source) else "~text"

    def computed_type(self, source: Json) -> str:
        """The type of what a formula or roll-up gives."""
        summary = source.get("summary") or {}
        if summary.get("op", summary.get("type")) == "count":
            return "integer"
        if summary:
            return self.measured_type(source, summary)
        named = str(source.get("data_type") or source["type"])
        if named in ("number", "Number"):
            return self.number_type(source)
        found = self.types.get(named, "text").lstrip("?~").partition("|")[0]
        return found if found in ("currency", "percent", "boolean", "date", "datetime", "time", "url") else "text"

    def measured_type(self, source: Json, summary: Json) -> str:
        owner, _, name = str(summary.get("field") or "").rpartition(".")
        owner = owner or str(summary.get("object"))
        for one in self.digest:
            for each in one.get("fields", ()) if one["object"] == owner else ():
                if each["name"] == name and each["type"] in ("Currency", "currency", "Date", "date", "DateTime"):
                    return {"DateTime": "datetime"}.get(each["type"], each["type"].lower())
        return "decimal"

    def shaped(self, owner: str, source: Json, kind: str, computed: bool) -> Json:
        made: Json = {"type": kind, "label": source.get("label") or source["name"]}
        help_text = source.get("help") or source.get("description")
        if help_text:
            made["help"] = help_text
        if kind == "table":
            made |= {"of": self.target(targets(source)[0]), "by": self.way_name(owner, source["name"])}
            return made
        if kind == "reference":
            (target,) = targets(source)
            made |= {"to": self.target(target), "on_delete": on_delete(source)}
            made |= {"master": True} if source.get("reference_kind") == "owner" else {}
        elif kind in ("multi_reference", "polymorphic_reference"):
            found = [self.target(target) for target in targets(source)]
            made["to"] = found[0] if len(found) == 1 else found or "*"
        if kind in ("choice", "multi_choice"):
            made["choices"] = choices(source)
        if kind in LONGEST and source.get("length"):
            made["length"] = min(int(source["length"]), LONGEST[kind])
        if kind in NUMBERS:
            made |= self.digits(source)
        if kind == "autonumber":
            made["format"] = source.get("formula") or source.get("displayFormat") or "{00000}"
        else:
            made |= {"required": True} if source.get("required") and not computed else {}
            made |= {"read_only": True} if source.get("readonly") or computed else {}
        made |= {"hidden": True} if source.get("hidden") else {}
        made |= {"set_once": True} if source.get("set_only_once") else {}
        made |= {"copy": False} if source.get("no_copy") else {}
        if kind not in NOT_UNIQUE and not computed:
            made |= {"unique": True} if source.get("unique") else {}
            made |= {"index": True} if source.get("index") or source.get("externalid") else {}
        if kind == "reference" and source.get("default"):
            self.result.lose(owner, source["name"], "the default is a certain record")
        if kind not in NO_DEFAULT and not computed:
            default = self.default(owner, source, kind, made)
            made |= {} if default is None else {"default": default}
        return made

    def digits(self, source: Json) -> Json:
        """Corteza's "precision" is the number of decimal places."""
        if self.result.flavour == "corteza":
            sign = SIGNS.get(str(source.get("prefix")))
            scale = {"scale": int(source["precision"])} if source.get("precision") else {}
            return scale | ({"currency": sign} if sign else {})
        return {key: int(source[key]) for key in ("precision", "scale") if source.get(key) not in (None, "")}

    def target(self, name: str) -> str:
        if name.casefold() in PEOPLE:
            return "user"
        if name not in self.names:
            self.names[name] = self.more_names.give(name)
            self.result.stubs.append(name)
        return self.names[name]

    def default(self, owner: str, source: Json, kind: str, made: Json) -> object:
        marked = [one["value"] for one in source.get("options", ()) if isinstance(one, dict) and one.get("default")]
        written = source.get("default", marked[0] if marked else None)
        if written is None or written == "":
            return None
        text = str(written).strip()
        text = text.strip("\"'") if text[:1] in "\"'" else text
        labels = {one.get("label"): one["value"] for one in source.get("options", ()) if isinstance(one, dict)}
        if kind == "choice" and text not in made["choices"]:
            text = labels.get(text, text)  # some name what is shown
        read = literal(text, kind)
        if kind == "multi_choice" and read is not None:
            read = [text]
        if read is None or (kind == "choice" and text not in made["choices"]):
            self.result.left_out["default"] += 1
            self.result.lose(owner, source["name"], f"the default {text[:30]!r}")
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
        if source.get("prefix") in SIGNS:
            return "currency"
        return "integer" if str(source.get("scale", "")) == "0" else "decimal"

    def datetime_type(self, source: Json) -> str:
        return "date" if source.get("only_date") else "datetime"

    def dynamic_type(self, source: Json) -> str:
        """Which object it refers to, another field says; here the value does."""
        return "polymorphic_reference" if "polymorphic_reference" in KINDS else "~text"


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


class Quoted(yaml.CSafeDumper):
    """Texts in quotes: a 1.1 writer leaves bare what YAML 1.2 reads as a number (1e3)."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


Quoted.add_representer(str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"'))


def write_yaml(path: Path, document: object) -> None:
    text = yaml.dump(document, Dumper=Quoted, allow_unicode=True, sort_keys=False, width=10_000)
    path.write_text(text, encoding="utf-8")
