"""Metrics: the rules for names, values and modes."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any

import pytest

from cog.metrics import MAX_NAME_CHARACTERS, Metrics, check_name


class Recorder:
    """Metrics, and the calls that they made."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any, str]] = []
        self.metrics = Metrics(lambda name, value, mode: self.calls.append((name, value, mode)))


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


GOOD_NAMES = [
    "a",
    "tokens",
    "tokens_per_second",
    "a1",
    "A1_b2",
    "a_1",
    "a.b.c.d",
    "timing.load_s",
    "predict_times",
    "x.predict_time",
    "cog",
    "cogs.a",
    "a" * MAX_NAME_CHARACTERS,
]


@pytest.mark.parametrize("name", GOOD_NAMES)
def test_a_good_name_is_recorded(name: str, recorder: Recorder) -> None:
    recorder.metrics.record(name, 1)
    assert recorder.calls == [(name, 1, "replace")]


BAD_NAMES = [
    ("", "is empty"),
    ("a" * (MAX_NAME_CHARACTERS + 1), "128 characters or fewer"),
    ("a.b.c.d.e", "at most 4 dot-separated segments"),
    (".a", "must not start with a dot"),
    (".", "must not start with a dot"),
    ("a.", "must not end with a dot"),
    ("a..b", "empty segments"),
    ("1a", "must start with a letter"),
    ("_a", "must start with a letter"),
    ("a.1", "must start with a letter"),
    ("a__b", "consecutive underscores"),
    ("a b", "invalid character"),
    ("a-b", "invalid character"),
    ("ä", "invalid character"),
    ("a\n", "invalid character"),
    ("a²", "invalid character"),
    ("a_", "must end with a letter or digit"),
    ("a_.b", "must end with a letter or digit"),
    ("predict_time", "is reserved"),
    ("predict_time.x", "is reserved"),
    ("cog.a", "is reserved"),
    ("cog.a.b", "is reserved"),
]


@pytest.mark.parametrize(("name", "problem"), BAD_NAMES)
def test_a_bad_name_is_a_value_error(name: str, problem: str, recorder: Recorder) -> None:
    changes: list[Callable[[], None]] = [
        lambda: recorder.metrics.record(name, 1),
        lambda: recorder.metrics.delete(name),
        lambda: recorder.metrics.record(name, None),
    ]
    for change in changes:
        with pytest.raises(ValueError, match=problem):
            change()
    assert recorder.calls == []


@pytest.mark.parametrize("name", [None, 7, b"a"])
def test_a_name_that_is_no_string_is_a_type_error(name: Any, recorder: Recorder) -> None:
    with pytest.raises(TypeError, match="name is a str"):
        recorder.metrics.record(name, 1)


def test_a_long_bad_name_is_quoted_in_part() -> None:
    with pytest.raises(ValueError, match="too long") as caught:
        check_name("a" * 10_000)
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize(
    "value", [True, 1, 1.5, "x", [], [1, "x", None], {}, {"a": {"b": [1.5]}}], ids=repr
)
def test_json_values_are_recorded(value: Any, recorder: Recorder) -> None:
    recorder.metrics["x"] = value
    assert recorder.calls == [("x", value, "replace")]
    assert type(recorder.calls[0][1]) is type(value)


@pytest.mark.parametrize("value", [(1,), {1}, b"x", ..., 1j], ids=repr)
def test_other_values_are_a_type_error(value: Any, recorder: Recorder) -> None:
    with pytest.raises(TypeError, match="Unsupported metric value type"):
        recorder.metrics.record("x", value)
    with pytest.raises(TypeError, match="Unsupported metric value type"):
        recorder.metrics.record("x", value, "append")
    assert recorder.calls == []


@pytest.mark.parametrize("value", [[{1}], {"a": ...}, {1: "a"}, [{"a": b""}]], ids=repr)
def test_other_values_deep_inside_are_a_type_error(value: Any, recorder: Recorder) -> None:
    with pytest.raises(TypeError, match="metric"):
        recorder.metrics.record("x", value)
    assert recorder.calls == []


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [float("-inf")]], ids=repr)
def test_numbers_that_json_cannot_hold_are_a_value_error(value: Any, recorder: Recorder) -> None:
    with pytest.raises(ValueError, match="finite"):
        recorder.metrics.record("x", value)


def test_a_refused_value_does_not_lock_the_name(recorder: Recorder) -> None:
    with pytest.raises(ValueError, match="finite"):
        recorder.metrics.record("x", float("nan"))
    recorder.metrics.record("x", "text")


def test_a_value_is_recorded_as_it_is_now(recorder: Recorder) -> None:
    value = [[1]]
    recorder.metrics.record("x", value)
    value[0].append(2)
    assert recorder.calls == [("x", [[1]], "replace")]


