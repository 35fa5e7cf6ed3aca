"""What ``import cog`` gives, and what it costs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import cog

SOURCE = str(Path(cog.__file__).parents[1])

LAZY = {"Coder", "ExperimentalFeatureWarning", "emit_metric"}

# Slow to import, or a sign that something slow is: only functions that need them may import them.
HEAVY = {
    "asyncio",
    "concurrent.futures",
    "email",
    "http",
    "http.client",
    "logging",
    "socket",
    "ssl",
    "subprocess",
    "tempfile",
    "threading",
    "urllib.request",
}


def run_bare(code: str) -> str:
    """Run code without site-packages."""
    code = f"import sys; sys.path.insert(0, {SOURCE!r}); {code}"
    command = [sys.executable, "-S", "-E", "-W", "error", "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_all_is_what_is_exported() -> None:
    found = set(run_bare("import cog; print(*vars(cog))").split())
    modules = {path.stem for path in Path(cog.__file__).parent.glob("*.py")}
    public = {name for name in found if not name.startswith("_")}
    # `from __future__ import annotations` leaves a name behind.
    assert public - modules - {"annotations"} == set(cog.__all__) - {"__version__"}


def test_a_star_import_gives_all_of_it() -> None:
    found = set(run_bare("from cog import *; print(*globals())").split())
    assert set(cog.__all__) - found == set()


def test_all_is_sorted_and_complete() -> None:
    assert cog.__all__ == sorted(set(cog.__all__))
    assert set(cog.__all__) == {
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


def test_it_imports_without_site_packages_and_without_a_warning() -> None:
    assert run_bare("import cog; print(cog.__version__)") == f"{cog.__version__}\n"


def test_importing_it_imports_nothing_heavy() -> None:
    bare = set(run_bare("print(*sys.modules)").split())
    loaded = set(run_bare("import cog; print(*sys.modules)").split()) - bare
    assert loaded & HEAVY == set()


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    assert not hasattr(cog, "no_such_name")
    with pytest.raises(ImportError, match="no_such_name"):
        exec("from cog import no_such_name")


@pytest.mark.parametrize("name", sorted(LAZY))
def test_an_older_name_is_loaded_when_it_is_asked_for(name: str) -> None:
    code = f"import cog; print({name!r} in vars(cog)); from cog import {name}; "
    code += f"print({name!r} in vars(cog))"
    assert run_bare(code).split() == ["False", "True"]


def test_submodules_can_be_imported_from_the_package() -> None:
    run_bare("from cog import types, exceptions; assert types.Path and exceptions")
