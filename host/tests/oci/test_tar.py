from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cogworks.oci.digest import digest_of
from cogworks.oci.errors import TarError
from cogworks.oci.tar import (
    Directory,
    Entry,
    File,
    Hardlink,
    Metadata,
    Symlink,
    archive,
    checked_path,
    header,
    padding,
    whiteout,
)

Members = list[tuple[Entry, Iterable[bytes]]]


def packed(members: Members) -> bytes:
    return b"".join(archive(members))


def unpacked(data: bytes) -> list[tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as opened:
        return opened.getmembers()


SAMPLE: Members = [
    (Directory("src"), ()),
    (File("src/a.py", 5), (b"he", b"llo")),
    (Hardlink("src/b.py", "src/a.py"), ()),
    (Symlink("src/c.py", "/etc/hosts"), ()),
    (File("src/run", 600, executable=True), (bytes(600),)),
    (File("src/" + "x" * 120, 0), ()),
    (File("src/" + "y" * 60 + "/" + "z" * 90, 0), ()),
    (File("src/ü", 1), (b"u",)),
]


def test_the_bytes_never_change() -> None:
    assert digest_of(packed(SAMPLE)).hex == (
        "b3b6f80f40eccf5ebedd19e19242b06e64d2868a62f950b0b808b5ad5730b3be"
    )


OWNED: Members = [
    (Directory("tmp", Metadata(0o1777)), ()),
    (File("usr/bin/ping", 2, metadata=Metadata(0o755, capability=b"\1\0\0\2\xff\n")), (b"el",)),
    (File("usr/bin/su", 3, metadata=Metadata(0o104755, 0, 42)), (b"elf",)),
    (Hardlink("usr/bin/sudo", "usr/bin/su"), ()),
    (Symlink("usr/bin/x", "su", Metadata(0o777, 5, 6)), ()),
    (File("var/mail", 0, metadata=Metadata(0o600, 8**7, 2**32 - 2)), ()),
]
"""What programs leave in an image: owners, rights, and numbers that ustar cannot say."""


def test_the_bytes_of_owned_members_never_change() -> None:
    assert digest_of(packed(OWNED)).hex == (
        "9510ea1c90c2ac0ae34773d4f670f5ffc7af26f4a69d38b1202929d8dbf15ca8"
    )


def test_modes_owners_and_capabilities_are_read_back() -> None:
    members = {one.name: one for one in unpacked(packed(OWNED))}
    found = {name: (oct(one.mode), one.uid, one.gid) for name, one in members.items()}
    assert found == {
        "tmp": ("0o1777", 0, 0),
        "usr/bin/ping": ("0o755", 0, 0),
        "usr/bin/su": ("0o4755", 0, 42),
        "usr/bin/sudo": ("0o644", 0, 0),
        "usr/bin/x": ("0o777", 5, 6),
        "var/mail": ("0o600", 8**7, 2**32 - 2),
    }
    assert members["usr/bin/sudo"].islnk()
    record = members["usr/bin/ping"].pax_headers["SCHILY.xattr.security.capability"]
    assert record.encode("utf-8", "surrogateescape") == b"\1\0\0\2\xff\n"


def test_members_are_read_back_by_an_independent_reader() -> None:
    members = unpacked(packed(SAMPLE))
    assert [member.name for member in members] == [entry.path for entry, _ in SAMPLE]
    assert [oct(member.mode) for member in members[:5]] == [
        *("0o755", "0o644", "0o644", "0o777", "0o755"),
    ]
    assert members[2].linkname == "src/a.py"
    assert members[3].linkname == "/etc/hosts"
    for member in members:
        owner = (member.mtime, member.uid, member.gid, member.uname, member.gname)
        assert owner == (0, 0, 0, "", "")


def test_only_what_ustar_cannot_say_gets_a_pax_record() -> None:
    with_record = [member.name for member in unpacked(packed(SAMPLE)) if member.pax_headers]
    assert with_record == ["src/" + "x" * 120, "src/ü"]


@pytest.mark.parametrize("size", [8**11 - 1, 8**11, 2**40])
def test_sizes_beyond_eight_gib_are_told(size: int) -> None:
    data = header(File("big", size))
    assert len(data) == (512 if size < 8**11 else 1536)
    found = tarfile.open(fileobj=io.BytesIO(data), mode="r|").next()  # noqa: SIM115
    assert found is not None
    assert (found.name, found.size) == ("big", size)


def test_long_link_targets_are_kept() -> None:
    target = "../" * 60 + "ä"
    assert unpacked(packed([(Symlink("link", target), ())]))[0].linkname == target


def test_content_is_padded_to_whole_blocks() -> None:
    assert [len(padding(size)) for size in (0, 1, 511, 512, 513)] == [0, 511, 1, 0, 511]
    assert len(packed(SAMPLE)) % 512 == 0


def test_a_whiteout_removes_a_path_of_a_lower_layer() -> None:
    assert whiteout("usr/lib/x.so") == File("usr/lib/.wh.x.so", 0)
    assert whiteout("x") == File(".wh.x", 0)


@pytest.mark.parametrize(
    "path", ["", "/", "/etc", "../x", "a/../b", "a//b", "a/", "./a", "a/.", "a\0b", ".."]
)
def test_unsafe_and_odd_paths_are_refused(path: str) -> None:
    with pytest.raises(TarError, match="not a path inside an archive"):
        header(File(path, 0))
    with pytest.raises(TarError):
        header(Hardlink("ok", path))


@pytest.mark.parametrize("path", ["a\udcff", "a" * 4097, "/".join("a" * 3000)])
def test_names_that_no_system_takes_are_refused(path: str) -> None:
    with pytest.raises(TarError, match=r"UTF-8|4096 bytes"):
        header(File(path, 0))


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ([(File("b", 0), ()), (File("a", 0), ())], "'a' comes after 'b'"),
        ([(File("a", 0), ()), (File("a", 0), ())], "'a' comes after 'a'"),
        ([(Hardlink("a", "b"), ()), (File("b", 0), ())], "does not come before it"),
        ([(File("a", 3), (b"ab",))], "has less than the 3 bytes"),
        ([(File("a", 3), (b"ab", b"cd"))], "has more than the 3 bytes"),
        ([(Directory("a"), (b"x",))], "has more than the 0 bytes"),
    ],
)
def test_members_that_are_not_as_they_should_be_are_refused(members: Members, why: str) -> None:
    with pytest.raises(TarError, match=why):
        packed(members)


