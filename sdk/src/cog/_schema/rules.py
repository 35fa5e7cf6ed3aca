"""The rules of a whole signature, and the sentences for those who break them.

Both front ends use them, so an author reads the same before and after anything has started.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from cog._schema.errors import SignatureError
from cog._schema.types import IteratorType, Signature

_METHODS = {"run": ("run", "predict"), "train": ("train",)}


def choose_method(cls: str, names: Collection[str], mode: str) -> str:
    """Return which of a class's methods makes predictions.

    Raises:
        SignatureError: there is none, or both ``run`` and ``predict``.
    """
    found = [name for name in _METHODS[mode] if name in names]
    if len(found) > 1:
        advice = "Keep run() and remove predict(), its older name."
        raise SignatureError(f"{cls} must define either run() or predict(), not both", advice)
    if not found:
        expected = " or ".join(_METHODS[mode])
        advice = f"Define `def {_METHODS[mode][0]}(self, ...)` in {cls}."
        raise SignatureError(f"{expected} method not found: {cls}", advice)
    return found[0]


def missing_self(function: str) -> SignatureError:
    """Return the error for a method that is none."""
    message = f"{function}() must have 'self' as first argument"
    return SignatureError(message, f"Write `def {function}(self, ...)`.")


def missing_annotation(parameter: str) -> SignatureError:
    """Return the error for a parameter without a type."""
    message = f"missing type annotation for input: {parameter}"
    return SignatureError(message, f"Write `{parameter}: str`, for example.")


def missing_return(function: str) -> SignatureError:
    """Return the error for a function that does not say what it returns."""
    message = f"{function}() must have a return type annotation"
    return SignatureError(message, "Write `-> str:`, for example.")


def refused_parameter(parameter: str) -> SignatureError:
    """Return the error for ``*args``, ``**kwargs`` and positional-only parameters."""
    if parameter.startswith("*"):
        message = f"unsupported parameter {parameter}: every input needs a name and a type"
        return SignatureError(message, "Write each input as a parameter of its own.")
    message = f"unsupported positional-only parameter {parameter}: inputs are passed by name"
    return SignatureError(message, "Remove the `/`.")


def check_setup_parameters(parameters: Sequence[tuple[str, bool]], returns_none: bool) -> None:
    """Check ``setup``: ``parameters`` as (name with its stars, whether it must be given).

    Raises:
        SignatureError: the worker could not call it.
    """
    if not parameters or parameters[0][0] != "self":
        raise missing_self("setup")
    unexpected = [
        name
        for name, required in parameters[1:]
        if name.startswith("*") or (required and name != "weights")
    ]
    if unexpected:
        message = f"unexpected setup() arguments: {', '.join(unexpected)}"
        raise SignatureError(message, "setup() may take `weights`; all else needs a default.")
    if not returns_none:
        message = "setup() must return None"
        raise SignatureError(message, "Store what run() needs on self.")


def check_output_rules(signature: Signature, function: str) -> None:
    """Check what decorators ask of the rest of a signature.

    Raises:
        SignatureError: ``@streaming`` without an iterator, ``@concurrent`` without ``async``.
    """
    if signature.streaming and not isinstance(signature.output, IteratorType):
        message = f"@streaming requires an iterator return type on {function}()"
        raise SignatureError(message, "Return Iterator[...] or ConcatenateIterator[str].")
    if signature.concurrency > 1 and not signature.is_async:
        message = f"@concurrent(max={signature.concurrency}) needs an async {function}()"
        raise SignatureError(message, f"Write `async def {function}`, or remove the decorator.")
