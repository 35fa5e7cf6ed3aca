"""Inputs and outputs with named fields."""

from __future__ import annotations

import copy
import dataclasses
import functools
import sys
from typing import TYPE_CHECKING, Any, Callable, Generic

from cog._schema.forward import evaluate
from cog._schema.own_annotations import own_annotations
from cog._schema.types import MISSING
from cog.input import FieldInfo, Input

if TYPE_CHECKING:
    from typing_extensions import dataclass_transform
else:

    def dataclass_transform(**options):
        """Do nothing: it tells type checkers that subclasses become dataclasses."""
        return lambda cls: cls


_MUTABLE = (list, dict, set)
"""What ``dataclasses`` refuses as a default, since all objects would share it."""


@dataclass_transform(field_specifiers=(dataclasses.field, Input))
class BaseModel:
    """The base of structured outputs: every subclass becomes a dataclass by itself.

        class Output(BaseModel):
            text: str
            score: float = Input(default=0.0, ge=0, description="How sure the model is")

    A field's ``Input(...)`` says the same as that of a parameter of ``run()``.
    Class keywords: ``auto_dataclass=False`` leaves the class, and what is below it, as it is
    written; ``init`` and the other options of ``dataclasses.dataclass`` are passed on.
    """

    __cog_auto_dataclass__ = True

    def __init_subclass__(
        cls, *, auto_dataclass: bool = True, init: bool = True, **options: Any
    ) -> None:
        """Make a dataclass of a new subclass.

        Raises:
            TypeError: the first base is no BaseModel, another base is a dataclass, or an option
                is unknown or cannot work here (``slots``).
            ValueError: ``auto_dataclass=False`` below a class that became a dataclass.
        """
        super().__init_subclass__()
        _check_bases(cls)
        parent: type[BaseModel] = _own_bases(cls)[0]
        if not parent.__cog_auto_dataclass__:
            auto_dataclass = False  # once off, it stays off
        elif not auto_dataclass and parent is not BaseModel:
            raise ValueError(
                f"{cls.__name__}: auto_dataclass=False is not possible below "
                f"{parent.__name__}, which is a dataclass already"
            )
        cls.__cog_auto_dataclass__ = auto_dataclass
        if options.get("slots"):
            raise TypeError(f"{cls.__name__}: a BaseModel cannot have slots=True")
        _take_inputs(cls, auto_dataclass)
        if auto_dataclass:
            _copy_mutable_defaults(cls)
            dataclasses.dataclass(init=init, **options)(cls)


def _own_bases(cls: type) -> list[type[Any]]:
    """Return the bases that hold something: ``class Box(Generic[T], BaseModel)`` is fine too."""
    return [base for base in cls.__bases__ if base is not Generic]


def _check_bases(cls: type[BaseModel]) -> None:
    first, *others = _own_bases(cls)
    if not issubclass(first, BaseModel):
        raise TypeError(f"{cls.__name__}: the first base must be a BaseModel, not {first.__name__}")
    for other in others:
        if not issubclass(other, BaseModel) and dataclasses.is_dataclass(other):
            raise TypeError(
                f"{cls.__name__}: a BaseModel cannot be mixed with the dataclass {other.__name__}"
            )


def _take_inputs(cls: type[BaseModel], is_dataclass: bool) -> None:
    """Keep each ``Input(...)`` of the class's own fields, and leave its default in its place."""
    inputs: dict[str, FieldInfo] = {}
    for name, annotation in own_annotations(cls).items():
        value = vars(cls).get(name, MISSING)
        if isinstance(value, FieldInfo):
            delattr(cls, name)
        elif value is MISSING:
            value = _annotated_input(cls, annotation)
        if isinstance(value, FieldInfo):
            inputs[name] = value
            _set_default(cls, name, value, is_dataclass)
    setattr(cls, "__cog_inputs__", inputs)  # noqa: B010 - no attribute for type checkers to see


def _annotated_input(cls: type, annotation: Any) -> Any:
    """Return the ``Input(...)`` of an ``Annotated``; None if there is none, or not yet."""
    if isinstance(annotation, str):
        module = sys.modules.get(cls.__module__)
        try:
            annotation = evaluate(annotation, dict(vars(module)) if module else {}, dict(vars(cls)))
        except Exception:  # It names what is defined later; who reads the schema says the rest.
            return None
    metadata = getattr(annotation, "__metadata__", ())
    return next((item for item in metadata if isinstance(item, FieldInfo)), None)


def _copy_mutable_defaults(cls: type) -> None:
    """Give every object its own copy of ``tags: list[str] = []``, as pydantic's models do."""
    for name in own_annotations(cls):
        value = vars(cls).get(name)
        if type(value) in _MUTABLE:
            setattr(cls, name, dataclasses.field(default_factory=_copier(value)))


def _copier(value: Any) -> Callable[[], Any]:
    return functools.partial(copy.deepcopy, value)


def _set_default(cls: type, name: str, info: FieldInfo, is_dataclass: bool) -> None:
    factory, default = info.default_factory, info.default
    if factory is None and type(default) in _MUTABLE:
        factory = _copier(default)
    if factory is not None:
        if is_dataclass:
            setattr(cls, name, dataclasses.field(default_factory=factory))
    elif default is not MISSING:
        setattr(cls, name, default)
