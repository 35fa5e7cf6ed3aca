from __future__ import annotations

from cog._schema.hints import (
    Alternatives,
    Foreign,
    Hint,
    Known,
    Record,
    Unspecified,
    show,
    union,
    unspecified,
    without_none,
)

TEXT, INT, NONE = Known("str"), Known("int"), Known("None")


def test_union_is_flat_and_without_repetitions() -> None:
    inner = union([TEXT, NONE])
    assert union([INT, inner, TEXT, NONE]) == Alternatives((INT, TEXT, NONE))


def test_union_of_one_is_that_one() -> None:
    assert union([TEXT, TEXT]) == TEXT


def test_opaque_twice_is_opaque_once() -> None:
    assert unspecified(unspecified(TEXT)) == Unspecified(TEXT)


def test_none_is_split_off() -> None:
    assert without_none(union([NONE, TEXT])) == ((TEXT,), True)
    assert without_none(TEXT) == ((TEXT,), False)


def test_hints_are_shown_as_authors_write_them() -> None:
    record = Record("Output", "BaseModel", None, tuple)
    hints: list[Hint] = [
        Known("dict", (TEXT, Known("list", (INT,)))),
        union([TEXT, NONE]),
        union([TEXT, INT, NONE]),
        union([TEXT, INT]),
        Unspecified(Foreign("np.ndarray")),
        record,
    ]
    assert [show(hint) for hint in hints] == [
        "dict[str, list[int]]",
        "Optional[str]",
        "Optional[Union[str, int]]",
        "Union[str, int]",
        "Annotated[np.ndarray, Opaque]",
        "Output",
    ]


def test_places_do_not_make_hints_differ() -> None:
    assert Known("str", (), where=1) == Known("str", (), where=2)
