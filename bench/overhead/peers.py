"""The servers that are compared: what to install, what to start, what to ask.

Each gets the same two models (``projects.py``) and the same treatment: one worker, request logs
off, an environment of its own, the same Python, the same CPUs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

CONCURRENCY = 32
"""Predictions at once with the asynchronous model, for every server."""

OURS = "cogworks"
BASELINE = "coglet 0.23.1"
"""Ratios are relative to this one: upstream's current runtime."""


@dataclass(frozen=True)
class Question:
    """A request to predict, and how to tell a right answer.

    ``body`` has one ``%d`` for the request's number; the first group of ``answer``, a Lua
    pattern, must find that number in the response. ``status`` is a Lua pattern that must match
    as well; empty if the server reports no status.
    """

    path: str
    body: str
    answer: str
    status: str = ""


@dataclass(frozen=True)
class Peer:
    """One server: its packages, its command and its environment variables.

    ``{python}``, ``{bin}`` and ``{port}`` in the command and the variables are filled in.
    ``project`` names the folder of ``projects.py`` that is its working directory, to which
    ``-sync`` or ``-async`` is added. ``is_local`` tells the packages of this repository.
    """

    name: str
    packages: tuple[str, ...]
    project: str
    command: tuple[str, ...]
    health_path: str
    ready_text: str
    question: Question
    variables: Mapping[str, str] = field(default_factory=dict[str, str])
    is_local: bool = False


COG_QUESTION = Question(
    path="/predictions",
    body='{"input":{"text":"%d"}}',
    answer='"output"%s*:%s*"hello (%d+)"',
    status='"status"%s*:%s*"succeeded"',
)
COG_VARIABLES = {
    "PORT": "{port}",
    "COG_LOG_LEVEL": "warning",
    "COG_PREDICT_TYPE_STUB": "predict.py:Predictor",
}


def list_peers(repository: Path) -> tuple[Peer, ...]:
    """Return all servers, ours (from the sources in ``repository``) first."""
    return (
        Peer(
            name=OURS,
            packages=(str(repository / "sdk"), str(repository / "host")),
            is_local=True,
            project="cog",
            command=("{python}", "-m", "cogworks.server", "--host", "127.0.0.1"),
            variables=COG_VARIABLES,
            health_path="/health-check",
            ready_text="READY",
            question=COG_QUESTION,
        ),
        Peer(
            name=BASELINE,
            packages=("cog==0.23.1", "coglet==0.23.1"),
            project="cog",
            command=("{python}", "-m", "cog.server.http", "--host", "127.0.0.1"),
            variables=COG_VARIABLES,
            health_path="/health-check",
            ready_text="READY",
            question=COG_QUESTION,
        ),
        Peer(
            name="cog 0.14.12",
            # It imports pkg_resources, which setuptools 82 no longer has and 70 warns about.
            packages=("cog==0.14.12", "setuptools<70"),
            project="cog",
            command=("{python}", "-m", "cog.server.http", "--host", "127.0.0.1", "--threads=1"),
            variables=COG_VARIABLES,
            health_path="/health-check",
            ready_text="READY",
            question=COG_QUESTION,
        ),
        Peer(
            name="litserve 0.2.19",
            packages=("litserve==0.2.19",),
            project="litserve",
            command=("{python}", "app.py", "{port}"),
            health_path="/health",
            ready_text="ok",
            question=Question(
                path="/predict",
                body='{"input":{"text":"%d"}}',
                answer='"output"%s*:%s*"hello (%d+)"',
            ),
        ),
        Peer(
            name="bentoml 1.4.39",
            packages=("bentoml==1.4.39",),
            project="bentoml",
            command=("{bin}/bentoml", "serve", "service:Noop", "--host=127.0.0.1", "--port={port}"),
            # Nothing but loopback traffic.
            variables={"BENTOML_DO_NOT_TRACK": "True"},
            health_path="/readyz",
            ready_text="\n",
            question=Question(path="/predict", body='{"text":"%d"}', answer="hello (%d+)"),
        ),
    )
