"""Ten times as many requests as the model can do: ``python -m bench.overload``."""

import sys

from bench.contest.contest import Contest
from bench.contest.run import main
from bench.overhead.report import Column
from bench.overload.measure import RUN_S, SLOTS, measure

MODEL = f"""\
import asyncio

from cog import BasePredictor, Input


class Predictor(BasePredictor):
    async def predict(self, text: str = Input(description="Any text")) -> str:
        await asyncio.sleep({RUN_S})
        return "hello " + text
"""

CONTEST = Contest(
    name="overload",
    question="How long does accepted work take while ten times as much is asked for as there is "
    "room for?",
    files={
        "predict.py": MODEL,
        "cog.yaml": 'build:\n  python_version: "3.11"\n'
        f'predict: "predict.py:Predictor"\nconcurrency:\n  max: {SLOTS}\n',
    },
    measure=measure,
    columns=(
        Column("p99, unloaded (ms)", "idle_p99_ms", "{:.1f}"),
        Column("p99 of accepted, refusing (ms)", "refuse_p99_ms", "{:.1f}"),
        Column("to unloaded", "refuse_p99_ratio", "{:.2f}x"),
        Column("asked for", "refuse_offered", "{:.1f}x"),
        Column("done, of what is possible", "refuse_done_share", "{:.0%}"),
        Column("p99 of accepted, with a queue (ms)", "queue_p99_ms", "{:.1f}"),
        Column("to unloaded", "queue_p99_ratio", "{:.2f}x"),
        Column("asked for", "queue_offered", "{:.1f}x"),
        Column("done, of what is possible", "queue_done_share", "{:.0%}"),
    ),
    needs_wrk=True,
    quick={"rounds": 1, "seconds": 2.0},
)

if __name__ == "__main__":
    sys.exit(main(CONTEST, sys.argv[1:]))
