"""What of a command's changes gets into an image, and what would differ from run to run."""

from __future__ import annotations

from pathlib import Path

import pytest

from cogworks.build.stages.diff import Changes, Content, Diff, Kind, Node
from cogworks.build.stages.normal import normalize, source_of, with_source_time_0
from cogworks.oci.tar import Metadata


def diff_of(*paths: str, removed: tuple[str, ...] = (), opaque: tuple[str, ...] = ()) -> Diff:
    """Return changes; a path that ends with a slash is a folder."""
    nodes = [
        Node(path.rstrip("/"), Kind.DIRECTORY, Metadata(0o755))
        if path.endswith("/")
        else Node(path, Kind.FILE, Metadata(0o644), content=Content(Path("x"), number, 5))
        for number, path in enumerate(paths)
    ]
    diff = Diff()
    diff.add(Changes(tuple(nodes), removed, opaque))
    return diff


@pytest.mark.parametrize(
    "path",
    [
        *("run/lock/x", "dev/null", "proc/1", "sys/x", ".dockerenv"),
        *("etc/hosts", "etc/hostname", "etc/resolv.conf", "etc/machine-id"),
        *("var/log/dpkg.log", "var/log/apt/term.log", "var/cache/apt/pkgcache.bin"),
        *("var/cache/ldconfig/aux-cache", "var/cache/debconf/config.dat-old"),
        *("var/lib/apt/lists/deb.example_dists", "var/lib/dpkg/lock", "var/lib/dpkg/lock-frontend"),
        *("var/lib/dpkg/status-old", "var/lib/dpkg/triggers/Lock", "var/lib/dpkg/updates/0001"),
        *("etc/.pwd.lock", "etc/passwd-", "etc/shadow-", "tmp/x", "var/tmp/x"),
        *("root/.cache/pip/http/x", "var/lib/dbus/machine-id"),
    ],
)
def test_what_belongs_into_no_image_is_left_out(path: str) -> None:
    diff = diff_of(path)
    normalize(diff, keeps_temporary=False)
    assert not diff.nodes


@pytest.mark.parametrize(
    "path",
    [
        *("usr/bin/git", "etc/passwd", "etc/shadow", "etc/ld.so.cache", "var/lib/dpkg/status"),
        *(
            "var/cache/debconf/config.dat",
            "var/lib/apt/extended_states",
            "var/log/",
            "var/cache/x/",
        ),
        *("usr/lib/x.so", "opt/run/x", "root/.cache/huggingface/x", "runs/x", "etc/hosts.allow"),
        *("lib/x", "bin/x", "usr/", "var/lib/dpkg/info/git.list", "home/x/var/log/y"),
    ],
)
def test_everything_else_stays(path: str) -> None:
    diff = diff_of(path)
    normalize(diff, keeps_temporary=False)
    assert list(diff.nodes) == [path.rstrip("/")]


@pytest.mark.parametrize("path", ["bin/", "sbin/", "lib/", "lib64/", "tmp/"])
def test_folders_that_may_be_links_in_the_base_are_never_entries(path: str) -> None:
    diff = diff_of(path, f"{path}x")
    normalize(diff, keeps_temporary=True)
    assert list(diff.nodes) == [f"{path}x"]


def test_what_commands_put_into_tmp_stays_on_demand() -> None:
    diff = diff_of("tmp/model.bin", "var/tmp/x")
    normalize(diff, keeps_temporary=True)
    assert list(diff.nodes) == ["tmp/model.bin", "var/tmp/x"]


def test_an_empty_file_where_a_secret_was_mounted_is_the_engines() -> None:
    diff = diff_of("root/.netrc", "root/.pypirc")
    diff.nodes["root/.netrc"] = Node(
        "root/.netrc", Kind.FILE, Metadata(0o755), content=Content(Path("x"), 0, 0)
    )
    normalize(diff, keeps_temporary=False, mounted=["root/.netrc", "root/.pypirc", "root/none"])
    assert list(diff.nodes) == ["root/.pypirc"]


def test_marks_in_folders_that_are_left_out_go_as_well() -> None:
    diff = diff_of(
        removed=("var/lib/apt/lists/x", "usr/share/doc/x", "tmp/x"),
        opaque=("var/cache/x", "var/log", "opt/x", "run/x"),
    )
    normalize(diff, keeps_temporary=False)
    assert sorted(diff.whiteouts()) == ["usr/share/doc/x"]
    assert diff.opaque == {"opt/x"}


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("usr/lib/x/__pycache__/y.cpython-311.pyc", "usr/lib/x/y.py"),
        ("x/__pycache__/y.cpython-311.opt-1.pyc", "x/y.py"),
        ("__pycache__/y.z.cpython-39.pyc", "y.z.py"),
        ("x/y.pyc", None),
        ("x/__pycache__/y.pypy39.pyc", None),
        ("x/y.py", None),
    ],
)
def test_the_source_of_a_compiled_module_is_known(path: str, source: str | None) -> None:
    assert source_of(path) == source


def test_a_module_that_goes_by_the_time_of_its_source_gets_that_of_the_image() -> None:
    by_time = b"MAGI" + bytes(4) + b"TIME" + b"SIZE"
    assert with_source_time_0(by_time) == b"MAGI" + bytes(8) + b"SIZE"


@pytest.mark.parametrize(
    "header", [b"MAGI\3\0\0\0HASHHASH", b"MAGI\1\0\0\0HASHHASH", b"short", b""]
)
def test_a_module_that_goes_by_a_hash_stays_as_it_is(header: bytes) -> None:
    assert with_source_time_0(header) == header


def test_a_folder_that_only_engines_have_touched_is_left_out() -> None:
    diff = diff_of("etc/", "etc/hosts", "etc/passwd-", "opt/x")
    normalize(diff, keeps_temporary=True)
    assert list(diff.nodes) == ["opt/x"]
    for path, removed in (("etc/x", ()), ("opt/x", ("etc/motd",))):
        diff = diff_of("etc/", path, removed=removed)
        normalize(diff, keeps_temporary=True)
        assert list(diff.nodes) == ["etc", path]
