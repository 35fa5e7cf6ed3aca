"""Find the Python that a project asks for: on this machine, or fetched by uv.

We look ourselves before uv does, because a shim that only prints an error (pyenv, asdf) stops
uv's search, while here each candidate has to prove its version.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cogworks.engines.errors import PythonNotFoundError
from cogworks.engines.progress import Progress
from cogworks.engines.uv import Uv, clean_environment, ignore_line

PROBE_TIMEOUT_S = 10.0
OLDEST = (3, 9)
"""The oldest Python that runs a model; older ones are not suggested."""
_PROBE = """
import os, sys
print(".".join(map(str, sys.version_info[:3])), sys.executable, os.__file__, sep="\\n")
"""
_PYTHON_NAME = re.compile(r"python3\.(\d+)(?:\.exe)?")


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python that runs: its full version, its path, and where its standard library lies."""

    version: str
    path: Path
    library: Path


def find_python(version: str, uv: Uv, machine: Machine, progress: Progress) -> Interpreter:
    """Return an interpreter of ``version`` (major.minor, or with a patch number).

    Raises:
        PythonNotFoundError: there is none and uv cannot fetch it.
    """
    progress.stage(f"Finding Python {version}")
    found = machine.find(version)
    if found is not None:
        progress.line(f"Python {found.version} at {found.path}")
        return found
    here = Path(os.curdir).absolute()
    managed = ["python", "find", "--managed-python", "--no-project", "--no-config", version]
    outcome = uv.run(managed, here, ignore_line)
    if outcome.code != 0:
        progress.stage(f"Fetching Python {version}")
        fetch = uv.run(["python", "install", "--no-bin", version], here, progress.line)
        if fetch.code != 0:
            raise PythonNotFoundError(
                version,
                [str(directory) for directory in machine.directories],
                [each.version for each in machine.list() if _numbers(each.version) >= OLDEST],
                ": ".join(fetch.explanation.splitlines()[:2]),
            )
        outcome = uv.run(managed, here, ignore_line)
    fetched = machine.probe(Path(outcome.output.strip()))
    if fetched is None:
        raise PythonNotFoundError(version, [], [], "the Python that uv fetched does not run")
    progress.line(f"Python {fetched.version} at {fetched.path}")
    return fetched


class Machine:
    """The interpreters of this machine: those on PATH, then those that pyenv has built."""

    def __init__(self, environment: Mapping[str, str] | None) -> None:
        self._environment = None if environment is None else clean_environment(environment)
        self.directories = tuple(dict.fromkeys(_directories(environment)))

    def find(self, version: str) -> Interpreter | None:
        """Return the first interpreter that has the version, or None."""
        minor = ".".join(version.split(".")[:2])
        for name in (f"python{minor}", "python3", "python"):
            for directory in self.directories:
                interpreter = self.probe(directory / _executable(name))
                if interpreter is not None and _fits(interpreter.version, version):
                    return interpreter
        return None

    def list(self) -> list[Interpreter]:
        """Return one interpreter for each version found, newest first."""
        found: dict[str, Interpreter] = {}
        for directory in self.directories:
            for path in sorted(_pythons_in(directory)):
                interpreter = self.probe(path)
                if interpreter is not None:
                    found.setdefault(interpreter.version, interpreter)
        return sorted(found.values(), key=lambda each: _numbers(each.version), reverse=True)

    def probe(self, path: Path) -> Interpreter | None:
        """Return what a candidate says about itself, or None when it is not a working Python."""
        if not path.is_file() or not os.access(path, os.X_OK):
            return None
        try:
            completed = subprocess.run(
                [os.fspath(path), "-I", "-S", "-c", _PROBE],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=PROBE_TIMEOUT_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        answer = completed.stdout.splitlines()
        if completed.returncode != 0 or len(answer) != 3:
            return None
        version, executable, module = answer
        if not re.fullmatch(r"3\.\d+\.\d+", version):
            return None
        return Interpreter(version, Path(executable or path), Path(module).parent)


def _directories(environment: Mapping[str, str] | None) -> Iterator[Path]:
    if environment is None:
        search, root = os.get_exec_path(), None
    else:
        search = environment.get("PATH", os.defpath).split(os.pathsep)
        root = environment.get("PYENV_ROOT")
    for entry in search:
        if entry:
            yield Path(entry)
    pyenv = Path(root) if root else Path.home() / ".pyenv"
    versions = [path for path in pyenv.glob("versions/*") if re.match(r"\d", path.name)]
    for path in sorted(versions, key=lambda each: _numbers(each.name), reverse=True):
        yield path / "bin"


def _pythons_in(directory: Path) -> list[Path]:
    try:
        return [path for path in directory.iterdir() if _PYTHON_NAME.fullmatch(path.name)]
    except OSError:
        return []


def _executable(name: str) -> str:
    return f"{name}.exe" if sys.platform == "win32" else name


def _fits(version: str, wanted: str) -> bool:
    return version == wanted or version.startswith(f"{wanted}.")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))
