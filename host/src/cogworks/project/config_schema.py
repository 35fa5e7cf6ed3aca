"""The JSON Schema of ``cog.yaml`` for editors, made from the table of keys.

Draft 7, which all editors know. The schema never complains about a file that the commands take. They complain about
more: what lies beside the file, and what only a few lines of code can tell.
"""

from __future__ import annotations

from typing import Any

from cogworks.project.checks import EXCLUSIVE, NEEDS, Exclusive, Needs
from cogworks.project.key import Key, Kind
from cogworks.project.keys import BY_PATH, children_of

DRAFT = "http://json-schema.org/draft-07/schema#"
TITLE = "cog.yaml: what a model needs, and where it is"

# Any spelling of the words that YAML 1.1 has for true and false: newer parsers take them for text.
_FLAG_WORDS = (
    "^(?:[tT][rR][uU][eE]|[fF][aA][lL][sS][eE]|[yY][eE][sS]|[nN][oO]|[oO][nN]|[oO][fF][fF])$"
)
_TYPES: dict[Kind, tuple[str, ...]] = {
    Kind.TEXT: ("string",),
    Kind.VERSION: ("string", "number"),
    Kind.INTEGER: ("integer",),
    Kind.FLAG: ("boolean", "string"),
    Kind.LIST: ("array",),
    Kind.MAPPING: ("object",),
}


def config_schema() -> dict[str, Any]:
    """Return the schema."""
    return {
        "$schema": DRAFT,
        "title": TITLE,
        "type": ["object", "null"],
        **_mapping(""),
    }


def _mapping(path: str) -> dict[str, Any]:
    """Return the keywords of a mapping, by its path in the table."""
    known = children_of(path)
    schema: dict[str, Any] = {
        "properties": {name: _key(key) for name, key in known.items()},
        "additionalProperties": False,
    }
    required = [key.name for key in known.values() if key.required]
    if required:
        schema["required"] = required
    relations = [_exclusive(rule) for rule in EXCLUSIVE if _parent(rule.first) == path]
    relations += [_needs(rule) for rule in NEEDS if _parent(rule.key) == path]
    if relations:
        schema["allOf"] = relations
    return schema


def _key(key: Key) -> dict[str, Any]:
    """Return the schema of a value: each keyword concerns one of the types, so they stand side by side."""
    types = [name for kind in key.kinds for name in _TYPES[kind]]
    keywords: dict[str, Any] = {}
    for kind in key.kinds:
        keywords |= _keywords(key, kind)
    if key.single:
        types.append("object")
        keywords |= _mapping(f"{key.path}[]")
    # A key without a value counts as not given; an item of a list has to be something.
    if not key.required and not key.path.endswith("[]"):
        types.append("null")
    return {**_words(key), "type": types[0] if len(types) == 1 else types, **keywords}


def _keywords(key: Key, kind: Kind) -> dict[str, Any]:
    """Return what is asked of a value of one kind."""
    if kind is Kind.MAPPING:
        return _mapping(key.path)
    if kind is Kind.LIST:
        least = {"minItems": 1} if key.required else {}
        return {"items": _key(BY_PATH[f"{key.path}[]"]), **least}
    if kind is Kind.FLAG:
        return {"pattern": _FLAG_WORDS}
    return key.rule.schema() if key.rule is not None else {}


def _words(key: Key) -> dict[str, Any]:
    """Return what editors show of a key."""
    words: dict[str, Any] = {"description": key.help}
    if key.replacement:
        words |= {"deprecated": True, "deprecationMessage": f"Use {key.replacement} instead."}
    if key.default:
        words["default"] = _value(key, key.default)
    if key.example:
        words["examples"] = [_value(key, key.example)]
    return words


def _value(key: Key, text: str) -> Any:
    """Return a value of the table, which is written as in YAML, as JSON."""
    if Kind.FLAG in key.kinds:
        return text == "true"
    if Kind.INTEGER in key.kinds and text.isdigit():
        return int(text)
    return text.strip('"')


def _exclusive(rule: Exclusive) -> dict[str, Any]:
    return {"not": _given(rule.first, rule.second)}


def _needs(rule: Needs) -> dict[str, Any]:
    return {"if": _given(rule.key), "then": _given(rule.needed)}


def _given(*paths: str) -> dict[str, Any]:
    """Return the schema of a mapping where some keys say something, as ``checks`` understands it."""
    names = [BY_PATH[path].name for path in paths]
    something = {"not": {"type": "null"}, "minItems": 1}
    # Whatever is no mapping is complained about elsewhere.
    return {"type": "object", "required": names, "properties": dict.fromkeys(names, something)}


def _parent(path: str) -> str:
    return path.rpartition(".")[0]
