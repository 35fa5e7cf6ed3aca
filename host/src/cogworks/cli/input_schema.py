"""The `Input` component of an OpenAPI document, read as questions that inputs ask of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

Schema = Mapping[str, Any]
REF_PREFIX = "#/components/schemas/"
ANY_TYPES = frozenset({"boolean", "integer", "number", "string", "array", "object"})


@dataclass(frozen=True)
class InputSchema:
    """What a model takes: ``properties`` in the order of the author's parameters."""

    properties: Mapping[str, Schema]
    required: frozenset[str]
    components: Mapping[str, Schema]

    def kinds(self, schema: Schema) -> frozenset[str]:
        """Return the names of the JSON types that a value may have."""
        kinds: set[str] = set()
        for alternative in self.alternatives(schema):
            kind = alternative.get("type")
            kinds |= {kind} if kind else ANY_TYPES
        return frozenset(kinds)

    def items(self, schema: Schema) -> Schema:
        """Return the schema of an array's items; an empty one allows anything."""
        for alternative in self.alternatives(schema):
            if alternative.get("type") == "array":
                return cast(Schema, alternative.get("items", {}))
        return {}

    def is_file(self, schema: Schema) -> bool:
        """Return whether a value may be a file, which is a URL in JSON."""
        return any(part.get("format") == "uri" for part in self.alternatives(schema))

    def alternatives(self, schema: Schema) -> Sequence[Schema]:
        """Return the plain schemas, without `$ref`, `allOf`, `anyOf` and `oneOf`, that it allows."""
        return list(self._flatten(schema, depth=0))

    def _flatten(self, schema: Schema, depth: int) -> Iterator[Schema]:
        merged = self._merge(schema, depth)
        members = [*merged.pop("anyOf", ()), *merged.pop("oneOf", ())]
        if not members:
            yield merged
        for member in members:
            for alternative in self._flatten(member, depth + 1):
                # What stands beside `anyOf` (nullable, say) holds for each of its members.
                yield {**merged, **alternative}

    def _merge(self, schema: Schema, depth: int) -> dict[str, Any]:
        if depth > 20:  # A reference to itself; ours have none, a document from a file may.
            return {}
        merged = dict(schema)
        parts = list(merged.pop("allOf", ()))
        reference = merged.pop("$ref", None)
        if isinstance(reference, str):
            parts.append(self.components.get(reference.removeprefix(REF_PREFIX), {}))
        for part in parts:
            merged = {**self._merge(part, depth + 1), **merged}
        return merged


def read_input_schema(document: Schema, component: str = "Input") -> InputSchema:
    """Return what the document says of a model's inputs; none if it has no such component."""
    components = cast(Mapping[str, Schema], document.get("components", {}).get("schemas", {}))
    schema = components.get(component, {})
    properties = cast(Mapping[str, Schema], schema.get("properties", {}))
    ordered = sorted(properties.items(), key=lambda named: named[1].get("x-order", len(properties)))
    return InputSchema(dict(ordered), frozenset(schema.get("required", ())), components)
