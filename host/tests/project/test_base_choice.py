"""Which image a project is built on."""

from __future__ import annotations

from pathlib import Path

import pytest

from cogworks.project import Build, ConfigError, Project
from cogworks.project.base_choice import (
    BaseChoice,
    BaseOptions,
    CudaImages,
    choose_base,
    examine_base,
)


def project(*, gpu: bool = True, cuda: str | None = None, version: str = "3.11") -> Project:
    return Project(Path("/p"), Path("/p/cog.yaml"), Build(version, gpu=gpu, cuda=cuda))


def choose(*lines: str, options: BaseOptions | None = None, **keys: str) -> BaseChoice:
    return choose_base(project(**keys), lines, options or BaseOptions())  # type: ignore[arg-type]


def test_a_project_without_a_gpu_gets_an_official_python_image() -> None:
    choice = choose_base(project(gpu=False, version="3.11.4"), ["torch"], BaseOptions())
    assert choice.reference == "python:3.11.4-slim"
    assert not choice.needs_interpreter
    assert choice.reason == "the default for a project without a GPU"


def test_wheels_that_bring_cuda_need_none_in_the_image() -> None:
    choice = choose("torch==2.5.1")
    assert (choice.reference, choice.needs_interpreter) == ("python:3.11-slim", False)
    assert choice.reason == "the wheels of torch bring CUDA along"
    assert choice.cuda is not None
    assert choice.cuda.cuda == "12.4"


def test_what_needs_cuda_gets_an_image_that_has_it() -> None:
    choice = choose("tensorflow==2.15.0")
    assert choice.reference == "nvidia/cuda:12.2.2-cudnn8-devel-ubuntu22.04"
    assert choice.needs_interpreter
    assert choice.reason == "tensorflow uses the CUDA of the image"
    assert choose().reference == "nvidia/cuda:12.8.1-cudnn-devel-ubuntu24.04"
    assert choose(cuda="11.8").reference == "nvidia/cuda:11.8.0-cudnn8-devel-ubuntu22.04"


def test_the_user_may_want_cuda_in_the_image_always_or_never() -> None:
    always = choose("torch==2.5.1", options=BaseOptions(cuda_images=CudaImages.ALWAYS))
    assert always.reference == "nvidia/cuda:12.4.1-cudnn-devel-ubuntu22.04"
    assert (always.needs_interpreter, always.reason) == (True, "--use-cuda-base-image")
    never = choose("tensorflow==2.15.0", options=BaseOptions(cuda_images=CudaImages.NEVER))
    assert (never.reference, never.needs_interpreter) == ("python:3.11-slim", False)
    cpu = choose_base(project(gpu=False), [], BaseOptions(cuda_images=CudaImages.ALWAYS))
    assert cpu.reference == "python:3.11-slim"


def test_a_named_image_comes_before_everything() -> None:
    options = BaseOptions(given="mine.example/base:1", registry="mirror.example")
    assert choose("tensorflow==2.15.0", options=options).reference == "mine.example/base:1"


def test_the_option_comes_before_the_key() -> None:
    build = Build("3.11", base_image="mine.example/base:2")
    keyed = Project(Path("/p"), Path("/p/cog.yaml"), build)
    choice = choose_base(keyed, [], BaseOptions())
    assert (choice.reference, choice.reason) == ("mine.example/base:2", "build.base_image")
    assert choose_base(keyed, [], BaseOptions("other:1")).reference == "other:1"


@pytest.mark.parametrize(
    "prefix", ["mirror.example/hub", "mirror.example/hub/", " mirror.example/hub "]
)
def test_a_mirror_has_the_images_at_the_paths_of_docker_hub(prefix: str) -> None:
    options = BaseOptions(registry=prefix)
    assert choose("torch==2.5.1", options=options).reference == (
        "mirror.example/hub/library/python:3.11-slim"
    )
    assert choose(options=options).reference == (
        "mirror.example/hub/nvidia/cuda:12.8.1-cudnn-devel-ubuntu24.04"
    )


def test_a_pair_without_an_image_is_an_error_that_lists_what_there_is() -> None:
    with pytest.raises(ConfigError) as caught:
        choose(cuda="12.7")
    message = str(caught.value)
    assert message.startswith("cog.yaml:1: build.gpu: no matching base image for CUDA 12.7; ")
    assert "11.8, 12.0, 12.1" in message
    build = Build("3.11", gpu=True, cuda="12.3", cudnn="8")
    other = Project(Path("/p"), Path("/p/cog.yaml"), build, lines={"build.cuda": 5})
    with pytest.raises(ConfigError) as caught:
        choose_base(other, [], BaseOptions())
    assert str(caught.value) == (
        "cog.yaml:5: build.cuda: no matching base image for CUDA 12.3 and CuDNN 8; "
        "CUDA 12.3 comes with CuDNN 9"
    )


def test_problems_are_told_once_and_all_together() -> None:
    choice = examine_base(project(), ["torch==2.5.7"], BaseOptions())
    assert [one.key for one in choice.problems] == ["build.gpu"]
    with pytest.raises(ConfigError):
        choose("torch==2.5.7")


def test_a_named_image_does_not_hide_problems() -> None:
    with pytest.raises(ConfigError, match="torch version must be specified"):
        choose("torch", options=BaseOptions(given="mine.example/base:1"))
