from __future__ import annotations

import subprocess
from pathlib import Path

from cogworks.build.revision import find_revision, is_in_repository


def test_the_revision_comes_from_the_ci_or_from_git(tmp_path: Path) -> None:
    variables = {"GITHUB_SHA": "abc", "GITHUB_REF_NAME": "v1"}
    assert find_revision(tmp_path, variables) == {
        "org.opencontainers.image.revision": "abc",
        "org.opencontainers.image.version": "v1",
    }
    assert find_revision(tmp_path, {}) == {}
    (tmp_path / "run.py").touch()
    name = ("-c", "user.name=t", "-c", "user.email=t@example.com")
    commands = (("init", "-q"), ("add", "."), (*name, "commit", "-qm", "one"))
    for command in commands:
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    found = find_revision(tmp_path, {})
    assert list(found) == ["org.opencontainers.image.revision"]
    assert len(found["org.opencontainers.image.revision"]) == 40


def test_a_folder_is_in_a_repository_if_one_above_it_is(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "link").symlink_to(inner)
    assert not is_in_repository(inner, {})
    assert is_in_repository(inner, {"GIT_DIR": "/elsewhere"})
    # A file, in worktrees and submodules.
    (tmp_path / "a" / ".git").write_text("gitdir: /elsewhere")
    assert is_in_repository(inner, {})
    assert is_in_repository(tmp_path / "link", {})


def test_without_git_there_is_no_commit(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    assert find_revision(tmp_path, {"GIT_DIR": str(tmp_path / "none")}) == {}
