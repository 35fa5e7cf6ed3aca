"""`cog build` and `cog push` made again, as processes: the short way comes to what the long way comes to."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cogworks.oci.reference import parse_reference
from cogworks.registry.client import Client
from cogworks.registry.referrers import find_referrers
from cogworks.testing import FakeRegistry, Fault
from tests.parts.dockerd import Docker
from tests.parts.fixtures import docker

from .build_desk import CONFIG, RUN, TIMEOUT_S, Desk

__all__ = ["docker"]

pytestmark = pytest.mark.slow

MORE_INPUTS = RUN.replace("text: str", "text: str, times: int = 2")


class Done:
    """A call that has ended; ``modules`` are all that it loaded."""

    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        lines = done.stderr.splitlines()
        self.modules = {one.split("|")[-1].strip() for one in lines if "import time:" in one}
        self.told = "\n".join(one for one in lines if "import time:" not in one)
        self.code, self.output = done.returncode, done.stdout.strip()

    @property
    def was_short(self) -> bool:
        return "cogworks.cli.main" not in self.modules


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with FakeRegistry() as registry:
        yield registry


@pytest.fixture
def desk(tmp_path: Path, registry: FakeRegistry) -> Desk:
    return Desk(tmp_path, registry.host)


def call(desk: Desk, command: str, *arguments: str, **environ: str) -> Done:
    done = subprocess.run(
        [
            *(sys.executable, "-X", "importtime", "-m", "cogworks.cli", command),
            *("--base-image", desk.base, *arguments),
        ],
        cwd=desk.project,
        env={**desk.environ, **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Done(done)


def build(desk: Desk, **environ: str) -> Done:
    return call(desk, "build", "--no-load", **environ)


def push(desk: Desk, **environ: str) -> Done:
    return call(desk, "push", f"{desk.host}/me/model:v1", **environ)


def whole_digest(desk: Desk) -> str:
    """Return what the project comes to for somebody who has built nothing before."""
    other = str(desk.root / "other cache")
    done = call(desk, "build", "--no-load", "--no-cache", COG_CACHE_DIR=other)
    assert not done.was_short
    return done.output


def test_a_call_without_changes_says_so_and_loads_nothing_of_the_builder(desk: Desk) -> None:
    first, second = build(desk), build(desk)
    assert not first.was_short
    assert second.was_short
    assert second.output == first.output
    assert "Nothing has changed: cog-my-project:latest is as it was built before" in second.told
    assert "none of them made now" in second.told
    heavy = {"click", "dataclasses", "pathlib", "httpx2", "cogworks.build.cache", "http.client"}
    assert heavy & second.modules == set()


def test_edits_come_to_the_images_that_a_whole_build_makes(desk: Desk) -> None:
    build(desk)
    script = desk.project / "tool.sh"
    edits: list[Callable[[], object]] = [
        lambda: desk.write("run.py", f"{RUN}\nx = 1\n"),
        lambda: desk.write("run.py", MORE_INPUTS),
        lambda: desk.write("words.txt", "one\n"),
        lambda: desk.write("words.txt", "two\n"),
        lambda: (desk.project / "words.txt").unlink(),
        lambda: desk.write("tool.sh", "#!/bin/sh\n"),
        lambda: script.chmod(0o755),
        lambda: (desk.project / "link").symlink_to("run.py"),
        lambda: (desk.project / "empty").mkdir(),
        lambda: desk.write("helper.py", "NUMBER = 3\n"),
    ]
    digests: list[str] = []
    for edit in edits:
        edit()
        done = build(desk)
        assert done.was_short, done.told
        assert done.output == whole_digest(desk)
        digests.append(done.output)
    assert len(set(digests)) == len(digests) - 1  # A file that came and went.


def test_an_edit_that_is_taken_back_is_the_image_that_it_was(desk: Desk) -> None:
    first = build(desk)
    desk.write("run.py", MORE_INPUTS)
    second = build(desk)
    desk.write("run.py", RUN)
    third = build(desk)
    assert second.output != first.output == third.output
    assert third.was_short
    assert "Image built as cog-my-project:latest" in third.told


def test_weights_that_were_trained_again_are_the_ones_in_the_image(desk: Desk) -> None:
    desk.write("cog.yaml", CONFIG.replace("build:\n", "build:\n  weights: ['*.bin']\n"))
    desk.write("weights.bin", "1")
    outputs = [build(desk).output]
    desk.write("run.py", f"{RUN}\nx = 1\n")
    done = build(desk)
    assert done.was_short
    outputs.append(done.output)
    desk.write("weights.bin", "2")
    outputs += [build(desk).output, build(desk).output]
    desk.write("weights.bin", "3")
    desk.write("run.py", f"{RUN}\nx = 2\n")
    outputs += [build(desk).output, build(desk).output]
    assert outputs[2] == outputs[3] != outputs[4] == outputs[5] == whole_digest(desk)
    assert len(set(outputs)) == 4


def test_a_commit_changes_the_labels(desk: Desk) -> None:
    build(desk, GITHUB_SHA="a" * 40)
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@example.com")
    subprocess.run([*git, "init", "-q"], cwd=desk.project, check=True)
    subprocess.run([*git, "add", "."], cwd=desk.project, check=True)
    subprocess.run([*git, "commit", "-q", "-m", "one"], cwd=desk.project, check=True)
    assert build(desk).output == build(desk).output
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "2"], cwd=desk.project, check=True)
    done = build(desk)
    assert done.was_short
    assert done.output == whole_digest(desk)


CHANGES: dict[str, Callable[[Desk], object]] = {
    "config": lambda desk: desk.write("cog.yaml", f"{CONFIG}# more\n"),
    "ignored files": lambda desk: desk.write(".dockerignore", "*.txt\n"),
    "settings of uv": lambda desk: desk.write("uv.toml", ""),
    "a blob": lambda desk: cut_the_largest_blob(desk),
    "a variable": lambda desk: desk.environ.update(COG_SOMETHING="1"),
    "age": lambda desk: age_records(desk),
    "damage": lambda desk: damage_records(desk),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_whatever_else_has_changed_is_built_the_long_way(
    desk: Desk, change: Callable[[Desk], object]
) -> None:
    build(desk)
    change(desk)
    done = build(desk)
    assert done.code == 0, done.told
    assert not done.was_short
    assert build(desk).output == done.output


def records(desk: Desk) -> list[Path]:
    return list((desk.root / "cache" / "oci" / "calls").glob("*.json"))


def age_records(desk: Desk) -> None:
    for path in records(desk):
        record = json.loads(path.read_text())
        path.write_text(json.dumps({**record, "looked_at": record["looked_at"] - 25 * 3600}))


def damage_records(desk: Desk) -> None:
    for path in records(desk):
        path.write_text('{"looked_at": "yesterday"}')


def cut_the_largest_blob(desk: Desk) -> None:
    blobs = (desk.root / "cache" / "oci" / "blobs" / "sha256").iterdir()
    largest = max(blobs, key=lambda path: path.stat().st_size)
    os.chmod(largest, 0o644)
    os.truncate(largest, 10)


@pytest.mark.parametrize(
    "options",
    [["--no-cache"], ["--pull"], ["--progress", "json"], ["--debug"], ["--verify-layers"]],
    ids=" ".join,
)
def test_a_call_that_asks_for_more_is_never_made_the_short_way(
    desk: Desk, options: list[str]
) -> None:
    for _ in range(2):
        done = call(desk, "build", "--no-load", *options)
        assert done.code == 0, done.told
        assert not done.was_short


def test_a_mistake_in_the_source_is_told_as_by_a_whole_build(desk: Desk) -> None:
    build(desk)
    desk.write("run.py", RUN.replace("text: str", "text"))
    done = build(desk)
    assert done.code == 1
    assert done.output == ""
    assert "run.py:5" in done.told


@pytest.mark.parametrize("has_referrers", [True, False])
def test_an_edit_is_pushed_with_what_belongs_to_it(
    desk: Desk, registry: FakeRegistry, has_referrers: bool
) -> None:
    registry.limits.has_referrers = has_referrers
    push(desk)
    desk.write("run.py", MORE_INPUTS)
    before = len(registry.requests)
    done = push(desk)
    assert done.was_short
    assert "httpx2" not in done.modules
    assert "2 blobs" in done.told or "3 blobs" in done.told
    asked = [method for method, _ in registry.requests[before:]]
    assert asked.count("HEAD") == 0
    digest = whole_digest(desk)
    assert done.output == f"{desk.host}/me/model@{digest}"
    reference = parse_reference(f"{desk.host}/me/model:v1")
    with Client() as client:
        fetched = client.get_manifest(reference)
        (bill,) = find_referrers(client, reference.repository, fetched.digest)
    assert str(fetched.digest) == digest
    assert bill.artifact_type == "application/vnd.cyclonedx+json"


def test_a_push_without_changes_puts_the_name_where_it_belongs(
    desk: Desk, registry: FakeRegistry
) -> None:
    first = push(desk)
    registry.state.tags["me/model"].clear()
    second = push(desk)
    assert second.was_short
    assert second.output == first.output
    assert "sent    nothing: the registry has it all" in second.told
    assert f"sha256:{registry.state.tags['me/model']['v1'].removeprefix('sha256:')}" in first.output


def test_a_registry_that_has_lost_a_layer_gets_it_again(desk: Desk, registry: FakeRegistry) -> None:
    push(desk)
    registry.state.blobs["me/model"].clear()
    done = push(desk)
    assert done.code == 0, done.told
    assert len(registry.state.blobs["me/model"]) > 5


def test_a_registry_that_fails_for_a_while_is_asked_again(
    desk: Desk, registry: FakeRegistry
) -> None:
    push(desk)
    desk.write("run.py", MORE_INPUTS)
    registry.add_fault(Fault(method="PUT", path="/manifests/", status=503, times=1))
    done = push(desk)
    assert done.code == 0, done.told
    assert done.was_short
    assert "httpx2" in done.modules
    assert done.output == f"{desk.host}/me/model@{whole_digest(desk)}"


def test_a_push_that_cannot_be_done_says_why_once(desk: Desk, registry: FakeRegistry) -> None:
    push(desk)
    desk.write("run.py", MORE_INPUTS)
    registry.add_fault(Fault(method="PUT", path="/manifests/", status=403, times=100))
    done = push(desk)
    assert done.code == 1
    assert done.output == ""
    assert done.told.count("error: ") == 1
    assert "These credentials may not do that" in done.told


def test_a_registry_that_wants_credentials_gets_them(tmp_path: Path) -> None:
    with FakeRegistry({"me": "secret"}, anonymous_pull=True) as registry:
        config = tmp_path / "docker" / "config.json"
        config.parent.mkdir()
        entry = {"auth": base64.b64encode(b"me:secret").decode()}
        config.write_text(json.dumps({"auths": {registry.host: entry}}))
        with FakeRegistry() as other:
            desk = Desk(tmp_path, other.host)
            name = f"{registry.host}/me/model"
            first = call(desk, "push", name)
            assert first.code == 0, first.told
            desk.write("run.py", MORE_INPUTS)
            done = call(desk, "push", name)
    assert done.was_short, done.told
    assert done.output != first.output
    assert "secret" not in done.told
    assert "httpx2" in done.modules


def config_of(desk: Desk, image: Done) -> str:
    """Return the digest of the configuration of an image, as a whole build writes it."""
    folder = desk.root / f"layout {image.output[-6:]}"
    whole = call(desk, "build", "--no-load", "--output", str(folder))
    assert whole.output == image.output
    manifest = folder / "blobs" / "sha256" / image.output.removeprefix("sha256:")
    return str(json.loads(manifest.read_bytes())["config"]["digest"])


def test_what_docker_has_is_not_loaded_again_and_after_an_edit_it_gets_the_code(
    desk: Desk, docker: Docker
) -> None:
    def load() -> Done:
        return call(desk, "build", "-t", "me/repeated", "--load", **docker.environment)

    def loaded() -> str:
        return docker.run("image", "inspect", "--format", "{{.Id}}", "me/repeated").stdout.strip()

    first, second = load(), load()
    assert (first.was_short, second.was_short) == (False, True)
    assert "which had it already" in second.told
    desk.write("run.py", MORE_INPUTS)
    third = load()
    assert third.was_short, third.told
    assert "in 2 layers sent" in third.told
    assert loaded() == config_of(desk, third)
    again = load()
    assert again.was_short
    assert "which had it already" in again.told
    docker.run("image", "rm", "--force", "me/repeated")
    fourth = load()
    assert not fourth.was_short
    assert "layers sent" in fourth.told
    assert loaded() == config_of(desk, fourth)


def test_a_module_that_dockerignore_names_decides_on_the_schema_all_the_same(desk: Desk) -> None:
    types = "def of(text: str) -> str: ...\nCHOICES = ['a']\n"
    desk.write(".dockerignore", "types_of_mine.py\nmore_types.py\n")
    desk.write("types_of_mine.py", types)
    desk.write("more_types.py", types)
    source = RUN.replace(
        "import BaseRunner", "import BaseRunner, Input\nfrom types_of_mine import CHOICES"
    )
    source = source.replace("text: str)", "text: str = Input(choices=CHOICES))")
    desk.write("run.py", source)
    first = build(desk)
    assert build(desk).was_short
    desk.write("types_of_mine.py", types.replace("'a'", "'a', 'b'"))
    second = build(desk)
    assert second.output != first.output
    assert second.output == whole_digest(desk)
    # One that was not imported before.
    desk.write("run.py", source.replace("types_of_mine", "more_types"))
    assert build(desk).output == whole_digest(desk)
    desk.write("more_types.py", types.replace("'a'", "'c'"))
    assert build(desk).output == whole_digest(desk)
