"""A folder with nothing but the SDK, for workers to be started from by path.

Where the SDK is installed, other packages lie beside it, and they must not become importable for
the model. So its files are copied once to a folder of their own in the cache, named by what they
contain; a copy is never changed, so that workers of an older version go on undisturbed.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import tempfile
from pathlib import Path

FOLDER = "sdk"
"""Where the copies are, in the cache's folder."""

MAIN = '''"""Start the worker: ``python <this folder> --bridge DATA_FD,CONTROL_FD``."""

from cog._worker.main import main

if __name__ == "__main__":
    main()
'''


def materialize(cache_dir: Path) -> Path:
    """Return the folder to start workers from; made if it is not there. Safe to call at once.

    Raises:
        OSError: the cache cannot be written.
    """
    package = _find_package()
    sources = sorted(path for path in package.rglob("*") if _belongs(path))
    tree = cache_dir / FOLDER / _key(package, sources)
    if not (tree / "__main__.py").exists():
        _copy(package, sources, tree)
    return tree


def _find_package() -> Path:
    spec = importlib.util.find_spec("cog")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("the package cogworks-sdk is not installed beside cogworks")
    return Path(next(iter(spec.submodule_search_locations)))


def _belongs(path: Path) -> bool:
    return path.suffix in (".py", ".typed") and path.is_file()


def _key(package: Path, sources: list[Path]) -> str:
    """Tell versions apart by names, sizes and times, as build tools do: reading all is slower."""
    digest = hashlib.sha256(MAIN.encode())
    for path in sources:
        status = path.stat()
        name = path.relative_to(package).as_posix()
        digest.update(f"{name}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]


def _copy(package: Path, sources: list[Path], tree: Path) -> None:
    tree.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=tree.parent))
    for path in sources:
        target = partial / "cog" / path.relative_to(package)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    (partial / "__main__.py").write_text(MAIN)
    try:
        os.rename(partial, tree)
    except OSError:
        shutil.rmtree(partial)  # Somebody else was faster with the same files.
        if not tree.exists():
            raise
