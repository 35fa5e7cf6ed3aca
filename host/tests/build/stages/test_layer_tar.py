"""From an engine's tar to ours: real archives in, real archives out."""

from __future__ import annotations

import io
import py_compile
import tarfile
from pathlib import Path

import pytest

from cogworks.build.errors import StageError
from cogworks.build.stages.diff import Diff
from cogworks.build.stages.layer_tar import layer_members, read_layer
from cogworks.oci.digest import digest_of
from cogworks.oci.tar import CAPABILITY, archive


def entry(name: str, data: bytes = b"", **fields: object) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size, info.mtime = len(data), 1_700_000_000
    for key, value in fields.items():
        setattr(info, key, value)
    return info, data


def write(path: Path, *entries: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as opened:
        for info, data in entries:
            opened.addfile(info, io.BytesIO(data))
    return path


def repacked(*layers: Path) -> bytes:
    diff = Diff()
    for layer in layers:
        diff.add(read_layer(layer))
    return b"".join(archive(layer_members(diff)))


def members(data: bytes) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(data)) as opened:
        return {info.name: info for info in opened}


SAMPLE = (
    entry("./usr/", type=tarfile.DIRTYPE, mode=0o755),
    entry("usr/bin/", type=tarfile.DIRTYPE, mode=0o755),
    entry("usr/bin/su", b"elf", mode=0o104755, gid=42, uname="root"),
    entry("usr/bin/ln", type=tarfile.LNKTYPE, linkname="usr/bin/su"),
    entry("usr/bin/a", type=tarfile.LNKTYPE, linkname="usr/bin/su"),
    entry("usr/bin/sh", type=tarfile.SYMTYPE, linkname="dash", mode=0o777),
    entry("usr/bin/ping", b"x", pax_headers={CAPABILITY: "\1\udcff"}, mode=0o755),
    entry("usr/.wh.old"),
    entry("usr/new/", type=tarfile.DIRTYPE, mode=0o2775, uid=5),
    entry("usr/new/.wh..wh..opq"),
    entry("dev/null", type=tarfile.CHRTYPE, devmajor=1),
    entry("run/pipe", type=tarfile.FIFOTYPE),
)


def test_the_bytes_of_a_layer_never_change(tmp_path: Path) -> None:
    data = repacked(write(tmp_path / "layer.tar", *SAMPLE))
    assert digest_of(data).hex == (
        "5d7b453e39394c4eb4cb88076a3dc8caec1fb712558ed280a1eb81a1373e7471"
    )


def test_owners_modes_links_and_marks_are_kept(tmp_path: Path) -> None:
    found = members(repacked(write(tmp_path / "layer.tar", *SAMPLE)))
    assert list(found) == [
        *("usr", "usr/.wh.old", "usr/bin", "usr/bin/a", "usr/bin/ln", "usr/bin/ping"),
        *("usr/bin/sh", "usr/bin/su", "usr/new", "usr/new/.wh..wh..opq"),
    ]
    assert {info.mtime for info in found.values()} == {0}
    first = found["usr/bin/a"]
    assert (first.mode, first.gid, first.uname, first.size) == (0o4755, 42, "", 3)
    assert [found[f"usr/bin/{name}"].linkname for name in ("ln", "su", "sh")] == [
        *("usr/bin/a", "usr/bin/a", "dash"),
    ]
    assert found["usr/bin/su"].islnk()
    assert (found["usr/new"].mode, found["usr/new"].uid) == (0o2775, 5)
    assert found["usr/bin/ping"].pax_headers[CAPABILITY] == "\1\udcff"


def test_times_and_order_of_an_engine_do_not_matter(tmp_path: Path) -> None:
    later = [(tarfile.TarInfo.frombuf(i.tobuf(), "utf-8", "strict"), d) for i, d in SAMPLE[:3]]
    for info, _ in later:
        info.mtime = 5
    one = write(tmp_path / "one.tar", *SAMPLE[:3])
    two = write(tmp_path / "two.tar", *later)
    assert repacked(one) == repacked(two)


def test_a_file_without_content_is_no_link_to_another(tmp_path: Path) -> None:
    data = repacked(write(tmp_path / "layer.tar", entry("a"), entry("b"), entry("c", b"x")))
    assert [info.islnk() for info in members(data).values()] == [False, False, False]


def test_contents_come_from_the_layer_that_has_them(tmp_path: Path) -> None:
    big = bytes(range(256)) * 9000
    one = write(tmp_path / "one.tar", entry("a", b"old"), entry("b", big))
    two = write(tmp_path / "two.tar", entry("a", b"new"))
    with tarfile.open(fileobj=io.BytesIO(repacked(one, two))) as opened:
        contents = [opened.extractfile(name) for name in ("a", "b")]
        assert [file.read() for file in contents if file] == [b"new", big]


def compiled(folder: Path) -> bytes:
    source = folder / "m.py"
    source.write_text("x = 1\n")
    target = py_compile.compile(
        str(source), invalidation_mode=py_compile.PycInvalidationMode.TIMESTAMP
    )
    return Path(str(target)).read_bytes()


def test_compiled_modules_fit_the_time_of_their_sources(tmp_path: Path) -> None:
    data = compiled(tmp_path)
    name = "lib/__pycache__/m.cpython-311.pyc"
    both = write(tmp_path / "both.tar", entry(name, data), entry("lib/m.py", b"x = 1\n"))
    alone = write(tmp_path / "alone.tar", entry(name, data))
    for path, expected in ((both, bytes(4)), (alone, data[8:12])):
        with tarfile.open(fileobj=io.BytesIO(repacked(path))) as opened:
            file = opened.extractfile(name)
            assert file is not None
            found = file.read()
        assert found[8:12] == expected
        assert found[:8] + found[12:] == data[:8] + data[12:]


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        ((entry("x", type=tarfile.LNKTYPE, linkname="y"),), "'x' as a link to 'y', which is not"),
        ((entry("../x"),), "'../x' is not a path inside an archive"),
        ((entry("/etc/../x"),), "is not a path inside an archive"),
    ],
)
def test_an_archive_that_is_no_layer_is_refused(
    tmp_path: Path, entries: tuple[tuple[tarfile.TarInfo, bytes], ...], why: str
) -> None:
    with pytest.raises(StageError, match=why):
        read_layer(write(tmp_path / "layer.tar", *entries))


def test_a_damaged_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "layer.tar").write_bytes(b"no tar" * 200)
    with pytest.raises(StageError, match="cannot be read"):
        read_layer(tmp_path / "layer.tar")
