"""The generated parts of docs/cog-yaml.md: tables of keys, of names that are reserved, and of what is deprecated."""

from __future__ import annotations

from cogworks.project.key import Key, Kind
from cogworks.project.keys import BY_PATH, KEYS
from cogworks.project.rules import RESERVED_NAMES, RESERVED_PREFIXES

_HEAD = ["| key | value | example | meaning |", "| --- | --- | --- | --- |"]


def keys_of_build() -> str:
    """Return the table of what stands below `build`."""
    return _table([key for key in KEYS if key.path.split(".")[0] == "build"])


def keys_of_model() -> str:
    """Return the table of what says where the model is, and how it is called."""
    return _table([BY_PATH[path] for path in ("run", "predict", "train", "image", "model")])


def keys_of_serving() -> str:
    """Return the table of what holds while the model serves."""
    tops = ("concurrency", "workers", "environment")
    return _table([key for key in KEYS if key.path.split(".")[0] in tops])


def keys_of_weights() -> str:
    """Return the table of what stands below `weights`."""
    return _table([key for key in KEYS if key.path.split(".")[0].startswith("weights")])


def reserved_names() -> str:
    """Return the table of environment variables that a project may not set."""
    rows = [f"| `{name}` | {reason} |" for name, reason in RESERVED_NAMES.items()]
    rows += [f"| `{prefix}...` | {reason} |" for prefix, reason in RESERVED_PREFIXES.items()]
    return "\n".join(["| name | why, or whose it is |", "| --- | --- |", *rows])


def deprecated_keys() -> str:
    """Return the table of keys that have a successor."""
    rows = [f"| `{key.path}` | {_successor(key)} |" for key in KEYS if key.replacement]
    return "\n".join(["| key | write instead |", "| --- | --- |", *rows])


def _table(keys: list[Key]) -> str:
    # An item has a row only if it is a mapping that may also be written in another way.
    return "\n".join([*_HEAD, *(_row(key) for key in keys if not key.path.endswith("[]"))])


def _row(key: Key) -> str:
    return f"| `{key.path}` | {_value(key)} | {_example(key)} | {' '.join(_meaning(key))} |"


def _value(key: Key) -> str:
    if Kind.LIST not in key.kinds:
        return " or ".join(kind.value for kind in key.kinds)
    items = " or ".join(_plural(kind) for kind in BY_PATH[f"{key.path}[]"].kinds)
    return f"a list of {items}, or one mapping" if key.single else f"a list of {items}"


def _plural(kind: Kind) -> str:
    return "mappings" if kind is Kind.MAPPING else "texts"


def _example(key: Key) -> str:
    if Kind.LIST in key.kinds:
        item = BY_PATH[f"{key.path}[]"].example
        return f"`[{item}]`" if item else ""
    return f"`{key.example}`" if key.example else ""


def _meaning(key: Key) -> list[str]:
    """Return the sentences on a key."""
    rule = key.rule or (BY_PATH[f"{key.path}[]"].rule if Kind.LIST in key.kinds else None)
    of_items = "Each " if key.rule is None else ""
    sentences = [key.help]
    if key.required:
        sentences.append("Required.")
    if key.default:
        sentences.append(f"Default: `{key.default}`.")
    if rule is not None:
        text = f"{of_items}{rule.summary}."
        sentences.append(text[0].upper() + text[1:])
    if key.replacement:
        sentences.append(f"Deprecated: use {_successor(key)}.")
    if key.own:
        sentences.append("Not known to upstream.")
    return sentences


def _successor(key: Key) -> str:
    """Return what became of a key, marked up as code where it is code."""
    if key.replacement in BY_PATH:
        return f"`{key.replacement}`"
    return key.replacement.replace("@cog.concurrent(max=N)", "`@cog.concurrent(max=N)`")
