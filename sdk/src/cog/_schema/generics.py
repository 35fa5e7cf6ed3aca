"""Fill in the types of generic classes and aliases.

Both front ends read ``class Box(Generic[T])`` and ``type L[T] = list[T]`` with the parameter in
its place, as a ``Variable``; what ``Box[int]`` and ``L[int]`` stand for is made of that here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Callable

from cog._schema.hints import (
    OF_SEVERAL,
    Alternatives,
    FieldHint,
    Foreign,
    Hint,
    Known,
    Record,
    Unspecified,
    Variable,
    not_filled,
    not_filled_advice,
    show,
    union,
    unspecified,
)

MAX_PARTS = 10_000
"""Of one type with everything filled in: ``tuple[T, T]`` of itself doubles with every step."""

Substitute = Callable[[Any, Mapping[Any, Any]], Any]


@dataclass(frozen=True)
class Filling:
    """What stands for each parameter, by its key; ``objects`` are the same in Python.

    ``substitute`` does with objects what ``fill`` does with hints. Source text has neither.
    """

    hints: Mapping[Any, Hint] = field(default_factory=dict[Any, Hint])
    objects: Mapping[Any, Any] = field(default_factory=dict[Any, Any])

    def within(self, outer: Filling) -> Filling:
        """Return this filling with the variables in it filled by that of the class around it."""
        return Filling(
            {key: fill(hint, outer) for key, hint in self.hints.items()},
            substituted(self.objects, outer.objects),
        )


def fill(hint: Hint, filling: Filling) -> Hint:
    """Return a hint with its variables filled in; those that the filling does not know stay."""
    if not filling.hints:
        return hint
    try:
        return _Filler(filling).fill(hint)
    except _TooLargeError:
        text = show(hint)
        problem = f"{text} becomes too large: it has more than {MAX_PARTS} parts"
        return Foreign(text, problem, "Use Any, or a class.", hint.where)


def close(
    template: Hint,
    name: str,
    parameters: tuple[Variable, ...],
    arguments: tuple[Hint, ...],
    where: Any = None,
    objects: Mapping[Any, Any] | None = None,
) -> Hint:
    """Return what ``name[arguments]`` stands for; a bare ``name`` has no arguments.

    ``template`` is what it stands for with its ``parameters`` left open. What is not given gets
    the parameter's default; without one it is an error where the parameter is used.
    """
    if not parameters and not arguments:
        return template
    hints = match(name, parameters, arguments, where)
    if isinstance(hints, Foreign):
        return hints
    filled = fill(template, Filling(hints, objects or {}))
    return replace(filled, where=where) if where is not None else filled


def close_bare(
    template: Record, where: Any = None, objects: Mapping[Any, Any] | None = None
) -> Hint:
    """Return what a generic class alone stands for.

    Of pydantic's its parameters stay open: ``Box`` and the ``Box[T]`` of its own ``T`` are one.
    """
    if template.kind == "pydantic":
        return template
    return close(template, template.name, template.parameters, (), where, objects)


def fields_of(record: Record) -> tuple[FieldHint, ...]:
    """Return the fields of a class, with its parameters filled in."""
    fields = record.read_fields()
    hints = {item.key: hint for item, hint in zip(record.parameters, record.args)}
    filling = Filling(hints, record.objects)
    return tuple(replace(item, hint=fill(item.hint, filling)) for item in fields)


def variables_in(hint: Hint) -> tuple[Variable, ...]:
    """Return the variables that are open in a hint, in the order in which they first appear."""
    found: dict[Any, Variable] = {}
    _collect(hint, found)
    return tuple(found.values())


def substituted(objects: Mapping[Any, Any], outer: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return Python's own types with type variables exchanged, as far as Python can do that."""
    return {key: substitute(item, outer) for key, item in objects.items()}


