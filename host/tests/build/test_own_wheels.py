from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cogworks.build.cache import Cache
from cogworks.build.own_wheels import HOST, SDK, own_wheel
from cogworks.build.wheel_archive import WheelArchive

pytestmark = pytest.mark.slow


def test_the_same_code_gives_the_same_wheel_in_two_caches(tmp_path: Path) -> None:
    one, two = own_wheel(SDK, Cache(tmp_path / "one")), own_wheel(SDK, Cache(tmp_path / "two"))
    assert one.digest == two.digest
    assert one.path != two.path


def test_a_wheel_holds_its_package_the_entry_points_and_no_note_of_this_machine(
    cache: Cache,
) -> None:
    wheel = own_wheel(HOST, cache)
    with WheelArchive(wheel.path, wheel.filename) as archive:
        names = archive.members.keys()
        assert {"cogworks/server/__main__.py", "cogworks/server/docs_page.js"} <= names
        assert {name.partition("/")[0] for name in names} == {"cogworks", archive.dist_info}
        notes = {f"{archive.dist_info}/{name}" for name in ("direct_url.json", "INSTALLER")}
        assert not notes & names
        assert not any(name.endswith(".pyc") for name in names)
        points = archive.read_text(f"{archive.dist_info}/entry_points.txt")
        assert "cog = cogworks.cli.start:main" in points


def test_the_sdks_wheel_installs_where_nothing_else_is(cache: Cache, tmp_path: Path) -> None:
    wheel, target = own_wheel(SDK, cache), tmp_path / "packages"
    uv = Path(sys.executable).with_name("uv")
    options = ["-q", "--offline", "--no-index", "--target", str(target), str(wheel.path)]
    subprocess.run([str(uv), "pip", "install", *options], check=True, capture_output=True)
    program = f"import sys; sys.path.insert(0, {str(target)!r}); import cog; print(cog.__file__)"
    done = subprocess.run(
        [sys.executable, "-S", "-I", "-c", program], check=True, capture_output=True, text=True
    )
    assert done.stdout.startswith(str(target))
