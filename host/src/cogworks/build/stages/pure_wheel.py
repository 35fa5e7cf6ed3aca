"""A wheel of pure Python, built on this machine by uv, as `cog run` does: it is the same for every target."""

from __future__ import annotations

import os
import shutil
import tarfile
from pathlib import Path

from cogworks.build.errors import BuildError
from cogworks.build.indexes import Indexes
from cogworks.build.lock import LockedSource
from cogworks.build.stages.output import SHOWN_LINES
from cogworks.build.stages.source_archive import filename_of
from cogworks.build.stages.stage_layer import BUILD_VARIABLES
from cogworks.engines.uv import Outcome, Uv, ignore_line


def build_pure_wheel(
    source: LockedSource, archive: Path, python: Path, indexes: Indexes, folder: Path
) -> Path | None:
    """Return a wheel of a source; None if it came out to be for one kind of machine.

    Args:
        python: the one that builds it.
        folder: an empty one, in which the wheel will be.

    Raises:
        BuildError: it cannot be built here.
    """
    tree, output = folder / "source", folder / "wheels"
    _unpack(archive, filename_of(source), tree)
    tops = [one for one in tree.iterdir() if one.is_dir()]
    if len(tops) != 1:
        raise BuildError(f"{filename_of(source)} does not have one folder at its top.")
    arguments = ["build", "--wheel", "--out-dir", os.fspath(output), "--python", os.fspath(python)]
    uv = Uv({**indexes.variables, **BUILD_VARIABLES})
    outcome = uv.run([*arguments, os.fspath(tops[0] / source.subdirectory)], folder, ignore_line)
    if outcome.code:
        raise BuildError(f"{source.title} cannot be built:\n{_reason(outcome, tree)}")
    (wheel,) = output.glob("*.whl")
    return wheel if wheel.name.endswith("-none-any.whl") else None


def _reason(outcome: Outcome, tree: Path) -> str:
    """Return the end of what the build printed: uv's own words come after it, and say only that it failed."""
    at = next((n for n, line in enumerate(outcome.messages) if line.startswith("error:")), None)
    printed = [line for line in outcome.messages[:at] if line and not line.startswith("Building ")]
    lines = printed[-SHOWN_LINES:] or outcome.explanation.splitlines()
    return "\n".join(f"  {line}" for line in lines).replace(os.fspath(tree), "")


def _unpack(archive: Path, filename: str, folder: Path) -> None:
    """Unpack an archive, whose own name says what it is; nothing gets outside the folder."""
    link = folder.with_name(filename)
    link.symlink_to(archive)
    try:
        if filename.endswith(".zip"):
            shutil.unpack_archive(link, folder)
        else:
            shutil.unpack_archive(link, folder, filter="data")
    except (shutil.ReadError, tarfile.TarError, OSError, ValueError) as error:
        raise BuildError(f"{filename} cannot be unpacked: {error}") from error
