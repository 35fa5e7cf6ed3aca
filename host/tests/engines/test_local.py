"""Environments, made for real: by uv, from packages of the test's own."""

from __future__ import annotations

import ensurepip
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cogworks.engines.errors import (
    EngineError,
    InstallError,
    PythonNotFoundError,
    ResolutionError,
)
from cogworks.engines.local import Environment, notices
from cogworks.engines.python import Machine
from cogworks.project import Project, RequirementsError, load_project

from .conftest import THIS_PYTHON, Workbench
from .private_index import PASSWORD, private_index

VERSIONS = ("3.9", "3.10", "3.11", "3.12", "3.13")

# Every test here runs uv.
pytestmark = pytest.mark.slow


def ask(environment: Environment, code: str) -> str:
    """Return what a program prints in an environment."""
    command = [str(environment.python), "-I", "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def installed(environment: Environment) -> set[str]:
    """Return the packages of an environment, without those that come with its Python."""
    code = "from importlib.metadata import distributions as d; print(*(x.metadata['Name'] for x in d()))"
    return set(ask(environment, code).split()) - {"pip", "setuptools"}


def test_a_project_without_packages_gets_an_empty_environment(bench: Workbench) -> None:
    environment = bench.ensure(bench.project())
    assert installed(environment) == set()
    assert ask(environment, "import sys; print(sys.prefix)") == str(environment.directory)
    assert environment.directory.is_relative_to(bench.cache_dir / "envs")


@pytest.mark.skipif(
    not [*(Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl")],
    reason="this Python brings no pip of its own",
)
def test_an_environment_has_a_pip_that_works_on_itself(bench: Workbench) -> None:
    bench.wheel("alpha", "1.0")
    environment = bench.ensure(bench.project("alpha\n"))
    command = [str(environment.directory / "bin" / "pip"), "list", "--format=freeze"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert "alpha==1.0" in listed.splitlines()


def test_a_pip_that_the_project_pins_stays(bench: Workbench) -> None:
    bench.wheel("pip", "99.0")
    environment = bench.ensure(bench.project("pip==99.0\n"))
    assert ask(environment, "import pip; print(pip.version)") == "99.0"


def test_requirements_are_resolved_and_installed(bench: Workbench) -> None:
    bench.wheel("alpha", "1.0")
    bench.wheel("alpha", "2.0", ["beta>=1"])
    bench.wheel("beta", "1.5")
    environment = bench.ensure(bench.project("alpha\n"))
    assert ask(environment, "import alpha, beta; print(alpha.version, beta.version)") == "2.0 1.5"
    assert bench.progress.stages == [
        f"Finding Python {THIS_PYTHON}",
        "Resolving the requirements",
        "Creating the environment",
        "Installing packages",
    ]
    assert "+ alpha==2.0" in bench.progress.lines
    assert len(bench.progress.ends) == 1


def test_an_environment_is_reused_in_silence(bench: Workbench) -> None:
    bench.wheel("alpha", "1.0")
    project = bench.project("alpha\n")
    first = bench.ensure(project)
    bench.progress.stages.clear()
    assert bench.ensure(project) == first
    assert bench.progress.stages == []


def test_reuse_starts_no_process_and_imports_neither_uv_nor_locks(bench: Workbench) -> None:
    bench.ensure(bench.project())
    output, _ = bench.child("raise SystemExit('not reused')").communicate(timeout=60)
    modules = output.splitlines()[-1].split()
    assert {"cogworks.engines.local", "cogworks.engines.store"} <= set(modules)
    assert set(modules) & {"uv", "subprocess", "filelock", "ruamel.yaml"} == set()


def test_what_changes_nothing_keeps_the_environment(bench: Workbench) -> None:
    bench.wheel("alpha", "1.0")
    first = bench.ensure(bench.project("alpha\n"))
    # A comment does not even change the inputs; a version does, but not what they come to.
    assert bench.ensure(bench.project("# hello\nalpha\n")) == first
    assert bench.ensure(bench.project("alpha==1.0\n")) == first
    assert "Creating the environment" in bench.progress.stages
    assert bench.progress.stages.count("Creating the environment") == 1


def test_a_resolution_is_kept_while_its_inputs_are_the_same(bench: Workbench) -> None:
    bench.wheel("alpha", "1.0")
    project = bench.project("alpha\n")
    first = bench.ensure(project)
    bench.wheel("alpha", "2.0")
    shutil.rmtree(first.directory)
    second = bench.ensure(project)
    assert second.directory != first.directory
    assert ask(second, "import alpha; print(alpha.version)") == "1.0"


def test_an_environment_whose_python_is_gone_is_made_again(bench: Workbench) -> None:
    project = bench.project()
    first = bench.ensure(project)
    first.python.unlink()
    first.python.symlink_to("/nowhere/python")
    second = bench.ensure(project)
    assert second.directory != first.directory
    assert ask(second, "print(1)") == "1"
    assert not first.directory.exists()


@pytest.mark.parametrize("version", VERSIONS)
def test_every_supported_python_of_this_machine_can_be_had(bench: Workbench, version: str) -> None:
    if Machine(None).find(version) is None:
        pytest.skip(f"there is no Python {version} on this machine")
    bench.wheel("alpha", "1.0")
    variables = {k: v for k, v in bench.variables.items() if k != "PYENV_ROOT"}
    variables["PATH"] = os.pathsep.join(os.get_exec_path())
    variables["HOME"] = str(Path.home())
    environment = bench.ensure(bench.project("alpha\n"), version, variables)
    code = "import sys, alpha; print('.'.join(map(str, sys.version_info[:2])))"
    assert ask(environment, code) == version


def test_another_python_may_be_asked_for(bench: Workbench) -> None:
    project = bench.project(python="3.99")
    assert ask(bench.ensure(project, THIS_PYTHON), "print(1)") == "1"


def test_a_python_that_cannot_be_had_is_named_with_what_was_found(bench: Workbench) -> None:
    with pytest.raises(PythonNotFoundError) as caught:
        bench.ensure(bench.project(python="3.99"))
    message = str(caught.value)
    assert message.startswith("Python 3.99 was not found and could not be fetched: ")
    assert f"Looked for python3.99 in {Path(sys.executable).parent}" in message
    assert f"--python {THIS_PYTHON}" in message
    assert THIS_PYTHON in [version.rpartition(".")[0] for version in caught.value.found]


@pytest.mark.parametrize("version", ["3", "3.x", "3.8", "; rm"])
def test_a_python_that_is_no_supported_version_is_refused(bench: Workbench, version: str) -> None:
    with pytest.raises(EngineError, match=r"^Python "):
        bench.ensure(bench.project(), version)


class TestWhatIsInstalled:
    """The sources of packages, and what is left out of them."""

    def test_a_local_wheel_counts_by_its_content(self, bench: Workbench) -> None:
        wheel = bench.wheel("alpha", "1.0", folder=bench.directory / "wheels")
        project = bench.project("./wheels/alpha-1.0-py3-none-any.whl\n")
        first = bench.ensure(project)
        assert installed(first) == {"alpha"}
        assert bench.ensure(project) == first
        bench.wheel("alpha", "1.0", ["beta"], folder=wheel.parent)
        bench.wheel("beta", "1.0")
        assert installed(bench.ensure(project)) == {"alpha", "beta"}

    def test_included_files_and_constraints_count_by_their_content(self, bench: Workbench) -> None:
        for version in ("1.0", "2.0", "3.0"):
            bench.wheel("alpha", version)
        bench.write("more/a.txt", "alpha\n")
        bench.write("constraints.txt", "alpha<3\n")
        project = bench.project("-r more/a.txt\n-c constraints.txt\n")
        code = "import alpha; print(alpha.version)"
        assert ask(bench.ensure(project), code) == "2.0"
        bench.write("constraints.txt", "alpha<2\n")
        assert ask(bench.ensure(project), code) == "1.0"

    def test_packages_of_the_configuration_are_installed(self, bench: Workbench) -> None:
        bench.wheel("alpha", "1.0")
        bench.write(
            "cog.yaml",
            f"""\
            build:
              python_version: "{THIS_PYTHON}"
              python_packages:
                - alpha==1.0
            """,
        )
        assert installed(bench.ensure(load_project(bench.directory))) == {"alpha"}

    def test_upstream_packages_are_left_out_wherever_they_are_named(self, bench: Workbench) -> None:
        bench.wheel("cog", "0.9.0", ["nowhere-to-be-found"])
        bench.wheel("plugin", "1.0", ["cog<0.10"])
        project = bench.project("cog==0.9.0\nplugin\n")
        assert installed(bench.ensure(project)) == {"plugin"}
        assert len(notices(project)) == 1

    def test_a_project_may_pin_packages_that_the_host_has_in_another_version(
        self, bench: Workbench
    ) -> None:
        bench.wheel("starlette", "0.0.1")
        assert installed(bench.ensure(bench.project("starlette==0.0.1\n"))) == {"starlette"}

    def test_hashes_of_the_author_are_checked(self, bench: Workbench) -> None:
        bench.wheel("alpha", "1.0")
        digest = "0" * 64
        with pytest.raises(InstallError, match=r"(?i)hash mismatch") as caught:
            bench.ensure(bench.project(f"alpha==1.0 --hash=sha256:{digest}\n"))
        assert digest in str(caught.value)


PYPROJECT = """\
[project]
name = "thing"
version = "0"
requires-python = ">=3.9"
dependencies = ["alpha", "cog==0.9.0"]

[dependency-groups]
dev = ["tool"]

[tool.uv]
override-dependencies = ["huge ; sys_platform == 'never'"]
"""


class TestPyproject:
    """``pyproject.toml``, with and without ``uv.lock``."""

    @pytest.fixture
    def project(self, bench: Workbench) -> Project:
        bench.wheel("alpha", "1.0", ["beta", "huge"])
        bench.wheel("beta", "1.0")
        bench.wheel("huge", "1.0")
        bench.wheel("tool", "1.0")
        bench.wheel("cog", "0.9.0", ["beta"])
        bench.write("pyproject.toml", PYPROJECT)
        return bench.project()

    def test_its_dependencies_are_installed_and_its_overrides_honoured(
        self, bench: Workbench, project: Project
    ) -> None:
        environment = bench.ensure(project)
        assert installed(environment) == {"alpha", "beta"}
        assert bench.ensure(project) == environment

    def test_a_lock_decides_the_versions(self, bench: Workbench, project: Project) -> None:
        self.lock(bench)
        bench.wheel("alpha", "2.0")
        environment = bench.ensure(project)
        assert installed(environment) == {"alpha", "beta"}
        assert ask(environment, "import alpha; print(alpha.version)") == "1.0"

    def test_a_changed_lock_changes_the_environment(
        self, bench: Workbench, project: Project
    ) -> None:
        before = bench.ensure(project)
        bench.wheel("alpha", "2.0")
        self.lock(bench)
        after = bench.ensure(project)
        assert ask(after, "import alpha; print(alpha.version)") == "2.0"
        assert before != after

    def test_overrides_hold_for_a_requirements_file_beside_it(
        self, bench: Workbench, project: Project
    ) -> None:
        assert installed(bench.ensure(bench.project("alpha\n"))) == {"alpha", "beta"}

    @staticmethod
    def lock(bench: Workbench) -> None:
        from uv import find_uv_bin

        command = [find_uv_bin(), "lock", "--quiet", "--python", sys.executable]
        subprocess.run(command, check=True, cwd=bench.directory, env=bench.variables)


class TestErrors:
    """What uv cannot do is said in its words, trimmed, and leaves nothing behind."""

    def test_a_package_that_does_not_exist(self, bench: Workbench) -> None:
        with pytest.raises(ResolutionError) as caught:
            bench.ensure(bench.project("missing-thing\n"))
        message = str(caught.value)
        assert message.startswith("the packages of requirements.txt cannot be resolved:\n")
        assert "missing-thing" in message
        assert not re.search(r"error:|cause:|requirements\.in|[×╰│]", message)
        assert bench.progress.ends == []

    def test_a_version_that_does_not_exist(self, bench: Workbench) -> None:
        bench.wheel("alpha", "1.0")
        with pytest.raises(ResolutionError, match="alpha==9"):
            bench.ensure(bench.project("alpha==9\n"))

    def test_requirements_that_do_not_fit_together(self, bench: Workbench) -> None:
        bench.wheel("alpha", "1.0", ["beta<2"])
        bench.wheel("beta", "1.0")
        bench.wheel("beta", "2.0")
        with pytest.raises(ResolutionError) as caught:
            bench.ensure(bench.project("alpha\nbeta>=2\n"))
        assert "alpha" in str(caught.value)
        assert "beta" in str(caught.value)

    def test_a_line_that_is_no_requirement_names_the_authors_file(self, bench: Workbench) -> None:
        with pytest.raises(ResolutionError, match=r"`requirements\.txt`"):
            bench.ensure(bench.project("alpha ===\n"))

    def test_a_registry_that_cannot_be_reached_is_named_without_credentials(
        self, bench: Workbench
    ) -> None:
        variables = {k: v for k, v in bench.variables.items() if k != "UV_OFFLINE"}
        variables["UV_DEFAULT_INDEX"] = "http://someone:hunter2@127.0.0.1:9/simple"
        variables["UV_HTTP_RETRIES"] = "0"
        with pytest.raises(ResolutionError) as caught:
            bench.ensure(bench.project("alpha\n"), variables=variables)
        message = str(caught.value)
        assert message.startswith("the package index cannot be reached:\n")
        assert "127.0.0.1:9" in message
        assert "hunter2" not in message + "".join(bench.progress.lines)
        files = [path for path in bench.cache_dir.rglob("*") if path.is_file()]
        assert not any(b"hunter2" in path.read_bytes() for path in files)

    def test_a_package_that_cannot_be_built_says_why_without_secrets(
        self, bench: Workbench
    ) -> None:
        bench.sdist("broken", "raise RuntimeError('no compiler at https://me:hunter2@host')\n")
        with pytest.raises((ResolutionError, InstallError), match="no compiler at") as caught:
            bench.ensure(bench.project("./broken-1.0.tar.gz\n"))
        assert "https://***@host" in str(caught.value)

    def test_bad_requirements_are_refused_before_anything_starts(self, bench: Workbench) -> None:
        with pytest.raises(RequirementsError):
            bench.ensure(bench.project("./missing.whl\n"))
        assert bench.progress.stages == []
        assert not bench.cache_dir.exists()

    def test_a_failed_build_leaves_no_environment_and_can_be_repeated(
        self, bench: Workbench
    ) -> None:
        project = bench.project("alpha==1.0 --hash=sha256:" + "0" * 64 + "\n")
        bench.wheel("alpha", "1.0")
        for _ in range(2):
            with pytest.raises(InstallError):
                bench.ensure(project)
        assert list(bench.cache_dir.rglob("pyvenv.cfg")) == []

    def test_a_cache_that_cannot_be_written_is_named(self, bench: Workbench) -> None:
        bench.cache_dir.parent.mkdir(exist_ok=True)
        bench.cache_dir.write_text("not a folder")
        with pytest.raises(EngineError, match=re.escape(str(bench.cache_dir))):
            bench.ensure(bench.project())


class TestPrivateIndex:
    """An index with a password works however it is named, and the password stays where it is."""

    @pytest.fixture
    def index(self, tmp_path: Path, bench: Workbench) -> Iterator[str]:
        bench.wheel("alpha", "1.0", folder=tmp_path / "served")
        with private_index(tmp_path / "served") as url:
            yield url

    @staticmethod
    def ensure(bench: Workbench, project: Project, **variables: str) -> None:
        online = {name: value for name, value in bench.variables.items() if name != "UV_OFFLINE"}
        assert installed(bench.ensure(project, variables=online | variables)) == {"alpha"}
        files = [path for path in bench.cache_dir.rglob("*") if path.is_file()]
        assert not any(PASSWORD.encode() in path.read_bytes() for path in files)
        assert PASSWORD not in "".join(bench.progress.lines + bench.progress.stages)

    def test_named_in_the_environment(self, bench: Workbench, index: str) -> None:
        self.ensure(bench, bench.project("alpha\n"), UV_DEFAULT_INDEX=index)

    def test_named_in_the_requirements(self, bench: Workbench, index: str) -> None:
        self.ensure(bench, bench.project(f"--index-url {index}\nalpha\n"))

    def test_named_in_the_pyproject_for_one_package_only(
        self, bench: Workbench, index: str
    ) -> None:
        bench.write(
            "pyproject.toml",
            f"""\
            [project]
            name = "thing"
            version = "0"
            requires-python = ">=3.9"
            dependencies = ["alpha"]

            [tool.uv.sources]
            alpha = {{ index = "private" }}

            [[tool.uv.index]]
            name = "private"
            url = "{index}"
            explicit = true
            """,
        )
        self.ensure(bench, bench.project())


class TestSeveralProcesses:
    """One builds, the others wait; whoever dies breaks nothing."""

    def test_two_processes_build_once(self, bench: Workbench) -> None:
        bench.wheel("alpha", "1.0")
        bench.project("alpha\n")
        first = bench.child(
            """
            if stage == "Installing packages":
                sys.stdin.readline()
            """
        )
        assert first.stdout is not None
        assert first.stdin is not None
        for line in first.stdout:
            if line == "stage Installing packages\n":
                break
        second = bench.child("pass")
        assert second.stdout is not None
        waiting = "stage Waiting for another process that makes this environment\n"
        assert second.stdout.readline() == waiting
        outputs = [process.communicate("\n", timeout=60)[0] for process in (first, second)]
        pythons = [re.findall("^python (.*)$", output, re.MULTILINE) for output in outputs]
        assert pythons[0] == pythons[1] != []
        assert "stage" not in outputs[1]
        assert (first.returncode, second.returncode) == (0, 0)

    def test_a_killed_build_is_started_anew(self, bench: Workbench) -> None:
        bench.wheel("alpha", "1.0")
        project = bench.project("alpha\n")
        child = bench.child(
            """
            if stage == "Installing packages":
                os.kill(os.getpid(), 9)
            """
        )
        child.communicate(timeout=60)
        assert child.returncode == -signal.SIGKILL
        (leftover,) = bench.cache_dir.rglob("pyvenv.cfg")
        environment = bench.ensure(project)
        assert installed(environment) == {"alpha"}
        assert not leftover.exists()

    def test_an_interrupt_ends_uv_and_all_it_started_and_leaves_nothing(
        self, bench: Workbench, tmp_path: Path
    ) -> None:
        pid_file = tmp_path / "pid"
        os.mkfifo(pid_file)
        bench.sdist(
            "endless",
            f"""
            import os, time
            with open({str(pid_file)!r}, "w") as file:
                file.write(str(os.getpid()))
            time.sleep(600)
            """,
        )
        bench.project("./endless-1.0.tar.gz\n")
        child = bench.child("pass")
        pid = int(pid_file.read_text())
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=60)
        assert child.returncode != 0
        assert has_ended(pid)
        assert list(bench.cache_dir.rglob("pyvenv.cfg")) == []
        assert list(bench.cache_dir.rglob("new-*")) == []


def has_ended(pid: int) -> bool:
    """Tell whether a process is gone, or a zombie that its new parent has not collected yet."""
    status = Path(f"/proc/{pid}/stat")
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] in "ZX"


class TestNotices:
    """What a local environment cannot have is said once."""

    def test_a_plain_project_has_none(self, bench: Workbench) -> None:
        assert notices(bench.project("alpha\n")) == []

    def test_everything_that_needs_an_image_is_in_one_notice(self, bench: Workbench) -> None:
        bench.write(
            "cog.yaml",
            """\
            build:
              python_version: "3.11"
              gpu: true
              cuda: "12.1"
              system_packages: [ffmpeg]
              run: [echo]
              base_image: registry.example/base
            """,
        )
        (notice,) = notices(load_project(bench.directory))
        assert notice.startswith(
            "build.system_packages, build.run, build.cuda, build.base_image cannot be applied"
        )
        assert "`--engine docker`" in notice

    def test_a_bad_requirements_file_is_left_to_the_build(self, bench: Workbench) -> None:
        assert notices(bench.project("file:x\n")) == []
