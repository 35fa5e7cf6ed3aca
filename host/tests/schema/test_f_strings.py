from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cogworks.schema import SchemaError, analyze
from cogworks.schema.f_strings import UNREADABLE, with_older_f_strings
from cogworks.schema.grammar import parse

SAID = [
    ("""f"{d["a"]}" """, """f'''{d["a"]}''' """),
    ("""f'{d['a']} "b"'""", """f'''{d['a']} "b"'''"""),
    ("""rF"\\d{d["a"]}'" """, '''rF"""\\d{d["a"]}\'""" '''),
    ('''f"""{d["""a"""]}"""''', """f'''{d[\"\"\"a\"\"\"]}'''"""),
    ("""f"{\n d[1] }" f"{2}" "c\"""", """f'''{\n d[1] }''' f"{2}" "c\""""),
    ("""f"{f"{f"{1}"}"}" """, '''f"""{f\'\'\'{f"{1}"}\'\'\'}""" '''),
    ("""f"{x!r:>{d["w"]}}" """, """f'''{x!r:>{d["w"]}}''' """),
]


@pytest.mark.parametrize(("newer", "older"), SAID)
def test_newer_quotes_and_lines_are_said_in_older_words(newer: str, older: str) -> None:
    assert with_older_f_strings(f"x = {newer}\ny = 1\n") == f"x = {older}\ny = 1\n"
    assert with_older_f_strings(older) == older
    ast.parse(f"x = {older}")


@pytest.mark.parametrize(
    "text",
    [
        """f"{x!r} {y != 3} {z:#x} {{}} {a:=^10} {(b := 3)} \\N{DASH} \\{c}" """,
        """f'{d["a"]}' f"{'b'}" rb'\\'' '''f"{x["''' """,
        '''f"""{d["a"]}\n{d['b']}"""''',
        """x = 1  # f"{d["a"]}"\n""",
        """deaf"{x["a"]}" """,
        "",
    ],
)
def test_what_older_pythons_read_stays_as_it_is(text: str) -> None:
    assert with_older_f_strings(text) == text


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("""f"{'\\n'.join(x)}" """, 1),
        ("""f"{\n  x  # why\n}" """, 3),
        ("""f'''{x["\\t"]}\n''' """, 2),
    ],
)
def test_what_has_no_older_words_becomes_a_name_and_keeps_its_lines(text: str, lines: int) -> None:
    older = with_older_f_strings(f"x = {text}\n")
    assert UNREADABLE in older
    assert older.count("\n") == lines
    ast.parse(older)


@pytest.mark.parametrize(
    "text",
    [
        "f'{x",
        "f'{x:",
        "f'{x!",
        "f'{x!r",
        "f'",
        "f'\n'",
        "'",
        "'''a",
        "f'{(}'",
        "f'\\",
        "f'{" * 2000,
    ],
)
def test_what_is_no_python_stays_as_it_is(text: str) -> None:
    assert with_older_f_strings(text) == text


@given(st.text(alphabet="f'\"{}!:r\\\n# a(=", max_size=40))
def test_any_text_is_read_to_its_end(text: str) -> None:
    older = with_older_f_strings(text)
    if older != text:
        assert older.count("\n") == text.count("\n")


def test_a_model_for_a_newer_python_is_read_and_keeps_its_places() -> None:
    tree = parse('D = {"a": 1}\nx = f"{D["a"]}"\ntype A[T] = list[T]\n\ndef f(): ...\n', "run.py")
    assert [type(one).__name__ for one in tree.body][1] == "Assign"
    assert [one.lineno for one in tree.body] == [1, 2, 3, 5]


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="this Python knows the syntax itself")
def test_an_error_beside_newer_f_strings_is_told_where_it_is() -> None:
    with pytest.raises(SyntaxError) as caught:
        parse('x = f"{D["a"]}"\ny = = 1\n', "run.py")
    assert caught.value.lineno == 2


MODEL = """\
from cog import Input

NAMES = {"a": "blur"}


def run(
    text: str = Input(description=f"What to {NAMES["a"]}"),
    more: str = Input(default="x"),
) -> str:
    return f"{", ".join([text, more])} {"\\n".join([
        text,  # as it is
    ])}"
"""


def test_a_signature_with_newer_f_strings_is_known(tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text(MODEL, encoding="utf-8")
    first, second = analyze(tmp_path, "run.py:run").inputs
    assert (first.description, second.default) == ("What to blur", "x")
    unreadable = MODEL.replace('default="x"', 'default=f"{"\\\\n".join(NAMES)}"')
    (tmp_path / "run.py").write_text(unreadable, encoding="utf-8")
    with pytest.raises(SchemaError, match=r"run\.py:8"):
        analyze(tmp_path, "run.py:run")
