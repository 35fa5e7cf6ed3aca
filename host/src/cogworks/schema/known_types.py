"""Types of other packages that we know, by all the names that they have."""

from __future__ import annotations

from cog._schema.hints import Foreign, Hint, Known
from cogworks.schema.entities import External
from cogworks.schema.externals import canonical
from cogworks.schema.source import Place

EXTERNAL_ADVICE = (
    "Use Annotated[{name}, Opaque] (from cog import Opaque) for an object of any shape, "
    "or define a BaseModel in the project."
)

_BUILTINS = ("bool", "int", "float", "str", "dict", "list", "tuple", "set", "frozenset")

ITERATORS = ("Iterator", "AsyncIterator", "Generator", "AsyncGenerator")

KNOWN: dict[str, str] = {
    **{f"builtins.{name}": name for name in _BUILTINS},
    "typing.Any": "Any",
    **{f"typing.{name}": "dict" for name in ("Dict", "Mapping", "MutableMapping")},
    **{f"typing.{name}": "list" for name in ("List", "Sequence", "MutableSequence")},
    "typing.Tuple": "tuple",
    # ``Set`` of ``typing`` is the class, that of ``collections.abc`` what it has in common.
    **{f"typing.{name}": "set" for name in ("Set", "AbstractSet", "MutableSet")},
    "typing.FrozenSet": "frozenset",
    **{f"typing.{name}": name for name in ITERATORS},
    **{f"datetime.{name}": name for name in ("datetime", "date", "time")},
    "uuid.UUID": "UUID",
    "cog.AsyncConcatenateIterator": "AsyncConcatenateIterator",
    "cog.ConcatenateIterator": "ConcatenateIterator",
    "cog.File": "File",
    "cog.Path": "Path",
    "cog.Secret": "Secret",
    "cog.URLFile": "File",
    "cog.URLPath": "Path",
    "os.PathLike": "Path",
    **{
        f"pathlib.{name}": "Path"
        for name in ("Path", "PosixPath", "PurePath", "PurePosixPath", "WindowsPath")
    },
}

_UNDERSTOOD = ("builtins", "typing", "collections", "datetime", "enum")
"""Modules whose types we know, so that one that is not supported needs no other reason."""


def external_hint(entity: External, text: str, place: Place) -> Hint:
    """Return the hint for a name of another package."""
    name = canonical(entity.name)
    if name in KNOWN:
        return Known(KNOWN[name], (), place)
    if name == "types.NoneType":
        return Known("None", (), place)
    module = entity.module
    if module.split(".")[0] in _UNDERSTOOD or name.startswith("typing."):
        return Foreign(text, "", "", place)
    problem = (
        f"cannot resolve type '{text}' (imported from '{module or entity.name}') - "
        "external types cannot be statically analyzed"
    )
    return Foreign(text, problem, EXTERNAL_ADVICE.format(name=text), place)