def test_subclasses_are_recorded_as_what_json_knows(recorder: Recorder) -> None:
    class Level(enum.IntEnum):
        HIGH = 3

    class Color(str, enum.Enum):
        RED = "red"

    recorder.metrics.record("level", Level.HIGH)
    recorder.metrics.record("color", Color.RED)
    recorder.metrics.record("inside", {Color.RED: [(1, Level.HIGH)]})
    assert [call[1] for call in recorder.calls] == [3, "red", {"red": [[1, 3]]}]
    assert [type(call[1]) for call in recorder.calls] == [int, str, dict]
    assert [type(key) for key in recorder.calls[2][1]] == [str]


@pytest.mark.parametrize(
    ("mode", "word"),
    [
        ("replace", "replace"),
        ("incr", "increment"),
        ("increment", "increment"),
        ("append", "append"),
    ],
)
def test_modes_have_one_word_each_behind_the_scenes(
    mode: str, word: str, recorder: Recorder
) -> None:
    recorder.metrics.record("x", 1, mode)
    assert recorder.calls == [("x", 1, word)]


@pytest.mark.parametrize("mode", ["add", "", "REPLACE", "delete", None, 1, []])
def test_another_mode_is_a_type_error(mode: Any, recorder: Recorder) -> None:
    with pytest.raises(TypeError, match="unknown metric mode"):
        recorder.metrics.record("x", 1, mode)


KINDS: list[Any] = [True, 1, 1.5, "x", [1], {"a": 1}]


@pytest.mark.parametrize("second", KINDS, ids=repr)
@pytest.mark.parametrize("first", KINDS, ids=repr)
def test_a_name_keeps_the_type_of_its_first_value(
    first: Any, second: Any, recorder: Recorder
) -> None:
    recorder.metrics.record("x", first)
    if type(first) is type(second):
        recorder.metrics.record("x", second)
        return
    with pytest.raises(TypeError, match="without deleting first"):
        recorder.metrics.record("x", second)
    recorder.metrics.delete("x")
    recorder.metrics.record("x", second)
    assert recorder.calls[1:] == [("x", None, "delete"), ("x", second, "replace")]


@pytest.mark.parametrize("value", [True, "x", [1], {"a": 1}, None], ids=repr)
def test_only_numbers_increment(value: Any, recorder: Recorder) -> None:
    with pytest.raises(TypeError, match="metric"):
        recorder.metrics.record("x", value, "incr")


@pytest.mark.parametrize("value", [True, "x", [1], {"a": 1}], ids=repr)
def test_only_numbers_are_incremented(value: Any, recorder: Recorder) -> None:
    recorder.metrics.record("x", value)
    with pytest.raises(TypeError, match="cannot increment"):
        recorder.metrics.record("x", 1, "incr")


def test_a_sum_of_int_and_float_is_a_float(recorder: Recorder) -> None:
    recorder.metrics.record("x", 1, "incr")
    recorder.metrics.record("x", 0.5, "incr")
    recorder.metrics.record("x", 1, "incr")
    recorder.metrics.record("x", 2.5)
    with pytest.raises(TypeError, match="is float"):
        recorder.metrics.record("x", 2)


def test_a_list_is_appended_to_but_not_incremented(recorder: Recorder) -> None:
    recorder.metrics.record("x", 1, "append")
    recorder.metrics.record("x", 2.5, "append")
    with pytest.raises(TypeError, match="is list"):
        recorder.metrics.record("x", 1, "incr")
    with pytest.raises(TypeError, match="cannot append str"):
        recorder.metrics.record("x", "text", "append")
    assert len(recorder.calls) == 2


def test_a_number_that_became_a_list_is_not_incremented(recorder: Recorder) -> None:
    recorder.metrics.record("x", 1)
    recorder.metrics.record("x", 2, "append")
    with pytest.raises(TypeError, match="is list"):
        recorder.metrics.record("x", 1, "incr")


def test_a_list_that_was_recorded_takes_any_item(recorder: Recorder) -> None:
    recorder.metrics.record("x", [1])
    for item in ("text", 2, [3]):
        recorder.metrics.record("x", item, "append")
    assert len(recorder.calls) == 4


def test_a_value_may_replace_the_list_that_grew_of_it(recorder: Recorder) -> None:
    recorder.metrics.record("x", 1)
    recorder.metrics.record("x", 2, "append")
    recorder.metrics.record("x", 3)
    recorder.metrics.record("x", 4, "incr")
    assert [call[2] for call in recorder.calls] == ["replace", "append", "replace", "increment"]


@pytest.mark.parametrize("how", ["record", "set", "delete", "del"])
def test_a_metric_is_deleted_in_four_ways(how: str, recorder: Recorder) -> None:
    metrics = recorder.metrics
    metrics["x"] = 1
    if how == "record":
        metrics.record("x", None)
    elif how == "set":
        metrics["x"] = None
    elif how == "delete":
        metrics.delete("x")
    else:
        del metrics["x"]
    metrics["x"] = "another type"
    assert recorder.calls[1] == ("x", None, "delete")


def test_deleting_what_is_not_there_is_fine(recorder: Recorder) -> None:
    recorder.metrics.delete("x")
    assert recorder.calls == [("x", None, "delete")]
