from __future__ import annotations

import csv
import hashlib
import io
import marshal
import os
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from types import CodeType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cogworks.build.bytecode import Compiler, Seats
from cogworks.build.cache import Cache, CachedLayer
from cogworks.build.errors import WheelError
from cogworks.build.wheel_set import WheelFile, find_conflicts, wheels_key, wheels_layer
from cogworks.oci.layer import Codec

from .conftest import MakeWheel, wheel_file, write_wheel

PYTHON = sys.version_info[:2]
LIBRARY = f"opt/venv/lib/python{PYTHON[0]}.{PYTHON[1]}/site-packages"
COMPILER = Compiler(Path(sys.executable), ".".join(map(str, sys.version_info[:3])))

RICH = {
    "pixel/__init__.py": "from pixel.core import main\n",
    "pixel/core.py": "def main():\n    return 0\n\n\nclass App:\n    run = staticmethod(main)\n",
    "pixel/broken_template.py": "def {{ name }}:\n",
    "pixel/data.bin": bytes(range(256)) * 20,
    "pixel/native": "#!/bin/sh\necho hi\n",
    "pixel-1.0.data/scripts/pixel-old": "#!python -E\nimport pixel\n",
    "pixel-1.0.data/scripts/pixel-shell": "#!/bin/sh\necho hi\n",
    "pixel-1.0.data/data/share/pixel/readme.txt": "read me\n",
    "pixel-1.0.data/headers/pixel.h": "#define PIXEL 1\n",
    "pixel-1.0.data/purelib/pixel_pure.py": "a = 1\n",
    "pixel-1.0.data/platlib/pixel_plat.py": "b = 2\n",
}
POINTS = "[console_scripts]\npixel = pixel.core:main\npixel-app = pixel.core:App.run [x]\n"


def rich_wheel(make_wheel: MakeWheel) -> WheelFile:
    return make_wheel("pixel", files=RICH, programs=["pixel/native"], entry_points=POINTS)


def members(layer: CachedLayer) -> dict[str, tuple[tarfile.TarInfo, bytes]]:
    with tarfile.open(layer.path) as archive:
        return {
            info.name: (info, file.read() if (file := archive.extractfile(info)) else b"")
            for info in archive
        }


def pack(cache: Cache, *wheels: WheelFile, compiler: Compiler | None = None) -> CachedLayer:
    return wheels_layer(cache, wheels, PYTHON, compiler, Codec.GZIP)


def test_the_layer_has_what_uv_installs(
    cache: Cache, make_wheel: MakeWheel, tmp_path: Path
) -> None:
    wheel = rich_wheel(make_wheel)
    venv = tmp_path / "venv"
    run_uv("venv", "--python", sys.executable, str(venv), cache=tmp_path)
    before = set(files_below(venv))
    python = str(venv / "bin" / "python")
    run_uv("pip", "install", "--no-index", "--python", python, str(wheel.path), cache=tmp_path)
    theirs = {path: venv / path for path in files_below(venv) if path not in before}
    ours = {
        name.removeprefix("opt/venv/"): pair
        for name, pair in members(pack(cache, wheel)).items()
        if pair[0].isfile()
    }
    own = re.compile(r"\.lock|.*/(?:REQUESTED|direct_url\.json|uv_cache\.json|uv_build\.json)")
    assert set(ours) == {path for path in theirs if not own.fullmatch(path)}
    for path, (info, data) in ours.items():
        is_program = os.access(theirs[path], os.X_OK)
        assert bool(info.mode & 0o111) == is_program, path
        if path in ("bin/pixel", "bin/pixel-app") or path.endswith(("/RECORD", "/INSTALLER")):
            continue
        assert without_shebang(data) == without_shebang(theirs[path].read_bytes()), path


def run_uv(*arguments: str, cache: Path) -> None:
    environment = {**os.environ, "UV_CACHE_DIR": str(cache / "uv-cache")}
    uv = Path(sys.executable).with_name("uv")
    subprocess.run([uv, *arguments, "--quiet"], check=True, env=environment)


def files_below(folder: Path) -> list[str]:
    return [
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "lib64/" not in path.as_posix()
    ]


def without_shebang(data: bytes) -> bytes:
    # What follows the interpreter is kept, as pip does; uv drops it.
    return re.sub(rb"\A#!\S*python[^\n]*", b"#!python", data)


