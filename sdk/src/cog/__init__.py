"""Cogworks' SDK: what the author of a model imports.

Each name is loaded when it is asked for: the server, and the worker before it knows the model, import
parts of this package and none of these names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

from cog._version import __version__

if _TYPE_CHECKING:
    from cog.coder import Coder as Coder
    from cog.decorators import concurrent, streaming
    from cog.deprecated import ExperimentalFeatureWarning as ExperimentalFeatureWarning
    from cog.deprecated import emit_metric as emit_metric
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


_HOMES = {
    "AsyncConcatenateIterator": "types",
    "BaseModel": "model",
    "BasePredictor": "runner",
    "BaseRunner": "runner",
    "CancelationException": "errors",
    "Coder": "coder",
    "ConcatenateIterator": "types",
    "FieldInfo": "input",
    "File": "types",
    "Input": "input",
    "Opaque": "types",
    "Path": "types",
    "Secret": "types",
    "URLFile": "types",
    "URLPath": "types",
    "concurrent": "decorators",
    "current_scope": "scope",
    "streaming": "decorators",
}
"""The module that each name lives in."""


def __getattr__(name: str) -> _Any:
    """Load a name, or a module of the package; it is then an attribute like the others."""
    from importlib import import_module

    value: _Any
    if name in _HOMES:
        value = getattr(import_module(f"cog.{_HOMES[name]}"), name)
    elif name in ("ExperimentalFeatureWarning", "emit_metric"):
        from cog.deprecated import load_deprecated

        value = load_deprecated(name)
    elif name.startswith("_"):
        raise AttributeError(f"module 'cog' has no attribute {name!r}")
    else:
        try:
            return import_module(f"cog.{name}")
        except ModuleNotFoundError as error:
            raise AttributeError(f"module 'cog' has no attribute {name!r}") from error
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the names that are there, loaded or not."""
    return sorted({*globals(), *_HOMES})
