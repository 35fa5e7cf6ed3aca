"""A model with a known capacity, asked for a tenth of it and then for ten times as much.

wrk is a closed loop: a client that is refused would come again at once, as no client does. So each
connection pauses after every answer (``paced.lua``), for a random time, and there are so many of
them that together they ask for what is wanted.
"""

import math

from bench.contest.contest import Entrant
from bench.contest.run import WrongAnswer
from bench.overhead.load import Load, predict
from bench.overhead.server import Server

RUN_S = 0.02
"""How long the model takes; it sleeps, so that the processor is the server's."""

SLOTS = 4
QUEUE_SIZE = SLOTS // 2
"""A queue is there for peaks: with half as many places as slots nobody waits longer than half a run,
on average, and then runs."""

CAPACITY_PER_S = SLOTS / RUN_S
OVERLOAD = 10
PAUSE_MS = (20, 60)
IDLE_PAUSE_MS = (10, 40)
WARM_UP_S = 1.0


def measure(entrant: Entrant, seconds: float) -> dict[str, float]:
    """Return the numbers of one round; upstream's runtime has no queue."""
    variables = {"COG_MAX_CONCURRENCY": str(SLOTS)}
    with entrant.start(variables) as server:
        idle = load(server, entrant, connections=2, pause_ms=IDLE_PAUSE_MS, seconds=seconds)
        refusing = overload(server, entrant, seconds)
    numbers = {"idle_p99_ms": idle.p99_us / 1e3, **describe("refuse", refusing, idle)}
    if entrant.is_ours:
        with entrant.start({**variables, "COG_QUEUE_SIZE": str(QUEUE_SIZE)}) as server:
            queueing = overload(server, entrant, seconds)
        numbers |= describe("queue", queueing, idle)
    return numbers


def overload(server: Server, entrant: Entrant, seconds: float) -> Load:
    """Ask for ten times as much as the model can do."""
    # A refusal takes next to nothing, so a connection asks about once a pause.
    pause_s = sum(PAUSE_MS) / 2 / 1e3
    connections = math.ceil(OVERLOAD * CAPACITY_PER_S * pause_s)
    load(server, entrant, connections=connections, pause_ms=PAUSE_MS, seconds=WARM_UP_S)
    return load(server, entrant, connections=connections, pause_ms=PAUSE_MS, seconds=seconds)


def load(
    server: Server, entrant: Entrant, *, connections: int, pause_ms: tuple[int, int], seconds: float
) -> Load:
    """Ask on so many connections, each with pauses."""
    question = entrant.peer.question
    found = predict(
        server.base_url, question, connections=connections, seconds=seconds, pause_ms=pause_ms
    )
    if found.wrong or math.isnan(found.p99_us):
        raise WrongAnswer(f"{found.wrong} wrong answers, {found.successes_per_s:.0f} right ones/s")
    return found


def describe(name: str, found: Load, idle: Load) -> dict[str, float]:
    """Give the numbers of one load their names."""
    offered_per_s = found.successes_per_s / max(1.0 - found.non_2xx_share, 1e-9)
    return {
        f"{name}_p50_ms": found.p50_us / 1e3,
        f"{name}_p99_ms": found.p99_us / 1e3,
        f"{name}_p99_ratio": found.p99_us / idle.p99_us,
        f"{name}_offered": offered_per_s / CAPACITY_PER_S,
        f"{name}_done_share": found.successes_per_s / CAPACITY_PER_S,
        f"{name}_socket_errors": found.socket_errors,
    }
