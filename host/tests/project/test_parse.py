"""A whole cog.yaml: every rule, every message, and the project that comes out."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cogworks.project.errors import ConfigError
from cogworks.project.model import (
    Build,
    Project,
    RunCommand,
    SecretMount,
    Weight,
    WeightSource,
)
from cogworks.project.parse import Files, parse_project

from .broken import BROKEN, build

HOME = Path("/project")
CONFIG = HOME / "cog.yaml"


class Texts(Files, Protocol):
    texts: dict[Path, str]


class Nothing:
    """A project without any other file."""

    def is_file(self, path: Path) -> bool:
        return False

    def has_dependencies(self, pyproject: Path) -> bool:
        return False


def parse(text: str, files: Files | None = None) -> Project:
    return parse_project(text, CONFIG, files or Nothing())


def problems(text: str, files: Files | None = None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse(text, files)
    return str(caught.value).splitlines()


def test_an_empty_file_is_a_project_with_defaults() -> None:
    project = parse("")
    assert project == Project(HOME, CONFIG)
    assert project.build == Build(python_version="3.13")
    assert project.lines == {}


def test_every_key_arrives(files: Texts) -> None:
    files.texts[HOME / "reqs.txt"] = ""
    project = parse(
        """
build:
  gpu: yes
  python_version: 3.10
  python_requirements: reqs.txt
  system_packages: [ffmpeg, "libgl1"]
  run:
    - echo hello
    - command: pip config set x
      mounts:
        - {type: secret, id: pip, target: /etc/pip.conf}
  cuda: 12.1
  cudnn: 8
  sdk_version: 0.17.0
  base_image: registry.example:5000/bases/python:3.10-slim
  user: app:1000
  weights: ["**/*.bin", models, "!models/readme"]
  lock: true
model: registry.example:5000/user/model
run: src/run.py:Runner
train: train.py:train
environment:
  - A=1
  - B=x=y
  - C=
