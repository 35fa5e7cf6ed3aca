"""Measure one server once: the synchronous model alone, the asynchronous one under load."""

import os
from dataclasses import dataclass
from pathlib import Path

from bench.overhead import load
from bench.overhead.environments import Environment
from bench.overhead.peers import CONCURRENCY, Peer
from bench.overhead.sequential import ask_in_turn
from bench.overhead.server import Launch, Server, find_free_port

WARM_UP_S = 1.0


@dataclass(frozen=True)
class Plan:
    """How long and on which CPUs to measure."""

    seconds: float
    sequential_requests: int
    server_cpus: frozenset[int]
    work: Path


def measure(peer: Peer, environment: Environment, plan: Plan) -> dict[str, float]:
    """Start a server twice, once for each model, and return the numbers by name."""
    return {
        **_measure_sync(peer, environment, plan),
        **_measure_async(peer, environment, plan),
    }


def _measure_sync(peer: Peer, environment: Environment, plan: Plan) -> dict[str, float]:
    """One client at a time: what a prediction costs; then the health check; then memory."""
    launch = make_launch(peer, environment, plan, "sync")
    with Server(launch) as server:
        load.predict(server.base_url, peer.question, connections=1, seconds=WARM_UP_S)
        alone = load.predict(server.base_url, peer.question, connections=1, seconds=plan.seconds)
        health = load.get(
            server.base_url + peer.health_path, connections=CONCURRENCY, seconds=plan.seconds
        )
        in_turn = ask_in_turn(launch.port, peer.question, plan.sequential_requests)
        pss, rss = server.measure_memory_bytes()
        return {
            "cold_start_s": server.cold_start_s,
            **name_load("sync_c1", alone),
            **name_load("health_c32", health),
            "in_turn_requests": in_turn.requests,
            "in_turn_non_2xx": in_turn.non_2xx,
            "in_turn_wrong": in_turn.wrong,
            "in_turn_p50_us": in_turn.p50_us,
            "pss_mib": pss / 2**20,
            "rss_mib": rss / 2**20,
        }


def _measure_async(peer: Peer, environment: Environment, plan: Plan) -> dict[str, float]:
    """As many clients as the server has places."""
    launch = make_launch(peer, environment, plan, "async")
    with Server(launch) as server:
        load.predict(server.base_url, peer.question, connections=CONCURRENCY, seconds=WARM_UP_S)
        many = load.predict(
            server.base_url, peer.question, connections=CONCURRENCY, seconds=plan.seconds
        )
        pss, rss = server.measure_memory_bytes()
        return {
            **name_load("async_c32", many),
            "async_pss_mib": pss / 2**20,
            "async_rss_mib": rss / 2**20,
        }


def name_load(name: str, result: load.Load) -> dict[str, float]:
    """Give the numbers of one run of wrk their names."""
    return {
        f"{name}_per_s": result.successes_per_s,
        f"{name}_p50_us": result.p50_us,
        f"{name}_p99_us": result.p99_us,
        f"{name}_non_2xx_share": result.non_2xx_share,
        f"{name}_wrong": result.wrong,
        f"{name}_socket_errors": result.socket_errors,
    }


def make_launch(peer: Peer, environment: Environment, plan: Plan, mode: str) -> Launch:
    """Fill in the command and the variables of a server."""
    port = find_free_port()
    words = {"python": environment.python, "bin": environment.bin, "port": port}
    own = {name: text.format(**words) for name, text in peer.variables.items()}
    if mode == "async":
        own["COG_MAX_CONCURRENCY"] = str(CONCURRENCY)
    home = plan.work / "home"
    home.mkdir(parents=True, exist_ok=True)
    return Launch(
        command=[part.format(**words) for part in peer.command],
        directory=plan.work / "projects" / f"{peer.project}-{mode}",
        variables=_base_variables(environment, home) | own,
        cpus=plan.server_cpus,
        log=plan.work / f"{peer.name.replace(' ', '-')}-{mode}.log",
        port=port,
        health_path=peer.health_path,
        ready_text=peer.ready_text,
    )


def _base_variables(environment: Environment, home: Path) -> dict[str, str]:
    """Return what every server gets: nothing of ours but a PATH and a place for its files.

    The environment comes first on PATH: coglet finds the Python of its worker there.
    """
    return {
        "PATH": f"{environment.bin}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "PYTHONWARNINGS": "ignore",
    }
