"""The sandbox: what a command inside cannot do, and what is said where there is none. What it makes, test_engines.py tells."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from cogworks.build.errors import NoEngineError, StageError
from cogworks.build.stages.below import Below, LocalLayer
from cogworks.build.stages.choose import choose_engine, why_not
from cogworks.build.stages.containerfile import Step
from cogworks.build.stages.engine import Job
from cogworks.build.stages.layer_tar import read_layer
from cogworks.build.stages.sandbox import Sandbox
from cogworks.oci.digest import digest_of
from cogworks.oci.layer import Codec, Layer
from cogworks.oci.platform import parse_platform
from cogworks.oci.tar import Directory, File, Symlink, archive
from cogworks.project.model import SecretMount
from tests.parts.base_tree import BaseTree
from tests.parts.fixtures import debian

__all__ = ["debian"]

pytestmark = [pytest.mark.slow, pytest.mark.network]

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
VARIABLES = {"PATH": os.environ["PATH"], "TOKEN": "hunter22-of-the-builder"}


class Bench:
    """The sandbox on a Debian, with more layers above it."""

    def __init__(self, root: Path, base: BaseTree) -> None:
        self.root, self.layers = root, [LocalLayer(layer, path) for layer, path in base.layers]
        self.printed: list[str] = []

    def add_layer(self, data: bytes) -> None:
        path = self.root / f"layer-{len(self.layers)}"
        path.write_bytes(data)
        digest = digest_of(data)
        self.layers.append(LocalLayer(Layer(digest, digest, len(data), Codec.NONE), path))

    def run(self, *commands: str, mounts: Sequence[SecretMount] = ()) -> list[str]:
        """Run commands; return the paths that they changed."""
        folder = self.root / "work"
        folder.mkdir(exist_ok=True)
        steps = tuple(Step(one, "here", tuple(mounts)) for one in commands)
        below = Below(parse_platform(os.uname().machine), {"PATH": PATH}, tuple(self.layers))
        (layer,) = Sandbox(VARIABLES).run(Job(below, steps), folder, self.printed.append)
        found = [node.path for node in read_layer(layer).nodes]
        layer.unlink()
        assert list(folder.iterdir()) == []
        return found


@pytest.fixture
def bench(tmp_path: Path, debian: BaseTree) -> Bench:
    reason = why_not("sandbox", VARIABLES, 15.0)
    if reason:
        pytest.skip(f"the sandbox {reason}")
    return Bench(tmp_path, debian)


def test_a_command_can_change_nothing_outside(bench: Bench) -> None:
    bench.run(
        "mknod /x b 8 0 || echo no device",
        "echo 1 > /proc/sys/vm/drop_caches || echo no setting",
        "mkdir /m && mount -t tmpfs none /m || echo no mount",
        f"test -e {bench.root} || echo no folder",
        "test $$ -lt 10 && ls /proc | grep -c '^[0-9]'",
        "tr '\\0' '\\n' < /proc/1/environ | grep hunter || echo no variable",
    )
    said = [line for line in bench.printed if line.startswith("no ")]
    assert said == ["no device", "no setting", "no mount", "no folder", "no variable"]
    assert all("hunter" not in line for line in bench.printed)


def test_nothing_goes_on_after_its_command(bench: Bench) -> None:
    bench.run("(sleep 600; echo late) & echo first", "grep -l sleep /proc/*/comm || echo second")
    assert bench.printed == ["first", "second"]


def test_links_of_a_layer_lead_nowhere_else(bench: Bench) -> None:
    outside = bench.root / "outside"
    outside.mkdir()
    link = (Symlink("evil", str(outside)), ())
    bench.add_layer(b"".join(archive([link])))
    inside = (Directory("evil"), ()), (File("evil/x", 2), (b"hi",))
    bench.add_layer(b"".join(archive([*inside])))
    (outside / "resolv.conf").write_text("ours")
    bench.run("cat /evil/x", f"rm -rf /etc && ln -s {outside} /etc")
    assert bench.printed == ["hi"]
    both = (Symlink("a", str(outside)), ()), (File("a/y", 2), (b"hi",))
    bench.add_layer(b"".join(archive([*both])))
    with pytest.raises(StageError, match="cannot be unpacked"):
        bench.run("true")
    assert [one.name for one in outside.iterdir()] == ["resolv.conf"]


def test_what_cannot_be_mounted_is_said(bench: Bench) -> None:
    bench.add_layer(b"".join(archive([(File("proc", 0), ())])))
    with pytest.raises(StageError, match=r"^here: the sandbox cannot be made: "):
        bench.run("true")


def test_whoever_names_it_and_may_not_is_told() -> None:
    if os.geteuid() == 0:
        pytest.skip("root may use it")
    with pytest.raises(NoEngineError, match="sandbox needs root"):
        choose_engine({}, ["x"], "sandbox")
