"""Find and import the author's class or function, and make the model of it."""

from __future__ import annotations

import importlib.util
import inspect
import os
import sys
import warnings
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Callable, Optional

from cog._schema.signature import find_method, read_signature
from cog._schema.types import Signature


class LoadError(Exception):
    """The reference in cog.yaml leads nowhere; the message says why."""


@dataclass(frozen=True)
class Model:
    """A loaded model: what to call, and what it takes.

    ``setup`` and ``healthcheck`` are None where the author wrote none.
    """

    signature: Signature
    call: Callable[..., Any]
    setup: Optional[Callable[..., Any]] = None
    healthcheck: Optional[Callable[[], Any]] = None


def load_model(ref: str, mode: str) -> Model:
    """Import the file of ``ref`` (``file.py:Name``, below the working directory) and make the model.

    Raises:
        LoadError: no such file or name.
        Exception: whatever the author's code raises while it is imported or constructed.
    """
    target = load_target(ref, mode)
    signature = read_signature(target, mode)
    if not inspect.isclass(target):
        return Model(signature, target)
    instance = target()
    method = getattr(instance, find_method(target, mode))
    setup = getattr(instance, "setup", None)
    return Model(signature, method, setup, getattr(instance, "healthcheck", None))


def load_target(ref: str, mode: str) -> Any:
    """Import the file of ``ref`` and return the class or function that it names, unused.

    Raises:
        LoadError: no such file or name.
        Exception: whatever the author's code raises while it is imported.
    """
    path, _, name = ref.partition(":")
    return _find_target(_import_file(path), name, mode)


def _import_file(path: str) -> ModuleType:
    name = os.path.splitext(os.path.basename(path))[0]
    full_path = os.path.abspath(path)
    if not os.path.isfile(full_path):
        raise LoadError(f"{path} not found in {os.getcwd()}")
    spec = importlib.util.spec_from_file_location(name, full_path)
    if spec is None or spec.loader is None:
        raise LoadError(f"{path} is not a Python file")
    folder = os.path.dirname(full_path)
    if folder not in sys.path:
        sys.path.insert(2, folder)  # Behind the SDK and the project; imports among neighbours work.
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # Under its own name, so that pickles of its classes load.
    spec.loader.exec_module(module)
    return module


def _find_target(module: ModuleType, name: str, mode: str) -> Any:
    if name:
        target = getattr(module, name, None)
        if target is None:
            raise LoadError(f"{name} not found in {os.path.basename(str(module.__file__))}")
        return target
    if mode == "train":
        return _default(module, ("train", "Trainer"))
    target = _default(module, ("Runner", "Predictor"))
    if hasattr(module, "Runner") and hasattr(module, "Predictor"):
        warnings.warn("both Runner and Predictor are defined: Runner is used", stacklevel=2)
    return target


def _default(module: ModuleType, names: tuple[str, ...]) -> Any:
    for name in names:
        if hasattr(module, name):
            return getattr(module, name)
    raise LoadError(
        f"{os.path.basename(str(module.__file__))} has no {' or '.join(names)}; name the class in cog.yaml"
    )
