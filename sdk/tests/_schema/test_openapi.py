from __future__ import annotations

import json
from typing import Any

from cog._schema.kinds import is_dict, is_list
from cog._schema.openapi import document
from cog._schema.types import InputField, IteratorType, PathType, Scalar, Signature

TEXT = Scalar("str")
RUN = Signature((InputField("text", TEXT),), IteratorType(TEXT), streaming=True)
TRAIN = Signature((InputField("data", PathType()),), PathType(), mode="train")


def references(value: Any) -> set[str]:
    """Return all that the document points at."""
    found: set[str] = set()
    if is_dict(value):
        found.update([value["$ref"]] if "$ref" in value else [])
        value = list(value.values())
    for item in value if is_list(value) else []:
        found |= references(item)
    return found


def test_document_of_a_model() -> None:
    whole = document(RUN, None, "1.2.3")
    assert (whole["openapi"], whole["info"]) == ("3.0.2", {"title": "Cog", "version": "1.2.3"})
    assert set(whole["components"]["schemas"]) == {
        "Input",
        "Output",
        "PredictionRequest",
        "PredictionResponse",
        "Status",
        "HTTPValidationError",
        "ValidationError",
    }
    operations = {
        path: {method: item["operationId"] for method, item in methods.items()}
        for path, methods in whole["paths"].items()
    }
    assert operations == {
        "/": {"get": "root__get"},
        "/health-check": {"get": "healthcheck_health_check_get"},
        "/predictions": {"post": "predict_predictions_post"},
        "/predictions/{prediction_id}/cancel": {
            "post": "cancel_predictions__prediction_id__cancel_post"
        },
    }
    assert whole["components"]["schemas"]["Output"] == {
        "title": "Output",
        "type": "array",
        "items": {"type": "string"},
        "x-cog-array-type": "iterator",
    }


def test_streaming_is_said_of_the_operation() -> None:
    assert document(RUN, None, "1")["paths"]["/predictions"]["post"]["x-cog-streaming"] is True
    quiet = document(Signature((), TEXT), None, "1")
    assert "x-cog-streaming" not in quiet["paths"]["/predictions"]["post"]


def test_training_has_words_of_its_own() -> None:
    whole = document(None, TRAIN, "1")
    schemas = whole["components"]["schemas"]
    assert schemas["TrainingInput"]["title"] == "TrainingInput"
    assert schemas["TrainingOutput"] == {"title": "Output", "type": "string", "format": "uri"}
    assert "/trainings/{training_id}/cancel" in whole["paths"]
    assert whole["paths"]["/trainings"]["post"]["operationId"] == "train_trainings_post"
    assert "Input" not in schemas


def test_model_and_training_are_merged() -> None:
    whole = document(RUN, TRAIN, "1")
    assert {"Input", "TrainingInput", "TrainingRequest"} <= set(whole["components"]["schemas"])
    assert {"/predictions", "/trainings"} <= set(whole["paths"])


def test_everything_that_is_pointed_at_is_there() -> None:
    whole = document(RUN, TRAIN, "1")
    names = {f"#/components/schemas/{name}" for name in whole["components"]["schemas"]}
    assert references(whole) <= names


def test_enums_of_model_and_training_do_not_collide() -> None:
    run = Signature((InputField("size", TEXT, choices=("a",)),), TEXT)
    train = Signature((InputField("size", TEXT, choices=("b",)),), TEXT, mode="train")
    schemas = document(run, train, "1")["components"]["schemas"]
    assert (schemas["size"]["enum"], schemas["sizeChoices"]["enum"]) == (["a"], ["b"])


def test_enum_named_like_a_component_of_the_document_gets_another_name() -> None:
    fields = tuple(
        InputField(name, TEXT, choices=(name,)) for name in ("Input", "Output", "Status")
    )
    whole = document(Signature(fields, TEXT), None, "1")
    schemas = whole["components"]["schemas"]
    assert schemas["Input"]["type"] == "object"
    assert schemas["Output"] == {"title": "Output", "type": "string"}
    assert "starting" in schemas["Status"]["enum"]
    assert schemas["InputChoices"]["enum"] == ["Input"]


def test_documents_do_not_share_what_may_be_changed() -> None:
    first = document(RUN, None, "1")
    before = json.dumps(first)
    first["components"]["schemas"]["Status"]["enum"].append("x")
    first["paths"]["/"]["get"]["summary"] = "x"
    assert json.dumps(document(RUN, None, "1")) == before
