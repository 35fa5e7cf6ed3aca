from __future__ import annotations

import io
import os
import random
import tarfile
from pathlib import Path

import pytest

from cogworks.build.cache import Cache, CachedLayer
from cogworks.build.code_layer import (
    code_layer,
    metadata_layer,
    weights_layer,
)
from cogworks.build.context import Context, read_context
from cogworks.build.errors import ContextError
from cogworks.oci.layer import Codec

MIB = 1024 * 1024


def write(folder: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def paths(context: Context) -> list[str]:
    return [one.path for one in context.code]


def names(layer: CachedLayer) -> list[str]:
    with tarfile.open(fileobj=io.BytesIO(b"".join(layer.blob.open()))) as archive:
        return archive.getnames()


def test_caches_repositories_and_environments_never_come_along(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "cog.yaml": "",
            "run.py": "",
            "lib/a.py": "",
            ".git/HEAD": "",
            ".cog/x": "",
            "lib/__pycache__/a.pyc": "",
            "my-env/pyvenv.cfg": "",
            "my-env/lib/x.py": "",
            ".venv/x": "",
            "__pycache__/run.pyc": "",
        },
    )
    assert paths(read_context(tmp_path)) == ["cog.yaml", "lib/a.py", "run.py"]


@pytest.mark.parametrize("spelled", ["token.txt", "../p/token.txt", "link"])
def test_a_file_that_was_given_as_a_secret_stays_out(tmp_path: Path, spelled: str) -> None:
    project = write(tmp_path / "p", {"run.py": "", "token.txt": "s3cret"})
    (project / "link").symlink_to("token.txt")
    context = read_context(project, secret_files=[project / spelled])
    assert paths(context) == ["run.py"]
    assert context.warnings == ("'token.txt' was given as a secret: it is left out of the image.",)


def test_dockerignore_is_honoured_with_its_exceptions(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            ".dockerignore": "data\n!data/keep.txt\n*.log",
            "data/x": "",
            "data/keep.txt": "",
            "a.log": "",
        },
    )
    context = read_context(tmp_path)
    assert paths(context) == [".dockerignore", "data/keep.txt"]
    assert context.folders == ()


@pytest.mark.parametrize(
    ("path", "target", "is_away"),
    [
        ("link", "run.py", False),
        ("a/link", "../run.py", False),
        ("a/link", "../../run.py", True),
        ("link", "..", True),
        ("link", "../other/weights.bin", True),
        ("link", "/models/weights.bin", True),
        ("link", "/usr/share/dict/words", False),
    ],
)
def test_a_link_out_of_the_project_is_told(
    tmp_path: Path, path: str, target: str, is_away: bool
) -> None:
    link = tmp_path / path
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(target)
    (warned,) = read_context(tmp_path).warnings or ("",)
    assert (f"to '{target}': the image gets the link" in warned) is is_away


def test_the_layer_has_the_files_the_links_and_the_programs(tmp_path: Path, cache: Cache) -> None:
    project = write(tmp_path / "p", {"run.py": "x", "bin/tool": "#!/bin/sh\n"})
    (project / "bin/tool").chmod(0o755)
    (project / "link").symlink_to("run.py")
    (project / "empty").mkdir()
    layer = code_layer(cache, read_context(project), Codec.GZIP)
    with tarfile.open(layer.path) as archive:
        found = {info.name: (info.type, info.mode, info.linkname) for info in archive}
    assert found == {
        "src": (tarfile.DIRTYPE, 0o755, ""),
        "src/bin": (tarfile.DIRTYPE, 0o755, ""),
        "src/bin/tool": (tarfile.REGTYPE, 0o755, ""),
        "src/empty": (tarfile.DIRTYPE, 0o755, ""),
        "src/link": (tarfile.SYMTYPE, 0o777, "run.py"),
        "src/run.py": (tarfile.REGTYPE, 0o644, ""),
    }


def test_two_clones_with_other_times_give_the_same_layer(tmp_path: Path) -> None:
    digests = set[str]()
    for turn in ("one", "two"):
        project = write(tmp_path / turn, {"run.py": "x = 1\n", "lib/ä.py": "y"})
        os.utime(project / "run.py", (len(turn), 1_000_000_000 + len(digests)))
        (project / "run.py").chmod(0o600 if turn == "one" else 0o664)
        layer = code_layer(Cache(tmp_path / f"cache-{turn}"), read_context(project), Codec.GZIP)
        assert layer.is_new
        digests.add(layer.layer.digest.hex)
    assert len(digests) == 1


def test_the_code_layer_has_golden_bytes(tmp_path: Path, cache: Cache) -> None:
    project = write(tmp_path / "p", {"run.py": "x = 1\n", "lib/a.py": "y = 2\n"})
    layer = code_layer(cache, read_context(project), Codec.NONE)
    assert (
        layer.layer.diff_id.hex
        == "1302b6d9a4a3b904693bb64e2ee598024fb0fa2ab15b6455103d423c87a0bbe8"
    )


def test_an_edit_makes_a_new_layer_and_taking_it_back_finds_the_old_one(
    tmp_path: Path, cache: Cache
) -> None:
    project = write(tmp_path / "p", {"run.py": "x = 1\n"})
    first = code_layer(cache, read_context(project), Codec.GZIP)
    write(project, {"run.py": "x = 2\n"})
    second = code_layer(cache, read_context(project), Codec.GZIP)
    write(project, {"run.py": "x = 1\n"})
    third = code_layer(cache, read_context(project), Codec.GZIP)
    assert second.is_new
    assert second.layer != first.layer
    assert not third.is_new
    assert third.layer == first.layer


