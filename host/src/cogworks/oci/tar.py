"""Tar archives that are the same wherever they are made, as pure producers of bytes.

Every member has mtime 0, uid and gid 0, no owner names, no extended attributes, and mode 0755 (directories, programs)
or 0644, unless `Metadata` says what a program that ran inside the image gave it. Members come sorted by path, each once, a hard link after what it links to. A header is plain ustar; a name that
does not fit there, or is not ASCII, a size of 8 GiB or more, a large owner and a capability get a PAX record in front,
with nothing else in it.
The archive ends with two zero blocks and is not padded further. Any change of these bytes changes every digest: the
golden digests of the tests say so, and a packer's version has to follow.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

from cogworks.oci.errors import TarError, quoted

BLOCK_BYTES = 512
END = bytes(2 * BLOCK_BYTES)
"""The end of an archive."""

PATH_MAX_BYTES = 4096
"""What Linux takes as a path; source: PATH_MAX."""

_NAME_BYTES, _LINK_BYTES, _PREFIX_BYTES = 100, 100, 155
_OCTAL_SIZE_MAX = 8**11 - 1
_OCTAL_OWNER_MAX = 8**7 - 1
_MODE_MAX = 0o7777
_PAX_NAME = b"././@PaxHeader"
FILE_MODE, PROGRAM_MODE, LINK_MODE = 0o644, 0o755, 0o777

CAPABILITY = "SCHILY.xattr.security.capability"
"""The PAX record that holds what a program may do without being root; source: docker's and GNU tar's archives."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """Mode and owner of a member, for what programs have put into an image; our own members need none.

    Attributes:
        mode: with the bits for set-uid, set-gid and sticky, without the kind of file.
        capability: the value of the extended attribute `security.capability`; empty for none.
    """

    mode: int
    uid: int = 0
    gid: int = 0
    capability: bytes = b""


@dataclass(frozen=True, slots=True)
class File:
    """A file; its content of ``size_bytes`` follows the header. ``executable`` counts where there is no metadata."""

    path: str
    size_bytes: int
    executable: bool = False
    metadata: Metadata | None = None


@dataclass(frozen=True, slots=True)
class Directory:
    """A directory."""

    path: str
    metadata: Metadata | None = None


@dataclass(frozen=True, slots=True)
class Symlink:
    """A symbolic link; the target may be anything, also absolute, also missing. Of metadata only the owner counts."""

    path: str
    target: str
    metadata: Metadata | None = None


@dataclass(frozen=True, slots=True)
class Hardlink:
    """Another name of a file that comes earlier in the same archive."""

    path: str
    target: str


Entry: TypeAlias = File | Directory | Symlink | Hardlink


def whiteout(path: str) -> File:
    """Return the entry that removes a path of a lower layer; source: OCI image-spec, "Whiteouts"."""
    folder, slash, name = path.rpartition("/")
    return File(f"{folder}{slash}.wh.{name}", 0)


def archive(members: Iterable[tuple[Entry, Iterable[bytes]]]) -> Iterator[bytes]:
    """Yield the archive of members in the order in which they come; memory holds one block at a time.

    Args:
        members: entries sorted by path, with the content of files (empty for everything else).

    Raises:
        TarError: an entry is out of order, twice there, not safe, or not as long as it said.
    """
    last, files = "", set[str]()
    for entry, content in members:
        if entry.path <= last:
            raise TarError(
                f"{quoted(entry.path)} comes after {quoted(last)}: sort members by path."
            )
        if isinstance(entry, Hardlink) and entry.target not in files:
            raise TarError(
                f"{quoted(entry.path)} links to {quoted(entry.target)}, which does not come before it."
            )
        if isinstance(entry, File):
            files.add(entry.path)
        last = entry.path
        yield header(entry)
        yield from _content(entry, content)
    yield END


def header(entry: Entry) -> bytes:
    """Return the header of one member, the PAX record in front of it included.

    Raises:
        TarError: the path is absolute, leaves the archive, is too long or cannot be spelled in UTF-8.
    """
    path = _encoded(checked_path(entry.path))
    match entry:
        case File(size_bytes=size, executable=executable, metadata=metadata):
            owned = metadata or Metadata(PROGRAM_MODE if executable else FILE_MODE)
            return _header(path, b"0", owned, size=size)
        case Directory(metadata=metadata):
            return _header(path + b"/", b"5", metadata or Metadata(PROGRAM_MODE))
        case Symlink(target=target, metadata=metadata):
            owned = replace(metadata or Metadata(0), mode=LINK_MODE, capability=b"")
            return _header(path, b"2", owned, link=_encoded(target))
        case Hardlink(target=target):
            linked = _encoded(checked_path(target))
            return _header(path, b"1", Metadata(FILE_MODE), link=linked)


def padding(size_bytes: int) -> bytes:
    """Return the zeros that fill up the last block of a content."""
    return bytes(-size_bytes % BLOCK_BYTES)


def checked_path(path: str) -> str:
    """Return the path if it is relative, normal and stays inside.

    Raises:
        TarError: it is not; the message quotes it.
    """
    parts = path.split("/")
    if "\0" in path or any(part in ("", ".", "..") for part in parts):
        raise TarError(f"{quoted(path)} is not a path inside an archive: a plain relative one is.")
    return path


def _content(entry: Entry, content: Iterable[bytes]) -> Iterator[bytes]:
    size = entry.size_bytes if isinstance(entry, File) else 0
    left = size
    for block in content:
        left -= len(block)
        if left < 0:
            break
        yield block
    if left:
        more = "more" if left < 0 else "less"
        raise TarError(
            f"{quoted(entry.path)} has {more} than the {size} bytes that it should have."
        )
    yield padding(size)


def _encoded(text: str) -> bytes:
    try:
        data = text.encode()
    except UnicodeEncodeError as error:
        raise TarError(f"{quoted(text)} is not UTF-8; rename the file.") from error
    if not data or len(data) > PATH_MAX_BYTES or b"\0" in data:
        raise TarError(f"{quoted(text)} is not a path of 1 to {PATH_MAX_BYTES} bytes.")
    return data


def _header(
    path: bytes, kind: bytes, metadata: Metadata, *, link: bytes = b"", size: int = 0
) -> bytes:
    records = _owner_records(metadata)
    prefix, name = _split(path)
    if not name:
        records[b"path"] = path
        prefix, name = b"", _shortened(path, _NAME_BYTES)
    if len(link) > _LINK_BYTES or not link.isascii():
        records[b"linkpath"] = link
        link = _shortened(link, _LINK_BYTES)
    field_size = size
    if size > _OCTAL_SIZE_MAX:
        records[b"size"] = b"%d" % size
        field_size = 0
    block = _block(name, kind, metadata, link=link, size=field_size, prefix=prefix)
    return _pax(records) + block


def _owner_records(metadata: Metadata) -> dict[bytes, bytes]:
    """Return what of a member's owner and rights does not fit into its header."""
    records = dict[bytes, bytes]()
    for name, number in ((b"uid", metadata.uid), (b"gid", metadata.gid)):
        if number > _OCTAL_OWNER_MAX:
            records[name] = b"%d" % number
    if metadata.capability:
        records[CAPABILITY.encode()] = metadata.capability
    return records


