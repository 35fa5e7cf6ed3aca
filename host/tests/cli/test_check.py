from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

Make = Callable[..., Any]

MODEL = "from cog import BaseRunner\n\nclass Runner(BaseRunner):\n    def run(self, a: str) -> str: ...\n"
BROKEN = """import os
from cog import BaseRunner, Input

class Runner(BaseRunner):
    def setup(self) -> int: ...
    def run(self, a, b: int = os.getpid(), *args, c: bytearray = Input(ge=1)): ...
"""


def found(done: subprocess.CompletedProcess[bytes]) -> list[dict[str, Any]]:
    findings: list[dict[str, Any]] = json.loads(done.stdout)
    return findings


def test_a_good_project_has_no_problems(make_project: Make) -> None:
    done = make_project(MODEL).cog("check")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"No problems found\n")
    assert found(make_project(MODEL).cog("check", "--format", "json")) == []


def test_versions_of_cuda_that_do_not_fit_are_found(make_project: Make) -> None:
    project = make_project(MODEL)
    config_path = project.directory / "cog.yaml"
    keys = "  gpu: true\n  cuda: '12.1'\n  python_packages: [tensorflow==2.15.0]\nrun:"
    config_path.write_text(config_path.read_text().replace("run:", keys))
    done = project.cog("check", "--format", "json", "--no-resolve")
    assert [
        (each["line"], each["column"], each["code"], each["severity"]) for each in found(done)
    ] == [
        (4, 3, "gpu", "warning"),
        (5, 3, "config-deprecated", "warning"),
    ]
    config_path.write_text(config_path.read_text().replace("12.1", "11.8"))
    done = project.cog("check", "--format", "json", "--no-resolve")
    assert done.returncode == 1
    message = "build.cuda: CUDA 11.8 is not compatible with tensorflow==2.15.0; "
    assert found(done)[0]["message"] == message + "compatible CUDA versions are: 12.2"


def test_every_problem_of_every_kind_is_found_at_once(make_project: Make) -> None:
    config = "train: nope.py:train\nenvironmnet: []\nmodel: r.example/m\nweights:\n"
    config += "  - {name: w, target: /w, source: {uri: weights}}\n"
    project = make_project(BROKEN, config=config)
    config_path = project.directory / "cog.yaml"
    text = config_path.read_text().replace("run:", "  python_requirements: reqs.txt\npredict:")
    config_path.write_text(text)
    (project.directory / "reqs.txt").write_text("cog\n\n-r other.txt\n./folder\n")
    done = project.cog("check", "--format", "json", "--no-resolve")
    assert done.returncode == 1
    assert done.stderr == b"error: 10 errors, 1 warning\n"
    assert [(each["file"], each["line"], each["column"], each["code"]) for each in found(done)] == [
        ("cog.yaml", 4, 1, "config-deprecated"),
        ("cog.yaml", 5, 0, "missing-file"),
        ("cog.yaml", 6, 1, "config"),
        ("reqs.txt", 3, 0, "requirements"),
        ("reqs.txt", 4, 0, "requirements"),
        ("run.py", 5, 9, "schema"),
        ("run.py", 6, 9, "schema"),
        ("run.py", 6, 19, "schema"),
        ("run.py", 6, 31, "schema"),
        ("run.py", 6, 45, "schema"),
        ("run.py", 6, 54, "schema"),
    ]


def test_a_finding_for_people_shows_the_line_and_what_to_do(make_project: Make) -> None:
    model = MODEL.replace("a: str", "a")
    done = make_project(model).cog("check", "--no-resolve", FORCE_COLOR="1")
    assert done.stdout.decode() == (
        "run.py:4:19: error: missing type annotation for input: a [schema]\n"
        "    def run(self, a) -> str: ...\n"
        "                  ^\n"
        "    Write `a: str`, for example.\n"
    )
    assert done.stderr == b"error: 1 error\n"


def test_warnings_fail_only_a_strict_check(make_project: Make) -> None:
    project = make_project(MODEL, config="concurrency: {default_target: 2}\n")
    done = project.cog("check")
    assert done.returncode == 0
    assert done.stderr == b"No errors (1 warning)\n"
    strict = project.cog("check", "--strict")
    assert (strict.returncode, strict.stderr) == (1, b"error: 1 warning\n")


def test_github_gets_annotations_relative_to_the_repository(make_project: Make) -> None:
    project = make_project(MODEL.replace("-> str", "-> bytearray"))
    root = str(project.directory.parent)
    done = project.cog("check", "--no-resolve", "--format", "github", GITHUB_WORKSPACE=root)
    folder = project.directory.name
    assert done.stdout.decode().startswith(
        f"::error file={folder}/run.py,line=4,col=30,title=cog check%3A schema::output: uns"
    )
    assert done.stdout.count(b"\n") == 1


def test_weights_that_are_not_there_are_found(make_project: Make) -> None:
    config = "model: r.example/m\nweights:\n  - name: w\n    target: /w\n    source:\n"
    project = make_project(
        MODEL, config=config + "      - uri: file://local\n      - uri: hf://a/b\n"
    )
    done = project.cog("check", "--format", "json")
    assert [(each["line"], each["message"]) for each in found(done)] == [
        (9, 'weights "w": the folder local does not exist')
    ]
    (project.directory / "local").mkdir()
    assert project.cog("check").returncode == 0


def test_a_project_without_a_model_has_a_problem(make_project: Make) -> None:
    project = make_project(MODEL)
    (project.directory / "cog.yaml").write_text("")
    done = project.cog("check", "--format", "json")
    assert [each["code"] for each in found(done)] == ["missing-model"]


