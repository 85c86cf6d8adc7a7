"""Put packages together: their documents in, definitions and the items that checks look at out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, Generic, TypeVar

from metadata.build.objects import build_field, build_object, joined
from metadata.build.pages import build_layout, build_menu, build_view
from metadata.build.people import build_package, build_role, languages_of
from metadata.build.processes import BUILDERS, PLURALS
from metadata.build.records import build_data
from metadata.build.rights import build_restriction_rule, build_sharing_rule
from metadata.build.scenarios import build_scenario
from metadata.build.statuses import status_field
from metadata.build.titles import title_field
from metadata.build.wording import Translations, Wording
from metadata.document import Document
from metadata.model import (
    Choice,
    ChosenFrom,
    Data,
    Definitions,
    Field,
    FieldKind,
    Layout,
    Menu,
    Object,
    Package,
    RestrictionRule,
    Role,
    SharingRule,
    View,
)
from metadata.names import humanised
from metadata.problem import Problem
from metadata.processes import APPROVAL_STATUS, Processes
from metadata.scenarios import Scenario
from metadata.sources import PackageSource

__all__ = ["Assembly", "FieldItem", "Item", "assemble"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Item(Generic[T]):
    """A thing of the model beside the text that it was built from."""

    document: Document
    package: str
    built: T


@dataclass(frozen=True, slots=True)
class FieldItem:
    document: Document
    package: str
    built: Field
    owner: str  # the object that it belongs to
    steps: tuple[str, ...]  # where it stands in the document: ("fields", "status")


@dataclass(slots=True)
class Assembly:
    """All that was built, with second owners of a name in `problems` and nowhere else."""

    packages: list[Item[Package]] = field(default_factory=list)
    objects: list[Item[Object]] = field(default_factory=list)
    fields: list[FieldItem] = field(default_factory=list)
    layouts: list[Item[Layout]] = field(default_factory=list)
    views: list[Item[View]] = field(default_factory=list)
    menus: list[Item[Menu]] = field(default_factory=list)
    roles: list[Item[Role]] = field(default_factory=list)
    permission_sets: list[Item[Role]] = field(default_factory=list)
    sharing_rules: list[Item[SharingRule]] = field(default_factory=list)
    restriction_rules: list[Item[RestrictionRule]] = field(default_factory=list)
    processes: dict[str, list[Item[Any]]] = field(default_factory=lambda: {kind: [] for kind in BUILDERS})
    data: list[Item[Data]] = field(default_factory=list)
    scenarios: list[Item[Scenario]] = field(default_factory=list)
    translations: list[Item[None]] = field(default_factory=list)
    strays: list[Item[None]] = field(default_factory=list)  # `field:` documents that name no object
    problems: list[Problem] = field(default_factory=list)
    languages: tuple[str, ...] = ("en",)
    said: Mapping[str, set[str]] = field(default_factory=dict)  # package -> its texts in its first language

    def documents(self) -> Iterator[tuple[Document, str]]:
        """Every document that was built, once, with its package."""
        for item in chain[Item[Any]](
            self.packages, self.objects, self.layouts, self.views, self.menus, self.roles, self.permission_sets,
            self.sharing_rules, self.restriction_rules, *self.processes.values(),
        ):  # fmt: skip
            yield item.document, item.package
        yield from ((item.document, item.package) for item in self.fields if not item.steps)

    def definitions(self) -> Definitions:
        return Definitions(
            packages={item.built.name: item.built for item in self.packages},
            objects={item.built.name: item.built for item in self.objects},
            layouts=with_defaults([item.built for item in self.layouts]),
            views=with_defaults([item.built for item in self.views]),
            menus=tuple(sorted((item.built for item in self.menus), key=lambda menu: menu.order)),
            roles={item.built.name: item.built for item in self.roles},
            languages=self.languages,
            data=tuple(item.built for item in self.data),
            scenarios=tuple(item.built for item in self.scenarios),
            permission_sets={item.built.name: item.built for item in self.permission_sets},
            sharing_rules={item.built.name: item.built for item in self.sharing_rules},
            restriction_rules={item.built.name: item.built for item in self.restriction_rules},
            processes=Processes(**{PLURALS[kind]: named(items) for kind, items in self.processes.items()}),
        )


def assemble(sources: Sequence[PackageSource], kinds: Mapping[str, FieldKind]) -> Assembly:
    """Packages in order of dependency -> what they define together."""
    all_ = Assembly()
    translations = Translations()
    for source in sources:
        for document in source.documents["translation"]:
            translations.add(source.name, document)
            all_.translations.append(Item(document, source.name, None))
    wordings = {source.name: _wording(source, translations) for source in sources}
    for source in sources:
        for document in source.documents["role"]:
            all_.roles.append(Item(document, source.name, build_role(document, source.name, wordings[source.name])))
        for document in source.documents["permission_set"]:
            built = build_role(document, source.name, wordings[source.name])
            all_.permission_sets.append(Item(document, source.name, built))
    all_.roles = unique(all_.roles, all_.problems)
    all_.permission_sets = unique(all_.permission_sets, all_.problems)
    _objects(all_, sources, kinds, wordings, translations)
    by_name = {item.built.name: item.built for item in all_.objects}
    for source in sources:
        package, wording = source.name, wordings[source.name]
        assert source.manifest is not None
        all_.packages.append(Item(source.manifest, package, build_package(source.manifest, source.files, wording)))
        for document in source.documents["layout"]:
            all_.layouts.append(Item(document, package, build_layout(document, package, wording)))
        for document in source.documents["view"]:
            all_.views.append(Item(document, package, build_view(document, package, wording)))
        for document in source.documents["menu"]:
            all_.menus.append(Item(document, package, build_menu(document, package, wording)))
        for document in source.documents["sharing_rule"]:
            all_.sharing_rules.append(Item(document, package, build_sharing_rule(document, package, wording)))
        for document in source.documents["restriction_rule"]:
            all_.restriction_rules.append(Item(document, package, build_restriction_rule(document, package, wording)))
        for kind, build in BUILDERS.items():
            for document in source.documents[kind]:
                all_.processes[kind].append(Item(document, package, build(document, package, wording)))
        for document in source.documents["data"]:
            fields = by_name[document.name].fields if document.name in by_name else {}
            all_.data.append(Item(document, package, build_data(document, fields, package, kinds)))
        for document in source.documents["scenario"]:
            all_.scenarios.append(Item(document, package, build_scenario(document, package)))
    all_.layouts = unique(all_.layouts, all_.problems)
    all_.views = unique(all_.views, all_.problems)
    all_.menus = unique(all_.menus, all_.problems)
    all_.scenarios = unique(all_.scenarios, all_.problems)
    all_.sharing_rules = unique(all_.sharing_rules, all_.problems)
    all_.restriction_rules = unique(all_.restriction_rules, all_.problems)
    all_.processes = {kind: unique(items, all_.problems) for kind, items in all_.processes.items()}
    all_.languages = _languages(sources)
    all_.said = {name: wording.said for name, wording in wordings.items()}
    return all_


def named(items: Iterable[Item[Any]]) -> dict[str, Any]:
    return {item.built.name: item.built for item in items}


def _wording(source: PackageSource, translations: Translations) -> Wording:
    assert source.manifest is not None
    language = languages_of(source.manifest)[0]
    return Wording(language, tuple(translations.texts.get(source.name, ())))


def _languages(sources: Sequence[PackageSource]) -> tuple[str, ...]:
    """Each language once: those of the packages that a tenant installed first."""
    found: dict[str, None] = {}
    for source in sorted(sources, key=lambda source: source.name == "system"):
        assert source.manifest is not None
        found.update(dict.fromkeys(languages_of(source.manifest)))
    return tuple(found)


def _objects(
    all_: Assembly, sources: Sequence[PackageSource], kinds: Mapping[str, FieldKind],
    wordings: Mapping[str, Wording], translations: Translations,
) -> None:  # fmt: skip
    """Fields first, those that other packages add last; then the objects that hold them."""
    documents: dict[str, tuple[Document, str]] = {}
    offered = object_choices(sources, wordings, translations)
    fields: dict[str, dict[str, FieldItem]] = {}

    def add(document: Document, owner: str, name: str, steps: tuple[str, ...], package: str) -> None:
        built = build_field(document, steps, owner, name, package, kinds, wordings[package], translations)
        if built.chosen_from:
            built = replace(built, choices=given_choices(all_, built.chosen_from, offered))
        keep(FieldItem(document, package, built, owner, steps))

    def keep(item: FieldItem) -> None:
        owner, name = item.owner, item.built.name
        if name in fields[owner]:
            first = fields[owner][name].built
            all_.problems.append(_second("field", f"{owner}.{name}", item.document, item.steps, first))
        else:
            fields[owner][name] = item
            all_.fields.append(item)

    for source in sources:
        for document in source.documents["object"]:
            if document.name in documents:
                first = documents[document.name][0]
                all_.problems.append(_second("object", document.name, document, ("object",), first))
                continue
            documents[document.name] = (document, source.name)
            fields[document.name] = {}
            for name in document.data.get("fields") or ():
                add(document, document.name, name, ("fields", name), source.name)
    for source in sources:
        for document in source.documents["field"]:
            owner, _, name = document.name.partition(".")
            if owner in fields and name:
                add(document, owner, name, (), source.name)
            else:
                all_.strays.append(Item(document, source.name, None))
    for name, (document, package) in documents.items():
        if (title := title_field(document, package, kinds)) is not None:
            keep(FieldItem(document, package, title, name, ("title",)))
    for source in sources:
        for document in source.documents["approval"]:
            of = document.data.get("object")
            if not isinstance(of, str) or of not in fields:
                continue
            taken = fields[of].get(APPROVAL_STATUS)
            if taken is None:
                status = status_field(document, source.name, kinds)
                keep(FieldItem(document, source.name, status, of, ("approval",)))
            elif not taken.built.is_kept:
                all_.problems.append(_status_taken(taken, document.name))
    built_fields = {name: {one: item.built for one, item in items.items()} for name, items in fields.items()}
    for name, (document, package) in documents.items():
        own = joined(built_fields[name], built_fields, name)
        fields[name] = {one: replace(item, built=own[one]) for one, item in fields[name].items()}
        built = build_object(document, own, package, kinds, wordings[package], translations)
        all_.objects.append(Item(document, package, built))
    all_.fields = [fields[item.owner][item.built.name] for item in all_.fields]


def object_choices(
    sources: Sequence[PackageSource], wordings: Mapping[str, Wording], translations: Translations
) -> tuple[Choice, ...]:
    """Objects of the packages, but for the system's own and for children, whose records are lines of others."""
    found: dict[str, Choice] = {}
    for source in sources:
        for document in source.documents["object"]:
            name, data = document.name, document.data
            if source.name != "system" and data.get("kind") != "child" and name not in found:
                said = wordings[source.name].text(data.get("label"), translations.label_of(name), humanised(name))
                found[name] = Choice(name, said)
    return tuple(found.values())


