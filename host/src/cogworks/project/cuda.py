"""Which CUDA and cuDNN a GPU project gets, and whether its wheels bring them along or the image has to have them.

TensorFlow decides before PyTorch, both before the default; what cog.yaml says is checked against them. A wheel that
brings CUDA along needs none in the image: then the version only says which build of PyTorch is meant.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cogworks.project.compatibility import (
    TensorFlowBuild,
    cuda_images,
    cudnn_for_cuda,
    find_image,
    is_same_release,
    is_same_version,
    minor_of,
    numbers,
    tensorflow_builds,
    torch_builds,
)
from cogworks.project.errors import Problem
from cogworks.project.model import Project
from cogworks.project.named_packages import NamedPackage

DEFAULT_CUDA = {11: "11.8", 12: "12.8", 13: "13.0"}
"""The CUDA of a major version for whoever names no minor: the last one of 11, and for 12 and 13 the oldest that knows
every GPU up to Blackwell."""
DEFAULT_MAJOR = 12
"""Runs on every driver since 525 (2022); CUDA 13 asks for 580."""

TENSORFLOW_WITH_CUDA = (2, 14)
"""The first release that has the extra `and-cuda`."""
ONNXRUNTIME_WITH_CUDA_12 = (1, 19)
"""The first `onnxruntime-gpu` of the package indexes that is built for CUDA 12."""

_BRING_TORCH = (
    *("accelerate", "easyocr", "kornia", "lightning", "open-clip-torch", "openai-whisper", "peft"),
    *("pytorch-lightning", "sentence-transformers", "timm", "torchaudio", "torchvision", "trl"),
    *("ultralytics", "vllm"),
)
"""Packages that require PyTorch, so that a project which names only them gets its wheels too."""
_NEED_TOOLKIT = ("cupy", "deepspeed", "flash-attn", "onnxruntime-gpu")
"""Packages that use the CUDA, or the compilers, of the image even where PyTorch brings its own."""


@dataclass(frozen=True, slots=True)
class CudaSelection:
    """What was selected; with problems it cannot be used.

    Attributes:
        cuda: as cog.yaml has it, or major.minor.
        carrier: what brings CUDA along as wheels (`torch`); None if the image has to have it.
        needed_by: what asks for CUDA in the image, for people.
    """

    cuda: str
    cudnn: str | None
    carrier: str | None = None
    needed_by: str = ""
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


def select_cuda(project: Project, packages: Mapping[str, NamedPackage]) -> CudaSelection | None:
    """Return the CUDA and cuDNN of a project, with everything that is wrong or doubtful; None without a GPU."""
    if not project.build.gpu:
        return None
    return _Selector(project, packages).select()


@dataclass(slots=True)
class _Selector:
    project: Project
    packages: Mapping[str, NamedPackage]
    problems: list[Problem] = field(default_factory=list[Problem])
    warnings: list[Problem] = field(default_factory=list[Problem])

    def select(self) -> CudaSelection:
        tensorflow = self._find("tensorflow", "tensorflow-gpu")
        torch = self._find("torch")
        jax = self._find("jax")
        if tensorflow is not None:
            return self._for_tensorflow(tensorflow)
        if torch is not None:
            return self._for_torch(torch)
        if any(name in self.packages for name in _BRING_TORCH):
            return self._made(self.project.build.cuda or self._default(), None, *self._from_torch())
        cuda_extras = sorted(one for one in jax.extras if one.startswith("cuda")) if jax else []
        if cuda_extras:
            return self._for_jax(cuda_extras[0])
        return self._without_framework()

    def _find(self, *names: str) -> NamedPackage | None:
        return next((self.packages[name] for name in names if name in self.packages), None)

    # TensorFlow

    def _for_tensorflow(self, package: NamedPackage) -> CudaSelection:
        has_own = "and-cuda" in package.extras
        if package.version is not None:
            has_own = has_own and numbers(package.version) >= TENSORFLOW_WITH_CUDA
        carrier = f"{package.name}[and-cuda]" if has_own else None
        needed = f"{package.name} uses the CUDA of the image"
        row = _tensorflow_row(package.version)
        given = self.project.build.cuda
        if row is None:
            if given is None and carrier is None:
                self._unknown("tensorflow", package.version)
            return self._made(given or self._default(), self.project.build.cudnn, carrier, needed)
        self._check_tensorflow(row, package)
        cudnn = row.cudnn.split(".")[0]
        cuda = given or row.cuda
        if carrier is None and minor_of(cuda) == row.cuda and find_image(cuda, cudnn) is None:
            cuda = self._nearest(row, cudnn)
        return self._made(cuda, cudnn, carrier, needed)

    def _check_tensorflow(self, row: TensorFlowBuild, package: NamedPackage) -> None:
        build = self.project.build
        title = f"tensorflow=={package.version}"
        if build.cuda is not None and numbers(build.cuda)[0] != numbers(row.cuda)[0]:
            message = f"CUDA {build.cuda} is not compatible with {title}"
            self._complain("build.cuda", f"{message}; compatible CUDA versions are: {row.cuda}")
        elif build.cuda is not None and minor_of(build.cuda) != row.cuda:
            self._warn(
                "build.cuda",
                f"CUDA {build.cuda} might not be compatible with {title}, which was built with "
                f"CUDA {row.cuda}. Try {row.cuda} instead?",
            )
        major = row.cudnn.split(".")[0]
        if build.cudnn is not None and build.cudnn.split(".")[0] != major:
            message = f"cuDNN {build.cudnn} is not compatible with {title}"
            self._complain("build.cudnn", f"{message}; compatible CuDNN versions are: {major}")

    def _nearest(self, row: TensorFlowBuild, cudnn: str) -> str:
        """Return the CUDA of an image that a release runs on which has none of its own, with a warning."""
        major = numbers(row.cuda)[0]
        fitting = sorted(
            {
                minor_of(one.cuda)
                for one in cuda_images()
                if one.cudnn == cudnn and numbers(one.cuda)[0] == major
            },
            key=numbers,
        )
        older = [one for one in fitting if numbers(one) <= numbers(row.cuda)]
        cuda = older[-1] if older else (fitting[0] if fitting else row.cuda)
        if fitting:
            self._warn(
                "build.gpu",
                f"tensorflow {row.tensorflow} was built with CUDA {row.cuda} and cuDNN {cudnn}, for which "
                f"there is no image; the nearest one has CUDA {cuda}. For exactly what it was built with, "
                "require tensorflow[and-cuda], whose wheels bring it along",
            )
        return cuda

    # PyTorch

    def _for_torch(self, package: NamedPackage) -> CudaSelection:
        given = self.project.build.cuda
        version, _, suffix = (package.version or "").partition("+")
        if suffix == "cpu":
            self._warn("build.gpu", f"torch=={package.version} is a build for CPUs; it uses no GPU")
        known = torch_cudas(version) if version else []
        if suffix.startswith("cu"):
            cuda = given or _cuda_of_suffix(suffix)
        elif not version and given is None:
            message = "torch version must be specified when using CUDA"
            self._complain("build.gpu", f"{message}: pin it (torch==X.Y.Z), or set build.cuda")
            cuda = self._default()
        elif not known and given is None:
            cuda = self._cuda_of_unknown_torch(version)
        else:
            cuda = given or known[-1]
        if given is not None and known and minor_of(given) not in known:
            self._warn(
                "build.cuda",
                f"CUDA {given} might not be compatible with torch=={version}, which has builds for CUDA "
                f"{', '.join(known)}. Try {_nearest_of(given, known)} instead?",
            )
        return self._made(cuda, None, *self._from_torch())

    def _cuda_of_unknown_torch(self, version: str) -> str:
        """Return a CUDA for a release that no table has: newer ones are taken as package indexes have them."""
        newest = torch_builds()[-1].torch
        if numbers(version) <= numbers(newest):
            self._unknown("torch", version)
        else:
            self._warn(
                "build.gpu",
                f"cog doesn't know what CUDA version is compatible with torch=={version}: the build that "
                "the package index has is taken. Upgrade Cogworks, or set build.cuda to choose",
            )
        return self._default()

    def _from_torch(self) -> tuple[str | None, str]:
        """Return what brings CUDA along, and what needs it in the image, where PyTorch is used."""
        needs = self._who_needs_toolkit()
        return (None, f"{needs} uses the CUDA of the image") if needs else ("torch", "")

    # JAX, and nothing

    def _for_jax(self, extra: str) -> CudaSelection:
        digits = [int(one) for one in DEFAULT_CUDA if str(one) in extra]
        major = digits[0] if digits else DEFAULT_MAJOR
        is_local = "local" in extra
        cuda = self.project.build.cuda or DEFAULT_CUDA[major]
        needed = f"jax[{extra}] uses the CUDA of the image" if is_local else ""
        return self._made(cuda, None, None if is_local else f"jax[{extra}]", needed)

    def _without_framework(self) -> CudaSelection:
        cuda = self.project.build.cuda or self._default()
        needed = self._who_needs_toolkit()
        said = f"{needed} uses the CUDA of the image" if needed else "build.gpu is set"
        return self._made(cuda, None, None, said)

    def _default(self) -> str:
        """Return the CUDA for packages of which no table tells: some have it in their name."""
        for name in sorted(self.packages):
            for major, cuda in DEFAULT_CUDA.items():
                if name.endswith((f"-cu{major}", f"-cuda{major}x", f"-cuda{major}")):
                    return cuda
        onnx = self.packages.get("onnxruntime-gpu")
        is_old = onnx is not None and onnx.version is not None
        if is_old and onnx and numbers(onnx.version or "") < ONNXRUNTIME_WITH_CUDA_12:
            return DEFAULT_CUDA[11]
        return DEFAULT_CUDA[DEFAULT_MAJOR]

    def _who_needs_toolkit(self) -> str | None:
        for name, package in sorted(self.packages.items()):
            brings_own = any(extra in package.extras for extra in ("cuda", "cudnn", "ctk"))
            is_built = package.is_located and name == "flash-attn"
            if name.startswith(_NEED_TOOLKIT) and not brings_own and not is_built:
                return name
        return None

    # What all have in common

    def _made(
        self, cuda: str, cudnn: str | None, carrier: str | None, needed: str
    ) -> CudaSelection:
        given = self.project.build.cudnn
        newest = cudnn_for_cuda(cuda)[-1:]
        chosen = (given or cudnn or (newest[0] if newest else "")).split(".")[0] or None
        problems, warnings = tuple(sorted(self.problems)), tuple(sorted(self.warnings))
        return CudaSelection(cuda, chosen, carrier, needed, problems, warnings)

    def _unknown(self, name: str, version: str | None) -> None:
        if version is None:
            message = f"{name} version must be specified when using CUDA"
            self._complain("build.gpu", f"{message}: pin it ({name}==X.Y.Z), or set build.cuda")
            return
        self._complain(
            "build.gpu",
            f"cog doesn't know what CUDA version is compatible with {name}=={version}. "
            "Upgrade Cogworks if it is a new release, or set build.cuda",
        )

    def _complain(self, key: str, message: str) -> None:
        self.problems.append(self._problem(key, message))

    def _warn(self, key: str, message: str) -> None:
        self.warnings.append(self._problem(key, message))

    def _problem(self, key: str, message: str) -> Problem:
        lines = self.project.lines
        return Problem(lines.get(key, lines.get("build.gpu", 1)), key, message)


def torch_cudas(version: str) -> list[str]:
    """Return the CUDA versions (major.minor) that a release of PyTorch has builds for, oldest first.

    Those that no image has are left out.
    """
    with_image = {minor_of(image.cuda) for image in cuda_images()}
    found = {
        build.cuda
        for build in torch_builds()
        if is_same_release(build.torch, version) and build.cuda in with_image
    }
    return sorted(found, key=numbers)


def missing_image(selection: CudaSelection, project: Project) -> Problem:
    """Return the problem of a selection that no image has; it lists what there is instead."""
    cuda, cudnn = selection.cuda, selection.cudnn
    said = f"no matching base image for CUDA {cuda} and CuDNN {cudnn}"
    if cudnn is None:
        said = f"no matching base image for CUDA {cuda}"
    others = cudnn_for_cuda(cuda)
    if others:
        hint = f"CUDA {cuda} comes with CuDNN {', '.join(others)}"
    else:
        known = sorted({minor_of(one.cuda) for one in cuda_images()}, key=numbers)
        hint = f"there are images of CUDA {', '.join(known)}"
    key = "build.cuda" if "build.cuda" in project.lines else "build.gpu"
    return Problem(project.lines.get(key, 1), key, f"{said}; {hint}")


def _tensorflow_row(version: str | None) -> TensorFlowBuild | None:
    """Return the row of a release; a patch release has that of its minor."""
    if version is None:
        return None
    rows = tensorflow_builds()
    exact = (one for one in rows if is_same_release(one.tensorflow, version))
    minor = (one for one in rows if is_same_version(minor_of(version), one.tensorflow))
    return next(exact, None) or next(minor, None)


def _cuda_of_suffix(suffix: str) -> str:
    """Return the CUDA of a build's suffix: ``12.1`` of ``cu121``."""
    digits = suffix.removeprefix("cu")
    return f"{digits[:-1]}.{digits[-1:]}"


def _nearest_of(given: str, known: Iterable[str]) -> str:
    """Return the newest that is not newer than the given one; else the oldest."""
    ordered = sorted(known, key=numbers)
    older = [one for one in ordered if numbers(one) <= numbers(given)]
    return older[-1] if older else ordered[0]
