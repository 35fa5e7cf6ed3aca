from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from cogworks.cli.console import Console
from cogworks.cli.errors import OptionError, OutputError
from cogworks.cli.output_files import FileWriter, Target, is_files, resolve_target

FILE = {"type": "string", "format": "uri"}
FILES = {"type": "array", "items": FILE}
PNG = "data:image/png;base64,YQ=="


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def save(value: Any, schema: dict[str, Any], option: str | None = None) -> Any:
    writer = FileWriter(resolve_target(option), Console(), keep_extension=is_files(schema))
    return writer.save_files(value, schema)


def names() -> list[str]:
    return sorted(path.name for path in Path().iterdir())


def test_a_file_gets_the_extension_of_its_type() -> None:
    assert save(PNG, FILE) == "output.png"
    assert Path("output.png").read_bytes() == b"a"


def test_the_extension_of_the_option_wins() -> None:
    save(PNG, FILE, "out.jpg")
    assert names() == ["out.jpg"]


def test_an_option_without_extension_gets_one() -> None:
    save(PNG, FILE, "@out")
    assert names() == ["out.png"]


def test_a_list_of_files_is_numbered() -> None:
    assert save([PNG, PNG], FILES, "out.gif") == ["out.0.gif", "out.1.gif"]


def test_files_inside_an_object_are_named_by_their_keys() -> None:
    schema = {
        "type": "object",
        "properties": {"a/../b": FILE, "list": FILES, "text": {"type": "string"}},
    }
    value = {"a/../b": PNG, "list": [PNG], "text": PNG}
    assert save(value, schema, "out.json") == {
        "a/../b": "out.a_b.png",
        "list": ["out.list.0.png"],
        "text": PNG,
    }


def test_a_data_url_is_a_file_where_the_schema_is_silent() -> None:
    assert save({"x": PNG, "y": "data:,no"}, {"type": "object"}) == {
        "x": "output.x.png",
        "y": "data:,no",
    }


def test_a_folder_gets_the_default_name() -> None:
    Path("sub").mkdir()
    assert save(PNG, FILE, "sub") == "sub/output.png"


def test_files_get_the_modes_of_the_user() -> None:
    previous = os.umask(0o027)
    try:
        save(PNG, FILE)
    finally:
        os.umask(previous)
    assert Path("output.png").stat().st_mode & 0o777 == 0o640


def test_a_device_is_written_as_it_is() -> None:
    assert save(PNG, FILE, "/dev/null") == "/dev/null"


def test_a_url_of_elsewhere_stays() -> None:
    assert save("https://example.com/a.png", FILE) == "https://example.com/a.png"
    assert names() == []


def test_a_broken_data_url_is_told() -> None:
    with pytest.raises(OutputError, match="cannot be read as a file: the base64"):
        save("data:image/png;base64,a", FILE)


def test_a_path_that_cannot_be_written_is_told(folder: Path) -> None:
    Path("output.png").mkdir()
    with pytest.raises(OutputError, match="Is a directory"):
        save(PNG, FILE)


def test_a_missing_folder_is_told_beforehand() -> None:
    with pytest.raises(OptionError, match="there is no folder nowhere"):
        resolve_target("nowhere/out.png")


def test_an_empty_option_is_told() -> None:
    with pytest.raises(OptionError, match="-o needs the path"):
        resolve_target("@")


def test_the_home_folder_is_expanded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder))
    assert resolve_target("~/a.png") == Target(folder / "a.png")


def test_text_is_written_with_a_line_end() -> None:
    FileWriter(Target(Path("a.txt")), Console(), keep_extension=False).write_text("words")
    assert Path("a.txt").read_text() == "words\n"