name = st.text(
    st.characters(exclude_characters="/\0", codec="utf-8"), min_size=1, max_size=60
).filter(lambda text: text not in (".", ".."))
path = st.lists(name, min_size=1, max_size=6).map("/".join)
entry = st.one_of(
    st.builds(File, path, st.just(0), st.booleans()),
    st.builds(Directory, path),
    st.builds(Symlink, path, path),
)


@given(st.lists(entry, unique_by=lambda one: one.path, max_size=6), st.binary(max_size=2000))
def test_any_tree_is_the_same_twice_and_reads_back(entries: list[Entry], data: bytes) -> None:
    members: Members = []
    for one in sorted(entries, key=lambda each: each.path):
        if isinstance(one, File):
            members.append((File(one.path, len(data), one.executable), (data,)))
        else:
            members.append((one, ()))
    first = packed(members)
    assert first == packed(members)
    found = unpacked(first)
    assert [member.name for member in found] == [one.path for one, _ in members]
    for member, (one, _) in zip(found, members, strict=True):
        assert member.isdir() == isinstance(one, Directory)
        if isinstance(one, File):
            assert (member.size, bool(member.mode & 0o100)) == (len(data), one.executable)
        if isinstance(one, Symlink):
            assert member.linkname == one.target


@given(path)
def test_a_checked_path_is_unchanged(path: str) -> None:
    assert checked_path(path) == path
