"""What of CUDA, cuDNN, PyTorch and TensorFlow was made for each other: tables that `scripts/compatibility` writes.

Nothing here decides; `cuda.py` and `torch_index.py` do. The tables are read when they are first asked for: most
projects have no GPU.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from typing import Any, cast


@dataclass(frozen=True, slots=True)
class CudaImage:
    """An image of `nvidia/cuda` with cuDNN and compilers; ``cudnn`` is a major version.

    Example: ``12.4.1-cudnn-devel-ubuntu22.04``, CUDA ``12.4.1``, cuDNN ``9``, Ubuntu ``22.04``.
    """

    tag: str
    cuda: str
    cudnn: str
    ubuntu: str


@dataclass(frozen=True, slots=True)
class TorchBuild:
    """One build of a PyTorch release, with the releases of torchvision and torchaudio that go with it.

    ``torch`` has the build's suffix (``2.5.1+cu121``) or none, where the build that package indexes
    have is meant. ``cuda`` is None for CPU builds, else major.minor.
    """

    torch: str
    torchvision: str
    torchaudio: str
    cuda: str | None
    pythons: tuple[str, ...]

    @property
    def folder(self) -> str | None:
        """The folder of PyTorch's index that has it: ``cpu``, ``cu121``; None for a build without a suffix."""
        return self.torch.partition("+")[2] or None


@dataclass(frozen=True, slots=True)
class TensorFlowBuild:
    """A TensorFlow release with the CUDA (major.minor) and the cuDNN (major.minor) that it was built with."""

    tensorflow: str
    cuda: str
    cudnn: str
    pythons: tuple[str, ...]


@cache
def cuda_images() -> tuple[CudaImage, ...]:
    """Return the images, oldest CUDA first."""
    return tuple(CudaImage(**row) for row in _rows("cuda"))


@cache
def torch_builds() -> tuple[TorchBuild, ...]:
    """Return the builds, oldest release first, of each the CPU build and then by CUDA."""
    return tuple(TorchBuild(**_with_tuple(row)) for row in _rows("torch"))


@cache
def tensorflow_builds() -> tuple[TensorFlowBuild, ...]:
    """Return the releases, oldest first."""
    return tuple(TensorFlowBuild(**_with_tuple(row)) for row in _rows("tensorflow"))


def numbers(version: str) -> tuple[int, ...]:
    """Return what versions are compared by: ``12.10`` is newer than ``12.9``; a suffix does not count."""
    return tuple(int(part) for part in re.findall(r"\d+", version.partition("+")[0]))


def is_same_version(wanted: str, version: str) -> bool:
    """Tell whether a version is the wanted one; one with fewer parts stands for all that begin with it."""
    return numbers(version)[: len(numbers(wanted))] == numbers(wanted)


def is_same_release(version: str, other: str) -> bool:
    """Tell whether two versions are one release: trailing zeros and suffixes do not count."""
    return _without_zeros(numbers(version)) == _without_zeros(numbers(other))


def minor_of(version: str) -> str:
    """Return major.minor of a version: ``12.4`` of ``12.4.1``."""
    return ".".join(version.split(".")[:2])


def cudnn_for_cuda(cuda: str) -> tuple[str, ...]:
    """Return the cuDNN major versions for which there are images of a CUDA version, oldest first.

    A version without a patch number stands for all its patches.
    """
    found = {image.cudnn for image in cuda_images() if is_same_version(cuda, image.cuda)}
    return tuple(sorted(found, key=numbers))


def find_image(cuda: str, cudnn: str | None) -> CudaImage | None:
    """Return the image for a CUDA and a cuDNN: of the newest patch, then of the newest Ubuntu."""
    fitting = [
        image
        for image in cuda_images()
        if is_same_version(cuda, image.cuda) and cudnn in (None, image.cudnn)
    ]
    return max(fitting, key=lambda one: (numbers(one.cuda), numbers(one.ubuntu)), default=None)


def _without_zeros(parts: tuple[int, ...]) -> tuple[int, ...]:
    while parts and parts[-1] == 0:
        parts = parts[:-1]
    return parts


def _rows(name: str) -> list[dict[str, Any]]:
    # Loading it takes longer than all else that this module does for most projects.
    from importlib.resources import files

    text = files("cogworks.project").joinpath("data", f"{name}.json").read_text(encoding="utf-8")
    return cast("list[dict[str, Any]]", json.loads(text))


def _with_tuple(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "pythons": tuple(row["pythons"])}
