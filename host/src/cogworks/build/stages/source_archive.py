"""An archive of a source: whether a compiler is needed, as far as its names tell; and a git commit as such an archive."""

from __future__ import annotations

import base64
import subprocess
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from cogworks.build.errors import BuildError, DownloadError
from cogworks.build.index_credentials import without_user_info
from cogworks.build.lock import LockedSource
from cogworks.engines.redact import redact

_COMPILED = frozenset(
    {
        *(".c", ".cc", ".cpp", ".cxx", ".cu", ".m", ".mm", ".pyx", ".pxd"),
        *(".rs", ".f", ".f77", ".f90", ".for", ".go", ".s", ".asm"),
    }
)
"""Endings of files for compilers."""
_BUILT = frozenset({"cmakelists.txt", "meson.build", "cargo.toml", "configure", "makefile.am"})
"""Files of tools that call compilers."""
_ASIDE = frozenset(
    {"test", "tests", "doc", "docs", "example", "examples", "benchmark", "benchmarks"}
)
"""Folders whose files nobody installs."""


def filename_of(source: LockedSource) -> str:
    """Return what the archive of a source is called."""
    return source.archive.filename if source.archive is not None else f"{source.name}.tar"


def needs_compiler(path: Path) -> bool:
    """Tell whether building an archive of a source seems to need a compiler.

    Raises:
        BuildError: it is no archive.
    """
    return any(_is_for_compilers(PurePosixPath(name)) for name in _names(path))


def _is_for_compilers(name: PurePosixPath) -> bool:
    if any(part.lower() in _ASIDE for part in name.parts[1:-1]):
        return False
    return name.suffix.lower() in _COMPILED or name.name.lower() in _BUILT


def _names(path: Path) -> Iterable[str]:
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                return archive.namelist()
        with tarfile.open(path) as archive:
            return archive.getnames()
    except (tarfile.TarError, zipfile.BadZipFile, OSError, EOFError) as error:
        raise BuildError(f"{path.name} is no archive of a source: {error}.") from error


def archive_commit(
    repository: str,
    commit: str,
    target: Path,
    environment: Mapping[str, str],
    credentials: tuple[str, str] | None = None,
) -> None:
    """Write a commit of a git repository, with its submodules, as a tar archive with one folder in it.

    Its history comes along: tools that derive a version from it find it.

    Args:
        environment: what git runs under; what it is told there of credentials counts, too.
        credentials: user name and password for the repository's host.

    Raises:
        DownloadError: git is not installed, or cannot fetch it.
    """
    environment = {**environment, **_header(repository, credentials, environment)}
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="git-") as name:
        tree = Path(name, "source")
        steps = (
            ["clone", "--quiet", "--no-checkout", repository, str(tree)],
            ["-C", str(tree), "checkout", "--quiet", "--detach", commit],
            ["-C", str(tree), "submodule", "--quiet", "update", "--init", "--recursive"],
        )
        for step in steps:
            _git(step, repository, environment)
        with tarfile.open(target, "x") as archive:
            archive.add(tree, "source")


def _header(
    repository: str, credentials: tuple[str, str] | None, environment: Mapping[str, str]
) -> dict[str, str]:
    """Return variables that give git credentials: not in an argument, and not in the clone's configuration."""
    if credentials is None:
        return {}
    count = int(environment.get("GIT_CONFIG_COUNT") or 0)
    parts = urlsplit(without_user_info(repository))
    encoded = base64.b64encode(":".join(credentials).encode()).decode()
    return {
        "GIT_CONFIG_COUNT": str(count + 1),
        f"GIT_CONFIG_KEY_{count}": f"http.{parts.scheme}://{parts.netloc}/.extraHeader",
        f"GIT_CONFIG_VALUE_{count}": f"Authorization: Basic {encoded}",
    }


def _git(arguments: list[str], repository: str, environment: Mapping[str, str]) -> None:
    try:
        done = subprocess.run(
            ["git", *arguments],
            # It asks nobody: there may be no terminal, and whoever is there does not wait for that.
            env={"GIT_TERMINAL_PROMPT": "0", **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise DownloadError(
            f"git is needed for {redact(without_user_info(repository))}, and cannot be started: {error.strerror}."
        ) from error
    if done.returncode:
        said = redact(done.stderr.strip()) or f"exit code {done.returncode}"
        raise DownloadError(f"{redact(without_user_info(repository))} cannot be fetched: {said}")
