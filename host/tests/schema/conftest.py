"""Tests here import authors' files, whose names are all the same."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _clean_imports() -> Iterator[None]:
    """Forget what a fixture imported, and where from."""
    modules, path = dict(sys.modules), list(sys.path)
    yield
    for name in set(sys.modules) - set(modules):
        del sys.modules[name]
    # An author's `secrets.py` has taken the place of Python's own, which others import later.
    sys.modules.update(modules)
    sys.path[:] = path
