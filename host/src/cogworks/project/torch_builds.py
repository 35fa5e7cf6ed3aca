"""Which build of PyTorch a project gets: for CPUs or for a CUDA, named as the folder of PyTorch's index that has it.

Package indexes have one build of each release, which brings 2 GB of CUDA along; PyTorch's own index has all of them, in
folders `cpu`, `cu126` and so on. torchvision, torchaudio and torchtext lie beside it and go with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from cogworks.project.compatibility import (
    TorchBuild,
    is_same_release,
    minor_of,
    numbers,
    torch_builds,
)
from cogworks.project.cuda import CudaSelection
from cogworks.project.named_packages import NamedPackage

FAMILY = ("torch", "torchvision", "torchaudio", "torchtext")
"""What is taken from PyTorch's index, the first one deciding; nothing else is, for it has old copies of much else."""
CPU = "cpu"
INDEX = "https://download.pytorch.org/whl"
"""The one place that names it; below it are the folders `cpu`, `cu126` and so on.
Source: "Start Locally" and "Previous Versions" of PyTorch's site."""
VARIABLE = "COG_PYTORCH_INDEX"
OFF = "off"
"""Said instead of a URL: PyTorch comes from the indexes of uv and pip."""

_SUFFIX = re.compile(r"cpu|cu\d{2,4}|rocm[\d.]+|xpu")
_PINNED_BUILD = re.compile(
    rf"^((?:{'|'.join(FAMILY)})\s*===?\s*[0-9.]+)\+(?:{_SUFFIX.pattern})(?![\w.])"
)
_TORCH_INDEX = re.compile(
    r"pytorch\.org\b|/(?:cpu|cu\d{2,4}|rocm[\d.]+|xpu)(?:/|$|\s|,|\"|')|torch_stable|torch-backend"
)
_COLUMNS: Mapping[str, Callable[[TorchBuild], str]] = {
    "torch": lambda build: build.torch,
    "torchvision": lambda build: build.torchvision,
    "torchaudio": lambda build: build.torchaudio,
}


def choose_folder(
    packages: Mapping[str, NamedPackage], selection: CudaSelection | None, given_cuda: str | None
) -> str | None:
    """Return the folder of PyTorch's index for a project; None takes what the package indexes have.

    Args:
        packages: those that the project names.
        selection: the project's CUDA; None for one without a GPU.
        given_cuda: `build.cuda`.
    """
    own = named_build(packages)
    if own is not None:
        return own
    if selection is None:
        return CPU
    pinned = _pinned(packages)
    if pinned is not None:
        return _newest(selection.cuda, _builds_of(*pinned))
    # Without a version nobody knows what it will be: only a CUDA that was asked for names a folder.
    return _newest(given_cuda, torch_builds()) if given_cuda is not None else None


def index_url(base: str, folder: str) -> str | None:
    """Return the URL of a folder of the index.

    Args:
        base: what the variable says: nothing, a URL, or `off`, for which there is none.
    """
    text = base.strip()
    return None if text.lower() == OFF else f"{(text or INDEX).rstrip('/')}/{folder}"


def named_build(packages: Mapping[str, NamedPackage]) -> str | None:
    """Return the build that a version names: `cu121` of `torch==2.5.1+cu121`."""
    return next(_suffixes(packages), None)


def without_build(line: str) -> str:
    """Return a requirement without the build in its version, for machines that have one build only."""
    return _PINNED_BUILD.sub(r"\1", line)


def names_torch_index(texts: Iterable[str]) -> bool:
    """Tell whether settings or options name an index of PyTorch: then it is their author who chooses the build."""
    return any(_TORCH_INDEX.search(text) for text in texts)


def _suffixes(packages: Mapping[str, NamedPackage]) -> Iterator[str]:
    """Yield the builds that versions name: `cu121` of `2.5.1+cu121`."""
    for name in FAMILY:
        package = packages.get(name)
        if package is not None and package.version is not None and not package.is_located:
            suffix = package.version.partition("+")[2]
            if _SUFFIX.fullmatch(suffix):
                yield suffix


def _pinned(packages: Mapping[str, NamedPackage]) -> tuple[str, str] | None:
    """Return the package whose version decides, and that version."""
    for name in _COLUMNS:
        package = packages.get(name)
        if package is not None and package.version is not None:
            return name, package.version
    return None


def _builds_of(name: str, version: str) -> list[TorchBuild]:
    column = _COLUMNS[name]
    return [build for build in torch_builds() if is_same_release(column(build), version)]


def _newest(cuda: str, builds: Iterable[TorchBuild]) -> str | None:
    """Return the folder of the build with the newest CUDA that is not newer than the given one."""
    fitting = [
        build
        for build in builds
        if build.cuda is not None and numbers(build.cuda) <= numbers(minor_of(cuda))
    ]
    newest = max(fitting, key=lambda build: numbers(build.cuda or ""), default=None)
    return None if newest is None else newest.folder
