"""Which annotations an input may have, and what type each stands for."""

from __future__ import annotations

from cog._schema.hints import Hint
from cog._schema.types import Type
from cog._schema.value_types import ValueTypes


def input_type(name: str, hint: Hint) -> Type:
    """Return the type of the input ``name``.

    Raises:
        SignatureError: an annotation that no input can have; ``where`` is the hint's.
    """
    return ValueTypes(is_input=True).read(name, hint)
