from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cogworks.oci.digest import digest_of
from cogworks.oci.errors import DocumentError, OciError
from cogworks.oci.image import History, ImageConfig, RunConfig, created_text, parse_config
from cogworks.oci.layer import Codec, Layer, codec_of, oci_layer_type
from cogworks.oci.platform import Platform

BASE = ImageConfig(
    Platform("linux", "arm64"),
    RunConfig(env={"PATH": "/usr/bin", "A": "b=c"}, cmd=("python3",)),
    diff_ids=(digest_of(b"base"),),
    history=(History("debootstrap"), History("CMD", empty_layer=True)),
    created="1970-01-01T00:00:00Z",
)


def layer(name: bytes) -> Layer:
    return Layer(digest_of(b"packed " + name), digest_of(name), len(name), Codec.GZIP)


def test_a_configuration_has_these_bytes_and_this_id() -> None:
    assert BASE.to_bytes().decode() == (
        '{"architecture":"arm64","config":{"Cmd":["python3"],"Env":["PATH=/usr/bin","A=b=c"]},'
        '"created":"1970-01-01T00:00:00Z",'
        '"history":[{"created_by":"debootstrap"},{"created_by":"CMD","empty_layer":true}],'
        f'"os":"linux","rootfs":{{"diff_ids":["{digest_of(b"base")}"],"type":"layers"}}}}'
    )
    assert BASE.image_id.hex == "2040efe6cb62a85af881e410a6aaec38e6ab2fff55435429bfe6467e57676d76"
    assert BASE.descriptor.digest == BASE.image_id


def test_layers_go_on_top_of_a_base_with_their_history() -> None:
    image = BASE.with_layers(
        [layer(b"wheels"), layer(b"code")],
        [History("wheels"), History("ENV", empty_layer=True), History("code")],
    )
    assert image.diff_ids == (*BASE.diff_ids, digest_of(b"wheels"), digest_of(b"code"))
    assert [entry.created_by for entry in image.history][-3:] == ["wheels", "ENV", "code"]
    assert image.run == BASE.run


def test_the_id_does_not_depend_on_how_a_layer_is_packed() -> None:
    packed = [replace(layer(b"x"), codec=codec, digest=digest_of(bytes(3))) for codec in Codec]
    ids = {BASE.with_layers([one], [History("x")]).image_id for one in packed}
    assert len(ids) == 1


def test_history_that_does_not_fit_the_layers_is_refused() -> None:
    with pytest.raises(ValueError, match="1 layers have 0 steps"):
        BASE.with_layers([layer(b"x")], [])


def test_what_is_written_is_read_back_and_unknown_fields_are_kept() -> None:
    value = json.loads(BASE.to_bytes())
    value |= {"os.version": "1", "author": "me", "container": None}
    value["config"] |= {
        "Healthcheck": {"Test": ["NONE"]},
        "ExposedPorts": {"5000/tcp": {}},
        "Volumes": None,
        "Labels": {"a": "b"},
    }
    config = parse_config(json.dumps(value).encode())
    assert config.run.exposed_ports == ("5000/tcp",)
    assert config.run.labels == {"a": "b"}
    written = json.loads(config.to_bytes())
    assert written["config"]["Healthcheck"] == {"Test": ["NONE"]}
    assert written["os.version"] == "1"
    assert parse_config(config.to_bytes()) == config


def test_what_is_no_configuration_is_refused_with_all_reasons() -> None:
    with pytest.raises(DocumentError) as caught:
        parse_config(b'{"config":{"Env":"A=1","Cmd":[1]}}')
    assert len(caught.value.problems) == 5


def test_a_moment_is_spelled_in_utc() -> None:
    assert created_text(0) == "1970-01-01T00:00:00Z"
    assert created_text(1_700_000_000) == "2023-11-14T22:13:20Z"


def test_codecs_are_known_by_ocis_and_dockers_media_types() -> None:
    docker = "application/vnd.docker.image.rootfs.diff.tar"
    assert codec_of(f"{docker}.gzip") is codec_of(Codec.GZIP.media_type) is Codec.GZIP
    assert oci_layer_type(f"{docker}.gzip") == Codec.GZIP.media_type
    assert oci_layer_type(docker) == Codec.NONE.media_type
    assert oci_layer_type(Codec.ZSTD.media_type) == Codec.ZSTD.media_type
    foreign = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
    assert oci_layer_type(foreign).endswith("nondistributable.v1.tar+gzip")
    with pytest.raises(OciError, match="'text/plain' is not a layer's media type"):
        codec_of("text/plain")


names = st.text(min_size=1, max_size=5).filter(lambda name: "=" not in name)


@given(st.dictionaries(names, st.text(max_size=5)), st.lists(st.text(max_size=5)))
def test_every_environment_and_command_reads_back(env: dict[str, str], cmd: list[str]) -> None:
    config = ImageConfig(Platform("linux", "amd64"), RunConfig(env=env, cmd=tuple(cmd)))
    assert parse_config(config.to_bytes()) == config
    assert list(parse_config(config.to_bytes()).run.env) == list(env)
