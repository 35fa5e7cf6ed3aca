from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

Make = Callable[..., Any]

MODEL = "from cog import BaseRunner\n\nclass Runner(BaseRunner):\n    def run(self, a: str) -> str: ...\n"

OLD_CONFIG = """\
# The model of the year.
build:
    python_version: "{version}"  # pinned

predict:  'predict.py:Predictor'   # the class
image: r.example/m
"""
OLD_MODEL = '''\
import cog
from cog import BasePredictor, Input  # the SDK


class Predictor(BasePredictor):
    """A Predictor of rain."""

    def setup(self) -> None:
        self.model = cog

    def predict(self, text: str = Input(default="é")) -> str:
        return self.model.predict(text)

    def warm(self) -> str:
        return "ü" + self.predict("x")


if __name__ == "__main__":
    print(Predictor().predict("a"))
'''
NEW_MODEL = '''\
import cog
from cog import BaseRunner, Input  # the SDK


class Runner(BaseRunner):
    """A Predictor of rain."""

    def setup(self) -> None:
        self.model = cog

    def run(self, text: str = Input(default="é")) -> str:
        return self.model.predict(text)

    def warm(self) -> str:
        return "ü" + self.run("x")


if __name__ == "__main__":
    print(Runner().run("a"))
'''


@pytest.fixture
def old_project(make_project: Make) -> Any:
    """Return a project of the older interface."""
    project = make_project("")
    (project.directory / "run.py").unlink()
    version = (project.directory / "cog.yaml").read_text().split('"')[1]
    (project.directory / "cog.yaml").write_text(OLD_CONFIG.format(version=version))
    (project.directory / "predict.py").write_text(OLD_MODEL, encoding="utf-8")
    return project


def doctor(project: Any, *arguments: str, **environ: str) -> subprocess.CompletedProcess[bytes]:
    done: subprocess.CompletedProcess[bytes] = project.cog(
        "doctor", *arguments, COG_SKIP_DOCKER_CHECK="1", **environ
    )
    assert done.stdout == b""
    return done


