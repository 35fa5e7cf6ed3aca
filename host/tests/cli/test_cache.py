from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cogworks.build.cache import Cache
from cogworks.build.packer import Summary, with_parents, write_layer
from cogworks.cli.cache import KINDS, command
from cogworks.cli.state import State
from cogworks.errors import CogworksError
from cogworks.housekeeping.entry import Kind
from cogworks.oci.layer import Codec
from cogworks.oci.tar import File

from .conftest import Project

DAY_S = 24 * 3600.0


@pytest.fixture
def cache_dir(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def cog(cache_dir: Path, *arguments: str, **environ: str) -> Result:
    state = State({"COG_CACHE_DIR": str(cache_dir), **environ})
    return CliRunner().invoke(command, arguments, obj=state)


def add_layer(cache_dir: Path, title: str, days: float = 0) -> None:
    def make(path: Path) -> Summary:
        data = title.encode()
        return write_layer(with_parents([(File("src/x", len(data)), (data,))]), Codec.NONE, path)

    key = title.encode().hex().rjust(64, "0")
    Cache(cache_dir).layer(key, Codec.NONE, make, title)
    at = time.time() - days * DAY_S
    os.utime(cache_dir / "oci" / "keys" / f"{key}.json", (at, at))


def test_the_kinds_are_those_that_there_are() -> None:
    assert tuple(kind.value for kind in Kind) == KINDS


def test_an_empty_cache_is_said(cache_dir: Path) -> None:
    assert cog(cache_dir, "ls").stdout == f"Nothing in {cache_dir}\n"
    assert cog(cache_dir, "prune").stdout == "Freed 0 B\n"
    assert not cache_dir.exists()


def test_the_table_has_a_row_for_each_entry_and_a_sum_for_each_kind(cache_dir: Path) -> None:
    add_layer(cache_dir, "numpy-2.1.0", days=3)
    add_layer(cache_dir, "code")
    head, first, second, empty, kind, whole = cog(cache_dir, "ls").stdout.splitlines()
    assert head.split() == ["KIND", "NAME", "SIZE", "MADE", "LAST", "USED", "WHAT"]
    assert first.startswith("layers ")
    assert first.endswith("  today  today       code")
    assert second.endswith("  today  3 days ago  numpy-2.1.0")
    assert (empty, kind.split()[:2]) == ("", ["layers", "2"])
    assert whole.endswith(f" in {cache_dir}")


def test_programs_get_an_object(cache_dir: Path) -> None:
    add_layer(cache_dir, "code", days=1)
    found = json.loads(cog(cache_dir, "ls", "--format", "json").stdout)
    assert found["directory"] == str(cache_dir)
    assert found["kinds"] == {"layers": {"count": 1, "size_bytes": found["size_bytes"]}}
    (entry,) = found["entries"]
    assert entry.pop("path").startswith("oci/keys/")
    assert entry["used_at"].endswith("Z")
    assert set(entry) == {
        *("kind", "name", "detail", "size_bytes", "freed_bytes"),
        *("made_at", "used_at", "in_use"),
    }


def test_only_the_kinds_that_are_named_are_shown(cache_dir: Path) -> None:
    add_layer(cache_dir, "code")
    assert "layers" in cog(cache_dir, "ls", "--kind", "layers", "--kind", "sdk").stdout
    assert "Nothing" in cog(cache_dir, "ls", "--kind", "wheels").stdout


def test_what_was_not_used_for_long_is_removed_and_said(cache_dir: Path) -> None:
    add_layer(cache_dir, "old", days=8)
    add_layer(cache_dir, "new")
    dry = cog(cache_dir, "prune", "--older-than", "1w", "--dry-run")
    assert dry.stdout.startswith("Would free 2")
    assert dry.stderr.startswith("Would remove 1 entry of layers, 2")
    assert cog(cache_dir, "ls").stdout.count("layers") == 3
    done = cog(cache_dir, "prune", "--older-than", "1w")
    assert done.stdout == dry.stdout.replace("Would free", "Freed")
    assert "old" not in cog(cache_dir, "ls").stdout
    assert cog(cache_dir, "prune", "--older-than", "1w").stdout == "Freed 0 B\n"


def test_without_limits_those_of_the_variables_hold(cache_dir: Path) -> None:
    add_layer(cache_dir, "old", days=31)
    add_layer(cache_dir, "new", days=3)
    assert "1 entry of layers" in cog(cache_dir, "prune", "--dry-run").stderr
    two = cog(cache_dir, "prune", "--dry-run", COG_CACHE_MAX_AGE="1d")
    assert "2 entries of layers" in two.stderr
    assert "2 entries" in cog(cache_dir, "prune", "--dry-run", "--max-size", "0").stderr


def test_what_a_command_uses_is_kept_and_said(cache_dir: Path) -> None:
    add_layer(cache_dir, "code")
    user = Cache(cache_dir)
    assert user.find_layer(b"code".hex().rjust(64, "0"), Codec.NONE) is not None
    done = cog(cache_dir, "prune", "--all")
    assert (done.stdout, done.stderr) == ("Freed 0 B\n", "1 entry in use, and kept\n")
    assert "  now " in cog(cache_dir, "ls").stdout
    del user


@pytest.mark.parametrize("arguments", [("--older-than", "soon"), ("--max-size", "small")])
def test_a_limit_that_is_none_is_told(cache_dir: Path, arguments: tuple[str, ...]) -> None:
    result = cog(cache_dir, "prune", *arguments)
    assert isinstance(result.exception, CogworksError)
    assert "write" in str(result.exception)


def test_all_and_a_limit_exclude_each_other(cache_dir: Path) -> None:
    result = cog(cache_dir, "prune", "--all", "--older-than", "1w")
    assert result.exit_code == 2
    assert "not both" in result.stderr


@pytest.mark.slow
def test_a_new_environment_lets_the_cache_be_swept(
    make_project: Callable[..., Project], cache_dir: Path
) -> None:
    add_layer(cache_dir, "old", days=31)
    stamp = cache_dir / "swept"
    stamp.touch()
    os.utime(stamp, (1, 1))
    project = make_project("class Runner:\n    pass\n")
    assert project.cog("exec", "true", COG_CACHE_DIR=str(cache_dir)).returncode == 0
    assert "layers" not in cog(cache_dir, "ls").stdout
    assert stamp.stat().st_mtime > time.time() - DAY_S


@pytest.mark.slow
def test_an_environment_is_in_use_as_long_as_what_runs_in_it(
    make_project: Callable[..., Project], cache_dir: Path
) -> None:
    project = make_project("class Runner:\n    pass\n")
    variables = {"COG_CACHE_DIR": str(cache_dir)}
    with project.started(
        "exec", "sh", "-c", "echo there; exec sleep 60", variables=variables
    ) as one:
        assert one.stdout is not None
        assert one.stdout.readline() == b"there\n"
        busy = cog(cache_dir, "prune", "--all", "--kind", "environments")
        assert busy.stderr == "1 entry in use, and kept\n"
