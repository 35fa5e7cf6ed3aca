"""Finding interpreters among shims, broken programs and wrong versions."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from cogworks.engines.python import Machine

# Every candidate is a process.
pytestmark = pytest.mark.slow


def python(directory: Path, name: str, version: str, answer: str | None = None) -> Path:
    """Write a program that answers as a Python of that version would."""
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = answer or f"{version}\n{path}\n/usr/lib/python/os.py"
    path.write_text(f"#!/bin/sh\ncat <<'END'\n{lines}\nEND\n")
    path.chmod(0o755)
    return path


def machine(tmp_path: Path, *directories: Path) -> Machine:
    path = os.pathsep.join([*map(str, directories), "/usr/bin", "/bin"])
    return Machine({"PATH": path, "PYENV_ROOT": str(tmp_path / "pyenv")})


def test_the_first_on_path_that_has_the_version_is_taken(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    python(first, "python3.77", "3.77.1")
    python(second, "python3.77", "3.77.2")
    found = machine(tmp_path, first, second).find("3.77")
    assert found is not None
    assert (found.version, found.path) == ("3.77.1", first / "python3.77")


def test_a_patch_version_is_met_exactly(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    python(first, "python3.77", "3.77.1")
    python(second, "python3.77", "3.77.11")
    found = machine(tmp_path, first, second).find("3.77.11")
    assert found is not None
    assert found.path == second / "python3.77"
    assert machine(tmp_path, second).find("3.77.1") is None


def test_a_plain_python3_counts_when_it_has_the_version(tmp_path: Path) -> None:
    path = python(tmp_path / "a", "python3", "3.77.1")
    found = machine(tmp_path, tmp_path / "a").find("3.77")
    assert found is not None
    assert found.path == path


@pytest.mark.parametrize(
    "script",
    [
        "#!/bin/sh\necho 'pyenv: python3.77: command not found' >&2\nexit 127\n",
        "#!/bin/sh\nexit 0\n",
        "#!/bin/sh\necho nonsense\n",
        "#!/bin/sh\nkill -9 $$\n",
        "#!/nowhere/at/all\n",
        "",
    ],
)
def test_a_shim_or_a_broken_program_is_passed_over(tmp_path: Path, script: str) -> None:
    broken = python(tmp_path / "shims", "python3.77", "")
    broken.write_text(script)
    good = python(tmp_path / "b", "python3.77", "3.77.1")
    found = machine(tmp_path, broken.parent, good.parent).find("3.77")
    assert found is not None
    assert found.path == good


def test_a_name_may_lie_about_the_version(tmp_path: Path) -> None:
    python(tmp_path / "a", "python3.77", "3.76.1")
    assert machine(tmp_path, tmp_path / "a").find("3.77") is None


def test_what_pyenv_has_built_is_found_without_being_on_path(tmp_path: Path) -> None:
    versions = tmp_path / "pyenv" / "versions"
    python(versions / "3.77.9" / "bin", "python3.77", "3.77.9")
    newest = python(versions / "3.77.10" / "bin", "python3.77", "3.77.10")
    (versions / "my-env" / "bin").mkdir(parents=True)
    found = machine(tmp_path).find("3.77")
    assert found is not None
    assert found.path == newest


def test_the_list_has_one_of_each_version_newest_first(tmp_path: Path) -> None:
    python(tmp_path / "a", "python3.77", "3.77.1")
    python(tmp_path / "b", "python3.77", "3.77.1")
    python(tmp_path / "b", "python3.9", "3.9.1")
    python(tmp_path / "b", "python3.100", "3.100.0")
    python(tmp_path / "b", "python3.77-config", "3.77.1")
    path = os.pathsep.join(map(str, (tmp_path / "a", tmp_path / "b")))
    found = Machine({"PATH": f"{path}{os.pathsep}/bin", "PYENV_ROOT": "/nowhere"}).list()
    fakes = [each.version for each in found if each.path.is_relative_to(tmp_path)]
    assert fakes == ["3.100.0", "3.77.1", "3.9.1"]


def test_this_python_says_where_its_library_lies() -> None:
    directory = Path(sys.executable).parent
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    found = Machine({"PATH": str(directory), "PYENV_ROOT": "/nowhere"}).find(version)
    assert found is not None
    assert found.library == Path(os.__file__).parent


def test_without_variables_those_of_the_process_count() -> None:
    assert set(map(Path, os.get_exec_path())) <= set(Machine(None).directories)