def files_of(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_a_healthy_project_has_no_issues(make_project: Make) -> None:
    done = doctor(make_project(MODEL))
    lines = done.stderr.decode().splitlines()
    assert done.returncode == 0
    assert lines[0] == "Running cog doctor..."
    assert [line for line in lines if line in ("Config", "Python", "Environment")] == [
        "Config",
        "Python",
        "Environment",
    ]
    assert lines[-1] == "no issues found"
    assert sum(line.startswith(("  ok ", "  skipped ")) for line in lines) == 14


def test_the_older_interface_is_told_and_nothing_is_changed(old_project: Any) -> None:
    before = files_of(old_project.directory)
    done = doctor(old_project)
    text = done.stderr.decode()
    assert "  warning  Deprecated predict interface names\n" in text
    assert "cog.yaml:5 — predict in cog.yaml is deprecated\n" in text
    assert "predict.py:5 — BasePredictor is deprecated, use BaseRunner\n" in text
    assert text.endswith('Found 3 warnings. Run "cog doctor --fix" to auto-fix.\n')
    assert done.returncode == 0
    assert files_of(old_project.directory) == before


def test_the_older_interface_is_rewritten_and_comments_stay(old_project: Any) -> None:
    config = (old_project.directory / "cog.yaml").read_text()
    (old_project.directory / "predict.py").chmod(0o750)
    done = doctor(old_project, "--fix")
    assert done.returncode == 0
    text = done.stderr.decode()
    assert "  fixed    Fixed: Deprecated predict interface names\n" in text
    assert "--- a/predict.py\n      +++ b/run.py\n" in text
    assert "-predict:  'predict.py:Predictor'   # the class\n" in text
    assert "+run:  'run.py:Runner'   # the class\n" in text
    assert text.endswith("Fixed 3 issues.\n")
    files = files_of(old_project.directory)
    assert set(files) == {"cog.yaml", "run.py"}
    assert files["run.py"].decode() == NEW_MODEL
    changed = config.replace("predict:  'predict.py:Predictor'", "run:  'run.py:Runner'")
    assert files["cog.yaml"].decode() == changed
    mode = (old_project.directory / "run.py").stat().st_mode
    assert stat.S_IMODE(mode) == 0o750
    again = doctor(old_project, "--fix")
    assert again.stderr.decode().endswith("no issues found\n")
    assert files_of(old_project.directory) == files


def test_windows_line_ends_stay(old_project: Any) -> None:
    for name in ("cog.yaml", "predict.py"):
        path = old_project.directory / name
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    doctor(old_project, "--fix")
    files = files_of(old_project.directory)
    assert files["run.py"].decode() == NEW_MODEL.replace("\n", "\r\n")
    assert files["cog.yaml"].count(b"\r\n") == files["cog.yaml"].count(b"\n") == 6


@pytest.mark.parametrize(
    ("name", "old", "new", "reason"),
    [
        ("run.py", "", "", "run.py already exists"),
        ("app.py", "", "from predict import Predictor\n", "app.py imports predict"),
        ("predict.py", "BasePredictor, ", "BasePredictor as B, ", "not derived from cog's"),
        ("predict.py", "(BasePredictor)", "(Base)", "not derived from cog's BasePredictor alone"),
        ("predict.py", "def warm", "def run", "Predictor has a method run already"),
        (
            "predict.py",
            "import cog\n",
            "class Runner: ...\nimport cog\n",
            "the name Runner already",
        ),
        ("predict.py", "import cog\n", "class B:\n    def predict(self): ...\n", "needs one class"),
        ("cog.yaml", "predict:  '", "predict: >-\n  ", "is written in an unusual way"),
        ("cog.yaml", "image", "imag", "cog.yaml has other problems"),
    ],
)
def test_what_is_not_of_the_usual_form_is_left_to_the_author(
    old_project: Any, name: str, old: str, new: str, reason: str
) -> None:
    path = old_project.directory / name
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    text = text.replace(old, new, 1) if old else new
    if ">-" in new:
        text = text.replace("'   # the class", "")
    path.write_text(text, encoding="utf-8")
    before = files_of(old_project.directory)
    done = doctor(old_project, "--fix")
    assert "Change it by hand (no auto-fix available: " in done.stderr.decode()
    assert reason in done.stderr.decode()
    assert b"to auto-fix" not in doctor(old_project).stderr
    assert files_of(old_project.directory) == before


def test_a_change_that_cannot_be_written_changes_nothing(old_project: Any) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    before = files_of(old_project.directory)
    old_project.directory.chmod(0o500)
    try:
        done = doctor(old_project, "--fix")
    finally:
        old_project.directory.chmod(0o700)
    assert "Not fixed, nothing was changed: " in done.stderr.decode()
    assert files_of(old_project.directory) == before


def test_broken_references_are_errors(make_project: Make) -> None:
    project = make_project(MODEL)
    path = project.directory / "cog.yaml"
    path.write_text(path.read_text().replace("Runner", "DoesNotExist") + "train: t.py:T\n")
    done = doctor(project)
    text = done.stderr.decode()
    assert done.returncode == 1
    assert "cog.yaml:3 — DoesNotExist not found in run.py\n" in text
    assert "cog.yaml:4 — t.py not found\n" in text
    assert "Remediation: Create t.py or update the train field in cog.yaml\n" in text
    assert text.endswith("error: Found 2 errors.\n")


@pytest.mark.parametrize(
    "model",
    [
        "def Runner(a: str) -> str: ...\n",
        "from elsewhere import *\n",
        "try:\n    from elsewhere import Runner\nexcept ImportError:\n    Runner = None\n",
    ],
)
def test_functions_and_imported_names_are_references_too(make_project: Make, model: str) -> None:
    assert "  ok       References lead somewhere\n" in doctor(make_project(model)).stderr.decode()


def test_problems_of_the_configuration_are_errors(make_project: Make) -> None:
    project = make_project(MODEL, config="system_packages: []\nconcurrency: {max: 1}\n")
    done = doctor(project)
    text = done.stderr.decode()
    assert (
        "cog.yaml:4 — system_packages: unknown key; it belongs at build.system_packages\n" in text
    )
    assert "  warning  Deprecated fields\n" in text
    assert done.returncode == 1


def test_a_configuration_that_is_no_yaml_is_told_once(make_project: Make) -> None:
    project = make_project(MODEL)
    (project.directory / "cog.yaml").write_text("run: [\n")
    text = doctor(project).stderr.decode()
    assert "  error    Config file can be read\n      cog.yaml:" in text
    assert text.endswith("error: Found 1 error.\n")


def test_the_machine_is_examined_without_a_project(make_project: Make) -> None:
    project = make_project(MODEL)
    (project.directory / "cog.yaml").unlink()
    done = doctor(project)
    text = done.stderr.decode()
    assert f"cog.yaml not found in {project.directory} (or in any parent directories)\n" in text
    assert "  ok       uv, for environments (uv " in text
    assert done.returncode == 1


def test_a_missing_return_type_is_a_warning(make_project: Make) -> None:
    text = doctor(make_project(MODEL.replace(" -> str", ""))).stderr.decode()
    assert "run.py:4 — run() has no return type annotation\n" in text


def test_removed_imports_go_with_what_uses_them(make_project: Make) -> None:
    silenced = (
        "import os, warnings\nfrom cog.types import (\n    ExperimentalFeatureWarning,\n    Path,\n)\n\n"
        "def quiet() -> None:\n"
        '    warnings.filterwarnings("ignore", category=ExperimentalFeatureWarning)\n\n'
    )
    project = make_project(silenced + MODEL)
    told = doctor(project)
    assert told.returncode == 1
    assert "run.py:2 — ExperimentalFeatureWarning was removed from" in told.stderr.decode()
    done = doctor(project, "--fix")
    assert done.returncode == 0
    assert (project.directory / "run.py").read_text() == (
        "import os\nfrom cog.types import Path\n\ndef quiet() -> None:\n    pass\n\n" + MODEL
    )


def test_a_removed_import_that_is_used_otherwise_is_left(make_project: Make) -> None:
    model = "from cog.types import ExperimentalFeatureWarning as E\nclass Mine(E): ...\n" + MODEL
    project = make_project(model)
    done = doctor(project, "--fix")
    assert "(no auto-fix available: E is used in line 2)" in done.stderr.decode()
    assert done.returncode == 1
    assert (project.directory / "run.py").read_text() == model


PYDANTIC = """\
from __future__ import annotations
from pydantic import BaseModel, ConfigDict
from cog import BaseRunner, Path

class Out(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)
    image: Path

class Runner(BaseRunner):
    def run(self, a: str) -> list[Out]: ...
"""


def test_an_output_of_pydantic_becomes_one_of_cog(make_project: Make) -> None:
    project = make_project(PYDANTIC)
    assert "run.py:5 — Out derives from pydantic.BaseModel" in doctor(project).stderr.decode()
    doctor(project, "--fix")
    assert (project.directory / "run.py").read_text() == (
        "from __future__ import annotations\nfrom cog import BaseRunner, Path, BaseModel\n\n"
        "class Out(BaseModel):\n    image: Path\n\n"
        + PYDANTIC.partition("\n\n")[2].partition("\n\n")[2]
    )


def test_pydantic_is_imported_no_more_where_nothing_else_uses_it(make_project: Make) -> None:
    model = PYDANTIC.replace("from pydantic import BaseModel, ConfigDict", "import os, pydantic")
    model = model.replace("(BaseModel)", "(pydantic.BaseModel)").replace(
        "= Config", "= pydantic.Config"
    )
    project = make_project(model)
    doctor(project, "--fix")
    text = (project.directory / "run.py").read_text()
    assert "import os\n" in text
    assert "pydantic" not in text
    assert "class Out(BaseModel):\n    image: Path\n" in text
    kept = model.replace("class Runner(", "E = pydantic.ValidationError\n\n\nclass Runner(")
    project = make_project(kept)
    doctor(project, "--fix")
    assert "import os, pydantic\n" in (project.directory / "run.py").read_text()


def test_cogs_model_gets_another_name_where_pydantics_is_still_used(make_project: Make) -> None:
    other = "class Config(BaseModel):\n    size: int\n\n"
    project = make_project(PYDANTIC.replace("class Out", other + "class Out"))
    doctor(project, "--fix")
    text = (project.directory / "run.py").read_text()
    assert "from pydantic import BaseModel\n" in text
    assert "import BaseRunner, Path, BaseModel as CogBaseModel\n" in text
    assert "class Config(BaseModel):" in text
    assert "class Out(CogBaseModel):" in text


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("allowed=True", "allowed=True, frozen=True"),
        ("ConfigDict\n", "ConfigDict, Field\n"),
        ("image: Path\n", "image: Path\n    def area(self) -> int: ...\n"),
    ],
)
def test_a_class_that_needs_pydantic_stays(make_project: Make, old: str, new: str) -> None:
    model = PYDANTIC.replace(old, new).replace(
        "image: Path", "image: Path = Field()", "Field" in new
    )
    project = make_project(model)
    assert "(no auto-fix available: Out " in doctor(project, "--fix").stderr.decode()
    assert (project.directory / "run.py").read_text() == model


