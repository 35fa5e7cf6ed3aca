"""What an author gave an input, before it is judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Callable, Optional

from cog._schema.types import MISSING


@dataclass(frozen=True)
class Given:
    """What an author gave a parameter: a plain default, or all that is said in ``Input(...)``.

    ``places`` holds, by argument name, what a front end needs to point at an argument.
    """

    default: Any = MISSING
    description: Optional[str] = None
    ge: Optional[float] = None
    le: Optional[float] = None
    min_length: Optional[int] = None
    max_length: Optional[int] = None
    regex: Optional[str] = None
    choices: Optional[tuple[Any, ...]] = None
    deprecated: Optional[bool] = None
    accept: Optional[str] = None
    factory: Optional[Callable[[], Any]] = None
    places: Mapping[str, Any] = field(default_factory=dict[str, Any])
