"""Write several files as one change: all of them, or none; and show what was changed."""

from __future__ import annotations

import contextlib
import difflib
import os
import secrets
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path


def _nothing() -> None:
    """Do nothing beside the files."""


@dataclass(frozen=True)
class Changes:
    """New contents by path, None for a file that goes away; ``also`` is what is no text.

    ``renamed_from`` says where a new file comes from, whose permissions it takes.
    """

    files: Mapping[Path, bytes | None] = field(default_factory=dict[Path, "bytes | None"])
    renamed_from: Mapping[Path, Path] = field(default_factory=dict[Path, Path])
    also: Callable[[], None] = _nothing

    def diff(self, directory: Path) -> str:
        """Return the unified diff of all files."""
        gone = set(self.renamed_from.values())
        return "".join(
            _diff(self.renamed_from.get(path, path), path, new, directory)
            for path, new in self.files.items()
            if path not in gone
        )

    def apply(self) -> None:
        """Write everything beside its place first, then move it there; undo it all on failure.

        Raises:
            OSError: nothing was changed.
        """
        before = {path: _read(path) for path in self.files}
        staged: dict[Path, Path] = {}
        touched: list[Path] = []
        try:
            for path, new in self.files.items():
                if new is not None:
                    staged[path] = self._stage(path, new)
            for path, new in self.files.items():
                touched.append(path)
                if new is None:
                    path.unlink()
                else:
                    staged[path].replace(path)
            self.also()
        except BaseException:
            for path in touched:
                _restore(path, before[path])
            raise
        finally:
            for temporary in staged.values():
                temporary.unlink(missing_ok=True)

    def _stage(self, path: Path, new: bytes) -> Path:
        # A link keeps leading where it did: what it leads to is replaced.
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
        with temporary.open("xb") as file:
            file.write(new)
            file.flush()
            os.fsync(file.fileno())
        model = self.renamed_from.get(path, path)
        if model.exists():
            temporary.chmod(stat.S_IMODE(model.stat().st_mode))
        return temporary


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _restore(path: Path, content: bytes | None) -> None:
    with contextlib.suppress(OSError):
        if content is None:
            path.unlink(missing_ok=True)
        elif _read(path) != content:
            path.write_bytes(content)


def _diff(old_path: Path, path: Path, new: bytes | None, directory: Path) -> str:
    old = _read(old_path)
    lines = difflib.unified_diff(
        _lines(old),
        _lines(new),
        f"a/{_shown(old_path, directory)}" if old is not None else "/dev/null",
        f"b/{_shown(path, directory)}" if new is not None else "/dev/null",
        lineterm="",
    )
    return "".join(f"{line}\n" for line in lines)


def _shown(path: Path, directory: Path) -> str:
    return path.relative_to(directory).as_posix() if path.is_relative_to(directory) else str(path)


def _lines(content: bytes | None) -> list[str]:
    return (content or b"").decode("utf-8", "replace").splitlines()
