from __future__ import annotations

from pathlib import Path

import pytest

from cogworks.cli.main import main

Capture = pytest.CaptureFixture[str]


def cog(*arguments: str) -> int:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert isinstance(caught.value.code, int)
    return caught.value.code


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("engine", ["docker", "podman"])
def test_container_engines_say_when_they_come(engine: str, capsys: Capture) -> None:
    assert cog("run", "--engine", engine) == 1
    assert f"error: the engine {engine} is not available yet" in capsys.readouterr().err


def test_the_engine_comes_from_the_environment_too(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COG_ENGINE", "docker")
    assert cog("serve") == 1
    assert "the engine docker is not available yet" in capsys.readouterr().err


def test_an_unknown_engine_is_a_usage_error(capsys: Capture) -> None:
    assert cog("run", "--engine", "lxc") == 2


def test_an_image_says_that_engines_are_missing(capsys: Capture) -> None:
    assert cog("run", "registry.example/model") == 1
    assert "cannot run the image 'registry.example/model'" in capsys.readouterr().err


def test_an_input_without_its_option_is_recognized(capsys: Capture) -> None:
    assert cog("run", "image=@photo.jpg") == 2
    err = capsys.readouterr().err
    assert "error: Invalid image name 'image=@photo.jpg'. Did you forget `-i`?" in err


def test_json_and_pairs_exclude_each_other(capsys: Capture) -> None:
    assert cog("run", "-i", "a=1", "--json", "{}") == 2
    assert "--json and -i cannot be used together" in capsys.readouterr().err


@pytest.mark.parametrize("value", ["0", "-1", "soon"])
def test_a_setup_timeout_must_be_seconds(value: str) -> None:
    assert cog("run", "--setup-timeout", value) == 2


def test_the_predecessors_name_warns(capsys: Capture) -> None:
    assert cog("predict") == 1
    assert capsys.readouterr().err.startswith(
        'warning: "cog predict" is deprecated, use "cog run"\n'
    )


def test_a_token_that_is_not_there_is_told(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REPLICATE_API_TOKEN", raising=False)
    assert cog("run", "--use-replicate-token") == 1
    assert "needs the variable REPLICATE_API_TOKEN" in capsys.readouterr().err
