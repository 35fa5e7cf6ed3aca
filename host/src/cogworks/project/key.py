"""What the table of keys is made of: a ``Key``, and the kinds of values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from cogworks.project.rule import Rule


class Kind(Enum):
    """What a value may be; the text is used in messages."""

    TEXT = "text"
    VERSION = "a version"  # text, or a bare number whose digits are kept as written
    FLAG = "true or false"
    INTEGER = "a whole number"
    LIST = "a list"
    MAPPING = "a mapping"


@dataclass(frozen=True, slots=True)
class Key:
    """One key: ``kinds`` lists what its value may be, ``replacement`` what a deprecated key became.

    ``single`` allows one mapping where a list of mappings is meant. ``ignored`` keys are accepted
    because older projects have them; they change nothing. Values of ``private`` keys may be
    secret and are never quoted in messages. ``default`` is what holds where the key is not given,
    as it would be written; ``example`` is a value. ``own`` keys are not known to the original format.
    """

    path: str
    kinds: tuple[Kind, ...]
    help: str
    rule: Rule | None = None
    required: bool = False
    replacement: str = ""
    single: bool = False
    ignored: bool = False
    private: bool = False
    default: str = ""
    example: str = ""
    own: bool = False

    @property
    def name(self) -> str:
        """The last part of the path, as it is written in the file."""
        return self.path.rpartition(".")[2]