def given_choices(all_: Assembly, of: ChosenFrom, objects: tuple[Choice, ...]) -> tuple[Choice, ...]:
    """What the definitions have of a kind, as choices of a field."""
    if of == "objects":
        return objects
    given = {"roles": all_.roles, "permission_sets": all_.permission_sets}
    return tuple(Choice(item.built.name, item.built.label) for item in given.get(of, ()))


def _second(what: str, name: str, document: Document, steps: tuple[str, ...], first: Any) -> Problem:
    """Two owners of a name: the Problem stands at the second and names the first."""
    place = first.at() if isinstance(first, Document) else first.place
    message = f"the {what} '{name}' is defined here and in {place.file}:{place.line}"
    return Problem(document.key(*(steps or (what,))), "name.duplicate", message, "rename or delete one of the two")


def _status_taken(item: FieldItem, approval: str) -> Problem:
    message = f"the approval '{approval}' gives '{item.owner}' a field '{APPROVAL_STATUS}', which is defined here, too"
    return Problem(item.document.key(*(item.steps or ("field",))), "approval.status", message, "rename this one")


def unique(items: list[Item[T]], problems: list[Problem]) -> list[Item[T]]:
    """The first of each name."""
    first: dict[str, Item[T]] = {}
    for item in items:
        name = item.document.name
        if name in first:
            kind = item.document.kind
            problems.append(_second(kind, name, item.document, (kind,), first[name].document))
        else:
            first[name] = item
    return list(first.values())


P = TypeVar("P", Layout, View)


def with_defaults(pages: Iterable[P]) -> dict[str, P]:
    """Pages by name, with one default for each object: the last that says so, else the first."""
    by_name = {page.name: page for page in pages}
    chosen: dict[str, str] = {}
    for name, page in by_name.items():
        if page.is_default or page.object not in chosen:
            chosen[page.object] = name
    return {name: replace(page, is_default=chosen[page.object] == name) for name, page in by_name.items()}
