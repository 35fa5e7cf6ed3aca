"""Outputs with named fields."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import dataclass_transform
else:

    def dataclass_transform(**options):
        """Do nothing: it tells type checkers that subclasses become dataclasses."""
        return lambda cls: cls


@dataclass_transform(field_specifiers=(dataclasses.field,))
class BaseModel:
    """The base of structured outputs: every subclass becomes a dataclass by itself.

        class Output(BaseModel):
            text: str
            score: float = 0.0

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
        parent: type[BaseModel] = cls.__bases__[0]
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
        if auto_dataclass:
            dataclasses.dataclass(init=init, **options)(cls)


def _check_bases(cls: type[BaseModel]) -> None:
    first, *others = cls.__bases__
    if not issubclass(first, BaseModel):
        raise TypeError(f"{cls.__name__}: the first base must be a BaseModel, not {first.__name__}")
    for other in others:
        if dataclasses.is_dataclass(other) and not issubclass(other, BaseModel):
            raise TypeError(
                f"{cls.__name__}: a BaseModel cannot be mixed with the dataclass {other.__name__}"
            )
