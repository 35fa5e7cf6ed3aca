"""Another ``cog`` than ours: beside us, first on PATH, or in the project."""

from __future__ import annotations

import shutil
import sysconfig
from pathlib import Path

from cogworks.cli.checkup.check import Context, Result
from cogworks.cli.findings import Finding, Severity

CODE = "env-shadowed-cog"

_LAUNCHER_BYTES = 4096
"""Of a program are read; a launcher that pip or uv writes has a few hundred, all of them text."""


def find_shadowing(context: Context) -> Result:
    """Find another ``cog`` than ours: beside us, first on PATH, or in the project."""
    findings = [
        *_shadowing_packages(),
        *_shadowing_programs(context),
        *_shadowing_folders(context),
    ]
    return Result(tuple(findings))


def _shadowing_packages() -> list[Finding]:
    from importlib import metadata

    installed = [name for name in ("cog", "coglet") if _is_installed(name)]
    if not installed:
        return []
    names = " ".join(installed)
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in installed)
    message = f"{versions} is installed beside Cogworks, and `import cog` may find it"
    hint = f"Run `pip uninstall {names}`, then `pip install --force-reinstall cogworks-sdk`"
    return [Finding(message, CODE, hint=hint)]


def _shadowing_programs(context: Context) -> list[Finding]:
    """Find the ``cog`` that a shell starts, if that is not ours."""
    program = shutil.which("cog", path=context.environ.get("PATH"))
    if program is None or _is_ours(Path(program)):
        return []
    return [
        Finding(
            f"`cog` is {program} in a shell, another program than Cogworks",
            CODE,
            Severity.WARNING,
            hint=f"Remove it, or put {_own_folder()} before {Path(program).parent} in PATH",
        )
    ]


def _is_ours(program: Path) -> bool:
    """Tell whether a program is a launcher of Cogworks, this one or that of another environment."""
    try:
        with program.open("rb") as file:
            return b"cogworks" in file.read(_LAUNCHER_BYTES)
    except OSError:
        return False


def _own_folder() -> Path:
    return Path(sysconfig.get_path("scripts"))


def _shadowing_folders(context: Context) -> list[Finding]:
    if context.examined is None:
        return []
    found = [name for name in ("cog", "cog.py") if (context.directory / name).exists()]
    return [
        Finding(
            f"{name} in the project has the name of the SDK: editors, notebooks and other tools "
            "import it instead",
            CODE,
            Severity.WARNING,
            name,
            hint="Rename it; models that Cogworks runs get the SDK all the same",
        )
        for name in found
    ]


def _is_installed(name: str) -> bool:
    from importlib import metadata

    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True
