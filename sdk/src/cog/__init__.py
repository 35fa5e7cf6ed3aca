"""Cogworks' SDK: what the author of a model imports."""

from __future__ import annotations

from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

from cog._version import __version__
from cog.decorators import concurrent, streaming
from cog.errors import CancelationException
from cog.input import FieldInfo, Input
from cog.model import BaseModel
from cog.runner import BasePredictor, BaseRunner
from cog.scope import current_scope
from cog.types import (
    AsyncConcatenateIterator,
    ConcatenateIterator,
    File,
    Opaque,
    Path,
    Secret,
    URLFile,
    URLPath,
)

if _TYPE_CHECKING:
    from cog.coder import Coder as Coder
    from cog.deprecated import ExperimentalFeatureWarning as ExperimentalFeatureWarning
    from cog.deprecated import emit_metric as emit_metric

__all__ = [
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
]


def __getattr__(name: str) -> _Any:
    """Load what few models use when it is asked for; it is then an attribute like the others."""
    if name == "Coder":
        from cog.coder import Coder

        value: _Any = Coder
    elif name in ("ExperimentalFeatureWarning", "emit_metric"):
        from cog.deprecated import load_deprecated

        value = load_deprecated(name)
    else:
        raise AttributeError(f"module 'cog' has no attribute {name!r}")
    globals()[name] = value
    return value