weights:
  - name: base-model
    target: /weights/base
    source: {uri: ./weights, include: ["*.bin"], exclude: [x/*]}
  - name: second
    target: /weights/second
    source:
      - uri: hf://some/model
""",
        files,
    )
    assert project.build == Build(
        gpu=True,
        python_version="3.10",
        requirements_file=HOME / "reqs.txt",
        system_packages=("ffmpeg", "libgl1"),
        run=(
            RunCommand("echo hello"),
            RunCommand("pip config set x", (SecretMount("pip", "/etc/pip.conf"),)),
        ),
        cuda="12.1",
        cudnn="8",
        sdk_version="0.17.0",
        base_image="registry.example:5000/bases/python:3.10-slim",
        user="app:1000",
        weight_patterns=("**/*.bin", "models", "!models/readme"),
        lock=True,
    )
    assert project.build.python_minor == (3, 10)
    assert project.model == "registry.example:5000/user/model"
    assert (project.run, project.train) == ("src/run.py:Runner", "train.py:train")
    assert project.environment == (("A", "1"), ("B", "x=y"), ("C", ""))
    assert project.weights == (
        Weight("base-model", "/weights/base", (WeightSource("./weights", ("*.bin",), ("x/*",)),)),
        Weight("second", "/weights/second", (WeightSource("hf://some/model"),)),
    )
    assert project.warnings == ()
    assert project.lines["build.run[1].mounts[0].id"] == 11
    assert project.lines["environment[1]"] == 24


def test_deprecated_keys_work_and_warn_with_their_lines() -> None:
    project = parse(
        """\
build:
  python_version: "3.11"
  python_packages: [numpy==2.1.0]
  pre_install: [echo hi]
predict: predict.py:Predictor
concurrency: {max: 4, default_target: 2}
"""
    )
    assert project.run == "predict.py:Predictor"
    assert project.build.python_packages == ("numpy==2.1.0",)
    assert project.build.pre_install == ("echo hi",)
    assert project.concurrency_max == 4
    assert project.warnings == (
        "cog.yaml:3: build.python_packages: deprecated; use build.python_requirements instead",
        "cog.yaml:4: build.pre_install: deprecated; use build.run instead",
        "cog.yaml:5: predict: deprecated; use run instead",
        "cog.yaml:6: concurrency.default_target: this key has no effect",
        "cog.yaml:6: concurrency.max: deprecated; use the @cog.concurrent(max=N) decorator instead",
    )


def test_all_problems_come_at_once_in_the_order_of_the_file() -> None:
    assert problems(
        """\
build:
  gpu: 3
  python_version: 3.6
  system_package: [x]
run: run.py
image: a
model: b
"""
    ) == [
        "cog.yaml:2: build.gpu: expected true or false, found the number 3",
        'cog.yaml:3: build.python_version: "3.6": minimum supported Python version is 3.9',
        "cog.yaml:4: build.system_package: unknown key; did you mean system_packages?",
        "cog.yaml:5: run: \"run.py\": must be in the form 'run.py:Runner'",
        "cog.yaml:7: model: 'model' and 'image' cannot both be set",
    ]


@pytest.mark.parametrize(("text", "expected"), BROKEN)
def test_a_problem_names_line_key_and_reason(text: str, expected: str) -> None:
    assert problems(text) == [f"cog.yaml:{expected}"]


@pytest.mark.parametrize(
    "name",
    [
        *("PATH", "LD_LIBRARY_PATH", "PYTHONPATH", "VIRTUAL_ENV", "PYTHONUNBUFFERED"),
        *("LIBRARY_PATH", "HF_ENDPOINT", "HF_HUB_ENABLE_HF_TRANSFER", "R8_X", "REPLICATE_X"),
        *("CUDA_VISIBLE_DEVICES", "NVIDIA_X", "NV_X", "PGET_X", "KUBERNETES_X"),
    ],
)
def test_reserved_variables_are_refused_without_their_value(name: str) -> None:
    reason = f"environment variable {name} is not allowed: reserved for internal use"
    assert problems(f"environment: [{name}=hunter2]\n") == [f"cog.yaml:1: environment[0]: {reason}"]


def test_a_secret_without_a_name_is_not_shown_whole() -> None:
    secret = "s" * 200
    assert secret not in problems(f"environment: [{secret}]\n")[0]


def test_python_packages_exclude_a_requirements_file(files: Texts) -> None:
    files.texts[HOME / "r.txt"] = ""
    text = build("python_requirements: r.txt\n  python_packages: [six]")
    reason = "only one of python_packages or python_requirements can be set"
    assert problems(text, files) == [f"cog.yaml:4: build.python_packages: {reason}"]


def test_weights_may_not_lie_in_one_another() -> None:
    text = """\
model: m
weights:
  - {name: a, target: /w/a, source: {uri: x}}
  - {name: a, target: /w/a/../a/b, source: {uri: x}}
  - {name: c, target: //w, source: {uri: x}}
  - {name: d, target: /w-other, source: {uri: x}}
"""
    assert problems(text) == [
        'cog.yaml:4: weights[1].name: duplicate weight name "a"',
        'cog.yaml:4: weights[1].target: weight targets must be disjoint; "/w/a" is in line 3',
        'cog.yaml:5: weights[2].target: weight targets must be disjoint; "/w/a" is in line 3',
    ]


@pytest.mark.parametrize(
    "user", ["root", "0", "1000", "1000:1000", "1000620000", "app", "app:1", "1:video", "'1'"]
)
def test_a_user_is_a_name_or_a_number_with_or_without_a_group(user: str) -> None:
    assert parse(build(f"user: {user}")).build.user == user.strip("'")


@pytest.mark.parametrize("version", ["3.9", "3.10", "3.13.1", "3.99", "'3.10'", "!!str 3.10"])
def test_python_versions_from_3_9_on_are_kept_as_written(version: str) -> None:
    expected = version.removeprefix("!!str ").strip("'")
    assert parse(f"build:\n  python_version: {version}\n").build.python_version == expected


@pytest.mark.parametrize("text", ["build:\nrun: a.py:B\n", "build: ~\nrun: a.py:B\nimage: null\n"])
def test_a_key_without_a_value_counts_as_not_given(text: str) -> None:
    assert parse(text) == Project(HOME, CONFIG, run="a.py:B")


@pytest.mark.parametrize("word", ["true", "True", "yes", "on", "TRUE"])
def test_the_words_for_true_that_people_write_are_taken(word: str) -> None:
    assert parse(build(f"gpu: {word}")).build.gpu


def test_windows_line_ends_change_nothing() -> None:
    text = "build:\n  python_version: 3.10\n  run:\n  - echo a\nrun: run.py:Runner\n"
    assert parse(text.replace("\n", "\r\n")) == parse(text)


def test_unknown_cuda_versions_are_left_to_the_build() -> None:
    assert parse(build("cuda: 99.1\n  cudnn: 7")).build.cudnn == "7"


def test_the_name_of_the_file_is_the_one_given() -> None:
    with pytest.raises(ConfigError, match=r"^other\.yaml:1: bild: "):
        parse_project("bild: 1\n", HOME / "other.yaml", Nothing())


class TestRequirementsByConvention:
    """``pyproject.toml`` counts where ``build`` names no packages."""

    def test_a_pyproject_with_a_project_is_used(self, files: Texts) -> None:
        files.texts[HOME / "pyproject.toml"] = "[project]\n"
        assert parse("run: a.py:B\n", files).build.requirements_file == HOME / "pyproject.toml"

    def test_a_pyproject_without_a_project_is_not(self, files: Texts) -> None:
        files.texts[HOME / "pyproject.toml"] = "[tool.ruff]\n"
        assert parse("", files).build.requirements_file is None

    def test_named_packages_come_first(self, files: Texts) -> None:
        files.texts[HOME / "pyproject.toml"] = "[project]\n"
        files.texts[HOME / "r.txt"] = ""
        assert parse(build("python_packages: [six]"), files).build.requirements_file is None
        named = parse(build("python_requirements: r.txt"), files)
        assert named.build.requirements_file == HOME / "r.txt"

    def test_another_toml_file_is_refused(self, files: Texts) -> None:
        files.texts[HOME / "pylock.toml"] = ""
        (problem,) = problems(build("python_requirements: pylock.toml"), files)
        assert problem.endswith("must be a requirements file or a pyproject.toml")

    def test_it_may_be_named(self, files: Texts) -> None:
        files.texts[HOME / "pyproject.toml"] = "[project]\n"
        named = parse(build("python_requirements: pyproject.toml"), files)
        assert named.build.requirements_file == HOME / "pyproject.toml"


def test_a_list_without_end_is_stopped() -> None:
    items = "[" + ", ".join(["*x"] * 200) + "]"
    lines = ["model: m", f"weights: &w {items}".replace("*x", "{source: *x}")]
    text = "x: &x {uri: u, include: [" + ", ".join(["p"] * 200) + "]}\n" + "\n".join(lines) + "\n"
    assert any("the file holds more than 10000 values" in line for line in problems(text))


ALPHABET = st.sampled_from(
    [
        *("build", "python_version", "run", "predict", "environment", "weights", "concurrency"),
        *("max", "name", "target", "source", "uri", "command", "mounts", "gpu", "3.10", "A=1"),
        *(": ", ":", "- ", "\n", "\n  ", "\n    ", "[", "]", "{", "}", ", ", "'", '"', "&a", "*a"),
        *("<<", "~", "true", "|", ">", "#", "!!str ", "%", "\t", "\r", "\x00", "é", "\ufeff"),
    ]
)


@given(st.text() | st.lists(ALPHABET, max_size=30).map("".join))
@example("%YAML 1.1\n---\na: 1\n")
@example("\ufeffa: 1")
@example("a: 1\n...\nb")
@example("&a [*a]")
@example("!!binary x")
@example("0" * 5000)
@example("concurrency: {max: -0000000001}")
@example("build: {python_version: 3.10.1.2}")
@example("%TAG ! tag:x,2000:\n---\n!y z")
def test_any_text_is_a_project_or_a_config_error(text: str) -> None:
    lines = len(text.splitlines()) + 1
    assert all(1 <= line <= lines for line in lines_of_problems(text))


def lines_of_problems(text: str) -> list[int]:
    """Return the lines that are complained about; none when the text is a project."""
    try:
        parse(text)
    except ConfigError as error:
        return [problem.line for problem in error.problems]
    return []