def test_scripts_start_with_the_environments_python_and_run(
    cache: Cache, make_wheel: MakeWheel, tmp_path: Path
) -> None:
    found = members(pack(cache, rich_wheel(make_wheel)))
    script = found["opt/venv/bin/pixel-app"][1]
    assert script.startswith(b"#!/opt/venv/bin/python\n")
    assert found["opt/venv/bin/pixel-old"][1].startswith(b"#!/opt/venv/bin/python -E\n")
    for name, (info, data) in found.items():
        if info.isfile():
            (tmp_path / "root" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "root" / name).write_bytes(data)
    done = subprocess.run(
        [sys.executable, str(tmp_path / "root/opt/venv/bin/pixel-app")],
        env={"PYTHONPATH": str(tmp_path / "root" / LIBRARY)},
        check=False,
    )
    assert done.returncode == 0


def test_record_names_every_file_with_its_hash(cache: Cache, make_wheel: MakeWheel) -> None:
    found = members(pack(cache, rich_wheel(make_wheel), compiler=COMPILER))
    text = found[f"{LIBRARY}/pixel-1.0.dist-info/RECORD"][1].decode()
    rows = {row[0]: row for row in csv.reader(io.StringIO(text))}
    files = {name for name, (info, _) in found.items() if info.isfile()}
    assert {os.path.normpath(f"{LIBRARY}/{path}") for path in rows} == files
    for path, (_, hash_text, size) in rows.items():
        data = found[os.path.normpath(f"{LIBRARY}/{path}")][1]
        if path.endswith((".pyc", "/RECORD")):
            assert (hash_text, size) == ("", "")
        else:
            assert int(size) == len(data)
            assert hash_text.startswith("sha256=")


def test_modules_are_compiled_with_the_path_they_will_have(
    cache: Cache, make_wheel: MakeWheel
) -> None:
    found = members(pack(cache, rich_wheel(make_wheel), compiler=COMPILER))
    name = f"{LIBRARY}/pixel/__pycache__/core.{sys.implementation.cache_tag}.pyc"
    data = found[name][1]
    assert data[4:8] == b"\x01\x00\x00\x00"  # Hash-based, and never checked.
    code = marshal.loads(data[16:])
    assert isinstance(code, CodeType)
    assert code.co_filename == f"/{LIBRARY}/pixel/core.py"
    assert not any("broken_template" in path and path.endswith(".pyc") for path in found)


def test_entries_have_no_time_no_owner_and_two_modes(cache: Cache, make_wheel: MakeWheel) -> None:
    found = members(pack(cache, rich_wheel(make_wheel)))
    assert list(found) == sorted(found)
    for info, _ in found.values():
        assert (info.mtime, info.uid, info.gid, info.uname, info.gname) == (0, 0, 0, "", "")
        assert info.mode in (0o644, 0o755)
    assert {name.split("/")[0] for name in found} == {"opt"}
    parents = {str(Path(name).parent) for name in found} - {"."}
    assert parents <= set(found)


def test_the_bytes_of_a_layer_are_golden(tmp_path: Path) -> None:
    path = write_wheel(tmp_path, files={"pixel/__init__.py": "x = 1\n"}, entry_points=POINTS)
    layer = wheels_layer(Cache(tmp_path), [wheel_file(path)], (3, 12), None, Codec.NONE)
    assert (
        layer.layer.diff_id.hex
        == "0c34e54378d687127b010bb0e390f1f93270116b97b581a6445159f0d6a27daf"
    )


def test_two_caches_and_any_order_give_the_same_layer(
    make_wheel: MakeWheel, tmp_path: Path
) -> None:
    wheels = [rich_wheel(make_wheel), make_wheel("alpha"), make_wheel("beta")]
    first = pack(Cache(tmp_path / "one"), *wheels, compiler=COMPILER)
    second = pack(Cache(tmp_path / "two" / "deeper"), *wheels[::-1], compiler=COMPILER)
    assert first.is_new
    assert second.is_new
    assert first.layer == second.layer


def test_a_second_build_packs_nothing(cache: Cache, make_wheel: MakeWheel) -> None:
    wheel = rich_wheel(make_wheel)
    assert pack(cache, wheel).is_new
    assert not pack(cache, wheel).is_new


def test_a_key_changes_with_what_the_bytes_depend_on(make_wheel: MakeWheel) -> None:
    wheel = make_wheel()
    keys = {
        wheels_key([wheel], PYTHON, None),
        wheels_key([], PYTHON, None),
        wheels_key([wheel], (3, 9), None),
        wheels_key([wheel], PYTHON, COMPILER),
        wheels_key([wheel], PYTHON, Compiler(COMPILER.python, "3.12.99")),
    }
    assert len(keys) == 5


