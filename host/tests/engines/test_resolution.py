"""The calls of uv that resolve requirements."""

from __future__ import annotations

from pathlib import Path

from cogworks.engines.inputs import Inputs
from cogworks.engines.resolution import index_switches, plan_resolution
from cogworks.project.requirements import Requirements

PYTHON = Path("/usr/bin/python3.11")


def test_nothing_to_resolve_is_written_without_uv(tmp_path: Path) -> None:
    plan = plan_resolution(Inputs("3.11", "k", Requirements()), PYTHON, tmp_path)
    assert plan.arguments == ()
    assert plan.output.read_text() == ""


def test_hashed_requirements_are_taken_as_they_are(tmp_path: Path) -> None:
    requirements = Requirements(lines=("a==1 --hash=sha256:0",), options=("--no-index",))
    plan = plan_resolution(Inputs("3.11", "k", requirements), PYTHON, tmp_path)
    assert plan.arguments == ()
    assert plan.output.read_text() == "a==1 --hash=sha256:0\n"


def test_options_stand_above_the_lines(tmp_path: Path) -> None:
    requirements = Requirements(lines=("a", "b"), options=("--extra-index-url https://x",))
    plan = plan_resolution(Inputs("3.11", "k", requirements), PYTHON, tmp_path)
    source = Path(plan.arguments[-1])
    assert source.read_text() == "--extra-index-url https://x\na\nb\n"
    assert str(PYTHON) in plan.arguments
    overrides = Path(plan.arguments[plan.arguments.index("--overrides") + 1])
    never = "; sys_platform == 'never'\n"
    assert overrides.read_text() == f"cog {never}coglet {never}"


def test_a_lock_is_exported_frozen_without_the_project(tmp_path: Path) -> None:
    pyproject = tmp_path / "project" / "pyproject.toml"
    inputs = Inputs("3.11", "k", Requirements(), pyproject, pyproject.with_name("uv.lock"))
    plan = plan_resolution(inputs, PYTHON, tmp_path)
    assert plan.arguments[0] == "export"
    assert {"--frozen", "--no-emit-project", "--prune=cog"} <= set(plan.arguments)
    assert plan.output == tmp_path / "pylock.toml"


def test_several_indexes_are_treated_as_pip_does_unless_the_user_says_how() -> None:
    more = Requirements(options=("--extra-index-url https://x",), switches=("--require-hashes",))
    assert index_switches(Inputs("3.11", "k", more)) == ("--index-strategy=unsafe-best-match",)
    assert index_switches(Inputs("3.11", "k", more, has_strategy=True)) == ()


def test_one_index_needs_no_strategy() -> None:
    one = Requirements(options=("--index-url https://x",), switches=("--prerelease=allow",))
    assert index_switches(Inputs("3.11", "k", one)) == ("--prerelease=allow",)
