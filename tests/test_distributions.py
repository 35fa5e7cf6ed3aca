"""What a user gets: the wheels hold their package and nothing else, and ``pip install`` gives a working ``cog``."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.network]

PACKAGES = {"sdk": "cog", "host": "cogworks"}


def run(*command: str | Path, cwd: Path) -> str:
    """Run a command that has to succeed; a failure shows what it printed."""
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module", params=sorted(PACKAGES))
def built(
    request: pytest.FixtureRequest, root: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path]:
    """A distribution's name and the directory with its sdist, and the wheel that was built from that sdist."""
    name: str = request.param
    directory = tmp_path_factory.mktemp(name)
    uv = Path(sys.executable).with_name("uv")
    run(uv, "build", "--quiet", "--out-dir", directory, root / name, cwd=directory)
    return name, directory


def only(directory: Path, pattern: str) -> Path:
    (found,) = directory.glob(pattern)
    return found


def test_a_wheel_holds_its_package_and_nothing_else(built: tuple[str, Path]) -> None:
    name, directory = built
    with zipfile.ZipFile(only(directory, "*.whl")) as wheel:
        files = wheel.namelist()
    tops = {file.split("/")[0] for file in files}
    assert {top for top in tops if not top.endswith(".dist-info")} == {PACKAGES[name]}
    assert f"{PACKAGES[name]}/py.typed" in files
    assert any(file.endswith(".dist-info/licenses/LICENSE") for file in files)


def test_a_wheel_holds_every_module_of_the_sources(built: tuple[str, Path], root: Path) -> None:
    name, directory = built
    with zipfile.ZipFile(only(directory, "*.whl")) as wheel:
        files = {file for file in wheel.namelist() if file.endswith(".py")}
    source = root / name / "src"
    assert files == {path.relative_to(source).as_posix() for path in source.rglob("*.py")}


def test_an_sdist_holds_no_tests_and_no_caches(built: tuple[str, Path]) -> None:
    _, directory = built
    with tarfile.open(only(directory, "*.tar.gz")) as sdist:
        inside = {member.name.partition("/")[2] for member in sdist if member.isfile()}
    tops = {file.split("/")[0] for file in inside}
    # The builder takes along what git ignores, so that a wheel from the sdist leaves out the same.
    assert tops - {".gitignore"} == {"LICENSE", "PKG-INFO", "README.md", "pyproject.toml", "src"}
    assert not any("__pycache__" in file for file in inside)


def test_pip_install_of_both_gives_a_working_cog(root: Path, tmp_path: Path) -> None:
    for name in PACKAGES:
        shutil.copytree(root / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    environment = tmp_path / "venv"
    venv.create(environment, with_pip=True)
    pip: list[str | Path] = [environment / "bin" / "python", "-m", "pip", "--quiet", "install"]
    run(*pip, tmp_path / "sdk", tmp_path / "host", cwd=tmp_path)
    cog = environment / "bin" / "cog"
    version = (root / "VERSION").read_text(encoding="utf-8").strip()
    assert version in run(cog, "--version", cwd=tmp_path)
    assert "run" in run(cog, "--help", cwd=tmp_path)
    # The SDK works by itself, as in a model's environment.
    code = "import cog; print(cog.__version__)"
    assert run(environment / "bin" / "python", "-c", code, cwd=tmp_path).strip() == version
