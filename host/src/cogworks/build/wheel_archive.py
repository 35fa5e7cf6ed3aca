"""A wheel as an archive that is not trusted: its names, its RECORD and its metadata are checked before use.

Source: the binary distribution format (PEP 427) and "Recording installed projects".
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import lzma
import stat
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path
from types import TracebackType

from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from cogworks.build.errors import WheelError
from cogworks.build.zip_member import IsalError, can_read, read_member
from cogworks.oci.errors import TarError, quoted
from cogworks.oci.tar import checked_path

MEMBERS_MAX = 200_000
"""More files than this are no package; the largest known ones have about 30000."""
UNPACKED_MAX_BYTES = 32 * 1024**3
"""More than this is no package; the largest known ones unpack to about 4 GB."""
METADATA_MAX_BYTES = 32 * 1024**2
"""Of RECORD, WHEEL and entry_points.txt, each of which is read into memory."""
READ_BYTES = 1024 * 1024

_HASHES = {"sha256", "sha384", "sha512"}
_UNREADABLE = (
    *(zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, OSError, ValueError),
    *(zlib.error, lzma.LZMAError, IsalError),
)
_UNRECORDED = ("RECORD", "RECORD.jws", "RECORD.p7s")


@dataclass(frozen=True, slots=True)
class Recorded:
    """What RECORD says about a file; ``hash_text`` is `sha256=<urlsafe base64>`."""

    hash_text: str
    size_text: str


class WheelArchive:
    """An open wheel; its names are safe, and reading a file checks its CRC and its RECORD hash.

    Raises:
        WheelError: it is damaged or unsafe.
    """

    def __init__(self, path: Path, filename: str) -> None:
        self.path, self.filename = path, filename
        try:
            self.name, self.version = parse_wheel_filename(filename)[:2]
            self._zip = zipfile.ZipFile(path)
        except (InvalidWheelFilename, zipfile.BadZipFile) as error:
            raise WheelError(filename, f"it is not a wheel ({error})") from error
        # One of its own: members are read in parts, and zipfile moves about in its file meanwhile.
        self._file = path.open("rb")
        try:
            self.members = {info.filename: info for info in self._checked_members()}
            self.dist_info = self._find_dist_info()
            self.record = self._read_record()
        except BaseException:
            self._close()
            raise

    def __enter__(self) -> WheelArchive:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    def _close(self) -> None:
        self._file.close()
        self._zip.close()

    def fail(self, problem: str) -> WheelError:
        """Return an error about this wheel."""
        return WheelError(self.filename, problem)

    def is_executable(self, member: str) -> bool:
        """Tell whether the archive marks a file as a program."""
        return bool(self.members[member].external_attr >> 16 & 0o111)

    def is_purelib(self) -> bool:
        """Tell where the files at the top belong; both places are one folder in a virtual environment."""
        return self._metadata()["Root-Is-Purelib"].strip().lower() == "true"

    def chunks(self, member: str) -> Iterator[bytes]:
        """Yield a file's content; at its end its hash is compared with RECORD."""
        recorded = self.record.get(member)
        algorithm, _, wanted = (recorded.hash_text if recorded else "").partition("=")
        digest = hashlib.new(algorithm or "sha256")
        try:
            for chunk in self._unpack(self.members[member]):
                digest.update(chunk)
                yield chunk
        except _UNREADABLE as error:
            raise self.fail(f"{quoted(member)} cannot be unpacked ({error})") from error
        if wanted and _base64(digest.digest()) != wanted.rstrip("="):
            raise self.fail(f"{quoted(member)} is not what RECORD says it is")

    def _unpack(self, info: zipfile.ZipInfo) -> Iterator[bytes]:
        if can_read(info):
            yield from read_member(self._file, info)
            return
        with self._zip.open(info) as file:
            while chunk := file.read(READ_BYTES):
                yield chunk

    def read_small(self, member: str) -> bytes:
        """Return a file of metadata."""
        if self.members[member].file_size > METADATA_MAX_BYTES:
            raise self.fail(f"{quoted(member)} is larger than {METADATA_MAX_BYTES} bytes")
        return b"".join(self.chunks(member))

    def metadata(self) -> str:
        """Return METADATA: what the package says about itself; bytes that are no UTF-8 are replaced."""
        return self.read_small(f"{self.dist_info}/METADATA").decode(errors="replace")

    def read_text(self, member: str) -> str:
        """Return a file of metadata as text."""
        try:
            return self.read_small(member).decode()
        except UnicodeDecodeError as error:
            raise self.fail(f"{quoted(member)} is not UTF-8") from error

    def _checked_members(self) -> Iterator[zipfile.ZipInfo]:
        infos = self._zip.infolist()
        if len(infos) > MEMBERS_MAX:
            raise self.fail(f"it has more than {MEMBERS_MAX} files")
        if sum(info.file_size for info in infos) > UNPACKED_MAX_BYTES:
            raise self.fail(f"it unpacks to more than {UNPACKED_MAX_BYTES} bytes")
        seen = set[str]()
        for info in infos:
            self._check_member(info)
            if info.is_dir():
                continue
            if info.filename in seen:
                raise self.fail(f"{quoted(info.filename)} is in it twice")
            seen.add(info.filename)
            yield info

    def _check_member(self, info: zipfile.ZipInfo) -> None:
        # zipfile cuts names at a zero byte; the name as it was written is what is judged.
        name = info.orig_filename
        if "\\" in name or name != info.filename:
            raise self.fail(f"{quoted(name)} is not a portable file name")
        try:
            checked_path(name.removesuffix("/"))
        except TarError as error:
            raise self.fail(f"{quoted(name)} would be written outside its folder") from error
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise self.fail(f"{quoted(name)} is a link or a device, not a file")

    def _find_dist_info(self) -> str:
        found = {name.split("/", 1)[0] for name in self.members}
        names = sorted(name for name in found if name.endswith(".dist-info"))
        if len(names) != 1:
            raise self.fail(f"it has {len(names)} .dist-info folders instead of one")
        own = canonicalize_name(names[0].removesuffix(".dist-info").rsplit("-", 1)[0])
        if own != self.name:
            raise self.fail(f"its {quoted(names[0])} belongs to another package")
        for required in ("WHEEL", "METADATA", "RECORD"):
            if f"{names[0]}/{required}" not in self.members:
                raise self.fail(f"it has no {required}")
        return names[0]

    def _metadata(self) -> Mapping[str, str]:
        parsed = HeaderParser().parsestr(self.read_text(f"{self.dist_info}/WHEEL"))
        major = parsed.get("Wheel-Version", "").split(".")[0].strip()
        if major != "1":
            raise self.fail(f"its format has version {quoted(major)}; only 1 is known")
        return {"Root-Is-Purelib": parsed.get("Root-Is-Purelib", "false")}

    def _read_record(self) -> Mapping[str, Recorded]:
        self.record = dict[str, Recorded]()
        text = self.read_text(f"{self.dist_info}/RECORD")
        try:
            rows = [row for row in csv.reader(io.StringIO(text)) if row]
        except csv.Error as error:
            raise self.fail(f"RECORD cannot be read ({error})") from error
        record = dict(self._record_row(row) for row in rows)
        unrecorded = {f"{self.dist_info}/{name}" for name in _UNRECORDED}
        for name in self.members.keys() - unrecorded:
            if name not in record or not record[name].hash_text:
                raise self.fail(f"RECORD has no hash of {quoted(name)}")
        missing = sorted(record.keys() - self.members.keys() - unrecorded)
        if missing:
            raise self.fail(f"{quoted(missing[0])} is in RECORD but not in the archive")
        return {name: record[name] for name in self.members.keys() - unrecorded}

    def _record_row(self, row: list[str]) -> tuple[str, Recorded]:
        if len(row) != 3:
            raise self.fail(f"RECORD has a line that is not path,hash,size: {quoted(str(row))}")
        name, hash_text, size_text = row
        if hash_text and hash_text.partition("=")[0] not in _HASHES:
            raise self.fail(f"RECORD uses {quoted(hash_text.partition('=')[0])} for {quoted(name)}")
        return name, Recorded(hash_text, size_text)


def record_hash(data: bytes) -> str:
    """Return the hash of bytes as RECORD spells it."""
    return f"sha256={_base64(hashlib.sha256(data).digest())}"


def _base64(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