def test_a_file_that_changes_while_it_is_packed_is_an_error_and_nothing_is_kept(
    tmp_path: Path, cache: Cache
) -> None:
    project = write(tmp_path / "p", {"run.py": "x = 1\n"})
    context = read_context(project)
    write(project, {"run.py": "x = 1\nlonger\n"})
    with pytest.raises(ContextError, match=r"run\.py changed while it was packed"):
        code_layer(cache, context, Codec.GZIP)
    assert not list(cache.root.rglob("tmp/*"))
    assert not list(cache.root.rglob("blobs/sha256/*"))


def test_large_files_and_chosen_ones_are_weights(tmp_path: Path) -> None:
    project = write(tmp_path / "p", {"run.py": "", "models/tiny.bin": "w"})
    with (project / "big.bin").open("wb") as file:
        file.truncate(64 * MIB)
    context = read_context(project, ["models/*"])
    assert [one.path for one in context.weights] == ["big.bin", "models/tiny.bin"]
    assert paths(context) == ["run.py"]


def test_weights_are_chosen_in_the_language_of_a_dockerignore(tmp_path: Path) -> None:
    files = ("a.bin", "lib/b.bin", "models/c", "models/d.py", "run.py")
    project = write(tmp_path, dict.fromkeys(files, ""))

    def chosen(*patterns: str) -> list[str]:
        return [one.path for one in read_context(project, patterns).weights]

    assert chosen("*.bin") == ["a.bin"]
    assert chosen("**/*.bin") == ["a.bin", "lib/b.bin"]
    assert chosen("models", "!**/*.py") == ["models/c"]
    with pytest.raises(ContextError, match="a bracket is not closed"):
        chosen("a[")


def test_separate_weights_begin_at_ten_megabytes(tmp_path: Path) -> None:
    project = write(tmp_path, {"run.py": ""})
    for name in ("a.bin", "film.mp4"):
        with (project / name).open("wb") as file:
            file.truncate(10 * MIB)
    assert read_context(project).weights == ()
    context = read_context(project, separate_weights=True)
    assert [one.path for one in context.weights] == ["a.bin"]
    assert paths(context) == ["film.mp4", "run.py"]


def test_a_pattern_of_the_weights_that_matches_nothing_is_a_warning(tmp_path: Path) -> None:
    project = write(tmp_path, {"run.py": "", "a.bin": ""})
    warnings = read_context(project, ["*.bin", "*.pt"]).warnings
    assert warnings == ("build.weights: '*.pt' matches no file of the project.",)


def test_weights_that_do_not_shrink_are_stored_and_others_packed(
    tmp_path: Path, cache: Cache
) -> None:
    noise = random.Random(1).randbytes(MIB)
    project = write(tmp_path / "p", {"noise.bin": noise, "zeros.bin": bytes(MIB)})
    context = read_context(project, ["*.bin"])
    layers = [weights_layer(cache, context, [one], Codec.ZSTD) for one in context.weights]
    assert [one.layer.codec for one in layers] == [Codec.NONE, Codec.ZSTD]
    assert names(layers[0]) == ["src", "src/noise.bin"]
    assert [one.path.exists() for one in layers] == [False, True]


def test_weights_that_are_stored_are_checked_again_where_that_is_asked_for(
    tmp_path: Path, cache: Cache
) -> None:
    project = write(tmp_path / "p", {"w.bin": random.Random(1).randbytes(MIB)})
    os.utime(project / "w.bin", (1, 1))
    context = read_context(project, ["*.bin"])

    root = cache.root.parent
    caches = Cache(root), Cache(root), Cache(root, is_reused=False), Cache(root, is_verified=True)
    layers = [weights_layer(one, context, context.weights, Codec.GZIP) for one in caches]
    assert [one.is_new for one in layers] == [True, False, True, True]
    assert len({one.layer.digest for one in layers}) == 1


def test_weights_that_grew_since_the_project_was_read_are_an_error(
    tmp_path: Path, cache: Cache
) -> None:
    project = write(tmp_path / "p", {"w.bin": bytes(MIB)})
    context = read_context(project, ["*.bin"])
    write(project, {"w.bin": bytes(MIB + 1)})
    with pytest.raises(ContextError, match=r"w\.bin changed while it was packed"):
        weights_layer(cache, context, context.weights, Codec.GZIP)


def test_a_code_edit_leaves_weights_alone(tmp_path: Path, cache: Cache) -> None:
    project = write(tmp_path / "p", {"run.py": "1", "w.bin": "weights"})
    os.utime(project / "w.bin", (1, 1))
    before = read_context(project, ["*.bin"])
    first = weights_layer(cache, before, before.weights, Codec.GZIP)
    write(project, {"run.py": "2"})
    after = read_context(project, ["*.bin"])
    second = weights_layer(cache, after, after.weights, Codec.GZIP)
    assert not second.is_new
    assert second.layer == first.layer


def test_what_is_no_file_is_left_out_with_a_warning(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert read_context(tmp_path).warnings == (
        "pipe is neither file, folder nor link: it is left out.",
    )


def test_metadata_lies_below_src_cog(cache: Cache) -> None:
    layer = metadata_layer(cache, {"openapi_schema.json": b"{}"}, Codec.GZIP)
    assert names(layer) == ["src", "src/.cog", "src/.cog/openapi_schema.json"]
