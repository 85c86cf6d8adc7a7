"""What definitions say about pages, as frozen data: layouts of records, views of lists, menus."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

from metadata.problem import Place

__all__ = ["Cell", "Layout", "Menu", "MenuItem", "RelatedList", "Section", "SortKey", "Tab", "View"]

NOWHERE = Place("")
Text = Mapping[str, str]  # as metadata.model says


@dataclass(frozen=True, slots=True)
class SortKey:
    path: str
    is_descending: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    field: str | None  # None: an empty cell
    span: int = 1


@dataclass(frozen=True, slots=True)
class Section:
    label: Text
    columns: int  # 1-4
    cells: tuple[Cell, ...]
    is_collapsed: bool = False
    show_if: str = ""  # a formula


@dataclass(frozen=True, slots=True)
class RelatedList:
    object: str
    field: str  # the reference of `object` that points here
    columns: tuple[str, ...]  # paths
    label: Text = dataclasses.field(default_factory=dict)  # `field` is a name of this class
    sort: tuple[SortKey, ...] = ()
    limit: int = 10


@dataclass(frozen=True, slots=True)
class Tab:
    label: Text
    sections: tuple[Section, ...] = ()
    related: tuple[RelatedList, ...] = ()
    show_if: str = ""  # a formula


@dataclass(frozen=True, slots=True)
class Layout:
    name: str
    object: str
    tabs: tuple[Tab, ...]
    highlights: tuple[str, ...] = ()  # fields shown large in the page's head
    path: str = ""  # a choice field shown as a row of stages
    record_types: tuple[str, ...] = ()  # of the object's records those of these types; () is all others
    is_default: bool = False
    package: str = ""
    place: Place = NOWHERE


@dataclass(frozen=True, slots=True)
class View:
    name: str
    object: str
    label: Text
    columns: tuple[str, ...]  # paths: "account.name"
    filter: str = ""  # a formula
    sort: tuple[SortKey, ...] = ()
    quick_filters: tuple[str, ...] = ()  # fields offered as drop-downs above the list
    is_default: bool = False
    package: str = ""
    place: Place = NOWHERE


@dataclass(frozen=True, slots=True)
class MenuItem:
    object: str
    view: str = ""
    label: Text = field(default_factory=dict)
    icon: str = ""


@dataclass(frozen=True, slots=True)
class Menu:
    name: str
    label: Text
    items: tuple[MenuItem, ...]
    order: int = 100
    package: str = ""
    place: Place = NOWHERE
