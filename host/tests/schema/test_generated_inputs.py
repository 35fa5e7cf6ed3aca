"""Random inputs for random signatures: server and worker agree about what fits.

What fits is accepted by both. What the worker would refuse, the server has refused before, and
says at which input.
"""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from cog._schema.coerce import coerce_inputs
from cog._schema.errors import InputError
from cog._schema.kinds import is_dict, is_list
from cog._schema.openapi import document
from cog._schema.types import (
    AnyType,
    ChoiceType,
    DictType,
    ListType,
    ObjectType,
    OptionalType,
    RecursiveType,
    Scalar,
    SecretType,
    Signature,
    TextType,
    TupleType,
    Type,
    UnionType,
)
from cogworks.server.validation import InputSchema

from .test_generated import read_live, sources

SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "bool": st.booleans(),
    "int": st.integers(-(2**53), 2**53),
    "float": st.floats(allow_nan=False, allow_infinity=False) | st.integers(-1000, 1000),
    "str": st.text(max_size=5),
}
ALIENS: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 7, -0.5, "x", [], ["x", []], {}, {"x": {}}]
)


def values_of(type_: Type) -> st.SearchStrategy[Any]:
    """Return JSON values that fit."""
    match type_:
        case Scalar():
            return SCALARS[type_.name]
        case SecretType():
            return st.text(max_size=3)
        case ChoiceType():
            return st.sampled_from(type_.values)
        case TextType():
            return st.dates().map(str)  # The only one that is generated.
        case OptionalType():
            return st.none() | values_of(type_.item)
        case UnionType():
            return st.one_of([values_of(member) for member in type_.members])
        case AnyType() | RecursiveType():
            return st.just({"color": "red"})
        case DictType():
            return st.dictionaries(st.text(max_size=2), values_of(type_.value), max_size=2)
        case TupleType():
            return st.tuples(*[values_of(item) for item in type_.items]).map(list)
        case ListType():
            is_set = type_.container in ("set", "frozenset")
            items = values_of(type_.item)
            return st.lists(items, max_size=3, unique_by=_identity if is_set else None)
        case ObjectType():
            fields = {item.name: values_of(item.type) for item in type_.fields if item.required}
            rest = {item.name: values_of(item.type) for item in type_.fields if not item.required}
            return st.fixed_dictionaries(fields, optional=rest)
        case _:
            return st.just("data:,x")


def _identity(value: Any) -> str:
    """Return what is equal for equal JSON: 1 and 1.0 are one number."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return repr(float(value)) if is_number else repr(value)


@st.composite
def mutations(draw: st.DrawFn, value: Any) -> Any:
    """Put something else in some place of a value."""
    is_inside: bool = draw(st.booleans())
    is_left_out: bool = draw(st.booleans())
    if is_inside and is_list(value) and value:
        place = draw(st.integers(0, len(value) - 1))
        return [*value[:place], draw(mutations(value[place])), *value[place + 1 :]]
    if is_inside and is_dict(value) and value:
        name = draw(st.sampled_from(sorted(value)))
        if is_left_out:
            return {key: item for key, item in value.items() if key != name}
        return {**value, name: draw(mutations(value[name]))}
    return draw(ALIENS)


def prepared(text: str) -> tuple[Signature, InputSchema]:
    """Return the signature of a generated source, and what the server makes of its document."""
    signature = read_live(text)
    assume(isinstance(signature, Signature) and signature.inputs)
    assert isinstance(signature, Signature)
    # A document of constraints on top of types is test_generated's; here they are about types.
    plain = tuple(item for item in signature.inputs if item.choices is None and not bounds(item))
    assume(plain)
    signature = Signature(plain, signature.output)
    return signature, InputSchema(document(signature, None, "0"), "run")


def bounds(item: Any) -> bool:
    """Tell whether an input has limits."""
    names = ("ge", "le", "min_length", "max_length", "regex")
    return any(getattr(item, name) is not None for name in names)


relaxed = settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)


@relaxed
@given(text=sources(), data=st.data())
def test_what_fits_is_accepted_by_the_server_and_made_by_the_worker(text: str, data: Any) -> None:
    signature, schema = prepared(text)
    values = {item.name: data.draw(values_of(item.type)) for item in signature.inputs}
    assert schema.problems(values) == []
    assert set(coerce_inputs(signature, values)) == set(values)


@relaxed
@given(text=sources(), data=st.data())
def test_what_the_worker_would_refuse_the_server_refuses_at_that_input(
    text: str, data: Any
) -> None:
    signature, schema = prepared(text)
    values = {item.name: data.draw(values_of(item.type)) for item in signature.inputs}
    name = data.draw(st.sampled_from(sorted(values)))
    values[name] = data.draw(mutations(values[name]))
    problems = schema.problems(values)
    assert {item["loc"][2].split("/")[0] for item in problems} <= {name}
    refused = refused_by_worker(signature, values)
    assert refused <= {name}
    assert problems or not refused, "the server accepts what the worker refuses"


def refused_by_worker(signature: Signature, values: dict[str, Any]) -> set[str]:
    """Return the names of the inputs that the worker would refuse."""
    try:
        coerce_inputs(signature, values)
    except InputError as error:
        return {name for name, _ in error.problems}
    return set()
