"""Build secrets: how they are given, what is wrong with them, and that they are shown nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from cogworks.build.errors import SecretError
from cogworks.build.stages.secrets import (
    SECRET_MAX_BYTES,
    Mask,
    Secret,
    SecretSource,
    parse_secrets,
    read_secrets,
)
from cogworks.build.stages.stage import PlacedCommand
from cogworks.project.model import RunCommand, SecretMount

HERE = Path("/project")


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("id=x,src=key.txt", SecretSource("x", path=HERE / "key.txt")),
        ("id=x,source=/etc/key", SecretSource("x", path=Path("/etc/key"))),
        ("type=file,id=x,src=a/b", SecretSource("x", path=HERE / "a/b")),
        ('id=x,"src=a,b"', SecretSource("x", path=HERE / "a,b")),
        ("id=x,env=TOKEN", SecretSource("x", variable="TOKEN")),
        ("id=x,type=env,env=TOKEN", SecretSource("x", variable="TOKEN")),
        ("id=x,type=env,src=TOKEN", SecretSource("x", variable="TOKEN")),
        ("id=TOKEN", SecretSource("TOKEN", variable="TOKEN")),
        ("ID=x,SRC=/k", SecretSource("x", path=Path("/k"))),
    ],
)
def test_a_secret_is_a_file_or_a_variable(text: str, source: SecretSource) -> None:
    assert parse_secrets([text], HERE) == (source,)


def test_a_home_is_expanded() -> None:
    (source,) = parse_secrets(["id=x,src=~/key"], HERE)
    assert source.path == Path.home() / "key"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "a secret needs an id"),
        ("src=x", "a secret needs an id"),
        ("id=,src=x", "a secret needs an id"),
        ("id=a b,src=x", "'a b' is no id"),
        ("id=x,scr=y", "'scr' is no key of a secret"),
        ("hunter2-and-much-more-of-it", "'hunter2-and-much-mor' is no key"),
        ("id=x,id=y", "id is there twice"),
        ("id=x,src=y,env=Z", "both a file and a variable"),
        ("id=x,type=ssh,src=y", "'ssh' is neither file nor env"),
        ("id=x,type=file", "needs src"),
        ("id=x,type=file,env=Y", "has no variable"),
    ],
)
def test_what_is_no_secret_is_refused_without_showing_much(text: str, why: str) -> None:
    with pytest.raises(SecretError, match=why):
        parse_secrets([text], HERE)


def test_an_id_is_given_once() -> None:
    with pytest.raises(SecretError, match="two secrets with the id 'x'"):
        parse_secrets(["id=x,src=a", "id=x,env=B"], HERE)


def command(*names: str) -> PlacedCommand:
    mounts = tuple(SecretMount(name, f"/run/{name}") for name in names)
    return PlacedCommand(RunCommand("cat", mounts), "build.run[0]", "cog.yaml:7")


def test_only_what_commands_ask_for_is_read(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"from a file\0")
    sources = parse_secrets(["id=b,env=TOKEN", "id=a,src=key", "id=c,src=nowhere"], tmp_path)
    found = read_secrets([command("a"), command("b", "a")], sources, {"TOKEN": "hush"})
    assert [(one.id, one.value) for one in found] == [("a", b"from a file\0"), ("b", b"hush")]


def test_all_that_is_missing_is_said_at_once(tmp_path: Path) -> None:
    sources = parse_secrets(["id=file,src=nowhere", "id=variable,env=NOT_SET"], tmp_path)
    with pytest.raises(SecretError) as raised:
        read_secrets([command("given", "file", "variable")], sources, {})
    assert str(raised.value).splitlines() == [
        f"cog.yaml:7: build.run[0] wants the secret 'file', but {tmp_path}/nowhere: "
        "No such file or directory.",
        "cog.yaml:7: build.run[0] wants the secret 'given', which was not given. Give it by "
        "--secret id=given,src=FILE or --secret id=given,env=VARIABLE.",
        "cog.yaml:7: build.run[0] wants the secret 'variable', but the variable NOT_SET is not set.",
    ]


def test_a_file_that_is_too_large_is_no_secret(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(bytes(SECRET_MAX_BYTES + 1))
    with pytest.raises(SecretError, match=f"more than {SECRET_MAX_BYTES} bytes"):
        read_secrets([command("a")], parse_secrets(["id=a,src=key"], tmp_path), {})


def test_a_value_is_not_shown_with_a_secret() -> None:
    assert "hush" not in repr(Secret(SecretSource("x"), b"hush"))


def test_secrets_are_masked_wherever_they_are_printed() -> None:
    text = b"machine pypi.example\nTOKEN='hunter22'\n\nab\n"
    mask = Mask([Secret(SecretSource("x"), text), Secret(SecretSource("y"), b"hunter22-longer")])
    assert mask.hide("got hunter22, hunter22-longer and ab") == "got ***, *** and ab"
    assert mask.hide("TOKEN='hunter22'") == "***"
    assert mask.hide("x machine pypi.example") == "x ***"
    assert Mask([]).hide("as it is") == "as it is"
