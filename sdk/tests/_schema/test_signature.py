from __future__ import annotations

import functools
import warnings
from typing import Any, AsyncIterator, Callable, Iterator, Optional

import pytest

from cog import BaseModel, BasePredictor, BaseRunner, Input, Path, Secret, concurrent, streaming
from cog._schema.errors import SignatureError
from cog._schema.signature import find_method, read_signature
from cog._schema.types import (
    COMPUTED,
    IteratorType,
    ObjectType,
    OptionalType,
    PathType,
    Scalar,
    SecretType,
    Signature,
)

TEXT = Scalar("str")


class Minimal(BaseRunner):
    def run(self, text: str) -> str:
        return text


def careless(function: Callable[..., Any]) -> Callable[..., Any]:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


def careful(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


def refuse(target: Any, mode: str = "run") -> str:
    with pytest.raises(SignatureError) as caught:
        read_signature(target, mode)
    return str(caught.value)


def names(signature: Signature) -> list[str]:
    return [field.name for field in signature.inputs]


def test_class_with_run_is_read() -> None:
    signature = read_signature(Minimal)
    assert names(signature) == ["text"]
    assert signature.output == TEXT
    assert (signature.mode, signature.is_async, signature.concurrency) == ("run", False, 1)


def test_function_is_read() -> None:
    async def generate(text: str, count: int = 3) -> str:
        return text * count

    signature = read_signature(generate)
    assert names(signature) == ["text", "count"]
    assert signature.is_async


def test_train_is_a_mode() -> None:
    class Trainer:
        def run(self, text: str) -> str:
            return text

        def train(self, data: Path) -> Path:
            return data

    signature = read_signature(Trainer, "train")
    assert (names(signature), signature.mode) == (["data"], "train")


def test_only_methods_before_our_base_class_count() -> None:
    class Late:
        def predict(self, text: str) -> str:
            return text

    class Early(BaseRunner, Late):
        def run(self, text: str) -> str:
            return text

    assert find_method(Early, "run") == "run"
    assert find_method(Late, "run") == "predict"
    assert refuse(BaseRunner) == "run or predict method not found: BaseRunner"


def test_older_base_class_is_ours_too() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")

        class Predictor(BasePredictor):
            def predict(self, text: str) -> str:
                return text

    assert find_method(Predictor, "run") == "predict"


def test_method_that_was_set_to_none_is_none() -> None:
    class Parent:
        def predict(self, text: str) -> str:
            return text

        run: Any = None

    assert find_method(Parent, "run") == "predict"


@pytest.mark.parametrize("decorate", [careless, careful])
def test_decorated_functions_are_unwrapped(decorate: Any) -> None:
    async def run(self: Any, text: str) -> str:
        return text

    signature = read_signature(type("Runner", (), {"run": decorate(decorate(run))}))
    assert names(signature) == ["text"]
    assert signature.is_async


def test_decorator_that_holds_several_functions_is_refused() -> None:
    def helper() -> None:
        pass

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            helper()
            return function(*args, **kwargs)

        return wrapper

    def run(text: str) -> str:
        return text

    assert refuse(decorate(run)).startswith("unable to inspect function decorator of wrapper")


def test_closure_of_a_plain_function_is_no_decorator() -> None:
    def helper(text: str) -> str:
        return text

    def run(other: str) -> str:
        return helper(other)

    assert names(read_signature(run)) == ["other"]


def test_decorators_of_ours_are_seen_through_others() -> None:
    @streaming
    @concurrent(max=4)
    async def run(text: str) -> AsyncIterator[str]:
        yield text

    signature = read_signature(careful(run))
    assert (signature.streaming, signature.concurrency) == (True, 4)


def test_annotations_of_local_classes_are_found() -> None:
    class Runner:
        class Output(BaseModel):
            text: str

        def run(self, text: str) -> Output:
            return self.Output(text=text)

    output = read_signature(Runner).output
    assert isinstance(output, ObjectType)
    assert output.name == "Output"


def test_default_of_none_does_not_make_an_input_optional() -> None:
    none: Any = None

    def run(text: str = none, maybe: Optional[str] = None) -> str:
        return text

    text, maybe = read_signature(run).inputs
    assert (text.type, text.required) == (TEXT, True)
    assert (maybe.type, maybe.required) == (OptionalType(TEXT), False)


def test_wrapped_defaults_become_json() -> None:
    image, secret = Path("a"), Secret("b")

    def run(path: Path = image, token: Secret = secret) -> str:
        return ""

    path, token = read_signature(run).inputs
    assert (path.type, path.default) == (PathType(), "a")
    assert (token.type, token.default) == (SecretType(), "b")


def test_factories_are_kept_but_those_of_empty_values_are_defaults() -> None:
    def run(
        names: list[str] = Input(default_factory=list),
        seed: int = Input(default_factory=lambda: 3),
    ) -> str:
        return ""

    names, seed = read_signature(run).inputs
    assert (names.default, names.factory) == ([], None)
    assert seed.default is COMPUTED
    assert seed.factory is not None
    assert seed.factory() == 3


def test_iterators_of_generators_are_read() -> None:
    def run(text: str) -> Iterator[Optional[str]]:
        yield text

    assert read_signature(run).output == IteratorType(OptionalType(TEXT))


def test_default_without_json_is_refused() -> None:
    marker = {"a": object()}

    def run(thing: dict[str, Any] = marker) -> str:
        return ""

    assert refuse(run).startswith("thing: invalid default or choice: <object object")


@pytest.mark.parametrize("target", [3, None, "run.py"])
def test_other_values_are_no_targets(target: Any) -> None:
    assert refuse(target) == f"{target!r} is neither a class nor a function"


def test_builtin_functions_are_no_targets() -> None:
    assert refuse(len).endswith("is no plain function")


def test_setup_may_be_decorated_and_async() -> None:
    async def setup(self: Any, weights: Optional[Path]) -> None:
        pass

    runner = type("Runner", (Minimal,), {"setup": careful(setup)})
    assert names(read_signature(runner)) == ["text"]


def test_setup_that_is_static_is_refused() -> None:
    class Runner(Minimal):
        @staticmethod
        def setup() -> None:
            pass

    assert refuse(Runner) == "setup() must have 'self' as first argument"