def _split(path: bytes) -> tuple[bytes, bytes]:
    """Return ustar's prefix and name of a path; an empty name where it does not fit."""
    if not path.isascii():
        return b"", b""
    if len(path) <= _NAME_BYTES:
        return b"", path
    # The slash between the two is not stored; a directory's own last slash belongs to its name.
    cut = path.rfind(b"/", 0, min(_PREFIX_BYTES + 1, len(path) - 1))
    if cut <= 0 or len(path) - cut - 1 > _NAME_BYTES:
        return b"", b""
    return path[:cut], path[cut + 1 :]


def _shortened(text: bytes, size: int) -> bytes:
    """Return what a reader that knows no PAX gets to see."""
    return text.decode().encode("ascii", "replace")[:size]


def _pax(records: dict[bytes, bytes]) -> bytes:
    if not records:
        return b""
    body = b"".join(_record(name, records[name]) for name in sorted(records))
    block = _block(_PAX_NAME, b"x", Metadata(FILE_MODE), size=len(body))
    return block + body + padding(len(body))


def _record(name: bytes, value: bytes) -> bytes:
    """Return `LENGTH name=value` and a line feed; the length counts its own digits."""
    rest = b" %s=%s\n" % (name, value)
    length = len(rest)
    while length != len(rest) + len(str(length)):
        length = len(rest) + len(str(length))
    return b"%d%s" % (length, rest)


def _block(
    name: bytes,
    kind: bytes,
    metadata: Metadata,
    *,
    link: bytes = b"",
    size: int = 0,
    prefix: bytes = b"",
) -> bytes:
    """Return one ustar header block; source: POSIX.1-2017, pax, "ustar Interchange Format"."""
    owner = (one if one <= _OCTAL_OWNER_MAX else 0 for one in (metadata.uid, metadata.gid))
    before = b"".join(
        (
            name.ljust(_NAME_BYTES, b"\0"),
            b"%07o\0" % (metadata.mode & _MODE_MAX),
            *(b"%07o\0" % one for one in owner),
            b"%011o\0" % size,
            b"00000000000\0",  # mtime
        )
    )
    after = b"".join(
        (
            kind,
            link.ljust(_LINK_BYTES, b"\0"),
            b"ustar\x0000",
            bytes(64),  # owner's and group's names
            b"0000000\0" * 2,  # device
            prefix.ljust(_PREFIX_BYTES, b"\0"),
            bytes(12),
        )
    )
    # The checksum counts its own field as spaces.
    checksum = sum(before) + sum(after) + 8 * ord(" ")
    return before + b"%06o\0 " % checksum + after
