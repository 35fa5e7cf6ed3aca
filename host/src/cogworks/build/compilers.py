"""Which Python of this machine compiles an image's modules, remembered: asking candidates what they are takes a while.

The one that runs this is taken first, if it has the version: it need not be asked, and a shim takes a tenth of a second.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import cast

from cogworks.build.bytecode import Compiler, Seats
from cogworks.build.bytecode_cache import KeepingCompiler
from cogworks.build.cache import Cache
from cogworks.build.file_hash import identity_of
from cogworks.build.target import Target
from cogworks.engines.python import Machine

_SEARCHED = ("PATH", "PYENV_ROOT", "HOME")
"""What decides on where Pythons are looked for."""


def find_compiler(
    cache: Cache, target: Target, environment: Mapping[str, str], seats: Seats | None = None
) -> Compiler | None:
    """Return a Python of the target's minor version on this machine; its architecture does not matter.

    Args:
        seats: processes of it that may run at once.
    """
    searched = [f"{name}={environment.get(name, '')}" for name in _SEARCHED]
    key = hashlib.sha256("\0".join([target.python_version, *searched]).encode()).hexdigest()
    path = cache.root / "compilers" / f"{key}.json"
    known = _known(path)
    if known is not None:
        return keeping(known, cache, seats)
    compiler = _own(target) or _other(target, environment)
    if compiler is None:
        return None
    _remember(cache, path, compiler)
    return keeping(compiler, cache, seats)


def keeping(compiler: Compiler, cache: Cache, seats: Seats | None = None) -> Compiler:
    """Return a compiler that keeps what it compiles in a cache."""
    return KeepingCompiler(compiler.python, compiler.version, seats or compiler.seats, cache=cache)


def _own(target: Target) -> Compiler | None:
    """Return the Python that runs this, if it is one of the target's."""
    is_fitting = sys.version_info[:2] == target.python and sys.implementation.name == "cpython"
    if not is_fitting or not sys.executable:
        return None
    return Compiler(Path(sys.executable), ".".join(map(str, sys.version_info[:3])))


def _other(target: Target, environment: Mapping[str, str]) -> Compiler | None:
    found = Machine(environment).find(target.python_version)
    return None if found is None else Compiler(found.path, found.version)


def _known(path: Path) -> Compiler | None:
    """Return what was found before, if that file is still the same."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        entry = cast("dict[str, object]", json.loads(path.read_bytes()))
        python = Path(str(entry["path"]))
        if identity_of(python.resolve()) == entry["identity"]:
            return Compiler(python, str(entry["version"]))
    return None


def _remember(cache: Cache, path: Path, compiler: Compiler) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "path": str(compiler.python),
        "version": compiler.version,
        "identity": identity_of(compiler.python.resolve()),
    }
    with cache.temporary() as temporary:
        temporary.write_text(json.dumps(content) + "\n", encoding="utf-8")
        temporary.replace(path)
