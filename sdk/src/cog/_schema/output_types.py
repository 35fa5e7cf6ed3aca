"""Which annotations an output may have, and what type each stands for.

Beyond upstream, an output may be Optional or a union.
"""

from __future__ import annotations

from cog._schema.errors import SignatureError
from cog._schema.hints import Hint, Known, is_none, show
from cog._schema.types import IteratorType, Scalar, Type
from cog._schema.value_types import CONCATENATE, ITERATORS, ValueTypes


def output_type(hint: Hint) -> Type:
    """Return the type of an output.

    Raises:
        SignatureError: an annotation that no output can have; ``where`` is the hint's.
    """
    if is_none(hint):
        message = "a model must return something: the return type None is not supported"
        raise SignatureError(message, "Annotate what the method returns.", hint.where)
    if isinstance(hint, Known) and hint.name in CONCATENATE:
        return _concatenated(hint)
    if isinstance(hint, Known) and hint.name in ITERATORS:
        return IteratorType(ValueTypes(is_input=False).read("output", _iterator_item(hint)))
    return ValueTypes(is_input=False).read("output", hint)


def _concatenated(hint: Known) -> Type:
    item = hint.args[0] if hint.args else Known("str")
    if item != Known("str"):
        message = f"{hint.name} element type must be str, got {show(item)}"
        advice = f"Use Iterator[{show(item)}], whose items are not joined."
        raise SignatureError(message, advice, hint.where)
    return IteratorType(Scalar("str"), concatenate=True)


def _iterator_item(hint: Known) -> Hint:
    if not hint.args:
        message = "iterator type must have a type argument"
        raise SignatureError(message, f"Write {hint.name}[str], for example.", hint.where)
    return hint.args[0]
