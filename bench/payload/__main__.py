"""A file of 10 MiB as a data URL, in and out, beside upstream's runtime: ``python -m bench.payload``."""

import sys

from bench.contest.contest import Contest
from bench.contest.run import main
from bench.overhead.report import Column
from bench.payload.measure import SIZE_BYTES, measure

MODEL = """\
import tempfile

from cog import BasePredictor, Path


class Predictor(BasePredictor):
    def predict(self, file: Path) -> Path:
        with tempfile.NamedTemporaryFile(suffix=".bin", delete=False) as copy:
            copy.write(file.read_bytes())
        return Path(copy.name)
"""

CONTEST = Contest(
    name="payload",
    question=f"How long does a file of {SIZE_BYTES >> 20} MiB take, in and out, as a data URL?",
    files={
        "predict.py": MODEL,
        "cog.yaml": 'build:\n  python_version: "3.11"\npredict: "predict.py:Predictor"\n',
    },
    measure=measure,
    columns=(
        Column("files/s", "files_per_s", "{:.2f}", has_ratio=True),
        Column("p50 (ms)", "p50_ms", "{:.0f}", has_ratio=True),
        Column("p99 (ms)", "p99_ms", "{:.0f}"),
        Column("p99 of GET / meanwhile (ms)", "other_p99_ms", "{:.1f}", has_ratio=True),
        Column("memory at most, PSS (MiB)", "pss_mib", "{:.0f}", has_ratio=True),
        Column("CPU of the client", "client_cpu_share", "{:.0%}"),
    ),
)

if __name__ == "__main__":
    sys.exit(main(CONTEST, sys.argv[1:]))
