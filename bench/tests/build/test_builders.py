"""What the builders are given."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bench.build.builders import BuildFailed, Cogworks, run, write_dockerfile
from bench.build.site import write_noise, write_project, write_requirements
from cogworks.build.context import read_context


def test_a_command_that_fails_says_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(BuildFailed, match="no such layer"):
        run(["sh", "-c", "echo no such layer >&2; exit 3"], tmp_path, dict(os.environ))


def test_the_others_recipe_is_no_part_of_our_image(tmp_path: Path) -> None:
    write_dockerfile(write_project(tmp_path))
    names = [one.path for one in read_context(tmp_path).code]
    assert "run.py" in names
    assert "Dockerfile" not in names


def test_a_project_can_be_written_again_with_other_requirements(tmp_path: Path) -> None:
    write_project(write_project(tmp_path))
    write_requirements(tmp_path, ["tabulate==0.9.0"])
    assert (tmp_path / "requirements.txt").read_text() == "tabulate==0.9.0\n"


def test_noise_has_its_size_and_is_always_the_same(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_noise(tmp_path / name, 3 * 1024 * 1024)
    assert (tmp_path / "one").stat().st_size == 3 * 1024 * 1024
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_elsewhere_is_another_cache_that_is_gone_afterwards(tmp_path: Path) -> None:
    ours = Cogworks(tmp_path / "cache")
    (ours.cache / "oci").mkdir(parents=True)
    with ours.elsewhere():
        assert not ours.cache.exists()
        ours.cache.mkdir()
        other = ours.cache
    assert not other.exists()
    assert ours.cache == tmp_path / "cache"
    assert (ours.cache / "oci").is_dir()
