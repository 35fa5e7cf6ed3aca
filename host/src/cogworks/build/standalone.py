"""Pythons that images bring along where their base has none that fits: standalone builds, which uv knows and fetches.

    oci/interpreters/<key>-<digest>/      one build, as it will lie in an image
    oci/interpreters/<version>-<machine>.json    which build that version stands for here

A build is for the image's architecture, not for this machine's. What only people at a desk want is left out, and files
that name the folder they were unpacked to are made to name their place in the image: so two machines have the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from cogworks.build.bytecode import Compiler
from cogworks.build.cache import Cache
from cogworks.build.errors import InterpreterError
from cogworks.engines.lease import note_use
from cogworks.engines.progress import Progress
from cogworks.engines.uv import Uv, ignore_line
from cogworks.project.compatibility import numbers

FORMAT = 1
"""Raised when builds that older versions prepared must not be used."""
NEW = "new-"
"""How the name of a folder begins in which a build is being prepared; the name of a lease follows."""
REWRITTEN_MAX_BYTES = 4 * 1024 * 1024
"""Larger files are programs and libraries, which find their place by themselves."""
_LEFT_OUT = frozenset(
    {
        *("__pycache__", "EXTERNALLY-MANAGED", "BUILD", "test", "tests", "idlelib", "idle_test"),
        *("tkinter", "turtledemo", "turtle.py", "man", "terminfo"),
    }
)
_LEFT_OUT_BELOW_LIB = ("tcl", "tk", "itcl", "thread", "libtcl", "libtk")


@dataclass(frozen=True, slots=True)
class StandalonePython:
    """A Python on this machine that is going to be in an image.

    Attributes:
        version: the full one: `3.12.16`.
        folder: its files, as they will lie in the image.
        digest: of all of them.
    """

    version: str
    machine: str
    folder: Path
    digest: str

    @property
    def minor(self) -> tuple[int, int]:
        """Its minor version: (3, 12)."""
        major, minor = self.version.split(".")[:2]
        return int(major), int(minor)

    @property
    def compiler(self) -> Compiler | None:
        """What compiles modules for it: itself, where it runs on this machine."""
        if sys.platform != "linux" or os.uname().machine != self.machine:
            return None
        return Compiler(self.folder / "bin" / f"python{_minor_text(self.minor)}", self.version)


def prefix_of(python: tuple[int, int]) -> str:
    """Return the folder of an image that a version lies in, without a slash in front: `opt/python3.12`."""
    return f"opt/python{_minor_text(python)}"


def interpreter_of(python: tuple[int, int]) -> str:
    """Return the absolute path in an image of a Python that was brought along."""
    return f"/{prefix_of(python)}/bin/python{_minor_text(python)}"


def find_standalone(
    version: str,
    machine: str,
    why: str,
    cache: Cache,
    progress: Progress,
    environment: Mapping[str, str],
) -> StandalonePython:
    """Return a Python for an image; it is fetched once.

    Args:
        version: `3.12`, or a full one.
        machine: `x86_64` or `aarch64`.
        why: what it is needed for, in a sentence without its end.
        environment: the variables that uv runs under.

    Raises:
        InterpreterError: there is none here, and none can be fetched.
    """
    folder = cache.root / "interpreters"
    note = folder / f"{version}-{machine}.json"
    with cache.lock(f"interpreter-{version}-{machine}"):
        found = _noted(note, machine, cache)
        if found is not None:
            note_use(note)
            return found
        folder.mkdir(parents=True, exist_ok=True)
        progress.stage(f"Fetching Python {version} for {machine}")
        # The lease in its name tells whose it is, if we are killed.
        with tempfile.TemporaryDirectory(dir=folder, prefix=f"{NEW}{cache.lease.name}-") as name:
            temporary = Path(name)
            cache.lease.claim(temporary)
            source = _Source(version, machine, Uv(environment))
            tree, origin = source.bring(temporary, why, progress)
            python = _prepare(tree, origin, machine, cache)
        content = {"format": FORMAT, "folder": python.folder.name, "version": python.version}
        with cache.temporary() as file:
            file.write_text(json.dumps({**content, "digest": python.digest}), encoding="utf-8")
            file.replace(note)
        return python


def _noted(note: Path, machine: str, cache: Cache) -> StandalonePython | None:
    """Return the build of a version that was prepared before, if it is still there."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        entry = cast("dict[str, str | int]", json.loads(note.read_text(encoding="utf-8")))
        folder = note.parent / str(entry["folder"])
        cache.lease.claim(folder)
        if entry["format"] == FORMAT and (folder / "bin" / "python3").exists():
            return StandalonePython(str(entry["version"]), machine, folder, str(entry["digest"]))
    return None


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a build comes from: the net, else the Pythons that uv has fetched for somebody else."""

    version: str
    machine: str
    uv: Uv

    @property
    def request(self) -> str:
        return f"cpython-{self.version}-linux-{self.machine}-gnu"

    def bring(self, temporary: Path, why: str, progress: Progress) -> tuple[Path, Path]:
        """Return a build below a temporary folder, and the folder that uv had unpacked it to."""
        install = ["python", "install", "--no-bin", "--no-config", "--install-dir", str(temporary)]
        outcome = self.uv.run([*install, self.request], temporary, progress.line)
        found = list(self._builds(temporary)) if outcome.code == 0 else []
        if found:
            return found[0], temporary
        theirs = self.uv.run(["python", "dir", "--no-config"], temporary, ignore_line)
        others = Path(theirs.output.strip() or temporary)
        build = max(self._builds(others), key=lambda path: numbers(path.name), default=None)
        if build is not None:
            return Path(shutil.copytree(build, temporary / build.name, symlinks=True)), others
        reason = ": ".join(outcome.explanation.splitlines()[:2]) or "uv brought nothing"
        raise InterpreterError(self.version, self.machine, why, reason, (temporary.parent, others))

    def _builds(self, folder: Path) -> Iterator[Path]:
        """Yield the builds of a folder that fit; links to them are passed over."""
        start, end = f"cpython-{self.version}", f"-linux-{self.machine}-gnu"
        for path in folder.glob(f"{start}*{end}"):
            number = path.name.removeprefix("cpython-").removesuffix(end)
            is_version = number == self.version or number.startswith(f"{self.version}.")
            if is_version and number.count(".") == 2 and path.is_dir() and not path.is_symlink():
                yield path


def _prepare(tree: Path, origin: Path, machine: str, cache: Cache) -> StandalonePython:
    """Make a build what it will be in an image, and give it its name.

    Args:
        origin: the folder that uv had unpacked it to, under its own name.
    """
    version = tree.name.split("-")[1]
    major, minor = (int(part) for part in version.split(".")[:2])
    _prune(tree)
    # uv names a build in its files by the folder, or by a link to it that has the minor version only.
    parents = {os.fsencode(one) for one in (origin, origin.resolve())}
    names = b"|".join(re.escape(one) for one in sorted(parents, reverse=True))
    here = re.compile(rb"(?:%s)/cpython-[\w.-]+-gnu" % names)
    digest = _rewrite(tree, here, f"/{prefix_of((major, minor))}".encode())
    target = cache.root / "interpreters" / f"{tree.name}-{digest[:12]}"
    cache.lease.claim(target)
    if not target.exists():
        tree.replace(target)
    return StandalonePython(version, machine, target, digest)


def _prune(tree: Path) -> None:
    for path in sorted(tree.rglob("*"), reverse=True):
        below_lib = path.parent == tree / "lib" and path.name.startswith(_LEFT_OUT_BELOW_LIB)
        is_static = path.suffix == ".a" or path.name.startswith("_tkinter.")
        if path.name in _LEFT_OUT or below_lib or is_static:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()


def _rewrite(tree: Path, here: re.Pattern[bytes], there: bytes) -> str:
    """Let files and links name the place in the image instead of this one; return the digest of all."""
    digest = hashlib.sha256()
    for path in sorted(tree.rglob("*")):
        digest.update(f"\0{path.relative_to(tree).as_posix()}\0".encode("utf-8", "surrogateescape"))
        if path.is_symlink():
            target = os.readlink(path)
            if os.path.isabs(target):
                target = os.path.relpath(target, path.parent)
                path.unlink()
                path.symlink_to(target)
            digest.update(b"link " + os.fsencode(target))
        elif path.is_file():
            is_program = os.access(path, os.X_OK)
            _rewrite_file(path, is_program, here, there)
            digest.update(b"program " if is_program else b"file ")
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _rewrite_file(path: Path, is_program: bool, here: re.Pattern[bytes], there: bytes) -> None:
    if path.stat().st_size > REWRITTEN_MAX_BYTES:
        return
    data = path.read_bytes()
    rewritten = here.sub(there, data)
    if rewritten != data:
        path.chmod(0o755 if is_program else 0o644)
        path.write_bytes(rewritten)


def _minor_text(python: tuple[int, int]) -> str:
    return ".".join(map(str, python))
