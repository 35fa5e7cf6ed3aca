"""Whole images: put together offline from wheels that the tests make."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cogworks.build.assemble import BuiltImage, How, assemble
from cogworks.build.base_image import find_base
from cogworks.build.cache import Cache
from cogworks.build.errors import BuildError, InterpreterError
from cogworks.build.layout import write_directory
from cogworks.build.mount_sources import MountSources
from cogworks.build.publish import publish
from cogworks.build.sbom import MEDIA_TYPE
from cogworks.build.sdk_layer import MAIN
from cogworks.oci.digest import parse_digest
from cogworks.oci.image import parse_config
from cogworks.oci.manifest import Descriptor
from cogworks.oci.reference import Reference, parse_reference
from cogworks.project import load_project
from cogworks.registry.client import Client
from cogworks.registry.pull import pull_image
from cogworks.registry.referrers import find_referrers
from cogworks.registry.upload import Outcome
from cogworks.schema import SchemaError
from cogworks.server.sdk_tree import MAIN as TREE_MAIN
from cogworks.testing.registry import FakeRegistry, Fault

from .bases import AMD64, Quiet, offline, pull_base, push_base, write_server_wheels
from .conftest import write_wheel
from .python_mirror import small_python, write_mirror

pytestmark = pytest.mark.slow

CONFIG = """\
build:
  python_version: "3.11"
  python_packages:
    - msgspec==0.14
run: run.py:Runner
"""
RUN = """\
from cog import BaseRunner


class Runner(BaseRunner):
    def run(self, text: str) -> str:
        return text
