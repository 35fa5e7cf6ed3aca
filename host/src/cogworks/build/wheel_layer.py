"""What a wheel becomes below an environment such as `opt/venv`: the files that an installer would write, as members of a layer.

Scripts start with the environment's own Python; RECORD is written anew, and lists them and the compiled modules.
Source: PEP 427, "Installing a wheel"; the entry points specification.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from configparser import ConfigParser, Error
from dataclasses import dataclass, field
from pathlib import Path

from cogworks.build.bytecode import Compiled, Compiler, is_worth_compiling
from cogworks.build.packer import Member
from cogworks.build.wheel_archive import WheelArchive, record_hash
from cogworks.oci.errors import quoted
from cogworks.oci.tar import File

INSTALLER = b"cogworks\n"
VENV = "opt/venv"
"""The environment of the model's packages."""

_SCRIPT = """\
{shebang}
import sys

from {module} import {root}

if __name__ == "__main__":
    sys.argv[0] = sys.argv[0].removesuffix(".exe")
    sys.exit({call}())
"""
_NAME = r"[^\W\d]\w*"
_REFERENCE = re.compile(
    rf"(?P<module>{_NAME}(?:\.{_NAME})*)\s*:\s*(?P<call>{_NAME}(?:\.{_NAME})*)\s*(?:\[.*\])?"
)
_SCRIPT_NAME = re.compile(r"[\w.+-]+")


@dataclass(frozen=True, slots=True)
class Installed:
    """One file of the environment; ``identity`` is equal for equal content."""

    path: str
    size_bytes: int
    is_executable: bool
    identity: str
    open: Callable[[], Iterable[bytes]]

    @property
    def member(self) -> Member:
        """The file as a member of an archive; its content is read when its turn comes."""
        entry = File(self.path, self.size_bytes, self.is_executable)
        return entry, _Lazy(self.open)


@dataclass(frozen=True, slots=True)
class _Lazy:
    open: Callable[[], Iterable[bytes]]

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.open())


@dataclass(frozen=True, slots=True)
class Places:
    """Where the parts of wheels go; source: the `posix_venv` scheme."""

    python: tuple[int, int]
    prefix: str = VENV

    @property
    def shebang(self) -> bytes:
        """The first line of scripts."""
        return f"#!/{self.prefix}/bin/python".encode()

    @property
    def library(self) -> str:
        """The folder of packages."""
        return f"{self.prefix}/lib/python{self.python[0]}.{self.python[1]}/site-packages"

    def of(self, wheel: WheelArchive, member: str) -> tuple[str, bool]:
        """Return the path of a member, and whether it is a script."""
        data = f"{wheel.dist_info.removesuffix('.dist-info')}.data/"
        if not member.startswith(data):
            return f"{self.library}/{member}", False
        kind, slash, rest = member.removeprefix(data).partition("/")
        name = wheel.filename.split("-", 1)[0]
        version = ".".join(map(str, self.python))
        folders = {
            "purelib": self.library,
            "platlib": self.library,
            "scripts": f"{self.prefix}/bin",
            "data": self.prefix,
            "headers": f"{self.prefix}/include/site/python{version}/{name}",
        }
        if not slash or kind not in folders:
            raise wheel.fail(f"{quoted(member)} is of a kind that is not known")
        return f"{folders[kind]}/{rest}", kind == "scripts"


@dataclass(slots=True)
class _Installation:
    wheel: WheelArchive
    places: Places
    files: dict[str, Installed] = field(default_factory=dict[str, Installed])
    record: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])

    def add(self, file: Installed, hash_text: str) -> None:
        if file.path in self.files:
            raise self.wheel.fail(f"two of its files would be {quoted(file.path)}")
        self.files[file.path] = file
        self.record[file.path] = (hash_text, str(file.size_bytes))

    def add_bytes(self, path: str, data: bytes, *, is_executable: bool = False) -> None:
        recorded = record_hash(data)
        self.add(Installed(path, len(data), is_executable, recorded, lambda: (data,)), recorded)


def install(
    wheel: WheelArchive,
    python: tuple[int, int],
    compiler: Compiler | None,
    scratch: Path,
    prefix: str = VENV,
) -> list[Installed]:
    """Return the files that a wheel becomes, in no order.

    Args:
        scratch: a new file there keeps compiled modules until the layer is packed.
        prefix: where the environment is, without the slash in front.

    Raises:
        WheelError: the wheel is damaged or unsafe.
    """
    _ = wheel.is_purelib()  # Checks the format's version.
    places = Places(python, prefix)
    installation = _Installation(wheel, places)
    record_path = f"{wheel.dist_info}/RECORD"
    replaced = {f"{wheel.dist_info}/{name}" for name in ("RECORD", "INSTALLER", "REQUESTED")}
    scripts = _entry_points(wheel, places)
    for member in wheel.members.keys() - replaced:
        path, is_script = places.of(wheel, member)
        if path.removeprefix(f"{prefix}/bin/") not in scripts:
            _add_member(installation, member, path, is_script=is_script)
    for name, text in scripts.items():
        installation.add_bytes(f"{prefix}/bin/{name}", text, is_executable=True)
    installer = f"{places.library}/{wheel.dist_info}/INSTALLER"
    installation.add_bytes(installer, INSTALLER)
    if compiler is not None:
        _add_compiled(installation, compiler, scratch)
    text = _record_text(installation, f"{places.library}/{record_path}")
    installation.add_bytes(f"{places.library}/{record_path}", text)
    return list(installation.files.values())


