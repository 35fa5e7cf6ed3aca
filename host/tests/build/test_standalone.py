"""Pythons that images bring along: fetched once, the same everywhere, and what is said where there is none."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from cogworks.build.cache import Cache
from cogworks.build.errors import InterpreterError
from cogworks.build.interpreter_layer import interpreter_layer
from cogworks.build.standalone import StandalonePython, find_standalone, interpreter_of
from cogworks.oci.layer import Codec

from .bases import Quiet
from .python_mirror import OTHER_MACHINE, small_python, write_mirror

pytestmark = pytest.mark.slow

WHY = "base:1 does not say that it has one"


def variables(root: Path, **more: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(root),
        "PIP_CONFIG_FILE": "/dev/null",
        "UV_CACHE_DIR": str(root / "uv-cache"),
        **more,
    }


def find(
    root: Path, environment: dict[str, str], version: str = "3.12", cache: str = "cache"
) -> StandalonePython:
    there = Cache(root / cache)
    return find_standalone(version, OTHER_MACHINE, WHY, there, Quiet(), environment)


@pytest.fixture
def mirror(tmp_path: Path) -> dict[str, str]:
    found = write_mirror(tmp_path / "mirror", "3.12.1", OTHER_MACHINE, small_python("3.12.1"))
    return variables(tmp_path, **found)


def test_a_python_is_fetched_once(tmp_path: Path, mirror: dict[str, str]) -> None:
    python = find(tmp_path, mirror)
    assert (python.version, python.minor, python.machine) == ("3.12.1", (3, 12), OTHER_MACHINE)
    shutil.rmtree(tmp_path / "mirror")
    assert find(tmp_path, mirror) == python
    assert os.listdir(tmp_path / "cache" / "oci" / "tmp") == []
    kept = sorted(path.name for path in (tmp_path / "cache" / "oci" / "interpreters").iterdir())
    assert kept == [f"3.12-{OTHER_MACHINE}.json", python.folder.name]


def test_it_is_the_same_on_two_machines(tmp_path: Path, mirror: dict[str, str]) -> None:
    first, second = (find(tmp_path, mirror, cache=name) for name in ("one", "two-longer"))
    assert first.digest == second.digest
    layers = [
        interpreter_layer(Cache(tmp_path / name), python, Codec.GZIP).layer
        for name, python in (("one", first), ("two-longer", second))
    ]
    assert layers[0] == layers[1]


def test_its_files_name_their_place_in_the_image(tmp_path: Path, mirror: dict[str, str]) -> None:
    folder = find(tmp_path, mirror).folder
    data = (folder / "lib/python3.12/_sysconfigdata__linux_x86_64-linux-gnu.py").read_text()
    assert "/opt/python3.12" in data
    assert not any(
        bytes(tmp_path) in path.read_bytes() for path in folder.rglob("*") if path.is_file()
    )


def test_what_only_people_at_a_desk_want_is_left_out(
    tmp_path: Path, mirror: dict[str, str]
) -> None:
    folder = find(tmp_path, mirror).folder
    names = {path.name for path in folder.rglob("*")}
    assert not names & {"test", "tkinter", "tcl8.6", "man", "libpython3.12.a", "BUILD"}
    assert {"os.py", "python3.12", "python.pc"} <= names


def test_a_full_version_is_exactly_that_one(tmp_path: Path, mirror: dict[str, str]) -> None:
    write_mirror(tmp_path / "mirror", "3.12.10", OTHER_MACHINE, small_python("3.12.10"))
    assert find(tmp_path, mirror, "3.12.1").version == "3.12.1"
    assert find(tmp_path, mirror, "3.12").version == "3.12.10"


def test_a_build_that_was_removed_is_fetched_again(tmp_path: Path, mirror: dict[str, str]) -> None:
    python = find(tmp_path, mirror)
    shutil.rmtree(python.folder)
    assert find(tmp_path, mirror) == python
    note = tmp_path / "cache" / "oci" / "interpreters" / f"3.12-{OTHER_MACHINE}.json"
    note.write_text("{")
    assert find(tmp_path, mirror) == python


def test_without_a_network_the_one_that_uv_has_is_taken(
    tmp_path: Path, mirror: dict[str, str]
) -> None:
    python = find(tmp_path, mirror)
    theirs = tmp_path / "mirror" / "uv-has" / f"cpython-3.12.1-linux-{OTHER_MACHINE}-gnu"
    shutil.copytree(python.folder, theirs, symlinks=True)
    data = theirs / "lib/python3.12/_sysconfigdata__linux_x86_64-linux-gnu.py"
    data.write_text(data.read_text().replace("/opt/python3.12", str(theirs)))
    (tmp_path / "mirror" / "downloads.json").write_text("{}")
    again = find(tmp_path, mirror, cache="other")
    assert (again.version, again.digest) == ("3.12.1", python.digest)
    assert theirs.exists()


def test_where_there_is_none_the_error_says_what_to_do(
    tmp_path: Path, mirror: dict[str, str]
) -> None:
    with pytest.raises(InterpreterError) as caught:
        find(tmp_path, mirror, "3.13")
    message = str(caught.value)
    assert message.startswith(f"Python 3.13 for linux/{OTHER_MACHINE} is needed: {WHY}.")
    for part in (
        "UV_PYTHON_INSTALL_MIRROR",
        "UV_PYTHON_DOWNLOADS_JSON_URL",
        f"uv python install cpython-3.13-linux-{OTHER_MACHINE}-gnu",
        "--base-python",
        str(tmp_path / "mirror" / "uv-has"),
        str(tmp_path / "cache" / "oci" / "interpreters"),
    ):
        assert part in message
    assert "new-" not in message
    left = list((tmp_path / "cache" / "oci" / "interpreters").iterdir())
    assert left == []


def test_a_damaged_download_is_not_taken(tmp_path: Path, mirror: dict[str, str]) -> None:
    (archive,) = (tmp_path / "mirror").glob("*.tar.gz")
    archive.write_bytes(archive.read_bytes()[:-1] + b"x")
    with pytest.raises(InterpreterError):
        find(tmp_path, mirror)


def test_the_layer_lies_below_opt_and_nowhere_else(tmp_path: Path, mirror: dict[str, str]) -> None:
    import tarfile

    cache = Cache(tmp_path / "cache")
    layer = interpreter_layer(cache, find(tmp_path, mirror), Codec.GZIP)
    with tarfile.open(layer.path) as archive:
        members = {member.name: member for member in archive}
    assert set(members) == {
        *("opt", "opt/python3.12", "opt/python3.12/bin", "opt/python3.12/lib"),
        *("opt/python3.12/lib/pkgconfig", "opt/python3.12/lib/pkgconfig/python.pc"),
        *("opt/python3.12/lib/python3.12", "opt/python3.12/lib/python3.12/os.py"),
        "opt/python3.12/lib/python3.12/_sysconfigdata__linux_x86_64-linux-gnu.py",
        *(
            "opt/python3.12/bin/python3.12",
            "opt/python3.12/bin/python3",
            "opt/python3.12/bin/python",
        ),
    }
    assert interpreter_of((3, 12)) == "/opt/python3.12/bin/python3.12"
    assert members["opt/python3.12/bin/python3.12"].mode == 0o755
    assert members["opt/python3.12/lib/python3.12/os.py"].mode == 0o644
    assert not interpreter_layer(cache, find(tmp_path, mirror), Codec.GZIP).is_new
