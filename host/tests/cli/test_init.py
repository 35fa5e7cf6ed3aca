from __future__ import annotations

import ast
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cogworks.cli.init import command
from cogworks.cli.state import State
from cogworks.project import load_project


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def init() -> Result:
    return CliRunner().invoke(command, [], obj=State({}))


def test_three_files_are_created_and_named() -> None:
    result = init()
    assert result.exit_code == 0
    assert result.stdout == ""
    assert result.stderr.startswith(
        "Creating cog.yaml\nCreating requirements.txt\nCreating run.py\n"
    )
    assert sorted(path.name for path in Path().iterdir()) == [
        "cog.yaml",
        "requirements.txt",
        "run.py",
    ]


def test_the_project_is_one_and_asks_for_this_python() -> None:
    init()
    project = load_project(Path())
    assert project.run == "run.py:Runner"
    assert project.build.python_version == f"{sys.version_info.major}.{sys.version_info.minor}"
    assert project.warnings == ()


def test_the_model_is_valid_for_the_oldest_python() -> None:
    init()
    ast.parse(Path("run.py").read_text(), feature_version=(3, 9))


def test_the_next_step_is_shown() -> None:
    assert "cog run -i image=@photo.png -i scale=2 -o out.png" in init().stderr


def test_what_exists_is_never_overwritten() -> None:
    Path("run.py").write_text("mine")
    Path("cog.yaml").symlink_to("nowhere")
    result = init()
    assert result.stderr == (
        "Skipped existing cog.yaml\nCreating requirements.txt\nSkipped existing run.py\n"
    )
    assert Path("run.py").read_text() == "mine"
    assert not Path("nowhere").exists()


def test_a_folder_in_the_way_is_skipped() -> None:
    Path("run.py").mkdir()
    assert "Skipped existing run.py" in init().stderr


@pytest.mark.slow
@pytest.mark.network
def test_the_next_step_works_when_it_is_pasted(cache_dir: Path) -> None:
    hint = init().stderr.partition("Next")[2]
    commands = [line for line in hint.splitlines() if line.startswith("  cog ")]
    assert len(commands) == 2
    script = f'cog() {{ {shlex.quote(sys.executable)} -m cogworks.cli "$@"; }}\n'
    paths = [os.path.abspath(path) for path in sys.path if path.endswith("src")]
    done = subprocess.run(
        ["sh", "-ec", script + "\n".join(commands)],
        env={**os.environ, "PYTHONPATH": ":".join(paths), "COG_CACHE_DIR": str(cache_dir)},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert Path("out.png").read_bytes().startswith(b"\x89PNG")
