"""Compiled modules of wheels, kept: compiling takes longer than all else in a build, and a wheel never changes.

    oci/bytecode/<key>         the modules of one wheel, one after another
    oci/bytecode/<key>.json    sha256 of that file, and where in it each module is

The key counts the wheel, the compiling Python and the modules with their paths in the image, since compiled code has those.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from cogworks.build.bytecode import Compiled, Compiler
from cogworks.build.cache import Cache
from cogworks.engines.lease import note_use
from cogworks.oci.digest import Digest


@dataclass(frozen=True, slots=True)
class KeepingCompiler(Compiler):
    """A compiler that compiles a wheel once."""

    cache: Cache = field(kw_only=True)

    def compile(self, wheel: Path, modules: Sequence[tuple[str, str]], output: Path) -> Compiled:
        """Return compiled members of a wheel, in a file of the cache; ``output`` is used on the way there only."""
        cache = self.cache
        digest = cache.hashes.sha256(wheel)
        content = json.dumps([digest, self.mode, modules])
        key = hashlib.sha256(content.encode()).hexdigest()
        path = cache.root / "bytecode" / key
        cache.lease.claim(path)
        with cache.lock(f"bytecode-{key}"):
            known = _known(cache, path) if cache.is_reused else None
            return known or self._compile(wheel, modules, output, path)

    def _compile(
        self, wheel: Path, modules: Sequence[tuple[str, str]], output: Path, path: Path
    ) -> Compiled:
        plain = Compiler(self.python, self.version, self.seats)
        compiled = plain.compile(wheel, modules, output)
        digest = Digest(_sha256(output))
        kept = self.cache.keep(output, path, digest)
        with self.cache.temporary() as temporary:
            noted = {"sha256": digest.hex, "index": dict(compiled.index)}
            temporary.write_text(json.dumps(noted) + "\n", encoding="utf-8")
            temporary.replace(_note(path))
        return Compiled(kept, compiled.index)


def _known(cache: Cache, path: Path) -> Compiled | None:
    """Return modules that are there and whole."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        noted = cast("dict[str, object]", json.loads(_note(path).read_bytes()))
        if cache.is_whole(path, Digest(str(noted["sha256"]))):
            note_use(_note(path))
            index = cast("dict[str, list[int]]", noted["index"])
            return Compiled(path, {name: (at, size) for name, (at, size) in index.items()})
    return None


def _note(path: Path) -> Path:
    return path.with_suffix(".json")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