def _add_member(installation: _Installation, member: str, path: str, *, is_script: bool) -> None:
    wheel = installation.wheel
    if is_script and _first_bytes(wheel, member).startswith(b"#!python"):
        first, newline, rest = wheel.read_small(member).partition(b"\n")
        arguments = b"".join(first.partition(b" ")[1:])
        data = installation.places.shebang + arguments + newline + rest
        installation.add_bytes(path, data, is_executable=True)
        return
    recorded = wheel.record.get(member)
    hash_text = recorded.hash_text if recorded else ""
    size = wheel.members[member].file_size
    is_executable = is_script or wheel.is_executable(member)
    identity = f"{hash_text} {is_executable}"
    file = Installed(path, size, is_executable, identity, lambda: wheel.chunks(member))
    installation.add(file, hash_text)


def _first_bytes(wheel: WheelArchive, member: str) -> bytes:
    return next(iter(wheel.chunks(member)), b"")[:16]


def _entry_points(wheel: WheelArchive, places: Places) -> Mapping[str, bytes]:
    """Return the scripts of a wheel's entry points by their name."""
    member = f"{wheel.dist_info}/entry_points.txt"
    if member not in wheel.members:
        return {}
    parser = ConfigParser(delimiters=("=",), interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    try:
        parser.read_string(wheel.read_text(member))
    except Error as error:
        raise wheel.fail(f"entry_points.txt cannot be read ({type(error).__name__})") from error
    sections = [name for name in ("console_scripts", "gui_scripts") if parser.has_section(name)]
    points = {name: value for section in sections for name, value in parser.items(section)}
    return {name: _script(wheel, places, name, value) for name, value in points.items()}


def _script(wheel: WheelArchive, places: Places, name: str, value: str) -> bytes:
    match = _REFERENCE.fullmatch(value.strip())
    if match is None or not _SCRIPT_NAME.fullmatch(name) or name in (".", ".."):
        raise wheel.fail(f"the entry point {quoted(f'{name} = {value}')} is not one")
    call = match["call"]
    root = call.partition(".")[0]
    shebang = places.shebang.decode()
    return _SCRIPT.format(shebang=shebang, module=match["module"], root=root, call=call).encode()


def _add_compiled(installation: _Installation, compiler: Compiler, scratch: Path) -> None:
    wheel, library = installation.wheel, f"{installation.places.library}/"
    modules = {
        member: path
        for member in sorted(wheel.members)
        if is_worth_compiling(member)
        and (path := installation.places.of(wheel, member)[0]).startswith(library)
    }
    if not modules:
        return
    pairs = [(member, f"/{path}") for member, path in modules.items()]
    compiled = compiler.compile(wheel.path, pairs, scratch)
    for member, path in modules.items():
        if member in compiled.index:
            _add_one_compiled(installation, compiled, compiler.tag, member, path)


def _add_one_compiled(
    installation: _Installation, compiled: Compiled, tag: str, member: str, path: str
) -> None:
    folder, _, name = path.rpartition("/")
    target = f"{folder}/__pycache__/{name.removesuffix('.py')}.{tag}.pyc"
    if target in installation.files:  # The wheel brings its own.
        return
    recorded = installation.record[path][0]
    size = compiled.index[member][1]
    identity = f"compiled {path} {recorded}"
    installation.add(Installed(target, size, False, identity, lambda: compiled.chunks(member)), "")
    installation.record[target] = ("", "")


def _record_text(installation: _Installation, own_path: str) -> bytes:
    """Return RECORD: paths relative to the packages' folder, sorted; without a hash of itself."""
    prefix = f"{installation.places.prefix}/"
    depth = installation.places.library.removeprefix(prefix).count("/") + 1
    output = io.StringIO()
    writer = csv.writer(output, lineterminator="\n")
    for path in sorted([*installation.record, own_path]):
        relative = path.removeprefix(f"{installation.places.library}/")
        if relative == path:
            relative = "../" * depth + path.removeprefix(prefix)
        writer.writerow((relative, *installation.record.get(path, ("", ""))))
    return output.getvalue().encode()
