from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cogworks.cli.console import Console
from cogworks.cli.errors import OptionError, PredictionFailed
from cogworks.cli.output_files import Target, resolve_target
from cogworks.cli.outputs import Sink, choose_sink

STRING = {"type": "string"}
FILE = {"type": "string", "format": "uri"}
ITEMS = {"type": "array", "items": {"type": "object"}, "x-cog-array-type": "iterator"}
TEXT = {**ITEMS, "items": STRING, "x-cog-array-display": "concatenate"}
PNG = "data:image/png;base64,YQ=="

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def sink_for(schema: dict[str, Any], option: str | None = None, *, as_json: bool = False) -> Sink:
    return choose_sink(schema, resolve_target(option), Console(), as_json=as_json)


def succeeded(output: Any) -> dict[str, Any]:
    return {"status": "succeeded", "output": output, "error": None, "metrics": {"predict_time": 1}}


def show(schema: dict[str, Any], output: Any, option: str | None = None) -> None:
    sink_for(schema, option).finish(succeeded(output))


def test_text_is_printed_raw(capsys: Capture) -> None:
    show(STRING, 'say "hi"')
    assert capsys.readouterr() == ('say "hi"\n', "")


@pytest.mark.parametrize("output", [1, 1.5, True, ["ü", 1], {"a": {"b": []}}])
def test_other_values_are_indented_json(output: Any, capsys: Capture) -> None:
    show({}, output)
    assert capsys.readouterr().out == json.dumps(output, indent=2, ensure_ascii=False) + "\n"


def test_text_goes_to_the_file_that_is_given(capsys: Capture) -> None:
    show(STRING, "words", "out.txt")
    assert Path("out.txt").read_text() == "words\n"
    assert capsys.readouterr() == ("", "Written output to: out.txt\n")


def test_a_file_is_told_on_stderr_alone(capsys: Capture) -> None:
    show(FILE, PNG)
    assert capsys.readouterr() == ("", "Written output to: output.png\n")


def test_an_object_with_files_is_printed_with_their_paths(capsys: Capture) -> None:
    show({"type": "object", "properties": {"image": FILE}}, {"image": PNG})
    assert json.loads(capsys.readouterr().out) == {"image": "output.image.png"}


def test_the_url_of_a_file_elsewhere_is_printed(capsys: Capture) -> None:
    show(FILE, "https://example.com/a.png")
    assert capsys.readouterr().out == "https://example.com/a.png\n"


def test_no_output_is_a_warning(capsys: Capture) -> None:
    show({**STRING, "nullable": True}, None)
    assert capsys.readouterr() == ("", "warning: No output generated\n")


@pytest.mark.parametrize(
    "schema",
    [STRING, ITEMS, TEXT, {"type": "array", "items": FILE, "x-cog-array-type": "iterator"}],
)
def test_a_failed_prediction_is_raised(schema: dict[str, Any], capsys: Capture) -> None:
    with pytest.raises(PredictionFailed) as caught:
        sink_for(schema).finish({"status": "failed", "output": None, "error": "boom"})
    assert str(caught.value) == 'Prediction failed with status "failed": boom'


def test_pieces_of_text_appear_as_they_come(capsys: Capture) -> None:
    sink = sink_for(TEXT)
    sink.item(0, "one ")
    assert capsys.readouterr().out == "one "
    sink.item(1, "two")
    sink.finish(succeeded(["one ", "two", "!"]))
    assert capsys.readouterr().out == "two!\n"


def test_text_that_ends_its_line_gets_no_second_end(capsys: Capture) -> None:
    show(TEXT, ["words\n", ""])
    assert capsys.readouterr().out == "words\n"


def test_what_was_printed_before_a_failure_stays(capsys: Capture) -> None:
    sink = sink_for(TEXT)
    sink.item(0, "half")
    with pytest.raises(PredictionFailed):
        sink.finish({"status": "failed", "output": ["half"], "error": "boom"})
    assert capsys.readouterr().out == "half\n"


def test_items_appear_as_they_come_and_make_one_array(capsys: Capture) -> None:
    output = [{"a": [1]}, {}, {"b": 2}]
    sink = sink_for(ITEMS)
    sink.item(0, output[0])
    first = capsys.readouterr().out
    assert first == '[\n  {\n    "a": [\n      1\n    ]\n  }'
    sink.item(1, output[1])
    sink.finish(succeeded(output))
    assert first + capsys.readouterr().out == json.dumps(output, indent=2) + "\n"


def test_an_item_is_printed_once(capsys: Capture) -> None:
    sink = sink_for(ITEMS)
    sink.item(0, 1)
    sink.item(0, 1)
    sink.finish(succeeded([1]))
    assert json.loads(capsys.readouterr().out) == [1]


def test_an_iterator_without_items_is_an_empty_array(capsys: Capture) -> None:
    show(ITEMS, [])
    assert capsys.readouterr().out == "[]\n"


def test_files_are_written_as_they_come(capsys: Capture) -> None:
    sink = sink_for({"type": "array", "items": FILE, "x-cog-array-type": "iterator"})
    sink.item(0, PNG)
    assert Path("output.0.png").exists()
    sink.finish(succeeded([PNG, PNG]))
    assert capsys.readouterr() == (
        "",
        "Written output to: output.0.png\nWritten output to: output.1.png\n",
    )


def test_text_of_an_iterator_is_one_text_in_a_file() -> None:
    show(TEXT, ["a", "b"], "out.txt")
    assert Path("out.txt").read_text() == "ab\n"


def test_the_report_is_one_object(capsys: Capture) -> None:
    sink_for(STRING, as_json=True).finish({**succeeded("x"), "logs": "no", "id": "no"})
    assert json.loads(capsys.readouterr().out) == succeeded("x")


def test_files_of_a_report_are_written_beside_it(capsys: Capture) -> None:
    sink_for(FILE, "out.json", as_json=True).finish(succeeded(PNG))
    assert json.loads(Path("out.json").read_text())["output"] == "out.png"
    assert capsys.readouterr().out == ""


def test_a_report_without_its_extension_is_warned_of(capsys: Capture) -> None:
    sink_for(STRING, "out.txt", as_json=True)
    assert "warning: out.txt has no .json extension" in capsys.readouterr().err


def test_the_report_of_a_failure_is_printed_too(capsys: Capture) -> None:
    with pytest.raises(PredictionFailed):
        sink_for(STRING, as_json=True).finish({"status": "failed", "error": "boom"})
    assert json.loads(capsys.readouterr().out)["error"] == "boom"


def test_a_folder_that_cannot_be_written_is_told_before_anything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(path: object, mode: int) -> bool:
        return False

    monkeypatch.setattr("os.access", refuse)
    with pytest.raises(OptionError, match="is not writable"):
        choose_sink(FILE, Target(), Console(), as_json=False)
