"""What a class has from its bases: annotations, and types for the parameters of generic bases."""

from __future__ import annotations

from typing import Any, Callable

from cog._schema.generics import Filling, match
from cog._schema.hints import Foreign, Hint, Variable
from cog._schema.live_generics import bases_of, completed, parameters_of, split
from cog._schema.own_annotations import own_annotations

_FOREIGN_BASES = ("BaseModel", "GenericModel", "Representation")
"""Pydantic's own classes, whose annotations are no fields."""

ReadHint = Callable[[Any, type], Hint]
"""Reads an annotation in the body of a class."""

Annotated = dict[str, tuple[type, Any]]


def annotations_of(cls: type, kind: str) -> Annotated:
    """Return annotations and the classes that hold them, in order of definition, bases first."""
    if kind == "TypedDict":
        return _keys_of(cls)
    found: Annotated = {}
    for owner in reversed(cls.__mro__):
        if owner.__name__ in _FOREIGN_BASES and owner.__module__.startswith("pydantic"):
            continue
        for name, annotation in own_annotations(owner).items():
            found[name] = (owner, annotation)
    return found


def _keys_of(cls: type) -> Annotated:
    """A TypedDict has the annotations of its bases as its own, and no bases but ``dict``."""
    inherited: Annotated = {}
    for base in bases_of(cls):
        origin, _ = split(base) or (base, ())
        if isinstance(origin, type) and hasattr(origin, "__total__"):
            inherited.update(_keys_of(origin))
    own: Annotated = {}
    for name, annotation in own_annotations(cls).items():
        known = inherited.get(name)
        own[name] = known if known is not None and known[1] is annotation else (cls, annotation)
    return own


def fillings_of(cls: type, read_hint: ReadHint) -> dict[type, Filling]:
    """Return, for each generic ancestor, what stands for its parameters in ``cls``."""
    found: dict[type, Filling] = {}
    for base in bases_of(cls):
        origin, given = split(base) or (base, ())
        if not isinstance(origin, type) or origin is object:
            continue
        filling = _filling(origin, given, lambda item: read_hint(item, cls))
        if filling.hints:
            found.setdefault(origin, filling)
        for ancestor, inner in fillings_of(origin, read_hint).items():
            found.setdefault(ancestor, inner.within(filling))
    return found


def _filling(origin: type, given: tuple[Any, ...], read: Callable[[Any], Hint]) -> Filling:
    parameters = parameters_of(origin)
    if not parameters:
        return Filling()
    given = completed(parameters, given)
    variables = tuple(item for item in map(read, parameters) if isinstance(item, Variable))
    hints = match(origin.__name__, variables, tuple(map(read, given)), None)
    if isinstance(hints, Foreign):
        return Filling()
    return Filling(hints, dict(zip(parameters, given)))
