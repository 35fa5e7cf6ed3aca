"""Which folder of PyTorch's index a project gets its build from."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cogworks.project import Build, Project
from cogworks.project.compatibility import TorchBuild, numbers, torch_builds
from cogworks.project.cuda import select_cuda
from cogworks.project.named_packages import named_packages
from cogworks.project.torch_builds import choose_folder, names_torch_index


def folder(*lines: str, gpu: bool = True, cuda: str | None = None) -> str | None:
    packages = named_packages(lines, (3, 11))
    build = Build("3.11", gpu=gpu, cuda=cuda)
    selection = select_cuda(Project(Path("/p"), Path("/p/cog.yaml"), build), packages)
    return choose_folder(packages, selection, cuda)


@pytest.mark.parametrize("line", ["torch", "torch==2.5.1", "torch==99.0", "numpy", "torch>=2"])
def test_a_project_without_a_gpu_gets_builds_for_cpus(line: str) -> None:
    assert folder(line, gpu=False) == "cpu"


@pytest.mark.parametrize(
    ("lines", "cuda", "expected"),
    [
        (["torch==2.5.1"], None, "cu124"),
        (["torch==2.5.1"], "12.1", "cu121"),
        (["torch==2.5.1"], "12.3.2", "cu121"),
        (["torch==2.5.1"], "13.0", "cu124"),
        (["torch==2.10.0"], "12.9", "cu128"),
        (["torchvision==0.20.1"], "12.1", "cu121"),
        (["torchaudio==2.5.1"], "12.1", "cu121"),
        (["torch==1.13.1", "torchvision==0.14.1"], "11.6", "cu116"),
        (["torch"], "12.4", "cu124"),
        (["torch"], "12.5", "cu124"),
        # As the package index has it: nothing in the table fits.
        (["torch==2.5.1"], "11.7", None),
        (["torch==99.0"], None, None),
        (["torch==99.0"], "13.0", None),
        (["torch==2.0.1"], "11.7", None),
        (["timm"], None, None),
    ],
)
def test_a_gpu_project_gets_the_newest_build_that_its_cuda_runs(
    lines: list[str], cuda: str | None, expected: str | None
) -> None:
    assert folder(*lines, cuda=cuda) == expected


@pytest.mark.parametrize("gpu", [False, True])
def test_a_suffix_is_what_its_author_wants(gpu: bool) -> None:
    assert folder("torch==2.0.1+cu118", gpu=gpu) == "cu118"
    assert folder("torch==99.0+cu132", gpu=gpu) == "cu132"
    assert folder("torch==2.0.1+cpu", gpu=gpu) == "cpu"
    assert folder("torchvision==0.15.2+cu118", gpu=gpu) == "cu118"
    assert folder("torch==2.0.1+mine", gpu=False) == "cpu"


def test_every_build_of_the_table_is_found_again_by_its_cuda() -> None:
    for build in torch_builds():
        if build.cuda is not None and numbers(build.cuda) >= (11, 0):
            release = build.torch.partition("+")[0]
            assert folder(f"torch=={release}", cuda=build.cuda) == build.folder, build


@given(st.sampled_from(torch_builds()), st.from_regex(r"1[1-4]\.[0-9]{1,2}", fullmatch=True))
def test_a_build_never_needs_a_newer_cuda_than_the_project_has(
    build: TorchBuild, cuda: str
) -> None:
    name = folder(f"torch=={build.torch.partition('+')[0]}", cuda=cuda)
    if name is not None:
        digits = name.removeprefix("cu")
        assert numbers(f"{digits[:-1]}.{digits[-1]}") <= numbers(cuda)


def test_indexes_of_pytorch_are_known_by_their_folder() -> None:
    for url in ("https://m.example/whl/cpu", "https://m.example/cu121/", "x pt=https://y/rocm6.1"):
        assert names_torch_index([url])
    for url in ("", "https://m.example/simple", "https://m.example/cpus/", "https://cpu.example/"):
        assert not names_torch_index([url])
