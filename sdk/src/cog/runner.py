"""The base classes of models."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Optional

from cog.path import Path
from cog.scope import Scope, current_scope


class BaseRunner:
    """The base of a model: ``setup()`` once, then ``run()`` for every prediction.

    Subclasses define ``run()``, or ``predict()``, its older name. Either may be called by
    the other's name.
    """

    if TYPE_CHECKING:
        # Authors write it with or without weights, ``async`` or not.
        def setup(self, *args: Any, **kwargs: Any) -> Any:
            """Load what all predictions share."""
    else:

        def setup(self, weights: Optional[Path] = None) -> None:
            """Load what all predictions share; may be ``async``."""

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """Work on one prediction; a subclass says how.

        Raises:
            NotImplementedError: the subclass has neither ``run`` nor ``predict``.
        """
        if not _defines(type(self), "predict"):
            raise _neither(type(self))
        return self.predict(*args, **kwargs)

    def predict(self, *args: Any, **kwargs: Any) -> Any:
        """Do as ``run()``: the older name.

        Raises:
            NotImplementedError: the subclass has neither ``run`` nor ``predict``.
        """
        if not _defines(type(self), "run"):
            raise _neither(type(self))
        warnings.warn(
            "predict() is deprecated, call run() instead", DeprecationWarning, stacklevel=2
        )
        return self.run(*args, **kwargs)

    @property
    def scope(self) -> Scope:
        """The running prediction: its context and its metrics."""
        return current_scope()

    def record_metric(self, key: str, value: Any, mode: str = "replace") -> None:
        """Record a metric of the running prediction; None deletes it. See ``Metrics.record``."""
        current_scope().record_metric(key, value, mode)


class BasePredictor(BaseRunner):
    """The older name of ``BaseRunner``."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if BasePredictor in cls.__bases__:
            warnings.warn(
                f"{cls.__name__}: BasePredictor is deprecated, use BaseRunner and run() instead",
                DeprecationWarning,
                stacklevel=2,
            )


def _defines(cls: type[BaseRunner], name: str) -> bool:
    """Whether the author's classes, those before ours, have a method of that name."""
    for ancestor in cls.__mro__:
        if ancestor is BaseRunner:
            return False
        if name in ancestor.__dict__:
            return True
    return False


def _neither(cls: type[BaseRunner]) -> NotImplementedError:
    return NotImplementedError(f"{cls.__name__} must define run() or predict()")