def substitute(item: Any, objects: Mapping[Any, Any]) -> Any:
    """Return ``list[int]`` for ``list[T]``; what cannot be exchanged stays what it is."""
    if not objects:
        return item
    try:
        if item in objects:
            return objects[item]
        model = model_of(item)
        parameters: Any = model.get("parameters") or getattr(item, "__parameters__", ())
        is_bare = isinstance(item, type) and not model.get("args")
        if not parameters or is_bare:
            return item
        generic: Any = item
        return generic[tuple(objects.get(parameter, parameter) for parameter in parameters)]
    except (TypeError, ValueError):
        return item


def model_of(item: Any) -> Mapping[str, Any]:
    """Return what pydantic 2 keeps of a generic model: ``origin``, ``args`` and ``parameters``."""
    found: Mapping[str, Any] = getattr(item, "__pydantic_generic_metadata__", None) or {}
    return found


def match(
    name: str, parameters: tuple[Variable, ...], arguments: tuple[Hint, ...], where: Any
) -> dict[Any, Hint] | Foreign:
    """Return what stands for each parameter."""
    if any(item.is_several for item in parameters):
        return Foreign(name, OF_SEVERAL, "Write the types out.", where)
    hints = {item.key: given for item, given in zip(parameters, arguments)}
    needed = [item for item in parameters if item.default is None]
    if len(arguments) > len(parameters) or (arguments and len(arguments) < len(needed)):
        text = f"{name}[{', '.join(map(show, arguments))}]"
        has = ", ".join(item.name for item in parameters) or "none"
        problem = f"{text} does not fit the type parameters of {name}: {has}"
        return Foreign(text, problem, "Fill in one type for each.", where)
    for item in parameters[len(arguments) :]:
        missing: Hint = Foreign(item.name, not_filled(item.name), not_filled_advice(name), where)
        default = missing if item.default is None else item.default()
        # A default may be made of the parameters before it.
        hints[item.key] = fill(default, Filling(dict(hints)))
    return hints


def _collect(hint: Hint, found: dict[Any, Variable]) -> None:
    if isinstance(hint, Variable):
        found.setdefault(hint.key, hint)
    elif isinstance(hint, (Known, Record)):
        for argument in hint.args:
            _collect(argument, found)
    elif isinstance(hint, Alternatives):
        for member in hint.members:
            _collect(member, found)
    elif isinstance(hint, Unspecified):
        _collect(hint.item, found)


class _TooLargeError(Exception):
    """More than ``MAX_PARTS``."""


class _Filler:
    def __init__(self, filling: Filling) -> None:
        self._filling = filling
        self._parts = 0

    def fill(self, hint: Hint) -> Hint:
        self._count(hint)
        if isinstance(hint, Variable):
            return self._filled(hint)
        if isinstance(hint, Known):
            return replace(hint, args=self._all(hint.args)) if hint.args else hint
        if isinstance(hint, Alternatives):
            return union(list(self._all(hint.members)), hint.where)
        if isinstance(hint, Unspecified):
            return unspecified(self.fill(hint.item), hint.where)
        return self._record(hint) if isinstance(hint, Record) else hint

    def _filled(self, variable: Variable) -> Hint:
        found = self._filling.hints.get(variable.key, variable)
        if found is not variable:
            self._count_all(found)
        return found

    def _all(self, hints: tuple[Hint, ...]) -> tuple[Hint, ...]:
        return tuple(map(self.fill, hints))

    def _record(self, hint: Record) -> Hint:
        if not hint.args:
            return hint
        objects = substituted(hint.objects, self._filling.objects)
        build = hint.build if hint.rebuild is None else hint.rebuild(objects)
        return replace(hint, args=self._all(hint.args), objects=objects, build=build)

    def _count(self, hint: Hint) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise _TooLargeError

    def _count_all(self, hint: Hint) -> None:
        self._count(hint)
        inner: tuple[Hint, ...] = ()
        if isinstance(hint, (Known, Record)):
            inner = hint.args
        elif isinstance(hint, Alternatives):
            inner = hint.members
        elif isinstance(hint, Unspecified):
            inner = (hint.item,)
        for item in inner:
            self._count_all(item)
