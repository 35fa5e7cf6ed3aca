"""What authors get wrong, and what they read then: every file of ``fixtures/signatures/errors``.

The second line of a fixture says the reason; ``both`` if the live front end says the same. The
line that the error points at ends in ``# here``.
"""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import pytest

from cog._schema.errors import SignatureError
from cog._schema.signature import read_signature
from cogworks.errors import CogworksError
from cogworks.schema import SchemaError, analyze

from .authors import SIGNATURES, import_file

FILES = sorted((SIGNATURES / "errors").glob("*.py"))

_HEADER = re.compile(r"# (\w+)( \(train\))?: .*\n# (both|static): (.*)\n")


class Expected:
    """What the first lines of a fixture say."""

    def __init__(self, file: Path) -> None:
        text = file.read_text(encoding="utf-8")
        header = _HEADER.match(text)
        assert header is not None, f"{file.name} does not say what is expected"
        self.name = header[1]
        self.mode = "train" if header[2] else "run"
        self.is_live = header[3] == "both"
        self.reason = header[4]
        lines = [number for number, line in enumerate(text.splitlines(), 1) if "# here" in line]
        self.line = lines[0] if lines else 0


def fail(file: Path, expected: Expected) -> SchemaError:
    with pytest.raises(SchemaError) as caught:
        analyze(file.parent, f"{file.name}:{expected.name}", expected.mode)
    return caught.value


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.stem))
def test_error_says_why_and_points_at_the_line(file: Path) -> None:
    expected = Expected(file)
    error = fail(file, expected)
    assert (error.reason, error.line) == (expected.reason, expected.line)
    assert error.file == file.name
    if expected.line:
        shown = str(error).splitlines()
        assert shown[0] == f"{file.name}:{expected.line}: {expected.reason}"
        assert shown[2].strip("^ ") == ""
        assert 0 < shown[2].count("^") <= len(shown[1])


@pytest.mark.parametrize(
    "file", [file for file in FILES if Expected(file).is_live], ids=lambda file: str(file.stem)
)
def test_live_front_end_gives_the_same_reason(file: Path) -> None:
    expected = Expected(file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        target = getattr(import_file(file), expected.name)
        with pytest.raises(SignatureError) as caught:
            read_signature(target, expected.mode)
    assert str(caught.value) == expected.reason


def test_error_is_one_that_the_command_prints() -> None:
    error = SchemaError("no", "do", file="run.py", line=3, source_line="\tx = 1", span=(1, 1))
    assert isinstance(error, CogworksError)
    assert str(error) == "run.py:3: no\n    x = 1\n    ^\ndo"


def test_caret_is_below_what_it_means_beyond_ascii(tmp_path: Path) -> None:
    source = 'class Runner:\n    def run(self, größe: int = len("ä" + x)) -> str: ...\n'
    (tmp_path / "run.py").write_text(source, encoding="utf-8")
    with pytest.raises(SchemaError) as caught:
        analyze(tmp_path, "run.py:Runner")
    assert source.splitlines()[1][caught.value.column] == "x"


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match=r"^model/run\.py: no such file"):
        analyze(tmp_path, "model/run.py:Runner")


@pytest.mark.parametrize(
    "content", [b"\x00", b"\xff\xfe", b"# coding: nonsense\n", b"x = (" * 5000]
)
def test_files_that_are_no_python_are_errors(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "run.py").write_bytes(content)
    with pytest.raises(SchemaError, match=r"^run\.py"):
        analyze(tmp_path, "run.py:Runner")