def test_the_later_name_wins_a_conflict_and_a_warning_says_so(
    cache: Cache, make_wheel: MakeWheel
) -> None:
    alpha = make_wheel("alpha", files={"shared/x.py": "a\n", "shared/same.py": ""})
    beta = make_wheel("beta", files={"shared/x.py": "b\n", "shared/same.py": ""})
    found = members(pack(cache, beta, alpha))
    assert found[f"{LIBRARY}/shared/x.py"][1] == b"b\n"
    assert [str(each) for each in find_conflicts([alpha, beta], PYTHON)] == [
        f"/{LIBRARY}/shared/x.py is in {alpha.filename} and in {beta.filename}; "
        f"that of {beta.filename} is used."
    ]


def test_a_file_where_another_wheel_has_a_folder_is_refused(
    cache: Cache, make_wheel: MakeWheel
) -> None:
    alpha = make_wheel("alpha", files={"shared": "a"})
    beta = make_wheel("beta", files={"shared/x.py": "b"})
    with pytest.raises(WheelError, match=r"is a folder here and a file in alpha-1\.0"):
        pack(cache, alpha, beta)


@pytest.mark.parametrize(
    "points",
    [
        "[console_scripts]\n../up = pixel:main\n",
        "[console_scripts]\n.. = pixel:main\n",
        "[console_scripts]\na = pixel\n",
        "[console_scripts]\na = os;import evil:x\n",
        "not an ini file",
    ],
)
def test_hostile_entry_points_are_refused(cache: Cache, make_wheel: MakeWheel, points: str) -> None:
    with pytest.raises(WheelError, match=r"entry.point"):
        pack(cache, make_wheel(entry_points=points))


@pytest.mark.parametrize("member", ["pixel-1.0.data/evil/x", "pixel-1.0.data/scripts"])
def test_data_of_an_unknown_kind_is_refused(
    cache: Cache, make_wheel: MakeWheel, member: str
) -> None:
    with pytest.raises(WheelError, match="of a kind that is not known"):
        pack(cache, make_wheel(files={member: "x"}))


def test_a_refused_wheel_leaves_nothing_behind(cache: Cache, make_wheel: MakeWheel) -> None:
    with pytest.raises(WheelError):
        pack(cache, make_wheel(files={"../x": "x"}))
    assert [
        path for path in cache.root.rglob("*") if path.is_file() and path.suffix != ".lock"
    ] == []


def test_bytecode_has_the_same_bytes_in_another_process(
    make_wheel: MakeWheel, tmp_path: Path
) -> None:
    source = "A = {'x', 'y', 'z', 'w'}\ndef f(a):\n    return a in {'p', 'q', 'r', 'x'}\n"
    wheel = make_wheel(files={"pixel/sets.py": source})
    digests = set[str]()
    for turn in range(2):
        output = tmp_path / f"out-{turn}"
        COMPILER.compile(wheel.path, [("pixel/sets.py", "/x/sets.py")], output)
        digests.add(hashlib.sha256(output.read_bytes()).hexdigest())
    assert len(digests) == 1


NAMES = st.text(
    alphabet=st.characters(
        codec="utf-8", exclude_characters="/\\\0\r\n", exclude_categories=["Cs"]
    ),
    min_size=1,
    max_size=60,
).filter(
    lambda name: (
        name.strip() == name and name not in (".", "..") and '"' not in name and "," not in name
    )
)


@given(st.dictionaries(NAMES, st.binary(max_size=2000), min_size=1, max_size=4))
def test_any_file_comes_back_from_the_layer(files: dict[str, bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        content = {f"pixel/{name}": data for name, data in files.items()}
        wheel = wheel_file(write_wheel(Path(folder), files=content))
        found = members(pack(Cache(Path(folder)), wheel))
        for name, data in content.items():
            assert found[f"{LIBRARY}/{name}"][1] == data


def test_how_many_compile_at_once_changes_no_byte(tmp_path: Path, make_wheel: MakeWheel) -> None:
    wheels = [
        make_wheel(f"w{number}", files={f"w{number}.py": f"x = {number}\n"}) for number in range(5)
    ]
    digests = {
        pack(
            Cache(tmp_path / str(count)),
            *wheels,
            compiler=Compiler(COMPILER.python, COMPILER.version, Seats(count)),
        ).layer.digest
        for count in (1, 4)
    }
    assert len(digests) == 1
