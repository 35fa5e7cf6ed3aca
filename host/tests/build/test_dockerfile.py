from __future__ import annotations

import re
from pathlib import Path

import pytest

from cogworks.build.dockerfile import Recipe, dockerfile
from cogworks.build.errors import BuildError
from cogworks.build.products import FIRST_LINE
from cogworks.project.model import Build, Project, RunCommand, SecretMount

HOME = Path("/project")


def project(build: Build | None = None, **fields: object) -> Project:
    return Project(HOME, HOME / "cog.yaml", build or Build("3.12"), run="run.py:Runner", **fields)  # type: ignore[arg-type]


def recipe(**fields: object) -> Recipe:
    given = {"base": "python:3.12-slim", "python": (3, 12), "model_python": "python3.12"}
    return Recipe(**{**given, "server_python": "python3.12", **fields})  # type: ignore[arg-type]


def text_of(build: Build | None = None, **fields: object) -> str:
    return dockerfile(project(build), recipe(**fields))


def instructions(text: str) -> list[str]:
    joined = text.replace("\\\n", "")
    return [line for line in joined.splitlines() if line and not line.startswith("#")]


def named(text: str, name: str) -> list[str]:
    return [line.partition(" ")[2] for line in instructions(text) if line.startswith(f"{name} ")]


def test_it_begins_with_the_base_and_ends_with_the_start() -> None:
    text = text_of(user="1000:1000")
    assert text.startswith(f"{FIRST_LINE}\n")
    assert instructions(text)[:2] == ["FROM python:3.12-slim", "USER root"]
    assert instructions(text)[-5:] == [
        "WORKDIR /src",
        "EXPOSE 5000/tcp",
        "USER 1000:1000",
        'ENTRYPOINT ["/opt/cogworks/bin/dumb-init", "--"]',
        'CMD ["python", "-m", "cog.server.http"]',
    ]


def test_nothing_in_it_needs_a_newer_docker_or_another_image() -> None:
    text = text_of(
        Build("3.12", system_packages=("ffmpeg",), run=(RunCommand("echo"),)),
        weights=("a.bin",),
        has_packages=True,
        labels={"a": "b"},
    )
    assert not re.search(r"^# *\w+ *=", text, flags=re.MULTILINE)
    assert "--link" not in text
    assert "<<" not in text
    assert text.count("FROM ") == 1
    assert "--from" not in text


def test_layers_come_in_the_order_of_the_image() -> None:
    text = text_of(
        Build("3.12", system_packages=("ffmpeg",), run=(RunCommand("echo built"),)),
        weights=("models/a.bin",),
        has_packages=True,
        brought=("python3.12",),
    )
    wanted = [
        *(
            "-qqy install ffmpeg",
            "COPY python3.12/ /opt/python3.12/",
            "-m venv --without-pip /opt/venv",
        ),
        *("models/a.bin", "-m venv --without-pip /opt/cogworks", "COPY sdk/ /opt/cogworks/sdk/"),
        *("RUN echo built", "COPY src/ /src/", "COPY metadata/ /src/.cog/", "WORKDIR /src"),
    ]
    places = [text.index(words) for words in wanted]
    assert places == sorted(places)


def test_packages_are_installed_by_hash_without_an_index() -> None:
    (packages, *_) = named(text_of(has_packages=True), "RUN")
    assert "--require-hashes -r /tmp/packages/requirements.txt" in packages
    assert "--no-index --no-deps" in packages
    assert "/tmp/packages" not in text_of(has_packages=False)


def test_the_model_and_the_server_may_have_pythons_of_their_own() -> None:
    text = text_of(
        python=(3, 9),
        model_python="/opt/python3.9/bin/python3.9",
        server_python="/opt/python3.13/bin/python3.13",
        brought=("python3.9", "python3.13"),
    )
    assert "COPY python3.9/ /opt/python3.9/" in text
    assert "COPY python3.13/ /opt/python3.13/" in text
    assert "/opt/python3.9/bin/python3.9 -m venv --without-pip /opt/venv" in text
    assert "/opt/python3.13/bin/python3.13 -m venv --without-pip /opt/cogworks" in text
    assert "ln -s /opt/venv/lib/python3.9/site-packages/cog /opt/cogworks/sdk/cog" in text


def test_system_packages_are_words_of_a_shell() -> None:
    text = text_of(Build("3.12", system_packages=("libgl1=1.2-3", "a;b", "ffmpeg sox")))
    assert "-qqy install 'a;b' ffmpeg libgl1=1.2-3 sox" in text.replace(" \\\n", "")


def test_weights_are_copied_one_by_one_and_by_their_names() -> None:
    copied = named(text_of(weights=("a b.bin", "x[1]*?.pt", 'q"\\.bin')), "COPY")
    assert copied[:3] == [
        '["weights/a b.bin", "/src/a b.bin"]',
        '["weights/x[[]1][*][?].pt", "/src/x[1]*?.pt"]',
        '["weights/q\\"[\\\\].bin", "/src/q\\"\\\\.bin"]',
    ]


def test_commands_get_their_secrets_and_the_models_environment() -> None:
    commands = (
        RunCommand("make \\"),
        RunCommand("cat /t", (SecretMount("token", "/t"), SecretMount("x", "/y"))),
    )
    text = text_of(Build("3.12", run=commands, pre_install=("echo old",)))
    assert instructions(text)[-15:-8] == [
        "ARG VIRTUAL_ENV=/opt/venv",
        "ARG PIP_DISABLE_PIP_VERSION_CHECK=1",
        "ARG PIP_ROOT_USER_ACTION=ignore",
        "RUN make",
        "RUN --mount=type=secret,id=token,target=/t --mount=type=secret,id=x,target=/y cat /t",
        "RUN echo old",
        "COPY src/ /src/",
    ]


def test_a_mount_that_cannot_be_spelled_is_refused() -> None:
    command = RunCommand("x", (SecretMount("a,b", "/t"),))
    with pytest.raises(BuildError, match=r"build\.run\[0\]: 'a,b' cannot be part of a mount"):
        text_of(Build("3.12", run=(command,)))


def test_variables_are_the_images(tmp_path: Path) -> None:
    text = dockerfile(
        project(environment=(("B", "2"), ("A", "it's")), workers=2), recipe(user="root")
    )
    assert named(text, "ENV")[-4:] == [
        'A="it\'s"',
        "B='2'",
        "COG_PREDICT_TYPE_STUB='run.py:Runner'",
        "COG_WORKERS='2'",
    ]
    assert "PATH=/opt/venv/bin:$PATH" in named(text, "ENV")
    arm = named(text_of(architecture="arm64"), "ENV")
    libraries = "/usr/lib/aarch64-linux-gnu:/usr/local/nvidia/lib64:/usr/local/nvidia/bin"
    assert f"LD_LIBRARY_PATH=${{LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}}{libraries}" in arm
    assert arm[-2:] == ["HOME=/tmp", "USER=cog"]


def test_a_variable_with_a_line_break_is_refused_with_its_name() -> None:
    with pytest.raises(BuildError, match=r"cog\.yaml: environment: A has a line break"):
        dockerfile(project(environment=(("A", "1\n2"),)), recipe())


def test_labels_come_last_and_a_document_only_where_there_is_one() -> None:
    text = text_of(labels={"run.cog.version": "1"}, has_document=False)
    assert instructions(text)[-1] == "LABEL run.cog.version='1'"
    assert "metadata" not in text