"""


class Bench:
    """A clone of a project with a cache of its own, on a machine of its own as far as that can be."""

    def __init__(self, root: Path, client: Client, host: str) -> None:
        self.root, self.client = root, client
        self.project, self.packages = root / "project", root / "packages"
        self.project.mkdir(parents=True)
        self.write("cog.yaml", CONFIG)
        self.write("run.py", RUN)
        self.server_packages = write_server_wheels(self.packages)
        write_wheel(self.packages, "msgspec", "0.14", metadata="License: BSD\n")
        self.cache = Cache(root / "cache")
        self.variables: dict[str, str] = {}
        self.base = pull_base(client, push_base(client, host), self.cache)

    def write(self, name: str, text: str) -> None:
        (self.project / name).write_text(text)

    def build(self, jobs: int = 0, **options: object) -> BuiltImage:
        how = How(bytecode=False, jobs=jobs, server_packages=self.server_packages, **options)  # type: ignore[arg-type]
        environment = offline(self.root, self.packages) | self.variables
        project = load_project(self.project)
        return assemble(project, self.base, self.cache, Quiet(), how, environment)


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with FakeRegistry() as registry:
        yield registry


@pytest.fixture
def client() -> Iterator[Client]:
    with Client() as client:
        yield client


@pytest.fixture
def bench(tmp_path: Path, client: Client, registry: FakeRegistry) -> Bench:
    return Bench(tmp_path, client, registry.host)


def names_of(image: BuiltImage, title: str) -> dict[str, tarfile.TarInfo]:
    (path,) = [one.cached.path for one in image.layers if one.title == title]
    with tarfile.open(path) as archive:
        return {info.name: info for info in archive}


def test_two_clones_with_two_caches_on_two_registries_give_one_digest(
    tmp_path: Path, client: Client
) -> None:
    with FakeRegistry() as one, FakeRegistry() as two:
        first = Bench(tmp_path / "one", client, one.host).build(jobs=1)
        second = Bench(tmp_path / "two" / "elsewhere", client, two.host).build(jobs=4)
    assert first.digest == second.digest
    assert first.config.to_bytes() == second.config.to_bytes()
    assert str(tmp_path) not in first.config.to_bytes().decode()


def test_a_second_build_packs_nothing_and_a_code_edit_one_layer(bench: Bench) -> None:
    first, second = bench.build(), bench.build()
    assert second.digest == first.digest
    assert not any(one.cached.is_new for one in second.layers)
    bench.write("run.py", f"{RUN}\n# more\n")
    third = bench.build()
    assert [one.title for one in third.layers if one.cached.is_new] == ["code"]
    assert third.digest != first.digest


def test_layers_lie_in_order_and_each_has_its_line_of_history(bench: Bench) -> None:
    image = bench.build()
    titles = [one.title for one in image.layers]
    assert titles == ["environment", "msgspec", "server", "SDK", "code", "metadata"]
    history = [one.created_by for one in image.config.history]
    assert history[1:] == [f"cog build: {title}" for title in titles]
    assert len(image.config.diff_ids) == len(image.manifest.layers) == 7


def test_the_server_has_packages_of_its_own_and_the_model_keeps_its_versions(bench: Bench) -> None:
    image = bench.build()
    server = names_of(image, "server")
    library = "opt/cogworks/lib/python3.11/site-packages"
    assert f"{library}/cogworks/server/__main__.py" in server
    assert f"{library}/msgspec-99.0.dist-info/RECORD" in server
    assert not any(name.startswith(f"{library}/uv") and "uvloop" not in name for name in server)
    assert server["opt/cogworks/bin/dumb-init"].mode == 0o755
    assert server["opt/cogworks/bin/python"].linkname == "/usr/local/bin/python3.11"
    assert not any(name.startswith("opt/venv") for name in server)
    model = names_of(image, "msgspec")
    assert "opt/venv/lib/python3.11/site-packages/msgspec-0.14.dist-info/RECORD" in model
    assert image.config.run.labels["run.cog.pip_freeze"] == "msgspec==0.14"


def test_the_model_finds_the_sdk_and_nothing_else_of_ours(bench: Bench) -> None:
    sdk = names_of(bench.build(), "SDK")
    library = "opt/venv/lib/python3.11/site-packages"
    assert f"{library}/cog/__init__.py" in sdk
    assert sdk["opt/cogworks/sdk/cog"].linkname == f"/{library}/cog"
    assert not any("cogworks/" in name for name in sdk if name.startswith("opt/venv"))
    code = "\n".join(TREE_MAIN.splitlines()[2:]).strip()
    assert MAIN.decode().strip() == code


def test_the_schema_is_in_the_image_and_in_its_label(bench: Bench) -> None:
    image = bench.build()
    (path,) = [one.cached.path for one in image.layers if one.title == "metadata"]
    with tarfile.open(path) as archive:
        file = archive.extractfile("src/.cog/openapi_schema.json")
        assert file is not None
        document = json.loads(file.read())
    assert document == json.loads(image.config.run.labels["run.cog.openapi_schema"])
    assert "text" in document["components"]["schemas"]["Input"]["properties"]
    assert image.config.run.env["COG_PREDICT_TYPE_STUB"] == "run.py:Runner"


def test_a_mistake_in_the_model_ends_the_build_before_anything_is_made(bench: Bench) -> None:
    bench.write("run.py", RUN.replace("text: str", "text"))
    with pytest.raises(SchemaError):
        bench.build()
    assert not (bench.cache.root / "blobs").exists()
    assert not (bench.cache.root / "wheels").exists()


def test_what_would_have_to_run_in_the_image_is_refused_and_never_left_out(bench: Bench) -> None:
    bench.write("cog.yaml", CONFIG.replace("build:", "build:\n  system_packages: [ffmpeg]"))
    bench.variables = {"PATH": str(bench.root / "no-programs")}
    with pytest.raises(BuildError, match=r"cog\.yaml:2: build\.system_packages has ffmpeg"):
        bench.build()


def test_a_python_that_is_too_old_for_the_server_stays_and_the_server_gets_its_own(
    bench: Bench, client: Client, registry: FakeRegistry
) -> None:
    bench.write("cog.yaml", CONFIG.replace("3.11", "3.9"))
    reference = push_base(client, registry.host, env={"PYTHON_VERSION": "3.9.18"})
    bench.base = find_base(lambda: client, reference, AMD64, (3, 9), bench.cache)
    bench.variables = write_mirror(
        bench.root / "mirror", "3.13.2", "x86_64", small_python("3.13.2")
    )
    image = bench.build()
    titles = [one.title for one in image.layers]
    assert titles == [
        "Python 3.13.2",
        "environment",
        "msgspec",
        "server",
        "SDK",
        "code",
        "metadata",
    ]
    members = names(image)
    assert members["opt/venv/bin/python"].linkname == "/usr/local/bin/python3.9"
    assert members["opt/cogworks/bin/python"].linkname == "/opt/python3.13/bin/python3.13"
    assert "opt/cogworks/lib/python3.13/site-packages/cogworks/server/__main__.py" in members
    assert "opt/venv/lib/python3.9/site-packages/cog/__init__.py" in members
    assert "opt/python3.13/bin/python3.13" in members


def test_a_base_without_a_python_gets_one_for_model_and_server(
    bench: Bench, client: Client, registry: FakeRegistry
) -> None:
    reference = push_base(client, registry.host, env={})
    bench.base = pull_base(client, reference, bench.cache)
    bench.variables = write_mirror(
        bench.root / "mirror", "3.11.9", "x86_64", small_python("3.11.9")
    )
    image = bench.build()
    assert [one.title for one in image.layers][:2] == ["Python 3.11.9", "environment"]
    members = names(image)
    for link in ("opt/venv/bin/python", "opt/cogworks/bin/python"):
        assert members[link].linkname == "/opt/python3.11/bin/python3.11"
    assert not any(one.cached.is_new for one in bench.build().layers)


def test_a_python_that_nobody_has_stops_the_build(
    bench: Bench, client: Client, registry: FakeRegistry
) -> None:
    reference = push_base(client, registry.host, env={})
    bench.base = pull_base(client, reference, bench.cache)
    bench.variables = {"UV_PYTHON_INSTALL_DIR": str(bench.root / "none")}
    with pytest.raises(
        InterpreterError, match=r"library/python:3\.11-slim does not say that it has"
    ):
        bench.build()


def names(image: BuiltImage) -> dict[str, tarfile.TarInfo]:
    """Return the members of all layers; a later one replaces an earlier one."""
    found: dict[str, tarfile.TarInfo] = {}
    for layer in image.layers:
        with tarfile.open(layer.cached.path) as archive:
            found |= {member.name: member for member in archive}
    return found


def test_a_published_image_mounts_its_base_and_is_sent_once(
    bench: Bench, client: Client, registry: FakeRegistry
) -> None:
    image = bench.build()
    reference = parse_reference(f"{registry.host}/me/model:v1")
    pushed = publish(client, reference, image)
    assert pushed.digest == image.digest
    below = image.base.image.manifest.layers[0].digest
    assert pushed.outcomes[below] is Outcome.MOUNTED
    assert publish(client, reference, image).uploaded == frozenset()
    pulled = pull_image(client, reference, AMD64)
    assert parse_config(pulled.config_bytes).image_id == image.config.image_id


def test_a_base_of_another_registry_is_streamed_through(bench: Bench, client: Client) -> None:
    image = bench.build()
    with FakeRegistry() as other:
        pushed = publish(client, parse_reference(f"{other.host}/me/model:v1"), image)
        assert pushed.uploaded == {one.digest for one in image.manifest.blobs}


def test_an_image_without_code_has_none_of_the_projects_files(bench: Bench) -> None:
    image = bench.build(with_code=False)
    assert [one.title for one in image.layers] == [
        *("environment", "msgspec", "server", "SDK", "metadata"),
    ]


def test_each_layer_is_told_as_soon_as_it_is_there(bench: Bench) -> None:
    told: list[str] = []
    how = How(bytecode=False, server_packages=bench.server_packages)
    image = assemble(
        load_project(bench.project),
        bench.base,
        bench.cache,
        Quiet(),
        how,
        offline(bench.root, bench.packages),
        lambda layer: told.append(layer.title),
    )
    assert sorted(told) == sorted(one.title for one in image.layers)


def test_a_second_repository_gets_the_layers_that_the_first_one_has(
    bench: Bench, client: Client, registry: FakeRegistry
) -> None:
    image, seen = bench.build(), MountSources(bench.cache)
    first, second = (parse_reference(f"{registry.host}/me/{name}:v1") for name in ("a", "b"))
    publish(client, first, image, seen=seen)
    pushed = publish(client, second, image, seen=seen)
    assert set(pushed.outcomes.values()) == {Outcome.MOUNTED}
    registry.state.blobs.pop("me/a")
    registry.state.blobs.pop("me/b")
    third = publish(client, parse_reference(f"{registry.host}/me/c:v1"), image, seen=seen)
    assert {one.cached.layer.digest for one in image.layers} <= third.uploaded
    assert [one.name for one in seen.find(registry.host)[image.config.image_id]] == ["me/c"]


def test_the_bill_of_materials_is_beside_the_image_and_named_by_its_label(
    bench: Bench, client: Client, registry: FakeRegistry
) -> None:
    image = bench.build()
    repository = parse_reference(f"{registry.host}/me/model:v1").repository
    pushed = publish(client, Reference(repository, "v1"), image)
    assert pushed.notices == ()
    (found,) = find_referrers(client, repository, image.digest, MEDIA_TYPE)
    assert found.digest == image.artifacts[0].manifest.digest
    label = image.config.run.labels["run.cog.sbom"]
    blob = Descriptor(MEDIA_TYPE, parse_digest(label), len(image.sbom))
    document = json.loads(client.read_blob(repository, blob, 1_000_000))
    parts = {one["bom-ref"]: one for one in document["components"]}
    assert parts["base"]["version"] == str(image.base.digest)
    assert parts["model/msgspec@0.14"]["licenses"] == [{"license": {"name": "BSD"}}]
    assert "model/cogworks-sdk@" in "".join(parts)
    assert "server/msgspec@99.0" in parts
    assert "server/dumb-init@1.2.5" in parts


def test_an_image_whose_bill_of_materials_is_refused_is_pushed_all_the_same(
    bench: Bench, client: Client, registry: FakeRegistry
) -> None:
    image = bench.build()
    reference = parse_reference(f"{registry.host}/me/model:v1")
    registry.add_fault(Fault("PUT", path="manifests/sha256:", status=400, code="MANIFEST_INVALID"))
    (notice,) = publish(client, reference, image).notices
    assert notice.startswith("The image was pushed, and its sbom.cdx.json could not be attached: ")
    assert "MANIFEST_INVALID" in notice
    assert pull_image(client, reference, AMD64).reference.digest == image.digest


def test_a_layout_has_the_bill_of_materials_among_its_blobs(
    bench: Bench, client: Client, tmp_path: Path
) -> None:
    image = bench.build()
    folder = tmp_path / "layout"
    platform = image.config.platform
    blobs = image.blobs(client)
    write_directory(folder, image.manifest, platform, blobs, "v1", image.artifacts)
    label = image.config.run.labels["run.cog.sbom"]
    assert (folder / "blobs" / label.replace(":", "/")).read_bytes() == image.sbom
    index = json.loads((folder / "index.json").read_text())
    assert [one["digest"] for one in index["manifests"]] == [str(image.digest)]
    artifact = image.artifacts[0].manifest
    assert (folder / "blobs" / "sha256" / artifact.digest.hex).read_bytes() == artifact.to_bytes()


def test_a_repository_is_not_asked_again_for_what_it_was_given(
    bench: Bench, client: Client, registry: FakeRegistry
) -> None:
    image, seen = bench.build(), MountSources(bench.cache)
    target = parse_reference(f"{registry.host}/me/model:v1")
    publish(client, target, image, seen=seen)
    registry.state.seen.clear()
    again = publish(client, target, image, seen=seen)
    assert set(again.outcomes.values()) == {Outcome.EXISTED}
    layers = [str(one.digest) for one in image.manifest.layers]
    assert not [one for one in registry.state.seen if any(name in one.target for name in layers)]


def test_what_a_repository_has_lost_meanwhile_is_sent_again(
    bench: Bench, client: Client, registry: FakeRegistry
) -> None:
    image, seen = bench.build(), MountSources(bench.cache)
    target = parse_reference(f"{registry.host}/me/model:v1")
    publish(client, target, image, seen=seen)
    registry.state.blobs.pop("me/model")
    again = publish(client, target, image, seen=seen)
    assert {one.cached.layer.digest for one in image.layers} <= again.uploaded
    assert pull_image(client, target, AMD64).config.image_id == image.config.image_id
