"""The document of a server: valid, complete, and still that of the model."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate

from cog._schema.openapi import document
from cog._schema.types import (
    AnyType,
    InputField,
    IteratorType,
    ListType,
    OptionalType,
    PathType,
    Scalar,
    SecretType,
    Signature,
)
from cogworks.schema import analyze
from cogworks.server import api_components
from cogworks.server.api_document import describe_api
from cogworks.server.requests import ID_PATTERN
from cogworks.server.routes import Routes
from cogworks.server.settings import Settings

ROOT = Path(__file__).resolve().parents[3]
REFERENCE = re.compile(r"^(run|predict|train): *[\"']?([^\"'\s#]+)", re.MULTILINE)
HEADER = re.compile(r"# (\w+)( \(train\))?: ")

SCHEMAS = "#/components/schemas/"

TEXT = Scalar("str")
RUN = Signature((InputField("text", TEXT),), IteratorType(TEXT), streaming=True)
TRAIN = Signature((InputField("steps", Scalar("int")),), TEXT, mode="train")
BOTH = document(RUN, TRAIN, "1")


ODD_DEFAULTS = {"plain_defaults.py": "names", "generic_classes.py": "anything"}
"""The format says of what may be anything that it is an object; these authors' defaults hold texts and numbers."""


def signatures() -> list[Any]:
    """Return what there is to describe: folder, reference and mode of each model."""
    found = [
        pytest.param(file.parent, "run.py:Runner", "run", id=file.parent.name)
        for file in sorted((ROOT / "fixtures" / "models").glob("*/run.py"))
        if "class Runner" in file.read_text()
    ]
    for file in sorted((ROOT / "fixtures" / "signatures").glob("*.py")):
        header = HEADER.match(file.read_text(encoding="utf-8"))
        assert header is not None
        mode = "train" if header[2] else "run"
        found.append(pytest.param(file.parent, f"{file.name}:{header[1]}", mode, id=file.stem))
    for config in sorted((ROOT / "examples").glob("*/cog.yaml")):
        for key, ref in REFERENCE.findall(config.read_text()):
            mode = "train" if key == "train" else "run"
            name = f"{config.parent.name}-{mode}"
            found.append(pytest.param(config.parent, ref, mode, id=name))
    return found


@pytest.mark.parametrize(("folder", "ref", "mode"), signatures())
def test_documents_are_valid(folder: Path, ref: str, mode: str) -> None:
    signature = analyze(folder, ref, mode)
    is_train = mode == "train"
    own = document(None if is_train else signature, signature if is_train else None, "1")
    odd = ODD_DEFAULTS.get(ref.partition(":")[0])
    if odd is not None:
        del own["components"]["schemas"]["Input"]["properties"][odd]["default"]
    _forget_file_defaults(own)
    validate(own)
    validate(describe_api(own, mode, needs_token=True))


def _forget_file_defaults(own: dict[str, Any]) -> None:
    """Take out the defaults of files: the format calls them URIs, and an author's may be a path of the image."""
    for name in ("Input", "TrainingInput"):
        schema = own["components"]["schemas"].get(name, {})
        for property_ in schema.get("properties", {}).values():
            texts = {property_.get("format"), property_.get("items", {}).get("format")}
            if "uri" in texts and "://" not in str(property_.get("default", "://")):
                del property_["default"]


def test_what_the_model_says_of_itself_stays() -> None:
    before = copy.deepcopy(BOTH)
    whole = describe_api(BOTH, "run")
    assert before == BOTH
    kept = before["components"]["schemas"]
    amended = {"PredictionRequest", "PredictionResponse"}
    for name in kept.keys() - amended:
        assert whole["components"]["schemas"][name] == kept[name]
    for name in amended:
        now = whole["components"]["schemas"][name]["properties"]
        assert now.keys() >= kept[name]["properties"].keys()
    for path in ("/", "/health-check", "/predictions"):
        for method, operation in kept_paths(before, path).items():
            now = whole["paths"][path][method]
            for key in operation.keys() - {"responses", "requestBody"}:
                assert now[key] == operation[key]
            assert now["responses"].keys() >= operation["responses"].keys()
    assert whole["paths"]["/predictions"]["post"]["x-cog-streaming"] is True


def kept_paths(own: dict[str, Any], path: str) -> dict[str, Any]:
    operations: dict[str, Any] = own["paths"][path]
    return operations


@pytest.mark.parametrize("mode", ["run", "train"])
def test_every_route_is_described_and_nothing_else(mode: str) -> None:
    routes = Routes(None, Settings(), lambda: None, mode)  # type: ignore[arg-type]
    served = {(method, path) for method, path, _ in routes.table()}
    described = {
        (method.upper(), re.sub(r"\{\w+\}", "{id}", path))
        for path, operations in describe_api(BOTH, mode)["paths"].items()
        for method in operations
    }
    assert described == served


def test_operation_ids_are_given_once() -> None:
    paths = describe_api(BOTH, "run")["paths"]
    ids = [operation["operationId"] for item in paths.values() for operation in item.values()]
    assert len(ids) == len(set(ids))
    assert {"root__get", "predict_predictions_post"} <= set(ids)


def test_a_token_is_asked_for_everywhere_but_by_the_probes() -> None:
    paths = describe_api(BOTH, "run", needs_token=True)["paths"]
    free = {path for path, item in paths.items() for one in item.values() if "security" not in one}
    assert free == {"/health-check", "/livez", "/readyz"}
    assert "401" in paths["/metrics"]["get"]["responses"]


