"""Which values fit a function's arguments.

What a function takes is plain data: a type for each argument ("number"), several that will do ("number|date"), "any",
"pattern" for one in quotes, or a name for arguments that must be of one type: "same", "key", or with a choice of types
"same:number|date".
"?" behind it: may be left out. "*": may be repeated; neighbours with a star are repeated together.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, cast

from metadata.formula.errors import FormulaError
from metadata.formula.literals import as_type, must_be_choice
from metadata.formula.nodes import Call, Const, FormulaType, Node, Path
from metadata.formula.special import SPECIAL
from metadata.formula.types import TEXTS, WORDS, blank_of, described, fault
from metadata.model import ValueType
from metadata.problem import nearest

__all__ = ["Signature", "call", "places"]

VARIABLES = ("same", "key")
LISTS = frozenset({"choices"})  # lists are no single value: only "any" takes them
TO_DATE = "DATE_OF"  # datetime -> date in the person's time zone


class Signature(Protocol):
    """What the parser must know of a function. The registry of functions holds things that answer this."""

    @property
    def takes(self) -> Sequence[ValueType | str]: ...

    @property
    def returns(self) -> ValueType | str: ...  # "same": of the type of its arguments "same"

    @property
    def is_volatile(self) -> bool: ...  # asks for the time, the time zone or who is acting

    @property
    def check(self) -> Callable[[str], str] | None: ...  # why a "pattern" is refused, or ""


def places(takes: Sequence[str], count: int) -> tuple[str, ...] | None:
    """What each of `count` arguments must be; None where a function does not take so many."""
    group = [item for item in takes if item.endswith("*")]
    optional = [item for item in takes if item.endswith("?")]
    fixed = len(takes) - len(group) - len(optional)
    for left_out in range(len(optional), -1, -1):
        rest = count - fixed - (len(optional) - left_out)
        if (rest == 0 and not group) or (group and rest > 0 and rest % len(group) == 0):
            kept = takes[: len(takes) - left_out]
            at = next((index for index, item in enumerate(kept) if item.endswith("*")), len(kept))
            found = [*kept[:at], *group * (rest // len(group) if group else 0), *kept[at + len(group) :]]
            return tuple(item.rstrip("?*") for item in found)
    return None


def call(name: str, args: Sequence[Node], functions: Mapping[str, Signature], column: int) -> Call:
    if name not in functions:
        guess = nearest(name, (*functions, *SPECIAL))
        fix = f"write {guess}(…)?" if guess else ""
        raise FormulaError("formula.function.unknown", f"no function '{name}'", fix, column)
    signature = functions[name]
    wanted = places(signature.takes, len(args))
    if wanted is None:
        raise _count(name, len(args), signature.takes, column)
    found = [_argument(name, blank_of(arg), kind, functions) for arg, kind in zip(args, wanted, strict=True)]
    types: dict[str, FormulaType] = {}
    for variable in VARIABLES:
        at = [index for index, kind in enumerate(wanted) if kind.split(":")[0] == variable]
        if at:
            types[variable] = _unified(name, found, at, wanted[at[0]])
    kinds = tuple(types.get(kind.split(":")[0]) or _kind(arg, kind) for arg, kind in zip(found, wanted, strict=True))
    returns = cast(FormulaType, types.get(signature.returns, signature.returns))
    return Call(name, tuple(found), returns, column, kinds)


def _argument(name: str, arg: Node, wanted: str, functions: Mapping[str, Signature]) -> Node:
    variable, _, restriction = wanted.partition(":")
    options = (restriction or ("any" if variable in VARIABLES else wanted)).split("|")
    if wanted == "pattern":
        return _pattern(name, arg, functions[name])
    if variable in VARIABLES:
        if arg.type in LISTS:
            raise fault(f"{described(arg)}, which {name} does not take", "", arg)
        if arg.type == "text" and isinstance(arg, Const):
            return arg  # may yet become a date beside others
    if isinstance(arg, Const) and arg.type == "text" and "text" not in options and "any" not in options:
        arg = _literal(arg, options)
    if arg.type == "datetime" and "date" in options and "datetime" not in options and TO_DATE in functions:
        return Call(TO_DATE, (arg,), "date", arg.column, ("datetime",))
    fits = "any" in options or arg.type in options or arg.type == "null" or ("text" in options and arg.type in TEXTS)
    if not fits:
        fix = f"write {'.'.join(arg.steps)}.name?" if isinstance(arg, Path) and arg.type == "reference" else ""
        words = " or ".join(WORDS.get(option, option) for option in options)
        raise fault(f"{described(arg)}, where {name} takes {words}", fix, arg)
    return arg


def _pattern(name: str, arg: Node, signature: Signature) -> Node:
    """It is written out, so that it can be checked before anything runs."""
    if not isinstance(arg, Const) or arg.type != "text":
        raise FormulaError("formula.type", f"{name} takes a pattern in quotes", r"write it like '\\d{4}'", arg.column)
    message = signature.check(str(arg.value)) if signature.check else ""
    if message:
        raise FormulaError("formula.type", f"'{str(arg.value)[:40]}' is not a pattern: {message}", "", arg.column)
    return arg


def _literal(arg: Const, options: Sequence[str]) -> Const:
    """A text literal as the first of the types that it reads as; raises for the last of them."""
    wanted = [option for option in options if option in ("date", "datetime", "time")]
    for option in wanted[:-1]:
        try:
            return as_type(arg, cast(FormulaType, option))
        except FormulaError:
            continue
    return as_type(arg, cast(FormulaType, wanted[-1])) if wanted else arg


def _unified(name: str, args: list[Node], at: Sequence[int], wanted: str) -> FormulaType:
    """The one type of the arguments that share it; literals beside them are read as of that type."""
    filled = [args[index] for index in at if args[index].type != "null"]
    options = wanted.partition(":")[2].split("|")
    if not filled:
        return cast(FormulaType, options[0] or "text")
    anchor = next((arg for arg in filled if not isinstance(arg, Const)), filled[0])
    for index in at:
        arg = args[index]
        if isinstance(arg, Const) and arg.type != "null":
            must_be_choice(arg, args[at[0]])
            arg = args[index] = as_type(arg, anchor.type)
        if arg.type not in ("null", anchor.type) and not {arg.type, anchor.type} <= TEXTS:
            raise fault(f"{described(arg)}, beside {WORDS[anchor.type]}: {name} takes values of one type", "", arg)
    if options[0] and anchor.type not in options:
        words = " or ".join(WORDS[option] for option in options)
        raise fault(f"{described(anchor)}, where {name} takes {words}", "", anchor)
    return "text" if anchor.type in TEXTS else anchor.type


def _kind(arg: Node, wanted: str) -> str:
    options = wanted.split("|")
    if wanted == "any":
        return "any"
    return arg.type if arg.type in options else "text" if "text" in options else options[0]


def _count(name: str, count: int, takes: Sequence[str], column: int) -> FormulaError:
    least = sum(not item.endswith("?") for item in takes)
    is_open = any(item[-1] in "?*" for item in takes)
    words = f"at least {least}" if is_open else str(least) if takes else "no"
    message = f"{name} takes {words} value{'' if least == 1 else 's'}, not {count}"
    shown = [_shown(item) for item in takes]
    return FormulaError("formula.type", message, f"write {name}({', '.join(shown)})", column)


def _shown(item: str) -> str:
    kind, more = item.rstrip("?*"), item[-1]
    variable, _, restriction = kind.partition(":")
    options = (restriction or ("any" if variable in VARIABLES else kind)).split("|")
    words = " or ".join(WORDS.get(option, option) for option in options)
    return f"{words} …" if more == "*" else f"{words}, if wanted" if more == "?" else words
