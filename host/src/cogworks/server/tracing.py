"""Whether the server's work is traced by OpenTelemetry; where it is not, nothing of it is loaded.

Tracing is on where the standard variables name a collector, or an exporter, and the extra
``cogworks[otel]`` is installed. ``cogworks.server.spans`` says what is told; the rest of the server
only ever asks whether there is a ``Spans`` at all.
Source: OpenTelemetry specification, "Environment Variable Specification".
"""

from __future__ import annotations

import logging
from importlib import util
from typing import TYPE_CHECKING

from cogworks.server.settings import Settings

if TYPE_CHECKING:
    from cogworks.server.spans import Spans

MISSING = (
    "traces are configured (OTEL_EXPORTER_OTLP_ENDPOINT), but cannot be sent: "
    "install the extra, cogworks[otel]"
)

logger = logging.getLogger(__name__)


def is_wanted(settings: Settings) -> bool:
    """Tell whether the settings ask for traces."""
    if settings.otel_disabled or settings.otel_traces_exporter == "none":
        return False
    return bool(
        settings.otel_endpoint or settings.otel_traces_endpoint or settings.otel_traces_exporter
    )


def open_spans(settings: Settings) -> Spans | None:
    """Return what traces the server's work; None where nobody wants that, or it is not possible.

    Takes about 0.3 s the first time, for OpenTelemetry's libraries.
    """
    if not is_wanted(settings):
        return None
    if settings.otel_traces_exporter not in ("", "otlp"):
        logger.warning(
            'OTEL_TRACES_EXPORTER="%s": only otlp and none are known; nothing is traced',
            settings.otel_traces_exporter[:80],
        )
        return None
    if settings.otel_protocol not in ("", "http/protobuf"):
        logger.warning(
            'OTEL_EXPORTER_OTLP_PROTOCOL="%s": traces are sent by http/protobuf all the same',
            settings.otel_protocol[:80],
        )
    if not _is_installed():
        logger.warning(MISSING)
        return None
    from cogworks.server.spans import new_spans

    return new_spans()


def _is_installed() -> bool:
    names = ("opentelemetry.sdk.trace", "opentelemetry.exporter.otlp.proto.http")
    try:
        return all(util.find_spec(name) is not None for name in names)
    except ModuleNotFoundError:  # A package above the one that is asked for.
        return False
