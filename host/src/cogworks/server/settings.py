"""Every setting of the server, declared once: default, unit, environment variable and help.

The command's options, the parsing of the environment and ``docs/environment.md`` derive from it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from cogworks.errors import CogworksError

MIB = 1024 * 1024


class SettingsError(CogworksError):
    """An environment variable does not hold what it should."""

    def __init__(self, name: str, value: str, expected: str) -> None:
        """Quote the value, cut."""
        super().__init__(f'{name}="{value[:80]}": expected {expected}')


def _setting(
    default: Any, env: str | None, help: str, parse: Callable[[str], Any] | None = None
) -> Any:
    return field(default=default, metadata={"env": env, "help": help, "parse": parse})


def _port(text: str) -> int:
    value = int(text)
    if not 0 <= value <= 65535:
        raise ValueError
    return value


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError
    return value


def _count(text: str) -> int:
    value = int(text)
    if value < 0:
        raise ValueError
    return value


def _otel_truth(text: str) -> bool:
    """Read a flag of OpenTelemetry: whatever is not `true` is false. Source: its specification."""
    return text.strip().lower() == "true"


def _seconds_or_none(text: str) -> float | None:
    """Read seconds; 0 stands for no limit, as it always has."""
    value = float(text)
    if not 0 <= value < float("inf"):
        raise ValueError
    return value or None


def _seconds_or_forever(text: str) -> float:
    """Read seconds; 0 stands for no end."""
    return _seconds_or_none(text) or float("inf")


def _seconds(text: str) -> float:
    return _seconds_or_none(text) or 0.0


def _switch(text: str) -> bool:
    known = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
    if text.lower() not in known:
        raise ValueError
    return known[text.lower()]


def parse_web_url(text: str) -> str:
    """Return an http(s) URL as it is; ValueError for anything else."""
    if not text.lower().startswith(("http://", "https://")) or not urlsplit(text).hostname:
        raise ValueError
    return text


_EXPECTED: dict[Any, str] = {
    _port: "a port, 0 to 65535",
    _positive: "a whole number of at least 1",
    _otel_truth: "true or false",
    _count: "a whole number, 0 or more",
    _seconds: "seconds, 0 or more",
    _seconds_or_forever: "seconds; 0 for no end",
    _seconds_or_none: "seconds; 0 for no limit",
    _switch: "1 or 0",
    parse_web_url: "an http(s) URL",
    str: "text",
}


SECRET_VARIABLES = frozenset({"COG_API_TOKEN", "WEBHOOK_AUTH_TOKEN", "COG_WEBHOOK_SECRET"})
"""The server's own secrets: they are kept from the model."""


