"""Import authors' files for tests, whatever else they import."""

from __future__ import annotations

import importlib.util
import sys
import types
import typing
import warnings
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
SIGNATURES = ROOT / "fixtures" / "signatures"


class _Lenient(type):
    """The type of classes that have every attribute and take every argument."""

    def __getattr__(cls, name: str) -> Any:
        return _stub_class(name)

    def __getitem__(cls, item: object) -> Any:
        return cls

    def __call__(cls, *args: object, **kwargs: object) -> Any:
        return type.__call__(cls)


def _stub_class(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    return _Lenient(name, (), {})


class _Anything(types.ModuleType):
    """Stands for a third-party module that is not installed here: every name is a class."""

    def __getattr__(self, name: str) -> Any:
        setattr(self, name, _stub_class(name))
        return getattr(self, name)


def _stub_module(name: str) -> None:
    module = _Anything(name)
    sys.modules[name] = module
    parent, _, last = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], last, module)


def forget_types() -> None:
    """Forget the types that other files have made.

    ``typing`` returns ``List[Union[str, int]]`` for ``List[Union[int, str]]`` where it has made that
    before; an author's own process has made none.
    """
    for forget in vars(typing)["_cleanups"]:
        forget()


def import_file(file: Path) -> types.ModuleType:
    """Import an author's file; modules that are neither the project's nor installed are stubs."""
    sys.path.insert(0, str(file.parent))
    importlib.invalidate_caches()
    forget_types()
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    for _ in range(20):
        module = importlib.util.module_from_spec(spec)
        sys.modules[file.stem] = module
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                spec.loader.exec_module(module)
            return module
        except ModuleNotFoundError as error:
            _stub_module(str(error.name))
    raise AssertionError(f"{file} needs too many modules")
