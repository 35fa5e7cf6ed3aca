"""What a build says that it would do."""

from __future__ import annotations

from pathlib import Path

from cogworks.build.context import Context, SourceFile
from cogworks.build.plan import Step, plan_build
from cogworks.project import Build, Project, RunCommand

HERE = Path("/projects/m")


def steps_of(build: Build, *weights: SourceFile) -> dict[str, Step]:
    project = Project(HERE, HERE / "cog.yaml", build, run="run.py:Runner")
    context = Context(HERE, (SourceFile("run.py", 10, False),), weights, (), ())
    return {
        step.title: step
        for step in plan_build(project, "python:3.11-slim", "a reason", "linux/amd64", context)
    }


def test_the_steps_come_in_the_order_of_the_image() -> None:
    build = Build("3.11", HERE / "requirements.txt", (), ("ffmpeg",), (RunCommand("make"),))
    found = steps_of(build, SourceFile("weights.bin", 70_000_000, False))
    assert list(found) == [
        *("schema", "base", "environment", "system packages", "packages", "weights"),
        *("server", "SDK", "commands", "code", "metadata"),
    ]
    assert [title for title, step in found.items() if step.needs_engine] == [
        *("system packages", "commands"),
    ]
    assert found["packages"].what == "requirements.txt"
    assert found["weights"].what == "1 file, 70 MB"
    assert found["base"] == Step("base", "python:3.11-slim for linux/amd64", "a reason")


def test_pythons_that_are_brought_along_are_steps() -> None:
    project = Project(HERE, HERE / "cog.yaml", Build("3.10"), run="run.py:Runner")
    steps = plan_build(
        project,
        "nvidia/cuda:x",
        "a reason",
        "linux/amd64",
        Context(HERE, (), (), (), ()),
        brings_python=True,
    )
    found = {step.title: step for step in steps}
    assert [*found][2:5] == ["Python 3.10", "Python 3.13", "environment"]
    assert (found["Python 3.10"].what, found["Python 3.13"].what) == (
        "/opt/python3.10",
        "/opt/python3.13",
    )
    assert found["environment"].reason == "the model's Python 3.10 is brought along"


def test_requirements_that_are_sources_are_a_step() -> None:
    lines = (
        "numpy==2.1.0",
        "https://x.example/one-1.0-py3-none-any.whl",
        "two @ git+https://me:hunter2@x.example/two.git",
        "/projects/m/three-1.0.tar.gz",
        "https://x.example/four.zip#subdirectory=a",
    )
    project = Project(HERE, HERE / "cog.yaml", Build("3.11"), run="run.py:Runner")
    context = Context(HERE, (), (), (), ())
    steps = plan_build(project, "x", "a reason", "linux/amd64", context, requirements=lines)
    (found,) = [step for step in steps if step.title == "wheels"]
    assert found.what == (
        "two @ git+https://x.example/two.git, /projects/m/three-1.0.tar.gz, https://x.example/four.zip#subdirectory=a"
    )
    assert "pure Python is built here by uv" in found.reason
    assert not [step for step in steps_of(Build("3.11")).values() if step.title == "wheels"]


def test_a_project_without_requirements_says_so() -> None:
    assert steps_of(Build("3.11"))["packages"].what == "none"
    listed = steps_of(Build("3.11", None, ("numpy==2.1.0",)))
    assert listed["packages"].what == "cog.yaml: build.python_packages"
