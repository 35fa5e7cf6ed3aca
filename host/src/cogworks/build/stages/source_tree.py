"""A folder that a package is built of, such as a path source or a member of a workspace: its digest, and an archive of it.

What never belongs into an image does not count, and neither does what its `.dockerignore` names, nor what setuptools leaves
behind where it was asked for metadata.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from dataclasses import dataclass
from pathlib import Path

from cogworks.build.context import Context, SourceFile, read_context
from cogworks.build.errors import BuildError, ContextError

TOP = "source"
"""The one folder of the archive."""
_LEFT_BEHIND = ".egg-info"


@dataclass(frozen=True, slots=True)
class SourceTree:
    """The files of a folder.

    Attributes:
        digest: of their paths, contents and which of them are programs: where the folder is does not count, nor when
            anything was written.
    """

    context: Context
    digest: str

    def write(self, target: Path) -> None:
        """Write an archive, to a new file.

        Raises:
            BuildError: a file cannot be read.
        """
        try:
            with tarfile.open(target, "x") as archive:
                for file in _files(self.context):
                    info = tarfile.TarInfo(f"{TOP}/{file.path}")
                    data = (self.context.directory / file.path).read_bytes()
                    info.size, info.mode = len(data), 0o755 if file.is_executable else 0o644
                    archive.addfile(info, io.BytesIO(data))
                for path, link in _links(self.context):
                    info = tarfile.TarInfo(f"{TOP}/{path}")
                    info.type, info.linkname = tarfile.SYMTYPE, link
                    archive.addfile(info)
        except OSError as error:
            raise BuildError(f"{error.filename} cannot be read: {error.strerror}.") from error


def read_tree(folder: Path) -> SourceTree:
    """Return what a package is built of.

    Raises:
        ContextError: the folder, or a file in it, cannot be read.
    """
    context = read_context(folder)
    try:
        listed = [
            [file.path, file.is_executable, _digest(folder / file.path)] for file in _files(context)
        ]
    except OSError as error:
        raise ContextError(f"{error.filename} cannot be read: {error.strerror}.") from error
    text = json.dumps([listed, _links(context)])
    return SourceTree(context, hashlib.sha256(text.encode()).hexdigest())


def _files(context: Context) -> list[SourceFile]:
    files = sorted((*context.code, *context.weights), key=lambda one: one.path)
    return [one for one in files if _belongs(one.path)]


def _links(context: Context) -> list[tuple[str, str]]:
    return [one for one in context.links if _belongs(one[0])]


def _belongs(path: str) -> bool:
    return not any(part.endswith(_LEFT_BEHIND) for part in path.split("/")[:-1])


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
