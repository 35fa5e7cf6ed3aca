"""Under which licence a package is, as the metadata of its wheel says it; pure.

Source: core metadata specification, `License-Expression` (PEP 639), `Classifier`, `License`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from email.parser import HeaderParser
from typing import cast

NAME_MAX_CHARS = 100
"""A longer `License` is its text and not its name."""
_CLASSIFIER = "License :: "
_VAGUE = frozenset({"OSI Approved", "Other/Proprietary License", "UNKNOWN", ""})
"""What says nothing, if it is all that is said."""


@dataclass(frozen=True, slots=True)
class License:
    """What a package says: an SPDX expression, or names as the author spelt them; nothing, if both are empty."""

    expression: str = ""
    names: tuple[str, ...] = ()

    def to_json(self) -> dict[str, str | list[str]]:
        """Return it for a file of ours."""
        if self.expression:
            return {"expression": self.expression}
        return {"names": list(self.names)} if self.names else {}


def read_license(metadata: str) -> License:
    """Return the licence that a wheel's METADATA names."""
    message = HeaderParser().parsestr(metadata)
    expression = _one_line(message.get("License-Expression", ""))
    if expression:
        return License(expression)
    classifiers = (_one_line(str(one)) for one in message.get_all("Classifier", []))
    found = [one.rpartition(" :: ")[2] for one in classifiers if one.startswith(_CLASSIFIER)]
    names = tuple(sorted({name for name in found if name not in _VAGUE}))
    if names:
        return License(names=names)
    text = str(message.get("License", "")).strip()
    is_name = "\n" not in text and len(text) <= NAME_MAX_CHARS and text not in _VAGUE
    return License(names=(text,)) if is_name else License()


def license_from_json(value: object) -> License:
    """Return a licence from a file of ours; what is none counts as nothing said."""
    if not isinstance(value, dict):
        return License()
    fields = cast("Mapping[str, object]", value)
    expression, names = fields.get("expression"), fields.get("names")
    if isinstance(expression, str):
        return License(expression)
    if isinstance(names, list):
        return License(names=tuple(str(one) for one in cast("list[object]", names)))
    return License()


def _one_line(text: str) -> str:
    return " ".join(text.split())