def test_enums_of_the_model_keep_their_names_beside_ours() -> None:
    fields = tuple(InputField(name, TEXT, choices=(name,)) for name in ("Error", "HealthCheck"))
    whole = describe_api(document(Signature(fields, TEXT), None, "1"), "run")
    assert whole["components"]["schemas"]["Error"]["enum"] == ["Error"]
    assert whole["components"]["schemas"]["ServerError"]["title"] == "Error"
    validate(whole)


@pytest.mark.parametrize(
    "own",
    [
        {},
        {"paths": [], "components": 3},
        {"paths": {"/predictions": None}, "components": {"schemas": {"Input": []}}},
        {"components": {"schemas": {"PredictionResponse": {"properties": 1}}}},
    ],
)
def test_an_authors_odd_document_is_completed(own: dict[str, Any]) -> None:
    validate(describe_api(own, "run"))


def described(*fields: InputField) -> dict[str, Any]:
    return describe_api(document(Signature(fields, TEXT), None, "1"), "run")


def post_of(whole: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = whole["paths"]["/predictions"]["post"]
    return operation


def form_of(whole: dict[str, Any]) -> dict[str, Any]:
    content = post_of(whole)["requestBody"]["content"]
    assert content["multipart/form-data"]["schema"] == {"$ref": SCHEMAS + "PredictionForm"}
    form: dict[str, Any] = whole["components"]["schemas"]["PredictionForm"]
    return form


def test_a_form_has_a_part_for_each_input_and_field() -> None:
    whole = described(
        InputField("image", PathType(), accept="image/*"),
        InputField("frames", OptionalType(ListType(PathType())), None),
        InputField("steps", OptionalType(Scalar("int")), None, ge=1),
        InputField("size", TEXT, "small", choices=("small", "large")),
        InputField("webhook", Scalar("bool"), False),
    )
    validate(whole)
    form = form_of(whole)
    parts = form["properties"]
    assert (form["required"], form["additionalProperties"]) == (["image"], False)
    file = {"type": "string", "format": "binary"}
    image = {"title": "Image", "x-cog-accept": "image/*", "x-order": 0}
    assert parts["image"] == {**file, **image}
    frames = {"type": "array", "items": file, "minItems": 1}
    assert parts["frames"] == {**frames, "title": "Frames", "x-order": 1}
    # A form has no null: what is not there has its default.
    assert parts["steps"] == {"type": "integer", "minimum": 1, "title": "Steps", "x-order": 2}
    assert parts["size"] == {"allOf": [{"$ref": SCHEMAS + "size"}], "x-order": 3}
    assert parts["webhook"]["type"] == "boolean"  # The model's own, not the request's field.
    assert parts.keys() - {"image", "frames", "steps", "size"} == {
        *("id", "context", "webhook", "webhook_events_filter")
    }
    assert parts["webhook_events_filter"]["minItems"] == 1
    assert "nullable" not in json.dumps(form)


def test_a_body_may_be_a_file_where_an_input_is_one() -> None:
    content = post_of(described(InputField("text", TEXT)))["requestBody"]["content"]
    assert list(content) == ["application/json", "multipart/form-data"]
    for type_ in (PathType(), ListType(PathType())):
        whole = described(InputField("text", TEXT), InputField("file", type_))
        item = whole["paths"]["/predictions/{prediction_id}"]
        for body in (post_of(whole)["requestBody"], item["put"]["requestBody"]):
            file = {"schema": {"type": "string", "format": "binary"}}
            assert body["content"]["application/octet-stream"] == file
            assert body["content"]["image/*"] == file
            assert "the query has the other inputs" in body["description"]
            assert body["required"] is True


def test_the_body_of_a_model_that_needs_no_input_may_be_left_out() -> None:
    whole = described(InputField("text", TEXT, "x"))
    assert "required" not in post_of(whole)["requestBody"]
    assert "required" not in form_of(whole)


def test_refusals_of_forms_and_files_are_described() -> None:
    answers = post_of(described())["responses"]
    assert {"400", "403", "413", "415", "507"} <= answers.keys()


@pytest.mark.parametrize("type_", [PathType(), SecretType(), ListType(SecretType())])
def test_inputs_that_are_shown_otherwise_do_not_bind_what_is_shown(type_: Any) -> None:
    whole = described(InputField("given", type_))
    response = whole["components"]["schemas"]["PredictionResponse"]
    assert response["properties"]["input"] == {"title": "Input", "type": "object"}


def test_secrets_do_not_bind_the_stars_that_stand_for_them() -> None:
    properties = {"token": {"type": "string", "x-cog-secret": True, "minLength": 30}}
    own = {"components": {"schemas": {"Input": {"type": "object", "properties": properties}}}}
    response = describe_api(own, "run")["components"]["schemas"]["PredictionResponse"]
    assert response["properties"]["input"] == {"title": "Input", "type": "object"}


def test_an_output_of_which_the_author_says_nothing_may_be_anything() -> None:
    for output in (AnyType(), ListType(AnyType())):
        whole = describe_api(document(Signature((), output), None, "1"), "run")
        response = whole["components"]["schemas"]["PredictionResponse"]
        assert response["properties"]["output"] == {"title": "Output", "nullable": True}


def test_the_pattern_of_an_id_is_that_of_the_server() -> None:
    pattern = re.compile(api_components.ID["pattern"])
    for text in ("a", ".", "..", "...", "a.b", "a/b", "", "é", "~-_"):
        assert bool(pattern.search(text)) == bool(ID_PATTERN.fullmatch(text)), text


def test_the_document_is_small() -> None:
    assert len(json.dumps(describe_api(BOTH, "run"))) < 20_000
