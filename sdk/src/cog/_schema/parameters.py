"""From a parameter of the author's method to an ``InputField``."""

from __future__ import annotations

from cog._schema.constraints import constrain
from cog._schema.given import Given
from cog._schema.hints import Hint
from cog._schema.input_types import input_type
from cog._schema.types import InputField


def input_field(name: str, hint: Hint, given: Given) -> InputField:
    """Return the input that a parameter stands for.

    Raises:
        SignatureError: the annotation, a constraint or the default cannot be.
    """
    return constrain(name, input_type(name, hint), given)
