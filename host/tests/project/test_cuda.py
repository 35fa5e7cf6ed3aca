"""Which CUDA and cuDNN are selected, and what is said of a selection that does not fit."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cogworks.project import Build, Project
from cogworks.project.compatibility import find_image, tensorflow_builds, torch_builds
from cogworks.project.cuda import CudaSelection, select_cuda, torch_cudas
from cogworks.project.named_packages import named_packages

LINES = {"build.gpu": 2, "build.cuda": 3, "build.cudnn": 4}


def project(cuda: str | None = None, cudnn: str | None = None, *, gpu: bool = True) -> Project:
    build = Build("3.11", gpu=gpu, cuda=cuda, cudnn=cudnn)
    given = {key: line for key, line in LINES.items() if getattr(build, key.removeprefix("build."))}
    return Project(Path("/p"), Path("/p/cog.yaml"), build, lines=given)


def select(*lines: str, cuda: str | None = None, cudnn: str | None = None) -> CudaSelection:
    selection = select_cuda(project(cuda, cudnn), named_packages(lines, (3, 11)))
    assert selection is not None
    return selection


def texts(selection: CudaSelection) -> tuple[list[str], list[str]]:
    return (
        [problem.render("cog.yaml") for problem in selection.problems],
        [warning.render("cog.yaml") for warning in selection.warnings],
    )


def test_a_project_without_a_gpu_gets_none() -> None:
    assert select_cuda(project(gpu=False), named_packages(["torch==2.5.1"], (3, 11))) is None


@pytest.mark.parametrize(
    ("lines", "cuda", "cudnn", "carrier"),
    [
        (["torch==2.5.1"], "12.4", "9", "torch"),
        (["torch==2.5"], "12.4", "9", "torch"),
        (["torch==2.5.1+cu118"], "11.8", "8", "torch"),
        (["torch==2.13.0+cu132"], "13.2", "9", "torch"),
        (["torch==2.0.1"], "11.8", "8", "torch"),
        (["torch==2.5.1", "onnxruntime-gpu"], "12.4", "9", None),
        (["torch==2.5.1", "onnxruntime-gpu[cuda,cudnn]"], "12.4", "9", "torch"),
        (["timm"], "12.8", "9", "torch"),
        (["tensorflow==2.15.0"], "12.2", "8", None),
        (["tensorflow==2.15.1"], "12.2", "8", None),
        (["tensorflow-gpu==2.11.1"], "11.2", "8", None),
        (["tensorflow==2.15.0", "torch==2.5.1"], "12.2", "8", None),
        (["tensorflow[and-cuda]==2.17.1"], "12.3", "8", "tensorflow[and-cuda]"),
        (["tensorflow[and-cuda]"], "12.8", "9", "tensorflow[and-cuda]"),
        (["tensorflow[and-cuda]==2.13.0"], "11.8", "8", None),
        (["jax[cuda12]"], "12.8", "9", "jax[cuda12]"),
        (["jax[cuda13]"], "13.0", "9", "jax[cuda13]"),
        (["jax[cuda12-local]"], "12.8", "9", None),
        (["jax"], "12.8", "9", None),
        ([], "12.8", "9", None),
        (["onnxruntime-gpu==1.16.3"], "11.8", "8", None),
        (["onnxruntime-gpu==1.20.0"], "12.8", "9", None),
        (["cupy-cuda11x"], "11.8", "8", None),
        (["nvidia-cudnn-cu13"], "13.0", "9", None),
    ],
)
def test_what_a_project_asks_for_decides(
    lines: list[str], cuda: str, cudnn: str, carrier: str | None
) -> None:
    selection = select(*lines)
    assert (selection.cuda, selection.cudnn, selection.carrier) == (cuda, cudnn, carrier)
    assert texts(selection) == ([], [])


def test_torch_without_a_version_needs_a_cuda() -> None:
    problems, _ = texts(select("torch>=2"))
    assert problems == [
        "cog.yaml:2: build.gpu: torch version must be specified when using CUDA: "
        "pin it (torch==X.Y.Z), or set build.cuda"
    ]
    assert texts(select("torch>=2", cuda="12.4")) == ([], [])
    assert texts(select("tensorflow"))[0][0].startswith(
        "cog.yaml:2: build.gpu: tensorflow version must be specified when using CUDA"
    )


def test_an_unknown_release_needs_a_cuda() -> None:
    problems, _ = texts(select("torch==2.5.7"))
    assert "cog doesn't know what CUDA version is compatible with torch==2.5.7. " in problems[0]
    assert texts(select("torch==2.5.7", cuda="12.4")) == ([], [])
    problems, _ = texts(select("tensorflow==2.99.0"))
    assert "doesn't know what CUDA version is compatible with tensorflow==2.99.0." in problems[0]
    assert texts(select("tensorflow==2.99.0", cuda="12.4")) == ([], [])
    assert texts(select("tensorflow[and-cuda]==2.99.0")) == ([], [])


def test_a_release_newer_than_the_table_is_taken_with_a_warning() -> None:
    selection = select("torch==99.0")
    assert (selection.problems, selection.carrier) == ((), "torch")
    assert "the build that the package index has is taken" in selection.warnings[0].message


def test_a_cuda_that_torch_has_no_build_for_is_warned_of_with_the_nearest() -> None:
    _, warnings = texts(select("torch==2.10.0", cuda="12.9"))
    assert warnings == [
        "cog.yaml:3: build.cuda: CUDA 12.9 might not be compatible with torch==2.10.0, which has builds "
        "for CUDA 12.6, 12.8, 13.0. Try 12.8 instead?"
    ]
    assert "Try 12.6 instead?" in texts(select("torch==2.10.0", cuda="11.8"))[1][0]
    assert texts(select("torch==2.10.0", cuda="12.8.1")) == ([], [])


def test_suggestions_are_sorted_as_numbers() -> None:
    assert torch_cudas("2.1.0") == ["11.8", "12.1"]
    assert torch_cudas("2.11.0") == ["12.6", "12.8", "12.9", "13.0"]


def test_builds_for_a_cuda_that_no_image_has_do_not_count() -> None:
    assert torch_cudas("1.11.0") == ["11.3"]


def test_a_cpu_build_in_a_gpu_project_is_warned_of() -> None:
    assert "torch==2.5.1+cpu is a build for CPUs" in texts(select("torch==2.5.1+cpu"))[1][0]


def test_another_major_version_than_tensorflows_is_an_error() -> None:
    problems, warnings = texts(select("tensorflow==2.15.0", cuda="11.8"))
    assert problems == [
        "cog.yaml:3: build.cuda: CUDA 11.8 is not compatible with tensorflow==2.15.0; "
        "compatible CUDA versions are: 12.2"
    ]
    assert warnings == []


def test_another_minor_version_than_tensorflows_is_warned_of_and_the_same_is_not() -> None:
    problems, warnings = texts(select("tensorflow==2.15.0", cuda="12.1"))
    assert problems == []
    assert warnings == [
        "cog.yaml:3: build.cuda: CUDA 12.1 might not be compatible with tensorflow==2.15.0, which was "
        "built with CUDA 12.2. Try 12.2 instead?"
    ]
    assert texts(select("tensorflow==2.15.0", cuda="12.2")) == ([], [])
    assert texts(select("tensorflow==2.15.0", cuda="12.2.2")) == ([], [])


def test_another_cudnn_than_tensorflows_is_an_error() -> None:
    problems, _ = texts(select("tensorflow==2.15.0", cudnn="9"))
    assert problems == [
        "cog.yaml:4: build.cudnn: cuDNN 9 is not compatible with tensorflow==2.15.0; "
        "compatible CuDNN versions are: 8"
    ]
    assert texts(select("tensorflow==2.15.0", cudnn="8.9")) == ([], [])


@pytest.mark.parametrize("version", ["2.16.1", "2.16.2", "2.17.0"])
@pytest.mark.parametrize("cuda", [None, "12.3"])
def test_a_release_whose_pair_has_no_image_gets_the_nearest(version: str, cuda: str | None) -> None:
    selection = select(f"tensorflow=={version}", cuda=cuda)
    assert (selection.cuda, selection.cudnn, selection.problems) == ("12.2", "8", ())
    assert "require tensorflow[and-cuda]" in selection.warnings[0].message


def test_every_known_release_is_selected_without_a_problem() -> None:
    for build in tensorflow_builds():
        selection = select(f"tensorflow=={build.tensorflow}")
        assert selection.problems == ()
        assert find_image(selection.cuda, selection.cudnn) is not None, build
    for row in torch_builds():
        if row.cuda is not None:
            assert select(f"torch=={row.torch}").problems == (), row


VERSIONS = st.from_regex(r"[0-9]{1,2}(\.[0-9]{1,2}){1,2}(\+(cpu|cu[0-9]{3}))?", fullmatch=True)
CUDAS = st.none() | st.from_regex(r"1[1-4]\.[0-9]{1,2}(\.[0-9])?", fullmatch=True)


@given(
    st.lists(st.sampled_from(["torch", "tensorflow", "jax[cuda12]", "timm"])),
    VERSIONS,
    CUDAS,
    st.sampled_from([None, "8", "9"]),
)
def test_any_project_is_answered_in_whole_sentences(
    names: list[str], version: str, cuda: str | None, cudnn: str | None
) -> None:
    selection = select(*(f"{name}=={version}" for name in names), cuda=cuda, cudnn=cudnn)
    for one in (*selection.problems, *selection.warnings):
        assert one.line in LINES.values()
        assert "None" not in one.message
