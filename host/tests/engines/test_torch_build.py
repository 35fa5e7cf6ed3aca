"""Builds of PyTorch that requirements name, where package indexes do not have them."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cogworks.engines.errors import ResolutionError
from cogworks.engines.inputs import collect_inputs
from cogworks.engines.local import check_requirements, ensure_environment
from cogworks.engines.store import MARKER
from cogworks.engines.torch_build import with_named_build
from cogworks.project import Build, Project
from cogworks.project.torch_builds import INDEX, without_build
from host.tests.build.test_torch_index import write_index

VERSION = ".".join(platform.python_version_tuple()[:2])
NO_PIP = {"PIP_CONFIG_FILE": "/dev/null"}


@dataclass
class Lines:
    """A display that keeps the lines."""

    lines: list[str] = field(default_factory=list[str])

    def stage(self, text: str) -> None:
        pass

    def line(self, text: str) -> None:
        self.lines.append(text)

    def done(self, text: str) -> None:
        pass


def project(folder: Path, *lines: str) -> Project:
    folder.mkdir(exist_ok=True)
    listed = folder / "requirements.txt"
    listed.write_text("".join(f"{line}\n" for line in lines))
    return Project(folder, folder / "cog.yaml", Build(VERSION, requirements_file=listed))


def options_of(made: Project, system: str = "linux", **variables: str) -> tuple[str, ...] | None:
    environment = {**NO_PIP, **variables}
    inputs = collect_inputs(made, VERSION, environment)
    other = with_named_build(made, inputs, environment, system)
    return None if other is None else other.inputs.requirements.options


def test_linux_looks_in_pytorchs_index(tmp_path: Path) -> None:
    made = project(tmp_path, "torch==2.5.1+cu121")
    assert options_of(made) == (f"--extra-index-url {INDEX}/cu121",)
    mirror = options_of(made, COG_PYTORCH_INDEX="https://m.example/pt")
    assert mirror == ("--extra-index-url https://m.example/pt/cu121",)


@pytest.mark.parametrize(
    ("lines", "variables"),
    [
        (["torch==2.5.1"], {}),
        (["torch"], {}),
        (["torch==2.5.1+cpu"], {"COG_PYTORCH_INDEX": "off"}),
        (["torch==2.5.1+cpu"], {"UV_TORCH_BACKEND": "auto"}),
        (["torch==2.5.1+cpu"], {"UV_OFFLINE": "1"}),
        (["torch==2.5.1+cpu", "--extra-index-url https://m.example/cpu"], {}),
    ],
)
def test_nothing_else_is_tried_where_that_is_no_question(
    tmp_path: Path, lines: list[str], variables: dict[str, str]
) -> None:
    assert options_of(project(tmp_path, *lines), **variables) is None


def test_other_systems_leave_the_build_out(tmp_path: Path) -> None:
    made = project(tmp_path, "torch==2.5.1+cu121 ; python_version > '3'", "six==1.0+local")
    inputs = collect_inputs(made, VERSION, NO_PIP)
    other = with_named_build(made, inputs, NO_PIP, "darwin")
    assert other is not None
    assert other.inputs.requirements.lines == (
        "torch==2.5.1 ; python_version > '3'",
        "six==1.0+local",
    )
    assert other.inputs.key == inputs.key


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("torch==2.5.1+cu121", "torch==2.5.1"),
        ("torchvision == 0.20.1+cpu --hash=sha256:a", "torchvision == 0.20.1 --hash=sha256:a"),
        ("torch==2.5.1+cu121.with.pypi", "torch==2.5.1+cu121.with.pypi"),
        ("torchmetrics==1.0+cpu", "torchmetrics==1.0+cpu"),
        ("torch==2.5.1", "torch==2.5.1"),
    ],
)
def test_the_build_is_cut_from_a_version(line: str, expected: str) -> None:
    assert without_build(line) == expected


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="PyTorch has one build on other systems")
def test_an_environment_is_made_from_it_and_made_again(tmp_path: Path) -> None:
    variables = {
        **NO_PIP,
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "UV_CACHE_DIR": str(tmp_path / "uv-cache"),
        "UV_DEFAULT_INDEX": write_index(
            tmp_path / "usual", ("torch", "2.5.1", ["numpy"]), ("numpy", "2.0", [])
        ),
        "COG_PYTORCH_INDEX": (tmp_path / "whl").as_uri(),
    }
    write_index(tmp_path / "whl" / "cu121", ("torch", "2.5.1+cu121", ["numpy"]), ("numpy", "1", []))
    made, told = project(tmp_path / "project", "torch==2.5.1+cu121"), Lines()

    def ensure(cache: str) -> list[str]:
        environment = ensure_environment(
            made, cache_dir=tmp_path / cache, progress=told, environment=variables
        )
        found = environment.directory.rglob("*.dist-info")
        return sorted(path.name for path in found if path.name.startswith(("torch", "numpy")))

    expected = ["numpy-2.0.dist-info", "torch-2.5.1+cu121.dist-info"]
    assert ensure("cache") == expected
    url = f"{variables['COG_PYTORCH_INDEX']}/cu121"
    assert f"Looking for PyTorch's build cu121 in {url}" in told.lines
    # The environment is gone, and what it was resolved to is still known.
    for path in (tmp_path / "cache" / "envs").glob(f"*/{MARKER}"):
        path.unlink()
    assert ensure("cache") == expected

    variables["COG_PYTORCH_INDEX"] = (tmp_path / "none").as_uri()
    with pytest.raises(ResolutionError, match="which did not help"):
        check_requirements(made, cache_dir=tmp_path / "other", progress=told, environment=variables)
