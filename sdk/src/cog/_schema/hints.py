"""Type annotations after their names are resolved, and before they are judged.

Both front ends turn annotations into hints, the live one from objects, the static one from
source text; ``input_types`` and ``output_types`` turn hints into types. So both front ends
accept the same annotations and refuse others with the same words.

Every hint has a ``where``: what the front end needs to point at it, None where it cannot.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Callable, Optional, Union

from cog._schema.given import Given

SCALARS = ("bool", "int", "float", "str")

NAMES = frozenset(
    (
        *SCALARS,
        "None",
        "Any",
        "Path",
        "File",
        "Secret",
        "dict",
        "list",
        "tuple",
        "set",
        "frozenset",
        "...",
        "datetime",
        "date",
        "time",
        "UUID",
        "Iterator",
        "AsyncIterator",
        "Generator",
        "AsyncGenerator",
        "ConcatenateIterator",
        "AsyncConcatenateIterator",
    )
)
"""The names that a ``Known`` may have; ``...`` is the second argument of ``tuple[T, ...]``."""


INNER_INPUT = "Input(...) has no effect inside of another type"
INNER_INPUT_ADVICE = (
    "Put it around the whole type: Annotated[list[int], Input(ge=0)], for example; "
    "for a list, its limits hold for each item."
)

OF_SEVERAL = "type parameters that stand for several types (*Ts, **P) are not supported"
LEADS_TO_ITSELF = "Use a class instead: a class may contain itself."


def not_filled(name: str) -> str:
    """Return what is wrong with the ``T`` of a bare ``Box``."""
    return f"nothing fills in the type parameter {name}"


def not_filled_advice(owner: str = "") -> str:
    """Return what to write instead of the ``T`` of ``owner``."""
    if owner:
        return f"Say which type it is: {owner}[int], for example."
    return "Write the type itself, or derive from a generic class whose types are filled in."


def leads_to_itself(name: str) -> str:
    """Return what is wrong with ``type N = list[N]``."""
    return f"the alias {name} leads to itself"


@dataclass(frozen=True)
class Known:
    """A type that we know: ``Known("list", (Known("str"),))`` for ``list[str]``."""

    name: str
    args: tuple[Hint, ...] = ()
    where: Any = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Alternatives:
    """A union, flat and without repetitions; ``None`` is one of the ``members`` if allowed."""

    members: tuple[Hint, ...]
    where: Any = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Unspecified:
    """``Annotated[T, Opaque]``: of ``T`` only whether it is a list or optional matters."""

    item: Hint
    where: Any = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Choice:
    """``Literal[...]``, or the members of an enum, whose class is ``name``.

    ``values`` are JSON data. ``objects`` are what the author's code gets for them; only the live
    front end has them.
    """

    values: tuple[Any, ...]
    name: str = ""
    objects: tuple[Any, ...] = field(default=(), compare=False, repr=False)
    where: Any = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Variable:
    """A type parameter that is still open: the ``T`` of ``class Box(Generic[T])``.

    ``key`` tells two parameters of the same name apart. ``is_several`` for ``*Ts`` and ``**P``.
    ``default`` reads the type that stands for it where nothing is filled in.
    """

    name: str
    key: Any
    is_several: bool = False
    default: Optional[Callable[[], Hint]] = field(default=None, compare=False, repr=False)
    where: Any = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class FieldHint:
    """One field of a class: its annotation, and whether its class has no default for it.

    ``is_input`` is false for what a dataclass computes itself, ``field(init=False)``. ``given`` is
    what the ``Input(...)`` of the field says, if there is one.
    """

    name: str
    hint: Hint
    required: bool
    is_input: bool = True
    given: Optional[Given] = None


@dataclass(frozen=True)
class Record:
    """A class with named fields; they are read when asked for, since they may name the class.

    ``kind`` is ``BaseModel``, ``dataclass``, ``pydantic`` or ``TypedDict``; ``key`` tells two
    classes of the same name apart. ``build`` makes an instance of the values of its fields; only
    the live front end has it.

    Of a generic class, ``args`` are what its ``parameters`` are filled with, and the fields are
    read in terms of the parameters. ``objects`` and ``rebuild`` are the live front end's: what
    the parameters are in Python, and the ``build`` of the class with other objects.
    """

    name: str
    kind: str
    key: Any
    read_fields: Callable[[], tuple[FieldHint, ...]] = field(compare=False, repr=False)
    where: Any = field(default=None, compare=False, repr=False)
    build: Optional[Callable[[dict[str, Any]], Any]] = field(
        default=None, compare=False, repr=False
    )
    parameters: tuple[Variable, ...] = ()
    args: tuple[Hint, ...] = ()
    objects: Mapping[Any, Any] = field(default_factory=dict[Any, Any], compare=False, repr=False)
    rebuild: Optional[Callable[[Mapping[Any, Any]], Any]] = field(
        default=None, compare=False, repr=False
    )


@dataclass(frozen=True)
class Foreign:
    """Anything else. ``problem`` and ``advice`` say why it cannot be used, if that is known."""

    text: str
    problem: str = ""
    advice: str = ""
    where: Any = field(default=None, compare=False, repr=False)


Hint = Union[Known, Alternatives, Unspecified, Choice, Variable, Record, Foreign]


def union(hints: list[Hint], where: Any = None) -> Hint:
    """Return the union of ``hints``: flat, each member once, the bare hint if only one is left."""
    members: list[Hint] = []
    for hint in hints:
        for member in hint.members if isinstance(hint, Alternatives) else (hint,):
            if member not in members:
                members.append(member)
    return members[0] if len(members) == 1 else Alternatives(tuple(members), where)


def unspecified(item: Hint, where: Any = None) -> Unspecified:
    """Return the hint for ``Annotated[item, Opaque]``; twice is once, as in Python."""
    return item if isinstance(item, Unspecified) else Unspecified(item, where)


def without_none(hint: Hint) -> tuple[tuple[Hint, ...], bool]:
    """Return the members of a hint that are not None, and whether None is one."""
    if not isinstance(hint, Alternatives):
        return (hint,), False
    members = tuple(member for member in hint.members if not is_none(member))
    return members, len(members) < len(hint.members)


def is_none(hint: Hint) -> bool:
    """Tell whether a hint stands for None."""
    return isinstance(hint, Known) and hint.name == "None"


def show(hint: Hint) -> str:
    """Return the hint as an author would write it."""
    if isinstance(hint, (Known, Record)):
        return _applied(hint.name, hint.args)
    if isinstance(hint, Alternatives):
        members, has_none = without_none(hint)
        names = ", ".join(show(member) for member in members)
        inner = names if len(members) == 1 else f"Union[{names}]"
        return f"Optional[{inner}]" if has_none else inner
    if isinstance(hint, Unspecified):
        return f"Annotated[{show(hint.item)}, Opaque]"
    if isinstance(hint, Choice):
        return hint.name or f"Literal[{', '.join(map(repr, hint.values))}]"
    return hint.name if isinstance(hint, Variable) else hint.text


def _applied(name: str, args: tuple[Hint, ...]) -> str:
    return f"{name}[{', '.join(map(show, args))}]" if args else name
