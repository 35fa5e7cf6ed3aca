"""Two people, two machines as far as one has them: other folders, caches, cores, umasks and time zones; one digest."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.parts.image_spec import problems_of
from tests.parts.missing import MissingPart, find_program

from .conftest import COMMANDS, TIMEOUT_S, Desk

pytestmark = [pytest.mark.slow, pytest.mark.network]

FILES = {
    "cog.yaml": 'build:\n  python_version: "3.11"\n  python_requirements: requirements.txt\nrun: run.py:Runner\n',
    "requirements.txt": "numpy==2.1.3\nscikit-learn==1.5.2\n",
    "run.py": (
        "import numpy\nfrom cog import BaseRunner\n\n\n"
        "class Runner(BaseRunner):\n    def run(self) -> str:\n        return numpy.__version__\n"
    ),
    "tools/start.sh": "#!/bin/sh\nexit 0\n",
}
GIT = {f"GIT_{who}_{what}": "x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


def run(folder: Path, *command: str, umask: int = 0o022, **variables: str) -> str:
    """Run a command to its end; return what it printed."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **GIT, **variables},
        umask=umask,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    """Return a repository with a project in it."""
    folder = tmp_path / "origin"
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "tools" / "start.sh").chmod(0o755)
    run(folder, "git", "init", "--quiet")
    run(folder, "git", "add", ".")
    run(folder, "git", "commit", "--quiet", "-m", "first")
    return folder


def manifests(layout: Path) -> list[str]:
    index = json.loads((layout / "index.json").read_bytes())
    return sorted(one["digest"] for one in index["manifests"])


def test_two_clones_with_two_caches_and_other_cores_give_one_image(
    desk: Desk, origin: Path, tmp_path: Path
) -> None:
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        pytest.skip("there is one core only")
    try:
        taskset = find_program("taskset", "util-linux")
    except MissingPart as missing:
        pytest.skip(str(missing))
    options = ["--base-image", str(desk.base), "--no-load"]

    def build(place: str, prefix: Sequence[str], umask: int, **variables: str) -> tuple[str, Path]:
        folder, layout = tmp_path / place / "project", tmp_path / place / "layout"
        folder.parent.mkdir()
        run(tmp_path, "git", "clone", "--quiet", str(origin), str(folder), umask=umask)
        own = {**desk.variables, "COG_CACHE_DIR": str(tmp_path / place / "cache"), **variables}
        command = [*prefix, str(COMMANDS / "cog"), "build", *options, "--output", str(layout)]
        return run(folder, *command, "-t", "me/model", umask=umask, **own), layout

    one, first = build("one", [taskset, "-c", str(cores[0])], 0o022, TZ="UTC")
    other, second = build(
        "other-and-longer", [], 0o077, TZ="Asia/Tokyo", LC_ALL="C", PYTHONHASHSEED="7"
    )
    assert one.startswith("sha256:")
    assert other == one
    assert manifests(first) == manifests(second)
    assert problems_of(first) == problems_of(second) == []
