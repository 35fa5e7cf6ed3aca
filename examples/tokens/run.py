"""An asynchronous model that yields text bit by bit and serves several clients at once."""

import asyncio
import re
from itertools import cycle, islice

from cog import AsyncConcatenateIterator, BaseRunner, Input, concurrent, streaming


class Runner(BaseRunner):
    """Repeats its prompt word by word, as slowly as a language model would write it."""

    @streaming
    @concurrent(max=16)
    async def run(
        self,
        prompt: str = Input(description="The text to repeat", min_length=1),
        count: int = Input(description="How many words to write", default=12, ge=1, le=1000),
        delay_s: float = Input(description="Seconds between two words", default=0.05, ge=0, le=1),
    ) -> AsyncConcatenateIterator[str]:
        """Yield ``count`` words; the prompt begins anew when it is used up."""
        words = re.findall(r"\S+", prompt) or [prompt]
        for position, word in enumerate(islice(cycle(words), count)):
            await asyncio.sleep(delay_s)
            yield word if position == 0 else f" {word}"
