"""What a project is, once its ``cog.yaml`` has been read: frozen values, nothing of YAML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

DEFAULT_PYTHON_VERSION = "3.13"
"""The Python of a project that has no ``build``; the same that ``cog init`` writes."""


@dataclass(frozen=True, slots=True)
class SecretMount:
    """A build secret that one command may read at ``target``."""

    id: str
    target: str


@dataclass(frozen=True, slots=True)
class RunCommand:
    """A command that is run while the image is built."""

    command: str
    mounts: tuple[SecretMount, ...] = ()


@dataclass(frozen=True, slots=True)
class Build:
    """What the environment of the model is made of.

    ``python_version`` is the text of the file (``3.10``, ``3.11.4``). ``requirements_file`` is an
    absolute path to a requirements file or a ``pyproject.toml``; it is None where
    ``python_packages`` or nothing at all is named. ``base_image`` and ``user`` are None where the
    builder decides. ``weight_patterns`` are those of ``build.weights``, in the language of
    ``path_patterns``.
    """

    python_version: str = DEFAULT_PYTHON_VERSION
    requirements_file: Path | None = None
    python_packages: tuple[str, ...] = ()
    system_packages: tuple[str, ...] = ()
    run: tuple[RunCommand, ...] = ()
    pre_install: tuple[str, ...] = ()
    gpu: bool = False
    cuda: str | None = None
    cudnn: str | None = None
    sdk_version: str | None = None
    base_image: str | None = None
    user: str | None = None
    weight_patterns: tuple[str, ...] = ()
    lock: bool = False

    @property
    def python_minor(self) -> tuple[int, int]:
        """The major and minor number of ``python_version``: (3, 11)."""
        major, minor = self.python_version.split(".")[:2]
        return int(major), int(minor)


@dataclass(frozen=True, slots=True)
class WeightSource:
    """Where files of a set of weights come from, with the patterns that choose them."""

    uri: str
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Weight:
    """A named set of weights that the model finds at ``target``, an absolute path."""

    name: str
    target: str
    sources: tuple[WeightSource, ...]


def _no_lines() -> Mapping[str, int]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Project:
    """A directory with a ``cog.yaml``.

    ``run`` and ``train`` are references such as ``run.py:Runner``. ``lines`` maps the path of
    every key that is given (``build.gpu``, ``environment[0]``) to its line. ``warnings`` are whole
    sentences, each with file and line.
    """

    directory: Path
    config_path: Path
    build: Build = Build()
    run: str | None = None
    train: str | None = None
    environment: tuple[tuple[str, str], ...] = ()
    concurrency_max: int | None = None
    workers: int | None = None
    image: str | None = None
    model: str | None = None
    weights: tuple[Weight, ...] = ()
    warnings: tuple[str, ...] = ()
    lines: Mapping[str, int] = field(default_factory=_no_lines, hash=False, compare=False)
