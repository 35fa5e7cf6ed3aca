"""The types of inputs and outputs, under the name that authors import them from."""

from __future__ import annotations

from cog.file import File, URLFile
from cog.iterators import AsyncConcatenateIterator, ConcatenateIterator
from cog.opaque import Opaque
from cog.path import Path, URLPath
from cog.secret import Secret

__all__ = [
    "AsyncConcatenateIterator",
    "ConcatenateIterator",
    "File",
    "Opaque",
    "Path",
    "Secret",
    "URLFile",
    "URLPath",
]
