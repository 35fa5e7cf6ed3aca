"""Which Pythons an image has: the model's, and the server's where the model's is too old; each of the base or brought along."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from cogworks.build.base_image import Base
from cogworks.build.bytecode import Compiler, Seats
from cogworks.build.cache import Cache
from cogworks.build.compilers import find_compiler, keeping
from cogworks.build.standalone import StandalonePython, find_standalone, interpreter_of
from cogworks.build.target import SERVER_PYTHON, Target
from cogworks.engines.progress import Progress


@dataclass(frozen=True, slots=True)
class ImagePython:
    """A Python of an image.

    Attributes:
        target: what its packages are chosen for.
        interpreter: its absolute path in the image.
        compiler: what compiles modules for it on this machine, if there is something.
        brought: the build that a layer brings; None where the base has it.
    """

    target: Target
    interpreter: str
    compiler: Compiler | None
    brought: StandalonePython | None = None


@dataclass(frozen=True, slots=True)
class Pythons:
    """The Python of the model and that of the server; mostly the same one."""

    model: ImagePython
    server: ImagePython

    @property
    def brought(self) -> Iterator[StandalonePython]:
        """Those that need a layer, the model's first, each once."""
        found = (one.brought for one in (self.model, self.server))
        yield from dict.fromkeys(one for one in found if one is not None)


def find_pythons(
    base: Base,
    version: str,
    cache: Cache,
    progress: Progress,
    environment: Mapping[str, str],
    seats: Seats | None = None,
) -> Pythons:
    """Return the Pythons of an image; one that no base has is fetched.

    Args:
        version: what the project asks for: `3.12`, or a full one.
        seats: processes that may compile at once.

    Raises:
        InterpreterError: one is needed that cannot be had.
    """
    machine, name = base.target.machine, replace(base.reference, digest=None).familiar
    if base.has_python:
        compiler = find_compiler(cache, base.target, environment, seats)
        model = ImagePython(base.target, base.interpreter, compiler)
    else:
        why = f"{name} does not say that it has one"
        found = find_standalone(version, machine, why, cache, progress, environment)
        model = _brought(base.target, found, cache, environment, seats)
    if base.target.runs_server:
        return Pythons(model, model)
    why = f"the prediction server does not run on {base.target.python_version}, the model's Python"
    wanted = ".".join(map(str, SERVER_PYTHON))
    found = find_standalone(wanted, machine, why, cache, progress, environment)
    return Pythons(model, _brought(base.target, found, cache, environment, seats))


def _brought(
    target: Target,
    python: StandalonePython,
    cache: Cache,
    environment: Mapping[str, str],
    seats: Seats | None,
) -> ImagePython:
    own = replace(target, python=python.minor)
    # The build itself, where it runs here, compiles alike on every machine.
    own_compiler = python.compiler
    if own_compiler is None:
        compiler = find_compiler(cache, own, environment, seats)
    else:
        compiler = keeping(own_compiler, cache, seats)
    return ImagePython(own, interpreter_of(python.minor), compiler, python)
