"""Run the test suites and add up their results; ``scripts/test`` calls this with the Python of ``.venv``.

The SDK runs under the model's Python, so its suite runs under every supported Python that this machine has, each in
an environment with nothing but pytest; those environments are kept in ``.cache/sdk-tests``.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / ".cache"
UV = Path(sys.executable).with_name("uv")

HOST_TESTS = ("tests", "host/tests", "bench/tests", "sdk/tests/test_typing.py")
"""What runs under ``.venv``; the SDK's typing is checked there too, because only there pyright is."""

SDK_PYTHONS = ("3.9", "3.10", "3.11", "3.12", "3.13")
"""What sdk/pyproject.toml promises; tests/test_versions.py compares."""


@dataclass(frozen=True)
class Result:
    """What one suite came to; ``problem`` says why there are no numbers."""

    suite: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    problem: str = ""

    def __str__(self) -> str:
        counts = f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"
        return f"{self.suite:12} {self.problem or counts} in {self.seconds:.0f} s"


def main() -> int:
    """Run what was asked for; return 0 only if every suite ran and nothing failed."""
    options = parse(sys.argv[1:])
    pytest_arguments = list(options.pytest)
    if options.offline:
        pytest_arguments += ["-m", "not network"]
    results: list[Result] = []
    skipped: list[str] = []
    if options.only != "sdk":
        command = [sys.executable, "-m", "pytest", "-n", "auto", *HOST_TESTS]
        results.append(run_suite("host", [*command, *pytest_arguments]))
    if options.only != "host":
        for version in options.python or SDK_PYTHONS:
            python = find_python(version)
            if python is None:
                skipped.append(version)
                continue
            results.append(run_sdk_suite(version, python, pytest_arguments))
    return report(results, skipped)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/test",
        description="Install what the tests need and run them all; the last line is the sum.",
    )
    parser.add_argument("--only", choices=["host", "sdk"], help="one suite instead of both")
    parser.add_argument(
        "--python",
        action="append",
        choices=SDK_PYTHONS,
        help="the SDK's suite under this Python only (may be repeated)",
    )
    parser.add_argument(
        "--offline",
        action="store_true",
        help="leave out the tests that need the package registries",
    )
    parser.add_argument("pytest", nargs="*", metavar="-- ARGUMENT", help="handed to every pytest")
    return parser.parse_args(arguments)


def run_sdk_suite(version: str, python: Path, pytest_arguments: Sequence[str]) -> Result:
    """Run the SDK's suite under one Python, in an environment of its own."""
    suite = f"sdk on {version}"
    started_at = time.monotonic()
    try:
        interpreter = ensure_sdk_environment(version, python)
    except subprocess.CalledProcessError as error:
        problem = f"no environment: `{' '.join(error.cmd[:3])} ...` exited with {error.returncode}"
        return Result(suite, failed=1, seconds=time.monotonic() - started_at, problem=problem)
    command = [str(interpreter), "-m", "pytest", "-n", "auto", "sdk/tests"]
    return run_suite(suite, [*command, *pytest_arguments])


def run_suite(suite: str, command: Sequence[str]) -> Result:
    """Run one pytest and read its counts from its JUnit report."""
    xml = CACHE / "test-results" / f"{suite.replace(' ', '-')}.xml"
    xml.parent.mkdir(parents=True, exist_ok=True)
    xml.unlink(missing_ok=True)
    announce(f"{suite}: {' '.join(command)}")
    started_at = time.monotonic()
    code = subprocess.run([*command, f"--junitxml={xml}"], cwd=ROOT, check=False).returncode
    seconds = time.monotonic() - started_at
    if code not in (0, 1) or not xml.exists():
        reason = "found no tests" if code == 5 else f"pytest exited with {code}"
        return Result(suite, failed=1, seconds=seconds, problem=reason)
    return counts(suite, xml, seconds)


def counts(suite: str, xml: Path, seconds: float) -> Result:
    """Add up a JUnit report; an error in a fixture counts as a failure."""
    totals = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
    for element in ElementTree.parse(xml).iter("testsuite"):
        for name in totals:
            totals[name] += int(element.get(name, "0"))
    failed = totals["failures"] + totals["errors"]
    passed = totals["tests"] - failed - totals["skipped"]
    return Result(suite, passed, failed, totals["skipped"], seconds)


def ensure_sdk_environment(version: str, python: Path) -> Path:
    """Return the interpreter of the environment for one Python, made again only if what it needs has changed."""
    directory = CACHE / "sdk-tests" / version
    interpreter = directory / "bin" / "python"
    stamp = directory / "made-from"
    digest = hashlib.sha256(str(python).encode())
    for source in ("pyproject.toml", "sdk/pyproject.toml", "VERSION"):
        digest.update((ROOT / source).read_bytes())
    if interpreter.exists() and stamp.exists() and stamp.read_text() == digest.hexdigest():
        return interpreter
    announce(f"sdk on {version}: making {directory.relative_to(ROOT)} with {python}")
    shutil.rmtree(directory, ignore_errors=True)
    uv("venv", "--python", str(python), str(directory))
    group = f"{ROOT / 'pyproject.toml'}:sdk-tests"
    uv("pip", "install", "--python", str(interpreter), "--editable", "sdk", "--group", group)
    stamp.write_text(digest.hexdigest())
    return interpreter


def uv(*arguments: str) -> None:
    """Run uv quietly in the repository; its errors go to the terminal."""
    subprocess.run([str(UV), "--quiet", *arguments], cwd=ROOT, check=True)


def find_python(version: str) -> Path | None:
    """Return an interpreter of this minor version: what uv finds, else what pyenv keeps off the PATH."""
    for candidate in python_candidates(version):
        if is_version(candidate, version):
            return candidate
    return None


def python_candidates(version: str) -> Iterator[Path]:
    """Yield where a Python of this version may be, nothing downloaded."""
    found = subprocess.run(
        [str(UV), "python", "find", "--system", "--no-python-downloads", f"cpython@{version}"],
        check=False,
        stdout=subprocess.PIPE,
        # It warns of every pyenv shim that stands for no version; a miss is reported by our caller.
        stderr=subprocess.DEVNULL,
        text=True,
    ).stdout.strip()
    if found:
        yield Path(found)
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from sorted(pyenv.glob(f"versions/{version}.*/bin/python"), reverse=True)


def is_version(python: Path, version: str) -> bool:
    """Tell whether an interpreter starts and is of this minor version."""
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        said = subprocess.run(
            [str(python), "-c", code], check=True, capture_output=True, text=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return False
    return said.strip() == version


def report(results: Sequence[Result], skipped: Sequence[str]) -> int:
    """Print a line for each suite and the sum as the last one."""
    print(flush=True)
    for result in results:
        print(result)
    for version in skipped:
        print(f"sdk on {version:5} skipped: no Python {version} on this machine")
    if not results:
        print("no suite ran")
    passed = sum(result.passed for result in results)
    failed = sum(result.failed for result in results)
    not_run = sum(result.skipped for result in results)
    print(f"{passed} passed, {failed} failed, {not_run} skipped", flush=True)
    return 0 if results and not failed else 1


def announce(text: str) -> None:
    """Say on the terminal what comes next."""
    print(f"\n== {text}", flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
