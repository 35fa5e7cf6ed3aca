"""Whatever a file holds, it has a signature or an error of ours, after a bounded number of steps.

Real sources, real sources that are damaged, and bytes: analysed as if they were ``run.py``.
"""

from __future__ import annotations

import ast
import io
import sysconfig
import tempfile
import tokenize
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cogworks.schema import SchemaError, analyze
from cogworks.schema.analysis import find_problems
from cogworks.schema.literals import MAX_NESTING

from .authors import SIGNATURES

STANDARD_LIBRARY = Path(sysconfig.get_path("stdlib"))
SAMPLE = sorted(STANDARD_LIBRARY.glob("*.py"))[::12] + sorted(STANDARD_LIBRARY.glob("json/*.py"))
FIXTURES = sorted(
    path for folder in ("", "errors/", "newer/") for path in SIGNATURES.glob(f"{folder}*.py")
)
TEXTS = [path.read_text(encoding="utf-8") for path in FIXTURES]


def check(folder: Path, file: str, name: str) -> None:
    """Analyse a file; all that it may raise is an error that can be shown."""
    for mode in ("run", "train"):
        error = _find_error(folder, f"{file}:{name}", mode)
        assert error is None or str(error).startswith(error.file)


def _find_error(folder: Path, ref: str, mode: str) -> SchemaError | None:
    try:
        analyze(folder, ref, mode)
    except SchemaError as error:
        return error
    return None


def check_bytes(data: bytes, name: str = "Runner") -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "run.py").write_bytes(data)
        check(Path(folder), "run.py", name)
        find_problems(Path(folder), f"run.py:{name}")


@pytest.mark.slow
@pytest.mark.parametrize("file", SAMPLE, ids=lambda file: str(file.name))
def test_sources_of_the_standard_library(tmp_path: Path, file: Path) -> None:
    (tmp_path / "run.py").write_bytes(file.read_bytes())
    tree = ast.parse(file.read_bytes())
    kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in [node for node in tree.body if isinstance(node, kinds)][:10]:
        check(tmp_path, "run.py", node.name)
    check(tmp_path, "run.py", "")


@st.composite
def damaged_sources(draw: st.DrawFn) -> str:
    """A fixture's text without some tokens, with some twice, and with some exchanged."""
    text = draw(st.sampled_from(TEXTS))
    tokens = [token.string for token in _tokens(text)]
    for _ in range(draw(st.integers(1, 4))):
        index = draw(st.integers(0, max(0, len(tokens) - 1)))
        other = draw(st.integers(0, max(0, len(tokens) - 1)))
        action = draw(st.sampled_from(["delete", "repeat", "exchange", "copy"]))
        if action == "delete":
            del tokens[index : index + 1]
        elif action == "repeat":
            tokens[index:index] = tokens[index : index + 1]
        elif action == "exchange" and tokens:
            tokens[index], tokens[other] = tokens[other], tokens[index]
        elif tokens:
            tokens[index] = tokens[other]
        if not tokens:
            break
    return "".join(tokens)


def _tokens(text: str) -> list[tokenize.TokenInfo]:
    """Cut a text into pieces that give it back when they are joined."""
    pieces: list[tokenize.TokenInfo] = []
    lines = text.splitlines(keepends=True)
    at = (1, 0)
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            gap = _between(lines, at, token.start)
            pieces.append(token._replace(string=gap + token.string))
            at = token.end
    except (SyntaxError, tokenize.TokenError):
        pass
    return pieces


def _between(lines: list[str], start: tuple[int, int], end: tuple[int, int]) -> str:
    if start[0] == end[0]:
        return lines[start[0] - 1][start[1] : end[1]] if start[0] <= len(lines) else ""
    return lines[start[0] - 1][start[1] :] if start[0] <= len(lines) else ""


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(text=damaged_sources(), name=st.sampled_from(["Runner", "run", ""]))
def test_damaged_sources(text: str, name: str) -> None:
    check_bytes(text.encode("utf-8", "surrogatepass"), name)


@settings(max_examples=50, deadline=None)
@given(data=st.binary(max_size=200))
def test_random_bytes(data: bytes) -> None:
    check_bytes(data)


@settings(max_examples=50, deadline=None)
@given(text=st.text(st.sampled_from("=:.,()[]{}*@|'\"\\\n\t #axfdeinr01"), max_size=60))
def test_random_characters_in_a_default(text: str) -> None:
    check_bytes(f"from cog import Input\ndef run(a: int = {text}) -> str: ...\n".encode(), "run")


HUGE = [
    "10**10**10",
    "round(5, -10**9)",
    "max(range(10**12))",
    "sorted(range(10**12))",
    "len(set(range(10**12)))",
    "len([[0] * 99999 for _ in range(9999)])",
    "'%999999999d' % 1",
    "'x'.center(10**9)",
    "(lambda f: f(f))(lambda f: f(f))",
    "sum([x for x in range(15000) for y in range(15000)])",
]


@pytest.mark.parametrize("text", HUGE)
def test_values_that_would_be_huge_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.py").write_text(f"def run(a: int = {text}) -> str: ...\n")
    with pytest.raises(SchemaError, match="cannot be statically resolved"):
        analyze(tmp_path, "run.py:run")


def test_value_that_doubles_with_every_call_is_refused(tmp_path: Path) -> None:
    calls = "f(" * 60 + "1" + ")" * 60
    text = f"def f(x): return [x, x]\ndef run(a: int = len({calls})) -> str: ...\n"
    (tmp_path / "run.py").write_text(text)
    with pytest.raises(SchemaError, match="the value is too large"):
        analyze(tmp_path, "run.py:run")


def test_steps_of_all_parameters_add_up(tmp_path: Path) -> None:
    parameters = ", ".join(f"a{index}: int = sum([x for x in range(15000)])" for index in range(99))
    (tmp_path / "run.py").write_text(f"def run({parameters}) -> str: ...\n")
    with pytest.raises(SchemaError, match="too many steps"):
        analyze(tmp_path, "run.py:run")


DEEP = [
    "+".join(["'x'"] * 900),
    "-" * 3000 + "1",
    "x" + ".y" * 900,
    "x" + "()" * 900,
    "(" * 150 + "1" + ")" * 150,
    "[" * 90 + "]" * 90,
    " or ".join(["x"] * 900),
]


@pytest.mark.parametrize("text", DEEP)
@pytest.mark.parametrize("template", ["a: int = {}", "a: {}"])
def test_expressions_that_are_nested_deeply(tmp_path: Path, text: str, template: str) -> None:
    parameter = template.format(text)
    (tmp_path / "run.py").write_text(f"def run({parameter}) -> str: ...\n")
    check(tmp_path, "run.py", "run")


def test_classes_that_inherit_from_all_before_them(tmp_path: Path) -> None:
    lines = ["class A0: pass", "class B0: pass"]
    for index in range(MAX_NESTING):
        lines.append(f"class A{index + 1}(A{index}, B{index}): pass")
        lines.append(f"class B{index + 1}(A{index}, B{index}): pass")
    lines.append(f"class Runner(A{MAX_NESTING}, B{MAX_NESTING}):\n    def run(self) -> str: ...")
    (tmp_path / "run.py").write_text("\n".join(lines))
    check(tmp_path, "run.py", "Runner")


def test_names_that_lead_to_one_another_in_a_long_row(tmp_path: Path) -> None:
    lines = [f"a{index} = a{index + 1}" for index in reversed(range(5000))]
    text = "\n".join([*lines, "a0.append(1)", "def run(a: int = a3) -> str: ..."])
    (tmp_path / "run.py").write_text(text)
    check(tmp_path, "run.py", "run")
