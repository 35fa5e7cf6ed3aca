"""The text that engines build from."""

from __future__ import annotations

import pytest

from cogworks.build.errors import StageError
from cogworks.build.stages.containerfile import Step, containerfile
from cogworks.project.model import SecretMount


def test_commands_stand_as_their_author_wrote_them() -> None:
    steps = [
        Step("echo \"a\" 'b' $HOME && x | y  ", "here"),
        Step("cat /k", "here", (SecretMount("k", "/k"), SecretMount("net.rc", "/etc/netrc"))),
    ]
    assert containerfile("localhost/x", steps, ["one", "two"]) == (
        "FROM localhost/x\n"
        "COPY one /one\n"
        "COPY two /two\n"
        "RUN echo \"a\" 'b' $HOME && x | y\n"
        "RUN --mount=type=secret,id=k,target=/k "
        "--mount=type=secret,id=net.rc,target=/etc/netrc cat /k\n"
    )


def test_nothing_has_to_be_fetched_to_read_it() -> None:
    text = containerfile("x", [Step("y", "here")])
    assert not text.startswith("#")
    assert "<<" not in text


def test_a_backslash_at_the_end_does_not_swallow_the_next_command() -> None:
    text = containerfile("x", [Step("one \\", "here"), Step("two", "here")])
    assert text == "FROM x\nRUN one\nRUN two\n"


@pytest.mark.parametrize("target", ["/a b", "/a,b", "/a$B", '/"a"', "/a\\b", ""])
def test_a_mount_that_builders_would_read_in_different_ways_is_refused(target: str) -> None:
    step = Step("cat", "cog.yaml:7: build.run[0]", (SecretMount("k", target),))
    with pytest.raises(StageError, match=r"cog\.yaml:7: build\.run\[0\]: .* cannot be part of a"):
        containerfile("x", [step])