def test_a_cog_folder_in_the_project_is_told(make_project: Make) -> None:
    project = make_project(MODEL)
    (project.directory / "cog").mkdir()
    done = doctor(project)
    assert "cog — cog in the project has the name of the SDK" in done.stderr.decode()
    assert done.returncode == 0


def test_upstreams_package_beside_ours_is_an_error(
    make_project: Make, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("packages")
    (folder / "cog-0.23.1.dist-info").mkdir()
    (folder / "cog-0.23.1.dist-info" / "METADATA").write_text("Name: cog\nVersion: 0.23.1\n")
    project = make_project(MODEL)
    paths = os.pathsep.join([project.environ["PYTHONPATH"], str(folder)]).strip(os.pathsep)
    done = doctor(project, PYTHONPATH=paths)
    assert b"cog 0.23.1 is installed beside Cogworks" in done.stderr
    assert b"Run `pip uninstall cog`, then" in done.stderr
    assert done.returncode == 1


@pytest.fixture
def programs(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Return a function that makes programs and returns the PATH with them first."""
    folder = tmp_path_factory.mktemp("bin")

    def make(**scripts: str) -> str:
        for name, script in scripts.items():
            path = folder / name.replace("_", "-")
            path.write_text(f"#!/bin/sh\n{script}\n")
            path.chmod(0o755)
        return f"{folder}{os.pathsep}{os.environ['PATH']}"

    return make


@pytest.mark.parametrize(
    ("torch", "cuda", "findings"),
    [
        ("2.6.0", "12.4", ["torch 2.7.0 or newer, found 2.6.0", "CUDA 12.8 or newer, found 12.4"]),
        ("2.7.0", "12.8", []),
        ("2.10.0", "12.8", []),
    ],
)
def test_a_gpu_that_is_too_new_for_torch_is_told(
    make_project: Make, programs: Callable[..., str], torch: str, cuda: str, findings: list[str]
) -> None:
    project = make_project(MODEL)
    path = project.directory / "cog.yaml"
    path.write_text(
        path.read_text().replace("run:", f'  cuda: "{cuda}"\n  python_requirements: r.txt\nrun:')
    )
    (project.directory / "r.txt").write_text(f"torch=={torch}\n")
    text = doctor(project, PATH=programs(nvidia_smi="echo '12.0, Graphics 5090'")).stderr.decode()
    for finding in findings:
        assert f"Graphics 5090 (sm_120) needs {finding}\n" in text
    status = "warning" if findings else "ok     "
    assert f"  {status}  GPU and its libraries" in text


NO_DAEMON = "docker is installed, but cannot be used: no daemon"
RUNS = "runs models and images (`--engine {}`, `cog run IMAGE`), keeps what `cog build -t` makes"
EXECUTES = "executes what builds have to (`system_packages`, `run`, sources without a wheel)"
PODMAN = """echo '{"version": {"Version": "4.3.1"}}'"""


def test_an_engine_that_was_chosen_must_answer(
    make_project: Make, programs: Callable[..., str]
) -> None:
    project = make_project(MODEL)
    path = programs(docker="echo 'no daemon' >&2; exit 1", podman=PODMAN)
    chosen = project.cog("doctor", PATH=path, COG_ENGINE="docker")
    assert f"COG_ENGINE is docker, but {NO_DAEMON}\n".encode() in chosen.stderr
    assert chosen.returncode == 1
    assert project.cog("doctor", PATH=path, COG_ENGINE="podman").returncode == 0


def assert_sandbox_is_told(text: str) -> None:
    """See what is said of the engine that depends on this machine and its user alone."""
    (line,) = (line for line in text.splitlines() if line.startswith("      sandbox"))
    assert line.endswith(EXECUTES) or "cannot be used" in line or "on Linux only" in line


def test_what_each_engine_is_good_for_is_told(
    make_project: Make, programs: Callable[..., str]
) -> None:
    path = programs(docker="echo 'no daemon' >&2; exit 1", podman=PODMAN, buildah="exit 0")
    done = make_project(MODEL).cog("doctor", PATH=path)
    text = done.stderr.decode()
    assert done.returncode == 0
    assert f"      {NO_DAEMON}. " in text
    assert f"      podman 4.3.1: {RUNS.format('podman')}; {EXECUTES}\n" in text
    assert f"      buildah: {EXECUTES}\n" in text
    assert_sandbox_is_told(text)
    assert text.endswith("no issues found\n")


def test_a_build_that_no_engine_can_do_is_a_warning(
    make_project: Make, programs: Callable[..., str]
) -> None:
    project = make_project(MODEL)
    path = project.directory / "cog.yaml"
    path.write_text(path.read_text().replace("run:", '  system_packages: ["ffmpeg"]\nrun:'))
    broken = "echo 'no storage' >&2; exit 1"
    folders = programs(docker="exit 1", podman=broken, buildah=broken)
    text = project.cog("doctor", PATH=folders).stderr.decode()
    line = next(line for line in text.splitlines() if "ffmpeg" in line)
    assert line.endswith("on the base image. No engine here can do that")
    assert "buildah is installed, but cannot be used: no storage" in text
    assert "Remediation: Install buildah, podman or docker" in text
    (sandbox,) = (line for line in text.splitlines() if line.startswith("      sandbox"))
    # It is named as a way out where it is one.
    assert ("build with `--engine sandbox`" in text) is sandbox.endswith(EXECUTES)
    enough = programs(buildah="exit 0")
    assert b"ffmpeg" not in project.cog("doctor", PATH=enough).stderr


def test_another_cog_that_a_shell_would_start_is_told(
    make_project: Make, programs: Callable[..., str]
) -> None:
    project = make_project(MODEL)
    path = programs(cog="echo cog version 0.16")
    text = doctor(project, PATH=path).stderr.decode()
    program = Path(path.split(os.pathsep)[0], "cog")
    assert f"`cog` is {program} in a shell, another program than Cogworks\n" in text
    ours = programs(cog="exec python3 -m cogworks.cli")
    assert b"in a shell" not in doctor(project, PATH=ours).stderr


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="there is no such system of files here")
def test_a_cache_that_only_seems_to_be_writable_is_an_error(make_project: Make) -> None:
    done = doctor(make_project(MODEL), COG_CACHE_DIR="/proc/nope")
    assert done.returncode == 1
    assert b"      /proc/nope cannot be written: " in done.stderr
    assert b"or set COG_CACHE_DIR to another folder\n" in done.stderr


def test_a_python_that_is_not_here_is_a_warning(make_project: Make) -> None:
    project = make_project(MODEL)
    path = project.directory / "cog.yaml"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], '  python_version: "3.9"', *lines[2:]]))
    text = doctor(project, PATH="/usr/bin:/bin", PYENV_ROOT="/nowhere").stderr.decode()
    assert "cog.yaml:2 — Python 3.9 is not on this machine; uv fetches it when" in text


def test_broken_environments_are_removed_and_sound_ones_stay(
    make_project: Make, tmp_path_factory: pytest.TempPathFactory
) -> None:
    cache = tmp_path_factory.mktemp("own-cache")
    project = make_project(MODEL)
    made = project.cog("exec", "true", COG_CACHE_DIR=str(cache))
    assert made.returncode == 0, made.stderr
    [sound] = [path for path in (cache / "envs").iterdir() if (path / "environment.json").exists()]
    (sound / "abcdef").mkdir()
    (cache / "envs" / "killed").mkdir()
    (cache / "envs" / "killed" / "123456").mkdir()
    told = doctor(project, COG_CACHE_DIR=str(cache)).stderr.decode()
    assert f"envs/{sound.name}/abcdef: leftover of a build\n" in told
    assert "envs/killed: environment that does not work\n" in told
    assert "Run `cog doctor --fix` to remove it" in told
    fixed = doctor(project, "--fix", COG_CACHE_DIR=str(cache)).stderr.decode()
    assert "  fixed    Fixed: Cache\n" in fixed
    assert not (cache / "envs" / "killed").exists()
    assert not (sound / "abcdef").exists()
    assert doctor(project, COG_CACHE_DIR=str(cache)).stderr.endswith(b"no issues found\n")
    assert project.cog("exec", "true", COG_CACHE_DIR=str(cache)).stderr.count(b"\n") == 1
