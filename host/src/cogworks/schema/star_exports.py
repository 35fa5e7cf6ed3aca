"""What ``from X import *`` brings, for modules of which annotations are made."""

from __future__ import annotations

import collections.abc
import dataclasses
import datetime
import enum
import pathlib
import typing

_COG = frozenset(
    {
        "AsyncConcatenateIterator",
        "BaseModel",
        "BasePredictor",
        "BaseRunner",
        "CancelationException",
        "ConcatenateIterator",
        "FieldInfo",
        "File",
        "Input",
        "Opaque",
        "Path",
        "Secret",
        "URLFile",
        "URLPath",
        "__version__",
        "concurrent",
        "current_scope",
        "streaming",
    }
)
"""``cog.__all__``, which is not imported: the names that authors use are no concern of the analysis."""

_STANDARD = {
    module.__name__: frozenset(module.__all__)
    for module in (collections.abc, dataclasses, datetime, enum, pathlib, typing)
}


def star_exports(module: str) -> frozenset[str]:
    """Return the names that a star import of another package brings; none if it is not known."""
    if module == "cog":
        return _COG
    # It has what typing has, for older Pythons.
    return _STANDARD.get("typing" if module == "typing_extensions" else module, frozenset())
