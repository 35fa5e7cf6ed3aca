"""Marks say something only about paths that lower layers have; docker sets them on every new folder."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
import zstandard

from cogworks.build.errors import StageError
from cogworks.build.stages.below import LocalLayer
from cogworks.build.stages.diff import Changes, Diff
from cogworks.build.stages.needless import drop_needless_marks, paths_of
from cogworks.oci.digest import digest_of
from cogworks.oci.layer import Codec, Layer
from cogworks.oci.tar import Directory, File, archive

TAR = b"".join(
    archive([(Directory("etc"), ()), (Directory("etc/x"), ()), (File("usr/share/y/z", 0), ())])
)
PACKED = {
    Codec.NONE: TAR,
    Codec.GZIP: gzip.compress(TAR, mtime=0),
    Codec.ZSTD: zstandard.ZstdCompressor().compress(TAR),
}


@pytest.mark.parametrize("codec", list(Codec))
def test_paths_are_found_in_layers_however_they_are_packed(tmp_path: Path, codec: Codec) -> None:
    (tmp_path / "layer").write_bytes(PACKED[codec])
    assert paths_of(tmp_path / "layer") >= {
        "etc",
        "etc/x",
        "usr",
        "usr/share",
        "usr/share/y",
        "usr/share/y/z",
    }


def test_marks_stay_where_a_lower_layer_has_the_path(tmp_path: Path) -> None:
    (tmp_path / "layer").write_bytes(TAR)
    digest = digest_of(TAR)
    layer = LocalLayer(Layer(digest, digest, len(TAR), Codec.NONE), tmp_path / "layer")
    diff = Diff()
    gone = ("usr/share/y/z", "usr/share/y/new")
    diff.add(Changes(removed=gone, opaque=("etc/x", "etc/new", "usr/share/y")))
    drop_needless_marks(diff, [layer])
    assert diff.opaque == {"etc/x", "usr/share/y"}
    assert diff.removed == {"usr/share/y/z"}


def test_without_marks_no_layer_is_read(tmp_path: Path) -> None:
    digest = digest_of(TAR)
    layer = LocalLayer(Layer(digest, digest, len(TAR), Codec.NONE), tmp_path / "nowhere")
    drop_needless_marks(Diff(), [layer])


@pytest.mark.parametrize("data", [b"no tar" * 1000, PACKED[Codec.GZIP][:60]], ids=["text", "cut"])
def test_a_layer_that_cannot_be_read_is_said(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "layer").write_bytes(data)
    with pytest.raises(StageError, match="cannot be read"):
        paths_of(tmp_path / "layer")
