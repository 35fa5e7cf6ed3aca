"""`cog build` and `cog push`, offline: a registry of the tests, and wheels that they make."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cogworks.cli.build import command as build_command
from cogworks.errors import CogworksError
from cogworks.oci.platform import parse_platform
from cogworks.registry.client import Client
from cogworks.schema import SchemaError
from cogworks.testing import FakeRegistry
from host.tests.build.bases import push_base
from host.tests.build.python_mirror import OTHER_MACHINE, small_python, write_mirror

from .build_desk import CONFIG, RUN, Desk, text_of

pytestmark = pytest.mark.slow

OTHER = parse_platform(f"linux/{OTHER_MACHINE}")
"""Not that of this machine: a Python of the tests that is brought along is not run."""


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with FakeRegistry() as registry:
        yield registry


@pytest.fixture
def desk(tmp_path: Path, registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch) -> Desk:
    desk = Desk(tmp_path, registry.host)
    monkeypatch.chdir(desk.project)
    return desk


def test_a_build_says_what_it_made_and_prints_the_digest_alone(desk: Desk) -> None:
    result = desk.build()
    told = text_of(result)
    assert "Image built as cog-my-project:latest" in told
    digest = result.stdout.strip()
    assert digest.startswith("sha256:")
    assert f"digest  {digest}" in told
    assert " layers, " in told
    assert "of them made now" in told


def test_a_second_build_says_that_nothing_has_changed(desk: Desk) -> None:
    first, second = desk.build(), desk.build()
    assert second.stdout == first.stdout
    told = text_of(second)
    assert "Nothing has changed: cog-my-project:latest is as it was built before" in told
    assert "none of them made now" in told


def test_no_cache_makes_every_layer_again_and_the_same(desk: Desk) -> None:
    first, second = desk.build(), desk.build("--no-cache")
    assert second.stdout == first.stdout
    assert "msgspec: " in text_of(second)


def test_a_tag_of_the_base_is_asked_for_once(desk: Desk, registry: FakeRegistry) -> None:
    text_of(desk.build())
    asked = len(registry.requests)
    assert "Nothing has changed" in text_of(desk.build())
    assert len(registry.requests) == asked
    text_of(desk.build("--pull"))
    assert len(registry.requests) > asked


def test_explain_names_the_steps_and_does_nothing(desk: Desk) -> None:
    result = desk.build("--explain", "-t", "me/model:v1")
    assert result.exit_code == 0
    assert result.stdout.startswith("me/model:v1, lowest layer first:")
    for word in ("base", "packages", "server", "SDK", "code", "metadata"):
        assert f"\n  {word} " in result.stdout
    assert not (desk.root / "cache").exists()


def test_a_gpu_project_rests_on_cuda_and_brings_its_python_along(desk: Desk) -> None:
    desk.write("cog.yaml", CONFIG.replace("build:", "build:\n  gpu: true"))
    tag = "12.8.1-cudnn-devel-ubuntu24.04"
    with Client() as client:
        name = f"nvidia/cuda:{tag}"
        push_base(client, desk.host, env={"PATH": "/usr/bin"}, name=name, platform=OTHER)
    mirror = write_mirror(desk.root / "mirror", "3.11.9", OTHER_MACHINE, small_python("3.11.9"))
    environ = {"COG_BASE_REGISTRY": desk.host, **mirror}
    options = ["--platform", str(OTHER), "--no-load"]
    told = desk.call(build_command, [*options, "--explain"], environ).stdout
    assert f"{desk.host}/nvidia/cuda:{tag} for {OTHER}" in told
    assert "build.gpu is set" in told
    assert "the model's Python 3.11 is brought along" in told
    result = desk.call(build_command, options, environ)
    assert "Python 3.11.9: " in text_of(result)
    # PyTorch's wheels bring CUDA along: the usual base will do.
    desk.write(
        "cog.yaml",
        CONFIG.replace("build:", "build:\n  gpu: true").replace("msgspec==0.14", "torch==2.5.1"),
    )
    told = desk.call(build_command, [*options, "--explain"], environ).stdout
    assert f"{desk.host}/library/python:3.11-slim for {OTHER}" in told
    assert "the wheels of torch bring CUDA along" in told


def test_what_does_not_fit_a_gpu_is_told_before_anything_is_fetched(desk: Desk) -> None:
    config = CONFIG.replace("build:", "build:\n  gpu: true\n  cuda: '12.7'")
    desk.write("cog.yaml", config)
    result = desk.call(build_command, ["--no-load"], {})
    assert isinstance(result.exception, CogworksError)
    assert "cog.yaml:3: build.cuda: no matching base image for CUDA 12.7" in str(result.exception)
    assert not (desk.root / "cache").exists()


def test_separate_weights_give_smaller_files_layers_of_their_own(desk: Desk) -> None:
    with (desk.project / "model.bin").open("wb") as file:
        file.truncate(10 * 1024 * 1024)
    assert "\n  weights " not in desk.build("--explain").stdout
    assert "1 file, 10 MB" in desk.build("--explain", "--separate-weights").stdout
    assert "model.bin: " not in text_of(desk.build())
    assert "model.bin: " in text_of(desk.build("--separate-weights"))


def test_a_mistake_is_told_before_anything_is_fetched(desk: Desk) -> None:
    desk.write("run.py", RUN.replace("text: str", "text"))
    result = desk.build()
    assert isinstance(result.exception, SchemaError)
    assert not (desk.root / "cache").exists()


def test_a_layout_is_a_folder_or_one_file(desk: Desk) -> None:
    digest = desk.build("--output", "out").stdout.strip()
    index = json.loads((desk.project / "out" / "index.json").read_bytes())
    assert index["manifests"][0]["digest"] == digest
    assert desk.build("--output", "out").stdout.strip() == digest
    text_of(desk.build("--output", str(desk.root / "image.tar")))
    with tarfile.open(desk.root / "image.tar") as archive:
        assert "oci-layout" in archive.getnames()


def test_progress_for_programs_is_a_json_object_a_line(desk: Desk) -> None:
    told = text_of(desk.build("--progress", "json"))
    events = [json.loads(line) for line in told.splitlines()]
    assert {"stage", "layer", "warning", "result"} <= {event["event"] for event in events}
    assert events[-1]["text"].startswith("Image built as ")
    assert events[-1]["digest"].startswith("sha256:")
    layer = next(event for event in events if event["event"] == "layer")
    assert layer["new"] is True
    assert layer["digest"].startswith("sha256:")


def test_a_program_is_told_of_an_error_as_of_all_else(desk: Desk) -> None:
    done = desk.run("build", "--no-load", "-t", "UPPER", BUILDKIT_PROGRESS="rawjson")
    assert done.returncode == 1
    events = [json.loads(line) for line in done.stderr.splitlines()]
    assert [one["event"] for one in events] == ["warning", "error"]
    assert "lower-case" in events[-1]["text"]


@pytest.mark.parametrize("arguments", [["--output", ""], ["--output", "run.py"], ["-t", ""]])
def test_a_place_or_a_name_that_is_none_is_told_before_anything_is_fetched(
    desk: Desk, arguments: list[str]
) -> None:
    assert isinstance(desk.build(*arguments).exception, CogworksError)
    assert not (desk.root / "cache").exists()


def test_the_time_of_an_image_is_one_that_can_be_written(desk: Desk) -> None:
    assert desk.build("--timestamp", "253402300800").exit_code == 2
    image = _configuration(desk, "--timestamp", "253402300799")
    assert image["created"] == "9999-12-31T23:59:59Z"


def _configuration(desk: Desk, *arguments: str) -> Any:
    text_of(desk.build("--output", "out", *arguments))
    blobs = desk.project / "out" / "blobs" / "sha256"
    index = json.loads((desk.project / "out" / "index.json").read_bytes())
    manifest = json.loads((blobs / index["manifests"][0]["digest"][7:]).read_bytes())
    return json.loads((blobs / manifest["config"]["digest"][7:]).read_bytes())


def test_a_push_sends_what_the_registry_lacks_and_prints_the_pinned_name(
    desk: Desk, registry: FakeRegistry
) -> None:
    name = f"{desk.host}/me/model"
    first = desk.push(f"{name}:v1")
    assert f"Pushed to {name}:v1" in text_of(first)
    pinned = first.stdout.strip()
    assert pinned.startswith(f"{name}@sha256:")
    assert "nothing: the registry has it all" in text_of(desk.push(f"{name}:v2"))
    desk.write("run.py", f"{RUN}\n# more\n")
    assert " in 2 blobs" in text_of(desk.push(f"{name}:v3"))


def test_a_push_goes_where_cog_yaml_says(desk: Desk) -> None:
    desk.write("cog.yaml", f"{CONFIG}image: {desk.host}/me/model\n")
    assert f"Pushed to {desk.host}/me/model:latest" in text_of(desk.push())


def test_a_push_without_a_name_says_how_to_give_one(desk: Desk) -> None:
    result = desk.push()
    assert isinstance(result.exception, CogworksError)
    assert "cog push registry.example/me/my-model" in str(result.exception)


def test_a_wrong_platform_is_told(desk: Desk) -> None:
    result = desk.build("--platform", "windows/amd64")
    assert isinstance(result.exception, CogworksError)
    assert "for linux/amd64 and linux/arm64, not for windows/amd64" in str(result.exception)
    assert not (desk.root / "cache").exists()


def test_weights_beside_the_image_are_refused_and_never_left_out(desk: Desk) -> None:
    weights = "model: r.example/m\nweights:\n- {name: w, target: /w, source: {uri: w}}\n"
    desk.write("cog.yaml", CONFIG + weights)
    result = desk.build()
    assert isinstance(result.exception, CogworksError)
    assert str(result.exception).startswith("cog.yaml:7: weights that are kept beside the image")


def test_a_dockerfile_of_the_users_is_for_docker(desk: Desk) -> None:
    result = desk.build("--dockerfile", "Dockerfile")
    assert isinstance(result.exception, CogworksError)
    assert "docker build" in str(result.exception)


def test_without_an_engine_the_image_is_built_and_the_reason_told(
    desk: Desk, tmp_path: Path
) -> None:
    told = text_of(desk.build("--progress", "quiet"))
    assert "not loaded" not in told
    path = str(tmp_path / "nothing")
    arguments = ["--base-image", desk.base]
    without = desk.call(build_command, arguments, {"PATH": path})
    assert "not loaded  docker is not installed; podman is not installed" in text_of(without)
    wanted = desk.call(build_command, [*arguments, "--load"], {"PATH": path})
    assert isinstance(wanted.exception, CogworksError)
    assert "The image is built; it is not loaded." in str(wanted.exception)


def test_a_fresh_machine_takes_layers_from_the_index_that_is_named(
    desk: Desk, tmp_path: Path
) -> None:
    index = f"{desk.host}/team/layers"
    text_of(desk.push(f"{desk.host}/me/a", "--layer-index", index))
    fresh = str(tmp_path / "fresh")
    pushed = desk.push(f"{desk.host}/me/b", COG_LAYER_INDEX=index, COG_CACHE_DIR=fresh)
    # The environment, the code, what is said about it, the configuration.
    assert " in 4 blobs" in text_of(pushed)
    assert not (tmp_path / "fresh" / "oci" / "wheels" / "sha256").exists()
    verified = desk.build("--layer-index", index, "--verify-layers")
    assert "none of them made now" not in text_of(verified)


def test_a_repository_for_layers_has_no_tag(desk: Desk) -> None:
    result = desk.build("--layer-index", f"{desk.host}/team/layers:v1")
    assert isinstance(result.exception, CogworksError)
    assert "a repository has neither tag nor digest" in str(result.exception)
