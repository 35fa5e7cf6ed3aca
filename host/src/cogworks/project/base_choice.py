"""Which image a project is built on, and why; pure, so that `cog check` and `cog build --explain` say the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from cogworks.project.compatibility import find_image
from cogworks.project.cuda import CudaSelection, missing_image, select_cuda
from cogworks.project.errors import ConfigError, Problem
from cogworks.project.model import Project
from cogworks.project.named_packages import named_packages

PYTHON_IMAGE = "python:{version}-slim"
CUDA_IMAGE = "nvidia/cuda:{tag}"


class CudaImages(Enum):
    """When a GPU project is built on `nvidia/cuda`: what `--use-cuda-base-image` says."""

    AUTO = "auto"  # where something in the project needs CUDA in the image
    ALWAYS = "true"  # for every GPU project
    NEVER = "false"


@dataclass(frozen=True, slots=True)
class BaseOptions:
    """What decides on the base besides the project.

    Attributes:
        given: what `--base-image` names; it comes before `build.base_image`.
        registry: where the default images are taken from instead of Docker Hub (`COG_BASE_REGISTRY`), such as
            `mirror.example` or `mirror.example/docker-hub`.
    """

    given: str | None = None
    registry: str | None = None
    cuda_images: CudaImages = CudaImages.AUTO
    machine: str = "x86_64"


@dataclass(frozen=True, slots=True)
class BaseChoice:
    """An image, and the reason for it as half a sentence.

    Attributes:
        needs_interpreter: it has no Python; a layer has to bring it.
        cuda: what is selected for a GPU project, in the image or in the wheels.
        problems: why it cannot be built on.
    """

    reference: str
    reason: str
    needs_interpreter: bool = False
    cuda: CudaSelection | None = None
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


def choose_base(project: Project, lines: Iterable[str], options: BaseOptions) -> BaseChoice:
    """Return the base of a project.

    Args:
        lines: its requirements.

    Raises:
        ConfigError: what the project says of its GPU does not fit together.
    """
    choice = examine_base(project, lines, options)
    if choice.problems:
        raise ConfigError(project.config_path.name, choice.problems)
    return choice


def examine_base(project: Project, lines: Iterable[str], options: BaseOptions) -> BaseChoice:
    """Return the base of a project, with everything that is wrong or doubtful."""
    packages = named_packages(lines, project.build.python_minor, options.machine)
    selection = select_cuda(project, packages)
    problems = selection.problems if selection else ()
    warnings = selection.warnings if selection else ()
    for named, where in (
        (options.given, "--base-image"),
        (project.build.base_image, "build.base_image"),
    ):
        if named is not None:
            return BaseChoice(named, where, False, selection, problems, warnings)
    wants_cuda = selection is not None and (
        options.cuda_images is CudaImages.ALWAYS
        or (options.cuda_images is CudaImages.AUTO and selection.carrier is None)
    )
    if selection is None or not wants_cuda:
        name = PYTHON_IMAGE.format(version=project.build.python_version)
        reference = _mirrored(f"library/{name}", name, options.registry)
        return BaseChoice(reference, _why_slim(selection), False, selection, problems, warnings)
    image = find_image(selection.cuda, selection.cudnn)
    if image is None:
        tag = selection.cuda
        problems = problems or (missing_image(selection, project),)
    else:
        tag = image.tag
    name = CUDA_IMAGE.format(tag=tag)
    reason = selection.needed_by or "--use-cuda-base-image"
    reference = _mirrored(name, name, options.registry)
    return BaseChoice(reference, reason, True, selection, problems, warnings)


def _why_slim(selection: CudaSelection | None) -> str:
    if selection is None:
        return "the default for a project without a GPU"
    if selection.carrier is None:
        return "no image with CUDA is wanted"
    return f"the wheels of {selection.carrier} bring CUDA along"


def _mirrored(path: str, short: str, registry: str | None) -> str:
    """Return an image's name on a mirror, which has it at the path that Docker Hub has it at."""
    prefix = (registry or "").strip().rstrip("/")
    return f"{prefix}/{path}" if prefix else short