def test_a_file_that_is_no_yaml_is_one_problem(make_project: Make) -> None:
    project = make_project(MODEL)
    (project.directory / "cog.yaml").write_text("run: [\n")
    done = project.cog("check", "--format", "json")
    assert [each["code"] for each in found(done)] == ["config"]


def test_concurrency_of_a_model_that_is_not_async_is_found(make_project: Make) -> None:
    project = make_project(MODEL, config="concurrency: {max: 2}\n")
    [finding] = [
        each for each in found(project.cog("check", "--format", "json")) if each["code"] == "schema"
    ]
    assert finding["message"].startswith("concurrency.max: 2 requires an async run()")
    assert (finding["file"], finding["line"]) == ("cog.yaml", 4)


@pytest.fixture
def with_requirements(make_project: Make) -> Callable[[str], Any]:
    def make(requirements: str) -> Any:
        project = make_project(MODEL)
        path = project.directory / "cog.yaml"
        path.write_text(path.read_text().replace("run:", "  python_requirements: r.txt\nrun:"))
        (project.directory / "r.txt").write_text(requirements)
        return project

    return make


def test_requirements_that_do_not_exist_are_found_with_their_line(
    with_requirements: Callable[[str], Any],
) -> None:
    project = with_requirements("--no-index\n# nothing\nno-such_package==1\n")
    done = project.cog("check", "--format", "json")
    [finding] = found(done)
    assert (finding["file"], finding["line"], finding["code"]) == ("r.txt", 3, "requirements")
    assert "no-such-package" in finding["message"]
    assert b"Resolving the requirements" in done.stderr
    assert project.cog("check", "--no-resolve").returncode == 0
    assert project.cog("check", "--offline").returncode == 0


def test_a_line_that_is_left_out_is_a_warning(with_requirements: Callable[[str], Any]) -> None:
    done = with_requirements("\ncog==0.9\n").cog("check", "--format", "json")
    assert [(each["file"], each["line"], each["severity"]) for each in found(done)] == [
        ("r.txt", 2, "warning")
    ]


def test_requirements_are_resolved_for_a_python_that_is_not_here(
    with_requirements: Callable[[str], Any],
) -> None:
    project = with_requirements("--no-index\nno-such-package\n")
    path = project.directory / "cog.yaml"
    lines = path.read_text().splitlines()
    lines[1] = '  python_version: "3.14"'
    path.write_text("\n".join(lines))
    done = project.cog("check", "--format", "json", PATH="/usr/bin:/bin", PYENV_ROOT="/nowhere")
    assert [each["code"] for each in found(done)] == ["requirements"]


def test_an_index_that_does_not_answer_is_a_warning(
    with_requirements: Callable[[str], Any],
) -> None:
    project = with_requirements("--index-url http://127.0.0.1:9/simple\nnumpy\n")
    done = project.cog("check", "--format", "json", UV_HTTP_RETRIES="0")
    assert [(each["severity"], each["code"]) for each in found(done)] == [
        ("warning", "requirements-unknown")
    ]
    assert done.returncode == 0


def test_a_live_check_imports_the_model(make_project: Make) -> None:
    project = make_project("import numpi\n" + MODEL)
    assert project.cog("check").returncode == 0
    done = project.cog("check", "--schema", "live", "--format", "json")
    [finding] = found(done)
    assert (finding["file"], finding["code"]) == ("run.py", "schema-live")
    assert "No module named 'numpi'" in finding["message"]


def test_an_import_of_what_was_removed_is_found_in_every_file(make_project: Make) -> None:
    project = make_project(MODEL)
    folder = project.directory / "lib"
    folder.mkdir()
    (folder / "quiet.py").write_text("\nfrom cog.types import ExperimentalFeatureWarning\n")
    done = project.cog("check", "--format", "json")
    assert [(each["file"], each["line"], each["code"]) for each in found(done)] == [
        ("lib/quiet.py", 2, "python-deprecated-imports")
    ]


def test_nothing_of_the_model_is_run(make_project: Make, tmp_path: Path) -> None:
    make_project(f"open({str(tmp_path / 'ran')!r}, 'w')\n" + MODEL).cog("check")
    assert not (tmp_path / "ran").exists()


def test_no_project_is_an_error(tmp_path: Path, make_project: Make) -> None:
    project = make_project(MODEL)
    (project.directory / "cog.yaml").unlink()
    done = project.cog("check")
    assert done.returncode == 1
    assert done.stderr.startswith(b"error: cog.yaml not found in ")


def test_every_line_that_is_no_requirement_is_found(
    with_requirements: Callable[[str], Any],
) -> None:
    project = with_requirements("--no-index\nfirst is nothing\nsecond one\nthird ?\n")
    done = project.cog("check", "--format", "json")
    assert [(each["line"], each["code"]) for each in found(done)] == [
        (2, "requirements"),
        (3, "requirements"),
        (4, "requirements"),
    ]
    assert found(done)[1]["message"] == "'second one' is no requirement"


def test_the_name_of_an_image_that_no_registry_takes_is_an_error(make_project: Make) -> None:
    project = make_project(MODEL, config="image: Not A Name\n")
    done = project.cog("check", "--format", "json", "--no-resolve")
    [finding] = found(done)
    assert finding["code"] == "config"
    assert finding["line"] > 0
    assert finding["message"].startswith("image: 'Not A Name' is not an image name: ")
