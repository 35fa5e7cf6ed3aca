"""The key of an environment's inputs: what changes it, and what does not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cogworks.engines.inputs import UV_SETTINGS, collect_inputs, hash_all
from cogworks.project import RequirementsError

from .conftest import Workbench


def key(bench: Workbench, requirements: str = "six\n", **variables: str) -> str:
    return collect_inputs(bench.project(requirements), "3.11", variables).key


def test_the_same_inputs_have_the_same_key(bench: Workbench) -> None:
    assert key(bench) == key(bench) == key(bench, "# comment\n\nsix\r\n")


def test_requirements_their_order_and_python_count(bench: Workbench) -> None:
    project = bench.project("six\nidna\n")
    keys = {
        key(bench, "six\n"),
        key(bench, "six\nidna\n"),
        key(bench, "idna\nsix\n"),
        key(bench, "six\n--pre\n"),
        collect_inputs(project, "3.12", {}).key,
        collect_inputs(project, "3.11.7", {}).key,
    }
    assert len(keys) == 6


@pytest.mark.parametrize("name", UV_SETTINGS)
def test_settings_of_uv_that_choose_packages_count(bench: Workbench, name: str) -> None:
    assert key(bench) != key(bench, **{name: "x"})


def test_other_variables_and_credentials_do_not_count(bench: Workbench) -> None:
    assert key(bench) == key(bench, UV_CACHE_DIR="/x", PATH="/y")
    one = key(bench, UV_INDEX_URL="https://user:one@host/simple")
    assert one == key(bench, UV_INDEX_URL="https://user:two@host/simple")
    assert one != key(bench, UV_INDEX_URL="https://user:two@other/simple")


@pytest.mark.parametrize(
    ("name", "text", "counts"),
    [
        ("uv.toml", "prerelease = 'allow'\n", True),
        ("pyproject.toml", "[tool.uv]\n", True),
        ("pyproject.toml", "[tool.ruff]\n", False),
        ("uv.lock", "version = 1\n", False),
        ("run.py", "x = 1\n", False),
    ],
)
def test_files_beside_a_requirements_file(
    bench: Workbench, name: str, text: str, counts: bool
) -> None:
    before = key(bench)
    bench.write(name, text)
    assert (key(bench) != before) == counts


def test_a_pyproject_counts_with_its_lock(bench: Workbench) -> None:
    bench.write("pyproject.toml", "[project]\nname = 'a'\n")
    project = bench.project()
    first = collect_inputs(project, "3.11", {})
    bench.write("uv.lock", "version = 1\n")
    second = collect_inputs(project, "3.11", {})
    assert (first.lock, second.lock) == (None, bench.directory / "uv.lock")
    assert first.pyproject == second.pyproject == bench.directory / "pyproject.toml"
    assert first.key != second.key


def test_the_place_of_a_project_counts_only_for_local_sources(
    bench: Workbench, tmp_path: Path
) -> None:
    other = Workbench(tmp_path / "elsewhere")
    assert key(bench) == key(other)
    for each in (bench, other):
        each.write("pyproject.toml", "[tool.uv.sources]\na = { path = 'a' }\n")
    assert key(bench) != key(other)


@pytest.mark.skipif(
    os.geteuid() == 0,
    reason="root may read every file",
)
def test_an_archive_that_cannot_be_read_is_a_problem(bench: Workbench) -> None:
    wheel = bench.wheel("alpha", "1.0", folder=bench.directory)
    wheel.chmod(0)
    with pytest.raises(RequirementsError, match="the file cannot be read"):
        key(bench, f"./{wheel.name}\n")


def test_a_strategy_of_the_user_is_noticed(bench: Workbench) -> None:
    project = bench.project("six\n")
    assert not collect_inputs(project, "3.11", {}).has_strategy
    assert collect_inputs(project, "3.11", {"UV_INDEX_STRATEGY": "first-index"}).has_strategy
    bench.write("uv.toml", 'index-strategy = "first-index"\n')
    assert collect_inputs(project, "3.11", {}).has_strategy


def test_borders_between_parts_count() -> None:
    assert hash_all(["ab", "c"]) != hash_all(["a", "bc"])
    assert len(hash_all([])) == 16
