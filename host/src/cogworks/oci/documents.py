"""JSON in and out: canonical bytes, so that a document has one digest, and reading that tells all problems at once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TypeAlias, cast

from cogworks.oci.digest import Digest, parse_digest
from cogworks.oci.errors import DigestError, DocumentError, quoted

Json: TypeAlias = (
    "bool | int | float | str | list[Json] | tuple[Json, ...] | Mapping[str, Json] | None"
)
Object: TypeAlias = Mapping[str, Json]


def canonical_json(value: Json) -> bytes:
    """Return the one spelling of a value: sorted keys, no spaces, UTF-8 as it is."""
    text = json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.encode()


def parse_object(what: str, data: bytes) -> Object:
    """Return the JSON object in the bytes.

    Raises:
        DocumentError: there is none.
    """
    try:
        value = cast(Json, json.loads(data))
    except (ValueError, RecursionError) as error:
        raise DocumentError(what, [f"it is not JSON ({type(error).__name__})"]) from error
    if not isinstance(value, dict):
        raise DocumentError(what, ["it is not a JSON object"])
    return cast(Object, value)


class Reader:
    """Reads the fields of an object and collects what is wrong with them; ``finish`` raises it."""

    def __init__(self, what: str, value: Object, problems: list[str] | None = None, at: str = ""):
        self.what = what
        self.value = value
        self.problems: list[str] = [] if problems is None else problems
        self.at = at

    def finish(self) -> None:
        """Raise all problems, if there are some."""
        if self.problems:
            raise DocumentError(self.what, self.problems)

    def text(self, name: str, default: str | None = None) -> str:
        """Return a text; without a default it must be there."""
        found = self.value.get(name)
        if found is None and default is not None:
            return default
        if not isinstance(found, str):
            self._complain(name, "a text")
            return ""
        return found

    def number(self, name: str) -> int:
        """Return a size: an integer that is not negative."""
        found = self.value.get(name)
        if not isinstance(found, int) or isinstance(found, bool) or found < 0:
            self._complain(name, "a size")
            return 0
        return found

    def flag(self, name: str) -> bool:
        """Return a boolean; it is false if it is not there."""
        return self.value.get(name) is True

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts; nothing and null are an empty one."""
        found = self.value.get(name)
        if found is None:
            return ()
        if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
            self._complain(name, "a list of texts")
            return ()
        return tuple(cast("list[str]", found))

    def text_map(self, name: str) -> dict[str, str]:
        """Return an object of texts; nothing and null are an empty one."""
        found = self.value.get(name)
        if found is None:
            return {}
        if not isinstance(found, dict) or not all(isinstance(item, str) for item in found.values()):
            self._complain(name, "an object of texts")
            return {}
        return cast("dict[str, str]", found)

    def names(self, name: str) -> tuple[str, ...]:
        """Return the keys of an object such as `{"5000/tcp": {}}`."""
        found = self.value.get(name)
        if found is None:
            return ()
        if not isinstance(found, dict):
            self._complain(name, "an object")
            return ()
        return tuple(found)

    def digest(self, text: str, name: str) -> Digest:
        """Return a digest."""
        try:
            return parse_digest(text)
        except DigestError as error:
            self.problems.append(f"{self.at}{name}: {str(error).rstrip('.')}")
            return Digest("0" * 64)

    def child(self, name: str) -> Reader | None:
        """Return a reader of an object inside; None if there is none."""
        found = self.value.get(name)
        if found is None:
            return None
        if not isinstance(found, dict):
            self._complain(name, "an object")
            return None
        return Reader(self.what, cast(Object, found), self.problems, f"{self.at}{name}.")

    def children(self, name: str) -> list[Reader]:
        """Return readers of the objects in a list."""
        found = self.value.get(name)
        if found is None:
            return []
        if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
            self._complain(name, "a list of objects")
            return []
        items = cast("list[Object]", found)
        return [
            Reader(self.what, item, self.problems, f"{self.at}{name}[{index}].")
            for index, item in enumerate(items)
        ]

    def _complain(self, name: str, wanted: str) -> None:
        found = self.value.get(name)
        got = "nothing" if found is None else quoted(json.dumps(found))
        self.problems.append(f"{self.at}{name} should be {wanted}, got {got}")
