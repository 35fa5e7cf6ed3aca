"""1,000 tokens to 100 subscribers, beside upstream's runtime: ``python -m bench.streams``."""

import sys

from bench.contest.contest import Contest
from bench.contest.run import main
from bench.overhead.report import Column
from bench.streams.measure import SUBSCRIBERS, TOKENS, measure

MODEL = """\
import os
import time
from typing import Iterator

from cog import BasePredictor, Input, streaming


class Predictor(BasePredictor):
    @streaming
    def predict(
        self,
        gate: str = Input(description="Begin when this file is there"),
        tokens: int = Input(description="How many"),
    ) -> Iterator[str]:
        while not os.path.exists(gate):
            time.sleep(0.002)
        for number in range(tokens):
            yield f"token {number} "
"""

CONTEST = Contest(
    name="streams",
    question=f"How quickly do {TOKENS} tokens of a generator reach {SUBSCRIBERS} subscribers?",
    files={
        "predict.py": MODEL,
        "cog.yaml": 'build:\n  python_version: "3.11"\npredict: "predict.py:Predictor"\n',
    },
    measure=measure,
    columns=(
        Column("tokens/s, 100 subscribers", "tokens_per_s", "{:,.0f}", has_ratio=True),
        Column("tokens/s, 1 subscriber", "alone_tokens_per_s", "{:,.0f}", has_ratio=True),
        Column("streams with every token", "whole_share", "{:.1%}"),
        Column("bytes of a token", "bytes_per_token", "{:.0f}"),
        Column("CPU of the client", "client_cpu_share", "{:.0%}"),
    ),
)

if __name__ == "__main__":
    sys.exit(main(CONTEST, sys.argv[1:]))
