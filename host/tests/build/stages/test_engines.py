"""One contract for docker, buildah and podman, as they are: commands run, their changes come out, nothing stays behind."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from cogworks.build.errors import CommandError
from cogworks.build.stages.below import Below, LocalLayer
from cogworks.build.stages.buildah import Buildah
from cogworks.build.stages.choose import choose_engine, why_not
from cogworks.build.stages.containerfile import Step
from cogworks.build.stages.diff import Diff
from cogworks.build.stages.docker import Docker
from cogworks.build.stages.engine import PREFIX, Engine, Job
from cogworks.build.stages.layer_tar import layer_members, read_layer
from cogworks.build.stages.needless import drop_needless_marks
from cogworks.build.stages.normal import normalize
from cogworks.build.stages.sandbox import Sandbox
from cogworks.build.stages.secrets import Secret, SecretSource
from cogworks.oci.digest import digest_of
from cogworks.oci.layer import Codec, Layer
from cogworks.oci.platform import parse_platform
from cogworks.oci.tar import File, archive
from cogworks.project.model import SecretMount
from tests.parts.base_tree import BaseTree
from tests.parts.engine import Engine as Part
from tests.parts.fixtures import buildah, debian, docker, podman

__all__ = ["buildah", "debian", "docker", "podman"]

pytestmark = [pytest.mark.slow, pytest.mark.network]

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
COMMANDS = (
    "mkdir -p /opt/x /opt/gone /opt/gone/y",
    "echo one > /opt/x/one && chmod 4711 /opt/x/one && ln /opt/x/one /opt/x/hard",
    "rm -r /opt/gone /usr/share/doc && ln -s one /opt/x/soft",
    "chown 7:8 /opt/x && install -d -m 2775 /srv/shared && echo log > /var/log/x && echo t > /tmp/t",
    # A folder that the base has, made anew.
    "rm -r /etc/apt && mkdir /etc/apt && echo new > /etc/apt/new",
)
"""What commands do to an image, for an engine to tell: made and removed again, links, rights, a folder made anew."""
DIFF = "72f8e03ad50d9fb7be51e524d9449c76e834470d506f80945b1a61e428f71c9f"
"""Of the layer that all engines make of these commands."""


@dataclass(frozen=True)
class Bench:
    """A real engine, and a Debian to run commands on."""

    part: Part
    engine: Engine
    below: Below
    folder: Path

    def run(self, *commands: str, **fields: object) -> tuple[Diff, list[str]]:
        steps = tuple(Step(one, f"cog.yaml:{n}") for n, one in enumerate(commands, 5))
        return self.run_job(Job(self.below, steps, **fields))  # type: ignore[arg-type]

    def run_job(self, job: Job) -> tuple[Diff, list[str]]:
        printed: list[str] = []
        folder = self.folder / "layers"
        folder.mkdir(exist_ok=True)
        diff = Diff()
        for layer in self.engine.run(job, folder, printed.append):
            diff.add(read_layer(layer))
        return diff, printed

    def leftovers(self) -> list[str]:
        """Return images and containers that the engine has."""
        if self.engine.name == "sandbox":
            return []  # It knows none.
        images = self.part.run("images", "--quiet").stdout.split()
        name = Path(self.part.client).name
        listing = ["containers", "--quiet"] if name == "buildah" else ["ps", "--all", "--quiet"]
        if name == "podman":
            listing.append("--external")
        return [*images, *self.part.run(*listing).stdout.split()]


@pytest.fixture(params=["docker", "buildah", "podman", "sandbox"])
def bench(request: pytest.FixtureRequest, debian: BaseTree, tmp_path: Path) -> Iterator[Bench]:
    is_sandbox = request.param == "sandbox"
    part: Part = no_part() if is_sandbox else request.getfixturevalue(request.param)
    # The client that the part has: another one may be earlier on PATH.
    folders = f"{Path(part.client).parent}:{part.environment['PATH']}"
    engine = choose_engine({**part.environment, "PATH": folders}, [], request.param)
    layers = tuple(LocalLayer(layer, path) for layer, path in debian.layers)
    below = Below(parse_platform(os.uname().machine), {"PATH": PATH, "GREETING": "hi"}, layers)
    bench = Bench(part, engine, below, tmp_path)
    yield bench
    assert bench.leftovers() == []


def no_part() -> Part:
    """Return what stands for a part where no program is needed."""
    variables = {"PATH": os.environ["PATH"]}
    reason = why_not("sandbox", variables, 15.0)
    if reason:
        pytest.skip(f"the sandbox {reason}")
    return Part(sys.executable, variables)


def packed(bench: Bench, diff: Diff) -> bytes:
    normalize(diff, keeps_temporary=True)
    drop_needless_marks(diff, bench.below.layers)
    return b"".join(archive(layer_members(diff)))


def test_all_engines_make_the_same_layer_of_the_same_commands(bench: Bench) -> None:
    diff, _ = bench.run(*COMMANDS, no_cache=True)
    data = packed(bench, diff)
    assert sorted(diff.whiteouts()) == ["usr/share/doc"]
    assert diff.nodes["opt/x/one"].metadata.mode == 0o4711
    assert (diff.nodes["opt/x"].metadata.uid, diff.nodes["opt/x"].metadata.gid) == (7, 8)
    assert diff.nodes["opt/x/one"].content == diff.nodes["opt/x/hard"].content
    assert {"tmp/t", "srv/shared", "etc/apt/new"} <= set(diff.nodes)
    assert not {"opt/gone", "var/log/x", "etc/hosts", "etc/resolv.conf"} & set(diff.nodes)
    assert digest_of(data).hex == DIFF


def test_commands_run_as_root_with_the_variables_of_the_image(bench: Bench) -> None:
    _, printed = bench.run("id -u; pwd; echo $GREETING; echo error >&2", "printf end")
    assert sorted(printed) == ["/", "0", "end", "error", "hi"]


def test_a_command_that_fails_says_where_and_shows_the_end_of_its_output(bench: Bench) -> None:
    with pytest.raises(CommandError) as raised:
        bench.run("echo fine", "seq 100; echo bad >&2; exit 42", "echo never")
    error = raised.value
    lines = str(error).splitlines()
    assert error.code == 42
    assert lines[0] == "cog.yaml:6 failed with exit code 42: 'seq 100; echo bad >&2; exit 42'"
    assert len(lines) == 21
    assert {"  bad", "  100"} <= set(lines)
    assert "  fine" not in lines


def test_secrets_are_there_for_their_command_and_nowhere_else(bench: Bench, tmp_path: Path) -> None:
    # A name that no option can carry.
    file = tmp_path / "a, b"
    file.write_text("hunter22 of a file")
    variables = {"TOKEN": "hunter33 of a variable"}
    engine = with_variables(bench.engine, variables)
    secrets = (
        Secret(SecretSource("file", path=file), b"hunter22 of a file"),
        Secret(SecretSource("variable", variable="TOKEN"), b"hunter33 of a variable"),
    )
    mounts = (SecretMount("file", "/etc/netrc"), SecretMount("variable", "/run/x/token"))
    steps = (
        Step("cat /etc/netrc /run/x/token; wc -c < /etc/netrc > /opt/size", "a", mounts),
        Step("cat /etc/netrc; ls /run/x; true", "b"),
    )
    job = Job(bench.below, steps, secrets=secrets, no_cache=True)
    diff, printed = replace(bench, engine=engine).run_job(job)
    assert "hunter" not in "".join(printed)
    assert "***" in "".join(printed)
    for layer in (tmp_path / "layers").iterdir():
        assert b"hunter" not in layer.read_bytes()
    normalize(diff, keeps_temporary=True, mounted=["etc/netrc", "run/x/token"])
    assert "opt/size" in diff.nodes
    assert not {"etc/netrc", "run/x/token"} & set(diff.nodes)


def with_variables(engine: Engine, variables: Mapping[str, str]) -> Engine:
    if isinstance(engine, Docker):
        inner = engine.engine
        return replace(
            engine, engine=replace(inner, environment={**inner.environment, **variables})
        )
    assert isinstance(engine, Buildah | Sandbox)
    return replace(engine, environment={**engine.environment, **variables})


def test_a_secret_in_the_output_of_a_failure_is_masked(bench: Bench, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("hunter22\n")
    step = Step("cat /k; exit 1", "a", (SecretMount("k", "/k"),))
    secret = Secret(SecretSource("k", path=file), b"hunter22\n")
    with pytest.raises(CommandError) as raised:
        bench.run_job(Job(bench.below, (step,), secrets=(secret,)))
    assert "hunter" not in str(raised.value)
    assert "  ***" in str(raised.value)


def test_files_are_copied_to_the_root(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "input").write_text("hello")
    _, printed = bench.run("cat /input", files={"input": tmp_path / "input"})
    assert printed == ["hello"]


def test_lower_layers_may_be_packed_or_not_and_an_image_may_have_the_same_twice(
    bench: Bench, tmp_path: Path
) -> None:
    data = b"".join(archive([(File("marker", 4), (b"here",))]))
    (tmp_path / "plain").write_bytes(data)
    digest = digest_of(data)
    layer = LocalLayer(Layer(digest, digest, len(data), Codec.NONE), tmp_path / "plain")
    below = Below(
        bench.below.platform, bench.below.environment, (*bench.below.layers, layer, layer)
    )
    _, printed = bench.run_job(Job(below, (Step("cat /marker", "a"),)))
    assert printed == ["here"]


INTERRUPTED = """\
import os, sys
from pathlib import Path
sys.path[:0] = {path!r}
from cogworks.build.stages.buildah import Buildah
from cogworks.build.stages.choose import choose_engine
from cogworks.build.stages.engine import Job
from cogworks.build.stages.below import Below, LocalLayer
from cogworks.build.stages.containerfile import Step
from cogworks.oci.platform import parse_platform
from tests.parts.base_tree import base_tree
layers = tuple(LocalLayer(layer, path) for layer, path in base_tree().layers)
below = Below(parse_platform(os.uname().machine), {{"PATH": {variable!r}}}, layers)
engine = choose_engine(dict(os.environ), [], {name!r})
folder = Path(sys.argv[1]) / "layers"
folder.mkdir()
job = Job(below, (Step("echo ready; sleep 600", "here"),), no_cache=True)
engine.run(job, folder, lambda line: print(line, flush=True))
"""


def test_an_interrupted_command_leaves_no_container_and_no_image(
    bench: Bench, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    name = bench.engine.name
    root = str(Path(__file__).resolve().parents[4])
    text = INTERRUPTED.format(path=[root, *sys.path], variable=PATH, name=name)
    folders = f"{Path(bench.part.client).parent}:{bench.part.environment['PATH']}"
    process = subprocess.Popen(
        [sys.executable, "-c", text, str(tmp_path)],
        env={**bench.part.environment, "PATH": folders},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert first == "ready\n", errors
    assert re.search("KeyboardInterrupt", errors)
    assert [one.name for one in tmp_path.iterdir()] == ["layers"]


def test_what_a_killed_build_has_left_can_be_removed_by_its_name(
    bench: Bench, tmp_path: Path
) -> None:
    if bench.engine.name == "sandbox":
        pytest.skip("it leaves a folder only")
    root = str(Path(__file__).resolve().parents[4])
    name = f"{PREFIX}1-abc-def"
    text = INTERRUPTED.format(path=[root, *sys.path], variable=PATH, name=bench.engine.name)
    text = text.replace("no_cache=True", f"no_cache=True, name={name!r}")
    folders = f"{Path(bench.part.client).parent}:{bench.part.environment['PATH']}"
    with subprocess.Popen(
        [sys.executable, "-c", text, str(tmp_path)],
        env={**bench.part.environment, "PATH": folders},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        process.kill()
        for child in children:
            os.killpg(int(child), signal.SIGKILL)
    assert bench.leftovers() != []
    bench.engine.remove(name)
    assert bench.leftovers() == []


def test_no_command_of_the_sandbox_goes_on_when_the_builder_is_killed(
    bench: Bench, tmp_path: Path
) -> None:
    if bench.engine.name != "sandbox":
        pytest.skip("it is about the sandbox")
    root = str(Path(__file__).resolve().parents[4])
    text = INTERRUPTED.format(path=[root, *sys.path], variable=PATH, name=bench.engine.name)
    with subprocess.Popen(
        [sys.executable, "-c", text, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        started = list(descendants(process.pid))
        # The program that makes the namespaces, the first process in them, and the shell.
        assert len(started) >= 3
        waiting = [os.pidfd_open(pid) for pid in started]
        process.kill()
        for one in waiting:
            assert select.select([one], [], [], 10)[0]
            os.close(one)


def descendants(pid: int) -> Iterator[int]:
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        yield int(child)
        yield from descendants(int(child))
