"""What images are called, and where they go."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cogworks.build.errors import ImageNameError
from cogworks.build.names import default_name, image_name, push_target
from cogworks.oci.errors import InvalidReferenceError
from cogworks.oci.reference import parse_reference
from cogworks.project import Project

NOW = datetime(2026, 1, 31, 12, 0, 5, tzinfo=UTC)


def project(folder: str = "my model", **fields: str) -> Project:
    directory = Path("/projects") / folder
    return Project(directory, directory / "cog.yaml", **fields)  # type: ignore[arg-type]


def target(given: Project, argument: str | None = None, **environ: str) -> str:
    return str(push_target(given, argument, environ, NOW))


def test_the_tag_wins_then_image_then_model_then_the_folder() -> None:
    assert image_name(project(image="r.example/a"), "b:v1").familiar == "b:v1"
    assert image_name(project(image="r.example/a:v2")).familiar == "r.example/a:v2"
    assert image_name(project(model="r.example/m")).familiar == "r.example/m:latest"
    assert image_name(project()).familiar == "cog-my-model:latest"


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("Hello World!", "cog-hello-world"),
        ("cog-hello", "cog-hello"),
        ("a" * 40, "cog-" + "a" * 26),
        ("-x-", "cog-x"),
        ("数", "cog-model"),
    ],
)
def test_a_folders_name_is_made_fit(folder: str, name: str) -> None:
    assert default_name(folder) == name


@given(st.text(max_size=60))
def test_any_folder_gives_a_name_that_registries_take(folder: str) -> None:
    name = default_name(folder)
    assert parse_reference(name).familiar == name
    assert len(name) <= 30


def test_a_name_by_digest_cannot_be_built() -> None:
    with pytest.raises(ImageNameError, match="names an image by digest"):
        image_name(project(), f"a@sha256:{'0' * 64}")


def test_a_name_that_is_none_is_quoted() -> None:
    with pytest.raises(InvalidReferenceError, match="UPPER"):
        image_name(project(), "UPPER")


def test_an_empty_name_means_no_other_image() -> None:
    with pytest.raises(InvalidReferenceError, match="it is empty"):
        image_name(project(image="r.example/a"), "")
    with pytest.raises(InvalidReferenceError, match="it is empty"):
        target(project(image="r.example/a"), "")


def test_an_image_is_pushed_to_the_argument_or_to_cog_yamls_name() -> None:
    assert target(project(image="r.example/a:v1")) == "r.example/a:v1"
    assert target(project(image="r.example/a:v1"), "r.example/b") == "r.example/b:latest"
    assert target(project(), "r.example/b:v2") == "r.example/b:v2"


def test_without_any_name_there_is_nothing_to_push_to() -> None:
    with pytest.raises(ImageNameError, match=r"Set image in cog\.yaml"):
        target(project())


def test_a_model_is_pushed_under_the_time() -> None:
    assert target(project(model="r.example/me/m")) == "r.example/me/m:20260131T120005Z"


def test_variables_replace_the_parts_of_a_models_name() -> None:
    given = project(model="r.example/me/m")
    assert target(given, COG_MODEL_TAG="v9") == "r.example/me/m:v9"
    assert target(given, COG_MODEL_REPO="us/n", COG_MODEL_TAG="v9") == "r.example/us/n:v9"
    environ = {"COG_MODEL_REGISTRY": "s.example:5000", "COG_MODEL_TAG": "v9"}
    assert target(given, **environ) == "s.example:5000/me/m:v9"
    assert target(given, COG_MODEL="s.example/x:y", COG_MODEL_TAG="v9") == "s.example/x:y"
    assert target(project(), COG_MODEL="s.example/x:y") == "s.example/x:y"


def test_a_model_takes_no_argument() -> None:
    with pytest.raises(ImageNameError, match="positional image argument not supported"):
        target(project(model="r.example/m"), "r.example/n")


def test_variables_of_a_model_do_not_go_with_image() -> None:
    with pytest.raises(ImageNameError, match="COG_MODEL_TAG is for projects with model"):
        target(project(image="r.example/a"), COG_MODEL_TAG="v1")


def test_tags_of_the_format_are_reserved() -> None:
    with pytest.raises(ImageNameError, match=r"cog-image\.v1 is reserved"):
        target(project(model="r.example/m"), COG_MODEL_TAG="cog-image.v1")
