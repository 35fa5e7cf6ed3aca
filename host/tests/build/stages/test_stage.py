"""Which steps of a build have to execute something: known from cog.yaml alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from cogworks.build.stages.stage import Commands, SourceWheels, SystemPackages, needed_stages
from cogworks.project import load_project
from cogworks.project.model import Project


def project_of(folder: Path, build: str) -> Project:
    (folder / "cog.yaml").write_text(
        f'build:\n  python_version: "3.11"\n{build}run: run.py:Runner\n', encoding="utf-8"
    )
    return load_project(folder)


def test_a_plain_project_executes_nothing(tmp_path: Path) -> None:
    assert needed_stages(project_of(tmp_path, "")) == ()


def test_system_packages_are_sorted_and_each_once(tmp_path: Path) -> None:
    project = project_of(tmp_path, "  system_packages: [git, ffmpeg, git]\n")
    (stage,) = needed_stages(project)
    assert stage == SystemPackages(("ffmpeg", "git"), "cog.yaml:3")
    assert stage.reason == (
        "cog.yaml:3: build.system_packages has ffmpeg, git: apt installs them on the base image."
    )


def test_one_entry_may_name_several_packages(tmp_path: Path) -> None:
    project = project_of(tmp_path, "  system_packages: [libgl1 libglib2.0-0]\n")
    (stage,) = needed_stages(project)
    assert isinstance(stage, SystemPackages)
    assert stage.packages == ("libgl1", "libglib2.0-0")


def test_a_list_without_names_needs_nothing(tmp_path: Path) -> None:
    assert needed_stages(project_of(tmp_path, "  system_packages: []\n  run: []\n")) == ()


def test_pre_install_comes_after_run(tmp_path: Path) -> None:
    build = "  pre_install:\n    - echo old\n  run:\n    - echo one\n    - command: echo two\n"
    (stage,) = needed_stages(project_of(tmp_path, build))
    assert isinstance(stage, Commands)
    assert [(one.command.command, one.key, one.place) for one in stage.commands] == [
        ("echo one", "build.run[0]", "cog.yaml:6"),
        ("echo two", "build.run[1]", "cog.yaml:7"),
        ("echo old", "build.pre_install[0]", "cog.yaml:4"),
    ]
    assert stage.reason == ("cog.yaml:6: build.run[0] runs 'echo one' and 2 more inside the image.")


def test_mounts_stay_with_their_command(tmp_path: Path) -> None:
    build = (
        "  run:\n    - command: cat /run/key\n"
        "      mounts: [{type: secret, id: key, target: /run/key}]\n"
    )
    (stage,) = needed_stages(project_of(tmp_path, build))
    assert isinstance(stage, Commands)
    (mount,) = stage.commands[0].command.mounts
    assert (mount.id, mount.target) == ("key", "/run/key")


@pytest.mark.parametrize(
    ("sources", "verb"), [(("pixel 1.0",), "comes"), (("pixel 1.0", "voxel 2.0"), "come")]
)
def test_sources_are_named(tmp_path: Path, sources: tuple[str, ...], verb: str) -> None:
    (stage,) = needed_stages(project_of(tmp_path, ""), sources)
    assert stage == SourceWheels(sources)
    assert stage.reason.startswith(f"{', '.join(sources)} {verb} as source only")


def test_stages_come_lowest_first(tmp_path: Path) -> None:
    project = project_of(tmp_path, "  run: [echo one]\n  system_packages: [git]\n")
    stages = needed_stages(project, ["pixel 1.0"])
    assert [one.title for one in stages] == [
        "system packages",
        "wheels from source",
        "commands",
    ]
