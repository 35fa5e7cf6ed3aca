"""Follow one prediction with many connections, and count what arrives.

All subscribers are there before the model begins: it waits for a file. The client reads every few
milliseconds what has come on all connections, megabytes at a time, and looks at it only after the
clock has stopped; so it costs next to nothing while the server works.
"""

import json
import selectors
import socket
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from bench.contest.contest import Entrant
from bench.contest.run import WrongAnswer
from bench.overhead.server import Server

TOKENS = 1000
SUBSCRIBERS = 100
READ_EVERY_S = 0.004
RECEIVE_BYTES = 2**20
TIMEOUT_S = 60.0
LAST_CHUNK = b"0\r\n\r\n"
"""How a chunked answer ends. Source: RFC 9112, section 7.1."""


@dataclass
class Stream:
    """One subscriber and all that it has received."""

    connection: socket.socket
    parts: list[bytes] = field(default_factory=list[bytes])

    def read(self) -> bool:
        """Take what is there; return whether the answer is over."""
        data = self.connection.recv(RECEIVE_BYTES)
        if not data:
            raise WrongAnswer("a stream was closed in the middle")
        self.parts.append(data)
        tail = data if len(data) > 4 else b"".join(self.parts[-6:])
        return tail.endswith(LAST_CHUNK)


@dataclass(frozen=True)
class Delivery:
    """What one prediction came to."""

    seconds: float
    cpu_s: float
    streams: list[bytes]


def measure(entrant: Entrant, seconds: float) -> dict[str, float]:
    """Return the numbers of one round: with all subscribers, and with one."""
    with entrant.start() as server:
        deliver(server, 2, "warm")
        alone = repeat(server, 1, seconds / 2)
        many = repeat(server, SUBSCRIBERS, seconds)
    received = [count_tokens(stream) for delivery in many for stream in delivery.streams]
    size_bytes = sum(len(stream) for delivery in many for stream in delivery.streams)
    took_s = sum(delivery.seconds for delivery in many)
    alone_tokens = sum(count_tokens(stream) for delivery in alone for stream in delivery.streams)
    return {
        "tokens_per_s": sum(received) / took_s,
        "alone_tokens_per_s": alone_tokens / sum(delivery.seconds for delivery in alone),
        "whole_share": sum(count == TOKENS for count in received) / len(received),
        "bytes_per_token": size_bytes / max(sum(received), 1),
        "client_cpu_share": sum(delivery.cpu_s for delivery in many) / took_s,
        "predictions": float(len(many)),
    }


def repeat(server: Server, subscribers: int, seconds: float) -> list[Delivery]:
    """Deliver at least once, and for about so long."""
    deliveries: list[Delivery] = []
    while not deliveries or sum(delivery.seconds for delivery in deliveries) < seconds:
        deliveries.append(deliver(server, subscribers, f"{subscribers}.{len(deliveries)}"))
    return deliveries


def deliver(server: Server, subscribers: int, prediction_id: str) -> Delivery:
    """Run one prediction and read its events on all connections to their end."""
    with tempfile.TemporaryDirectory() as directory, selectors.DefaultSelector() as selector:
        gate = Path(directory) / "gate"
        streams: list[Stream] = []
        try:
            for _ in range(subscribers):
                streams.append(subscribe(server, prediction_id, gate))
                selector.register(streams[-1].connection, selectors.EVENT_READ, streams[-1])
            # Each has its `start`: nothing is lost to one that came late.
            for stream in streams:
                while b"event: start" not in b"".join(stream.parts):
                    stream.read()
            cpu_s, started = time.thread_time(), time.perf_counter()
            gate.touch()
            read_all(selector, subscribers)
            took_s, cpu_s = time.perf_counter() - started, time.thread_time() - cpu_s
        finally:
            for stream in streams:
                stream.connection.close()
    return Delivery(took_s, cpu_s, [b"".join(stream.parts) for stream in streams])


def subscribe(server: Server, prediction_id: str, gate: Path) -> Stream:
    """Open a stream of a prediction: the first one starts it."""
    body = json.dumps({"input": {"gate": str(gate), "tokens": TOKENS}}).encode()
    head = (
        f"PUT /predictions/{prediction_id} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        "Accept: text/event-stream\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode()
    connection = socket.create_connection(("127.0.0.1", server.port), TIMEOUT_S)
    connection.sendall(head + body)
    stream = Stream(connection)
    stream.read()
    if not stream.parts[0].startswith(b"HTTP/1.1 200"):
        raise WrongAnswer(f"no stream: {stream.parts[0][:200]!r}")
    return stream


def read_all(selector: selectors.BaseSelector, count: int) -> None:
    """Read until so many streams have ended."""
    deadline = time.perf_counter() + TIMEOUT_S
    while count:
        if time.perf_counter() > deadline:
            raise WrongAnswer(f"{count} streams had not ended after {TIMEOUT_S:g} s")
        for key, _ in selector.select(0.1):
            stream: Stream = key.data
            if stream.read():
                selector.unregister(key.fileobj)
                count -= 1
        time.sleep(READ_EVERY_S)


def count_tokens(answer: bytes) -> int:
    """Return how many tokens a stream has, if they are the right ones in order; else raise."""
    text = join_chunks(answer.partition(b"\r\n\r\n")[2]).decode()
    chunks = [
        json.loads(line.partition(":")[2])["chunk"]
        for event in text.split("\n\n")
        if "event: output" in event
        for line in event.splitlines()
        if line.startswith("data:")
    ]
    expected = [f"token {number} " for number in range(len(chunks))]
    if chunks != expected:
        raise WrongAnswer(f"tokens are not in order: {chunks[:3]} ... {chunks[-3:]}")
    return len(chunks)


def join_chunks(data: bytes) -> bytes:
    """Undo the chunks of an answer. Source: RFC 9112, section 7.1."""
    parts: list[bytes] = []
    at = 0
    while at < len(data):
        end = data.index(b"\r\n", at)
        size = int(data[at:end].partition(b";")[0], 16)
        parts.append(data[end + 2 : end + 2 + size])
        at = end + 4 + size
    return b"".join(parts)
