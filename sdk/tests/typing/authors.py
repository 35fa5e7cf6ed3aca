"""A model that uses every public name, as authors write it: it must pass strict type checkers."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import Annotated, Any, Generic, Literal, NewType, Optional, TypedDict, TypeVar, Union

from cog import (
    AsyncConcatenateIterator,
    BaseModel,
    BasePredictor,
    BaseRunner,
    CancelationException,
    ConcatenateIterator,
    FieldInfo,
    File,
    Input,
    Opaque,
    Path,
    Secret,
    URLFile,
    URLPath,
    __version__,
    concurrent,
    current_scope,
    streaming,
)


class Box(BaseModel):
    """A structured output inside another."""

    left: int
    top: int = 0


class Output(BaseModel, frozen=True):
    """A structured output."""

    text: str
    file: Path
    boxes: list[Box]
    score: Optional[float] = None


class Runner(BaseRunner):
    """A model with every kind of input."""

    def setup(self, weights: Optional[Path] = None) -> None:
        """Load the model."""
        self.names = ["cat", "dog"]

    def run(
        self,
        image: Path = Input(description="what to look at", accept="image/*"),
        text: str = Input(default="x", min_length=1, max_length=9, regex="^x"),
        scale: float = Input(default=1.0, ge=0.5, le=2),
        steps: int = Input(1, choices=[1, 2, 3]),
        tags: list[str] = Input(default_factory=list),
        mask: Optional[Path] = Input(default=None, deprecated=True),
        audio: Optional[File] = Input(default=None),
        token: Optional[Secret] = Input(default=None),
        config: Annotated[Optional[dict[str, Any]], Opaque] = None,
    ) -> Output:
        """Look at the image."""
        self.record_metric("steps", steps)
        self.record_metric("steps", 1, mode="incr")
        self.scope.metrics["tag_count"] = len(tags)
        key: Optional[str] = token.get_secret_value() if token is not None else None
        head: bytes = audio.read(10) if audio is not None else b""
        country: str = current_scope().context.get("country", "")
        try:
            file = image.with_suffix(".txt") if mask is None else mask
        except CancelationException:
            raise
        label = f"{self.names[0]} {text} {scale} {config} {key} {head!r} {country}"
        return Output(text=label, file=file, boxes=[Box(left=1)], score=0.5)


class Color(str, Enum):
    """One of some values."""

    RED = "red"
    BLUE = "blue"


@dataclass
class Layer:
    """An object as an input, with a file inside."""

    image: Path
    color: Color = Color.RED
    at: tuple[int, int] = (0, 0)
    below: list[Layer] = field(default_factory=list["Layer"])


class Message(TypedDict):
    """An object that stays a dict."""

    role: Literal["user", "system"]
    at: date


UserId = NewType("UserId", int)


class Typed(BaseRunner):
    """A model with every other kind of type."""

    def run(
        self,
        layers: list[Layer],
        messages: list[Message],
        user: UserId,
        color: Color = Color.RED,
        size: Literal["small", "large"] = "small",
        steps: Annotated[int, Input(ge=1, description="how many")] = 20,
        colors: set[Color] = Input(default={Color.RED}),
        pair: tuple[float, str] = (1.0, "a"),
        matrix: Optional[list[list[float]]] = None,
        seed: Union[int, Literal["random"], None] = None,
        table: dict[str, Optional[Layer]] = Input(default_factory=dict),
    ) -> Union[Output, list[Layer], None]:
        """Look at all of them."""
        warm: bool = color is Color.RED and Color.RED in colors
        where: tuple[int, int] = layers[0].at
        first: Literal["user", "system"] = messages[0]["role"]
        label = (
            f"{user + 1} {warm} {where} {first} {size} {steps} {pair[1].upper()} {seed} {matrix}"
        )
        found = table.get("a")
        return Output(text=label, file=found.image, boxes=[]) if found is not None else layers


class Writer(BaseRunner):
    """A model that yields a text."""

    @streaming
    def run(
        self, prompt: str = Input(description="what to begin with")
    ) -> ConcatenateIterator[str]:
        """Write on."""
        yield from prompt.split()


class Painter(BaseRunner):
    """A model that yields files."""

    def run(self, count: int) -> Iterator[Path]:
        """Paint."""
        for number in range(count):
            yield Path(f"{number}.png")


class Counter(BaseRunner):
    """A model with a generator."""

    def run(self, count: int) -> Generator[int, None, None]:
        """Count."""
        yield from range(count)


class Chat(BaseRunner):
    """An async model."""

    async def setup(self) -> None:
        """Load the model."""
        await asyncio.sleep(0)

    @streaming()
    @concurrent(max=4)
    async def run(self, prompt: str) -> AsyncConcatenateIterator[str]:
        """Answer."""
        for word in prompt.split():
            await asyncio.sleep(0)
            yield word


T = TypeVar("T")
Many = list[T]


class Page(BaseModel, Generic[T]):
    """A generic output."""

    items: Many[T]
    next: Optional[T] = None


class Numbers(Page[int]):
    """A page of one type."""

    unit: str = "m"


class Pages(BaseRunner, Generic[T]):
    """What several models share."""

    def run(self, page: Page[T], numbers: Numbers, words: Many[str]) -> Page[T]:
        """Give everything twice."""
        return Page(items=[*page.items, *page.items], next=page.next)


class TextPages(Pages[str]):
    """One of these models."""


class Older(BasePredictor):
    """A model under the older names."""

    def predict(self, name: str) -> str:
        """Greet."""
        return f"hello {name} from {__version__}"


def use_what_is_advanced(value: str) -> tuple[str, bytes, str]:
    """Use what few models need."""
    field: FieldInfo = Input(description="a field")
    path = URLPath.from_url(value)
    local: Path = path.convert()
    local.unlink()
    path.unlink(missing_ok=True)
    with URLFile("https://example.com/x.bin") as file:
        name: str = file.name
    data: bytes = File.validate(value).read()
    return f"{field.description} {name} {path.source}", data, str(path.filename)


async def read_all(chat: Chat) -> str:
    """Run an async model."""
    return " ".join([word async for word in chat.run("a b")])


if __name__ == "__main__":
    runner = Runner()
    runner.setup()
    output: Output = runner.run(Path("x.png"), "x", 1.0, 1, ["a"], None, None, Secret("s"))
    assert output.boxes[0].top == 0
    assert output.file == Path("x.txt")
    pages: Page[str] = TextPages().run(Page(items=["a"]), Numbers(items=[1]), [])
    assert pages.items == ["a", "a"]
    assert list(Writer().run("a b")) == ["a", "b"]
    assert [path.name for path in Painter().run(1)] == ["0.png"]
    assert asyncio.run(read_all(Chat())) == "a b"
    assert Older().run("you").startswith("hello you")
    assert use_what_is_advanced("data:text/plain,hello")[1:] == (b"hello", "file.txt")
