"""What the page shows of inputs, from documents as we write them and as others might."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cog._schema.openapi import document
from cogworks.schema import analyze
from cogworks.server.docs_inputs import NO_DEFAULT, InputView, Kind, read_inputs

SOURCE = """
from typing import List, Optional, Union, Any
from cog import BaseRunner, Input, Path, Secret

class Runner(BaseRunner):
    def run(
        self,
        text: str = Input(description="What to say", min_length=1),
        count: int = Input(default=3, ge=1, le=10),
        share: float = 0.5,
        flag: bool = False,
        size: str = Input(default="a", choices=["a", "b"]),
        image: Path = Input(accept="image/*"),
        images: Optional[List[Path]] = None,
        key: Optional[Secret] = None,
        tags: List[str] = ["a"],
        either: Union[int, str] = 3,
        old: str = Input(default="x", deprecated=True),
        levels: List[int] = Input(choices=[1, 2], default=[1]),
        more: dict = {},
    ) -> str:
        return ""
"""


@pytest.fixture(scope="module")
def views(tmp_path_factory: pytest.TempPathFactory) -> dict[str, InputView]:
    folder = tmp_path_factory.mktemp("project")
    (folder / "run.py").write_text(SOURCE)
    signature = analyze(Path(folder), "run.py:Runner")
    return {view.name: view for view in read_inputs(document(signature, None, "1"), "run")}


@pytest.mark.parametrize(
    ("name", "kind", "type_"),
    [
        ("text", Kind.TEXT, "string"),
        ("count", Kind.NUMBER, "integer"),
        ("share", Kind.NUMBER, "number"),
        ("flag", Kind.CHOICE, "boolean"),
        ("size", Kind.CHOICE, "one of a, b"),
        ("image", Kind.FILE, "file"),
        ("images", Kind.FILES, "list of file, may be null"),
        ("key", Kind.SECRET, "secret, may be null"),
        ("tags", Kind.JSON, "list of string"),
        ("either", Kind.JSON, "integer or string"),
        ("levels", Kind.JSON, "list of one of 1, 2"),
        ("more", Kind.JSON, "object"),
    ],
)
def test_each_type_has_its_way_to_be_asked_for(
    views: dict[str, InputView], name: str, kind: Kind, type_: str
) -> None:
    assert (views[name].kind, views[name].type) == (kind, type_)


def test_the_order_is_that_of_the_signature(views: dict[str, InputView]) -> None:
    assert list(views)[:3] == ["text", "count", "share"]
    shuffled = {"b": {"x-order": 1}, "a": {"x-order": 0}}
    components = {"Input": {"properties": shuffled}}
    document: dict[str, Any] = {"components": {"schemas": components}}
    assert [view.name for view in read_inputs(document, "run")] == ["a", "b"]


def test_limits_defaults_and_marks_are_read(views: dict[str, InputView]) -> None:
    assert views["text"].limits == ("at least 1 characters",)
    assert views["text"].description == "What to say"
    assert views["text"].is_required
    assert views["text"].default is NO_DEFAULT
    assert views["count"].limits == ("at least 1", "at most 10")
    assert views["count"].default == 3
    assert not views["count"].is_required
    assert views["image"].limits == ("accepts image/*",)
    assert views["old"].is_deprecated
    assert views["flag"].choices == (True, False)


def test_what_an_enum_says_of_itself_is_not_taken_for_a_description(
    views: dict[str, InputView],
) -> None:
    assert views["size"].description == ""


def test_an_example_can_be_sent_as_it_is(views: dict[str, InputView]) -> None:
    examples = {name: view.example for name, view in views.items()}
    assert examples["text"] == "text"
    assert examples["count"] == 3
    assert examples["size"] == "a"
    assert examples["image"].startswith("https://")
    assert examples["images"][0].startswith("https://")


def test_trainings_have_inputs_of_their_own() -> None:
    components = {
        "Input": {"properties": {"a": {"type": "string"}}},
        "TrainingInput": {"properties": {"b": {"type": "string"}}},
    }
    document: dict[str, Any] = {"components": {"schemas": components}}
    assert [view.name for view in read_inputs(document, "train")] == ["b"]
    assert [view.name for view in read_inputs(document, "run")] == ["a"]


def test_the_default_of_a_secret_is_not_shown() -> None:
    schema = {"type": "string", "format": "password", "default": "s3cret"}
    document: dict[str, Any] = {"components": {"schemas": {"Input": {"properties": {"k": schema}}}}}
    (view,) = read_inputs(document, "run")
    assert view.default is NO_DEFAULT
    assert view.example != "s3cret"


ODD: list[Any] = [
    {},
    {"components": None},
    {"components": {"schemas": []}},
    {"components": {"schemas": {"Input": "text"}}},
    {"components": {"schemas": {"Input": {"properties": {"a": None}, "required": "a"}}}},
    {"components": {"schemas": {"Input": {"properties": {"a": {"$ref": "elsewhere.json"}}}}}},
    {"components": {"schemas": {"Input": {"properties": {"a": {"allOf": [], "anyOf": 3}}}}}},
    {"components": {"schemas": {"Input": {"properties": {"a": {"enum": [], "x-order": "b"}}}}}},
]


@pytest.mark.parametrize("document", ODD)
def test_a_document_of_another_shape_is_no_error(document: dict[str, Any]) -> None:
    assert len(read_inputs(document, "run")) <= 1
