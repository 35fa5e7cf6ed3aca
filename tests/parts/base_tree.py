"""A Debian with its Python, made by debootstrap: what images are built on where no official one can be pulled.

It is made once, in half a minute, and kept as packed layers in the repository's `.cache`, by its recipe. Worktrees of one
repository share it. Two processes that need it at once make it once.
"""

from __future__ import annotations

import fcntl
import gzip
import hashlib
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from cogworks.oci.digest import Digest
from cogworks.oci.layer import Codec, Layer
from tests.parts.missing import MissingPart, find_program, last_line, need_root

ROOT = Path(__file__).resolve().parents[2]
GZIP_LEVEL = 1
VERSION = 1
"""Of how a tree becomes layers; raise it to make them all again."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a tree is made of: a release of Debian, its Python, and packages."""

    suite: str = "bookworm"
    python: str = "3.11"
    packages: tuple[str, ...] = ("ca-certificates", "python3-minimal", "libpython3-stdlib")

    @property
    def key(self) -> str:
        """What it is kept under."""
        text = json.dumps([VERSION, asdict(self), os.uname().machine])
        return f"{self.suite}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


@dataclass(frozen=True, slots=True)
class BaseTree:
    """A tree as layers on disk.

    Attributes:
        python_version: with its patch, such as `3.11.2`.
        layers: that of Debian, then that which puts Python where official images have it.
    """

    recipe: Recipe
    python_version: str
    layers: tuple[tuple[Layer, Path], ...]


def base_tree(recipe: Recipe | None = None, cache: Path | None = None) -> BaseTree:
    """Return a tree; made, if it is not there yet.

    Args:
        cache: where trees are kept, instead of the repository's.

    Raises:
        MissingPart: it is not there, and cannot be made: not root, no debootstrap, no network.
    """
    recipe = recipe or Recipe()
    folder = (cache or cache_folder()) / recipe.key
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _lock(folder.with_suffix(".lock")):
            if not folder.exists():
                _make(recipe, folder)
    return _read(recipe, folder)


def cache_folder() -> Path:
    """Return where parts and downloads are kept: in the `.cache` of the repository, not of a worktree."""
    command = ["git", "rev-parse", "--path-format=absolute", "--git-common-dir"]
    try:
        done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
        root = Path(done.stdout.strip()).parent
    except (OSError, subprocess.CalledProcessError):
        root = ROOT  # An archive of the sources, without git.
    return root / ".cache" / "parts"


@contextmanager
def _lock(path: Path) -> Generator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _make(recipe: Recipe, folder: Path) -> None:
    program = find_program("debootstrap", "debootstrap")
    need_root("debootstrap")
    # Beside the result, so that it gets its name in one step; not below a folder that forbids devices or programs.
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="making-") as name:
        work = Path(name)
        tree, made = work / "tree", work / "made"
        _bootstrap(program, recipe, tree, work / "log")
        command = ["chroot", str(tree), "/usr/bin/python3", "-V"]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        links = _python_links(recipe, work / "links")
        made.mkdir()
        layers = [_pack(one, made / f"{number}.tar.gz") for number, one in enumerate((tree, links))]
        info = {"python_version": said.split()[1], "layers": layers}
        (made / "info.json").write_text(json.dumps(info))
        made.rename(folder)


def _bootstrap(program: str, recipe: Recipe, tree: Path, log: Path) -> None:
    packages = ",".join(recipe.packages)
    command = [program, "--variant=minbase", f"--include={packages}", recipe.suite, str(tree)]
    with log.open("wb") as output:
        done = subprocess.run(command, check=False, stdout=output, stderr=output)
    if done.returncode:
        raise MissingPart(f"debootstrap cannot make a {recipe.suite} here: {last_line(log)}")
    # What official images are without, too.
    for folder in ("var/cache/apt/archives", "var/lib/apt/lists"):
        shutil.rmtree(tree / folder)
        (tree / folder / "partial").mkdir(parents=True)
    for folder in ("dev", "usr/share/doc", "usr/share/man", "usr/share/info", "usr/share/locale"):
        shutil.rmtree(tree / folder)
        (tree / folder).mkdir()


def _python_links(recipe: Recipe, tree: Path) -> Path:
    """Make what official Python images have at `/usr/local/bin`."""
    programs = tree / "usr" / "local" / "bin"
    programs.mkdir(parents=True)
    for name in ("python", "python3", f"python{recipe.python}"):
        (programs / name).symlink_to(f"/usr/bin/python{recipe.python}")
    for folder in (tree, *tree.rglob("*")):
        if not folder.is_symlink():
            folder.chmod(0o755)
    return tree


def _pack(tree: Path, path: Path) -> dict[str, object]:
    """Pack a tree as it is: owners, modes, links and times, by which Python knows its compiled files."""
    plain = path.with_suffix("")
    with tarfile.open(plain, "w", format=tarfile.PAX_FORMAT) as archive:
        for file in sorted(tree.rglob("*")):
            archive.add(file, str(file.relative_to(tree)), recursive=False, filter=_normal)
    with (
        plain.open("rb") as source,
        path.open("wb") as target,
        gzip.GzipFile("", "wb", GZIP_LEVEL, target, mtime=0) as packed,
    ):
        shutil.copyfileobj(source, packed, 1024 * 1024)
    diff_id, digest = _sha256(plain), _sha256(path)
    plain.unlink()
    return {"digest": digest, "diff_id": diff_id, "size_bytes": path.stat().st_size}


def _normal(info: tarfile.TarInfo) -> tarfile.TarInfo:
    """Leave out what is this machine's: names of owners, fractions of seconds."""
    info.uname = info.gname = ""
    info.mtime = int(info.mtime)
    return info


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read(recipe: Recipe, folder: Path) -> BaseTree:
    info = json.loads((folder / "info.json").read_text())
    layers = [
        (
            Layer(
                Digest(one["digest"]), Digest(one["diff_id"]), int(one["size_bytes"]), Codec.GZIP
            ),
            folder / f"{number}.tar.gz",
        )
        for number, one in enumerate(info["layers"])
    ]
    return BaseTree(recipe, str(info["python_version"]), tuple(layers))
