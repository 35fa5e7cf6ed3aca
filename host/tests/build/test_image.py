from __future__ import annotations

import pytest

from cogworks.build.errors import LayerLimitError
from cogworks.build.image import Start, TitledLayer, image_config, image_manifest
from cogworks.oci.digest import digest_of
from cogworks.oci.image import History, ImageConfig, RunConfig, parse_config
from cogworks.oci.layer import Codec, Layer
from cogworks.oci.manifest import Descriptor, Manifest, parse_document
from cogworks.oci.platform import parse_platform


def layer(text: str) -> Layer:
    return Layer(digest_of(text.encode()), digest_of(f"{text} unpacked".encode()), 9, Codec.GZIP)


def base(count: int = 1, **env: str) -> ImageConfig:
    run = RunConfig(env, cmd=("bash",), labels={"from": "base"}, volumes=("/data",))
    layers = [layer(f"base {number}") for number in range(count)]
    config = ImageConfig(parse_platform("linux/amd64"), run, created="2026-01-01T00:00:00Z")
    return config.with_layers(layers, [History("base")] * count)


def made(of: ImageConfig | None = None, start: Start | None = None) -> ImageConfig:
    layers = [TitledLayer("environment", layer("a")), TitledLayer("code", layer("b"))]
    return image_config(of or base(), layers, start or Start())


def test_a_container_starts_the_server_as_nobody_in_particular() -> None:
    run = made().run
    assert run.entrypoint == ("/opt/cogworks/bin/dumb-init", "--")
    assert run.cmd == ("python", "-m", "cog.server.http")
    assert (run.working_dir, run.user, run.exposed_ports) == ("/src", "1000:1000", ("5000/tcp",))
    assert (run.env["HOME"], run.env["USER"]) == ("/tmp", "cog")
    assert run.volumes == ("/data",)


@pytest.mark.parametrize("user", ["root", "0", "0:0", "root:root", "0:1000", "daemon", "app:app"])
def test_a_user_that_the_base_knows_has_a_home_there(user: str) -> None:
    run = made(start=Start(user=user)).run
    assert run.user == user
    assert not {"HOME", "USER"} & set(run.env)


@pytest.mark.parametrize("user", ["1000", "65534:0", "1:daemon"])
def test_a_user_that_is_only_a_number_gets_a_home_and_a_name(user: str) -> None:
    run = made(start=Start(user=user)).run
    assert (run.env["HOME"], run.env["USER"]) == ("/tmp", "cog")


def test_the_models_environment_is_first_on_the_path_whatever_the_project_says() -> None:
    assert made(base(PATH="/usr/bin:/bin")).run.env["PATH"] == "/opt/venv/bin:/usr/bin:/bin"
    assert made().run.env["PATH"].startswith("/opt/venv/bin:/usr/local/sbin:")
    start = Start({"PATH": "/mine", "A": "1", "PYTHONUNBUFFERED": "0"})
    env = made(base(PATH="/usr/bin"), start).run.env
    assert (env["PATH"], env["A"], env["PYTHONUNBUFFERED"]) == ("/opt/venv/bin:/mine", "1", "0")


def test_the_search_path_of_libraries_has_no_empty_entry() -> None:
    wanted = "/usr/lib/x86_64-linux-gnu:/usr/local/nvidia/lib64:/usr/local/nvidia/bin"
    assert made().run.env["LD_LIBRARY_PATH"] == wanted
    env = made(base(LD_LIBRARY_PATH=":/cuda:")).run.env
    assert env["LD_LIBRARY_PATH"] == f"/cuda:{wanted}"


def test_the_history_has_a_line_for_each_layer_and_no_time_but_the_given_one() -> None:
    config = made(start=Start(created_s=86400))
    assert config.created == "1970-01-02T00:00:00Z"
    assert [one.created_by for one in config.history] == [
        "base",
        "cog build: environment",
        "cog build: code",
    ]
    assert made().created == "1970-01-01T00:00:00Z"


def test_labels_are_added_to_those_of_the_base() -> None:
    labels = made(start=Start(labels={"run.cog.version": "1"})).run.labels
    assert labels == {"from": "base", "run.cog.version": "1"}


def test_more_layers_than_docker_can_mount_are_refused_with_the_numbers() -> None:
    assert len(made(base(123)).diff_ids) == 125
    with pytest.raises(LayerLimitError, match=r"at most 125 layers, .* 126: 124 of its base"):
        made(base(124))


def test_a_manifest_names_the_base_by_digest_and_its_layers_in_ocis_words() -> None:
    kind = "application/vnd.docker.image.rootfs.diff.tar.gzip"
    below = Descriptor(kind, digest_of(b"below"), 5)
    config = made()
    of = Manifest(config.descriptor, (below,))
    manifest = image_manifest(of, digest_of(b"base"), config, [TitledLayer("code", layer("b"))])
    assert [one.media_type for one in manifest.layers] == [
        "application/vnd.oci.image.layer.v1.tar+gzip"
    ] * 2
    assert manifest.layers[0].digest == below.digest
    annotations = {"org.opencontainers.image.base.digest": str(digest_of(b"base"))}
    assert manifest.annotations == annotations
    assert parse_document(manifest.to_bytes()) == manifest
    assert parse_config(config.to_bytes()).run.labels == config.run.labels
