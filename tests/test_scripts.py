"""The parts of the scripts that decide something."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from scripts._suites import Result, counts, find_python, is_version, report
from scripts._uv_config import uv_requirement

OWN_VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"


def test_the_requirement_on_uv_comes_from_the_host() -> None:
    assert uv_requirement().startswith("uv>=")


def test_an_error_in_a_fixture_counts_as_failed(tmp_path: Path) -> None:
    xml = tmp_path / "report.xml"
    xml.write_text(
        '<testsuites><testsuite tests="10" failures="2" errors="1" skipped="3"/></testsuites>'
    )
    assert counts("host", xml, 1.5) == Result("host", 4, 3, 3, 1.5)


def test_the_last_line_is_the_sum(capsys: pytest.CaptureFixture[str]) -> None:
    code = report([Result("host", 5, 0, 1), Result("sdk on 3.9", 7, 0, 2)], ["3.10"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "12 passed, 0 failed, 3 skipped"
    assert "sdk on 3.10  skipped: no Python 3.10 on this machine" in lines
    assert code == 0


def test_a_suite_that_did_not_run_fails_the_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert report([Result("host", failed=1, problem="found no tests")], []) == 1
    assert "found no tests" in capsys.readouterr().out


def test_nothing_run_is_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    assert report([], ["3.9"]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "0 passed, 0 failed, 0 skipped"


def test_an_interpreter_is_believed_only_after_it_ran(tmp_path: Path) -> None:
    assert is_version(Path(sys.executable), OWN_VERSION)
    assert not is_version(Path(sys.executable), "3.9")
    assert not is_version(tmp_path / "python", OWN_VERSION)


def test_the_python_that_runs_the_tests_is_found() -> None:
    assert find_python(OWN_VERSION) is not None


def find_with(
    root: Path, python: str, path: str = "/usr/bin:/bin"
) -> subprocess.CompletedProcess[str]:
    command = f'source "{root}/scripts/_common.sh"; find_python'
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        env={"PATH": path, "PYTHON": python},
        capture_output=True,
        text=True,
        check=False,
    )


def test_setup_takes_the_python_that_the_caller_names(root: Path) -> None:
    done = find_with(root, sys.executable)
    assert done.returncode == 0, done.stderr
    # The environment that runs the tests is not what a new one is made from, but its base is.
    assert Path(done.stdout.strip()) == Path(sys.base_prefix, "bin", Path(done.stdout.strip()).name)


def test_setup_refuses_a_python_that_is_too_old(root: Path, tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    done = find_with(root, str(old))
    assert done.returncode == 1
    assert f"error: PYTHON={old} is not a Python 3.11 or newer." in done.stderr


def test_setup_passes_over_a_python_that_cannot_make_environments(
    root: Path, tmp_path: Path
) -> None:
    bare = tmp_path / "python3"
    # As Debian's python3 without python3-venv: it runs, and has no ensurepip.
    bare.write_text(f'#!/bin/sh\ncase "$2" in *ensurepip*) exit 1;; esac\necho "{bare}"\n')
    bare.chmod(0o755)
    whole = tmp_path / "python3.11"
    whole.write_text(f'#!/bin/sh\ncase "$2" in *ensurepip*) exit 0;; esac\necho "{whole}"\n')
    whole.chmod(0o755)
    done = find_with(root, "", path=f"{tmp_path}:/usr/bin:/bin")
    assert done.stdout.strip() == str(whole)
