"""An engine's layer, a tar file on disk, read into changes; and changes written as a layer of ours."""

from __future__ import annotations

import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from cogworks.build.errors import StageError
from cogworks.build.packer import Member
from cogworks.build.stages.diff import OPAQUE, WHITEOUT, Changes, Content, Diff, Kind, Node
from cogworks.build.stages.normal import (
    PYC_HEADER_BYTES,
    links_of,
    source_of,
    with_source_time_0,
)
from cogworks.oci.errors import TarError, quoted
from cogworks.oci.tar import (
    CAPABILITY,
    Directory,
    File,
    Hardlink,
    Metadata,
    Symlink,
    checked_path,
    whiteout,
)

BLOCK_BYTES = 1024 * 1024


def read_layer(path: Path) -> Changes:
    """Return what is in a layer; the file has to stay, since contents are read from it later.

    Devices, pipes and sockets are left out: they belong to a running system.

    Raises:
        StageError: it is no layer.
    """
    nodes: dict[str, Node] = {}
    removed, opaque = list[str](), list[str]()
    try:
        with tarfile.open(path, "r:", errors="surrogateescape") as archive:
            for info in archive:
                name = info.name.removeprefix("./").strip("/")
                if name in ("", "."):
                    continue
                folder, _, last = checked_path(name).rpartition("/")
                if last == OPAQUE:
                    opaque.append(folder)
                elif last.startswith(WHITEOUT):
                    removed.append(f"{folder}/{last[len(WHITEOUT) :]}".lstrip("/"))
                elif (node := _node(path, name, info, nodes)) is not None:
                    nodes[name] = node
    except (tarfile.TarError, TarError, OSError) as error:
        raise StageError(f"A layer that the engine made cannot be read: {error}") from error
    return Changes(tuple(nodes.values()), tuple(removed), tuple(opaque))


def _node(path: Path, name: str, info: tarfile.TarInfo, nodes: dict[str, Node]) -> Node | None:
    capability = info.pax_headers.get(CAPABILITY, "").encode("utf-8", "surrogateescape")
    metadata = Metadata(info.mode & 0o7777, info.uid, info.gid, capability)
    if info.isreg() and not info.issparse():
        return Node(name, Kind.FILE, metadata, content=Content(path, info.offset_data, info.size))
    if info.isdir():
        return Node(name, Kind.DIRECTORY, metadata)
    if info.issym():
        return Node(name, Kind.SYMLINK, metadata, target=info.linkname)
    if info.islnk():
        target = nodes.get(info.linkname.removeprefix("./").lstrip("/"))
        if target is None or target.content is None:
            raise StageError(
                f"A layer that the engine made has {quoted(name)} as a link to {quoted(info.linkname)}, "
                "which is not in it."
            )
        return Node(name, Kind.FILE, target.metadata, content=target.content)
    return None


def layer_members(diff: Diff) -> list[Member]:
    """Return the members of a layer, sorted by path; contents are read when their turn comes."""
    links = links_of(diff.nodes.values())
    members: list[Member] = [(whiteout(path), ()) for path in diff.whiteouts()]
    members += [(File(f"{path}/{OPAQUE}", 0), ()) for path in diff.opaque]
    members += [_member(node, diff, links) for node in diff.nodes.values()]
    return sorted(members, key=lambda member: member[0].path)


def _member(node: Node, diff: Diff, links: dict[Content, list[str]]) -> Member:
    if node.kind is Kind.DIRECTORY:
        return Directory(node.path, node.metadata), ()
    if node.kind is Kind.SYMLINK:
        return Symlink(node.path, node.target, node.metadata), ()
    assert node.content is not None
    first = links[node.content][0]
    if first != node.path:
        return Hardlink(node.path, first), ()
    source = source_of(node.path)
    is_stale = source is not None and source in diff.nodes
    reader = _Reader(node.content, is_stale=is_stale)
    return File(node.path, node.content.size_bytes, metadata=node.metadata), reader


@dataclass(frozen=True, slots=True)
class _Reader(Iterable[bytes]):
    """A content's bytes, opened when their turn comes; ``is_stale`` if its source gets another time."""

    content: Content
    is_stale: bool

    def __iter__(self) -> Iterator[bytes]:
        if not self.is_stale:
            yield from content_of(self.content)
            return
        size = min(self.content.size_bytes, PYC_HEADER_BYTES)
        header = replace(self.content, size_bytes=size)
        rest = replace(
            self.content,
            offset=self.content.offset + size,
            size_bytes=self.content.size_bytes - size,
        )
        yield with_source_time_0(b"".join(content_of(header)))
        yield from content_of(rest)


def content_of(content: Content) -> Iterator[bytes]:
    """Yield the bytes of a content."""
    left = content.size_bytes
    with content.path.open("rb") as file:
        file.seek(content.offset)
        while left and (block := file.read(min(left, BLOCK_BYTES))):
            left -= len(block)
            yield block