@dataclass(frozen=True)
class Settings:
    """How the server behaves."""

    host: str = _setting("0.0.0.0", None, "Address to listen on.")
    port: int = _setting(
        5000, "PORT", "Port to listen on; 0 for a free one, which is printed.", _port
    )
    max_concurrency: int | None = _setting(
        None,
        "COG_MAX_CONCURRENCY",
        "Predictions at once in one worker; more than 1 needs an async model. "
        "Default: what the model's `@concurrent(max=N)` says, else 1.",
        _positive,
    )
    workers: int = _setting(
        1, "COG_WORKERS", "Worker processes; each loads the model for itself.", _positive
    )
    setup_timeout_s: float | None = _setting(
        None,
        "COG_SETUP_TIMEOUT",
        "Seconds that a worker may take to start and set up; it is killed after them. 0: no limit.",
        _seconds_or_none,
    )
    cancel_timeout_s: float | None = _setting(
        None,
        "COG_CANCEL_TIMEOUT",
        "Seconds that a canceled prediction may take to end; then its worker is killed and restarted. "
        "0: no limit.",
        _seconds_or_none,
    )
    predict_timeout_s: float | None = _setting(
        None,
        "COG_PREDICT_TIMEOUT",
        "Seconds that a prediction may take; after them it is canceled and has failed. One that does not "
        "end then has its worker killed after `COG_CANCEL_TIMEOUT`, or 5 s where that is not set. "
        "0: no limit.",
        _seconds_or_none,
    )
    queue_size: int = _setting(
        0,
        "COG_QUEUE_SIZE",
        "Predictions that may wait for a slot; with 0, one that finds no slot is refused with 409. "
        "When the queue is full, with 429.",
        _count,
    )
    shutdown_grace_s: float = _setting(
        30.0, "COG_SHUTDOWN_GRACE", "Seconds that running predictions get at shutdown.", _seconds
    )
    max_body_bytes: int = _setting(
        100 * MIB,
        "COG_MAX_BODY",
        "Largest request body in bytes; more is answered with 413.",
        _positive,
    )
    max_upload_bytes: int = _setting(
        10 * 1024 * MIB,
        "COG_MAX_UPLOAD",
        "Largest body in bytes of a form or a file, which goes to disk; more is answered with 413.",
        _positive,
    )
    upload_url: str | None = _setting(
        None,
        "COG_UPLOAD_URL",
        "Output files are sent there by `PUT`, each below this URL, and the output has their URLs; "
        "without it, they are `data:` URLs (`--upload-url`).",
        parse_web_url,
    )
    store: str = _setting(
        "memory:",
        "COG_STORE",
        "Where finished predictions are kept for polling: `memory:` or `sqlite:///file` (`--store`).",
        str,
    )
    store_max_records: int = _setting(
        1000,
        "COG_STORE_MAX_RECORDS",
        "Finished predictions that are kept, at most; the oldest are given up first.",
        _positive,
    )
    store_max_age_s: float = _setting(
        3600.0,
        "COG_STORE_MAX_AGE",
        "Seconds that a finished prediction is kept; 0: as long as the other limits allow.",
        _seconds_or_forever,
    )
    store_max_bytes: int = _setting(
        256 * MIB,
        "COG_STORE_MAX_BYTES",
        "Size in bytes of all finished predictions that are kept; the newest is kept whatever its size.",
        _positive,
    )
    retry_lost: bool = _setting(
        False,
        "COG_RETRY_LOST",
        "`1`: asynchronous predictions that were running when the server ended are run again by the "
        "next one, where the store outlives the server; else they have failed.",
        _switch,
    )
    throttle_s: float = _setting(
        0.5,
        "COG_THROTTLE_RESPONSE_INTERVAL",
        "Seconds between two webhooks about the output or the logs of a prediction.",
        _seconds,
    )
    stream_history_capacity: int = _setting(
        1024,
        "COG_STREAM_HISTORY_CAPACITY",
        "Events of a prediction that are kept for whoever joins its stream late; 0: none.",
        _count,
    )
    stream_leave_grace_s: float = _setting(
        0.0,
        "COG_STREAM_LEAVE_GRACE",
        "Seconds that a streamed prediction goes on after its last client has left, so that one whose "
        "connection broke can come back with `Last-Event-ID`. 0: it is canceled at once.",
        _seconds,
    )
    stream_all: bool = _setting(
        False,
        "COG_STREAM_ALL",
        "`1`: every model can be followed by events, also one whose author wrote no `@cog.streaming`.",
        _switch,
    )
    api_token: str | None = _setting(
        None,
        "COG_API_TOKEN",
        "Demanded from every client as `Authorization: Bearer`, but for /livez, /readyz and /health-check.",
        str,
    )
    webhook_auth_token: str | None = _setting(
        None, "WEBHOOK_AUTH_TOKEN", "Sent with webhooks as `Authorization: Bearer`.", str
    )
    webhook_secret: str | None = _setting(
        None,
        "COG_WEBHOOK_SECRET",
        "Signs webhooks by the rules of Standard Webhooks (`whsec_` and base64).",
        str,
    )
    log_format: str = _setting(
        "json",
        "LOG_FORMAT",
        "`json`: one object a line; `console`: for people. On standard error.",
        str,
    )
    log_level: str = _setting(
        "info", "COG_LOG_LEVEL", "`debug`, `info`, `warning` or `error`.", str
    )
    otel_endpoint: str = _setting(
        "",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "Where traces are sent, such as `http://collector:4318`; needs the extra `cogworks[otel]`. "
        "The other standard variables count too: `OTEL_SERVICE_NAME`, `OTEL_TRACES_SAMPLER` and so on.",
        str,
    )
    otel_traces_endpoint: str = _setting(
        "",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        "The same, for traces only, with its whole path: `http://collector:4318/v1/traces`.",
        str,
    )
    otel_protocol: str = _setting(
        "",
        "OTEL_EXPORTER_OTLP_PROTOCOL",
        "`http/protobuf`, the only one there is.",
        str,
    )
    otel_traces_exporter: str = _setting(
        "",
        "OTEL_TRACES_EXPORTER",
        "`none`: no traces; `otlp`: traces, also to the default address.",
        str,
    )
    otel_disabled: bool = _setting(
        False, "OTEL_SDK_DISABLED", "`true`: no traces, whatever else is set.", _otel_truth
    )
    kubernetes_host: str | None = _setting(
        None,
        "KUBERNETES_SERVICE_HOST",
        "Set by Kubernetes in every container; where it is, the file of `COG_READY_FILE` is kept.",
        str,
    )
    ready_file: str = _setting(
        "/var/run/cog/ready",
        "COG_READY_FILE",
        "File that is there while predictions may come, for probes that look at files.",
        str,
    )
    await_explicit_shutdown: bool = _setting(
        False, None, "Ignore SIGTERM until POST /shutdown (`--await-explicit-shutdown`)."
    )
    reload_on_hangup: bool = _setting(
        False,
        None,
        "Replace the workers at SIGHUP, as the model has changed (`--reload-on-hangup`).",
    )
    max_deaths: int = _setting(
        3, None, "Deaths of a worker in a row, without a success in between, before it stays down."
    )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read the settings that have a variable; an empty one counts as not set.

        Raises:
            SettingsError: a value is not of its kind.
        """
        values: dict[str, Any] = {}
        for item in dataclasses.fields(cls):
            name, parse = item.metadata["env"], item.metadata["parse"]
            text = environment.get(name, "") if name else ""
            if text:
                try:
                    values[item.name] = parse(text)
                except ValueError as error:
                    raise SettingsError(name, text, _EXPECTED[parse]) from error
        return cls(**values)
