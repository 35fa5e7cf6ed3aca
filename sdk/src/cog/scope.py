"""The prediction that is running here, as the model sees it.

``current_scope()`` finds it by a context variable, so that concurrent predictions never see
each other's. Plain threads do not inherit context variables: for them a sync model, which runs
alone, has a scope that holds in the whole process.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar, Token
from types import MappingProxyType
from typing import Any, Optional

from cog.metrics import Metrics, NoMetrics, Record


class Scope:
    """One prediction: what came with its request, and where its metrics go."""

    __slots__ = ("_metrics", "_record", "context")

    context: Mapping[str, str]

    def __init__(self, context: Mapping[str, str], record: Record) -> None:
        """Make the scope of one prediction.

        Args:
            context: the request's ``context``, exactly as the client sent it.
            record: is told of every metric, already checked.
        """
        self.context = context
        self._record = record
        self._metrics: Optional[Metrics] = None

    @property
    def metrics(self) -> Metrics:
        """The metrics of this prediction."""
        metrics = self._metrics
        if metrics is None:  # most predictions record nothing
            metrics = self._metrics = Metrics(self._record)
        return metrics

    def record_metric(self, key: str, value: Any, mode: str = "replace") -> None:
        """Record a metric of this prediction; see ``Metrics.record``."""
        self.metrics.record(key, value, mode)


def _make_no_scope() -> Scope:
    """Make what ``current_scope()`` gives outside a prediction."""
    scope = Scope(MappingProxyType({}), lambda name, value, mode: None)
    scope._metrics = NoMetrics(scope._record)
    return scope


_NO_SCOPE = _make_no_scope()
_current: ContextVar[Optional[Scope]] = ContextVar("cog_scope", default=None)
_process_scope: Optional[Scope] = None


def current_scope() -> Scope:
    """Return the scope of the running prediction; outside of one, a scope that does nothing."""
    return _current.get() or _process_scope or _NO_SCOPE


def enter_scope(scope: Scope, *, process_wide: bool = False) -> Token[Optional[Scope]]:
    """Make a scope the current one; for the worker.

    Args:
        process_wide: also for plain threads that the model starts; only where predictions run
            one at a time.

    Returns:
        What ``exit_scope`` takes, in the same context.
    """
    global _process_scope
    if process_wide:
        _process_scope = scope
    return _current.set(scope)


def exit_scope(token: Token[Optional[Scope]]) -> None:
    """Leave what ``enter_scope`` entered; for the worker."""
    global _process_scope
    _process_scope = None
    _current.reset(token)
