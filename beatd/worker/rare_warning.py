"""Log errors of the reporting at most once a minute, and never raise them in the worker."""

from collections.abc import Callable
from functools import wraps
from logging import getLogger
from time import monotonic
from typing import Any, TypeVar

from beatd.worker.error_line import error_line

WARN_EVERY_S = 60.0

Hook = TypeVar("Hook", bound=Callable[..., None])

_logger = getLogger("beatd.worker")


class RareWarning:
    """Logs at most one warning a minute, and drops all further warnings."""

    def __init__(self) -> None:
        self._not_before = 0.0

    def warn(self, text: str, error: BaseException | None = None) -> None:
        now = monotonic()
        if now >= self._not_before:
            self._not_before = now + WARN_EVERY_S
            _logger.warning("%s", text if error is None else f"{text}: {error_line(error)}")


_hook_failed = RareWarning()


def never_raises(hook: Hook) -> Hook:
    """Decorate a function so that it logs exceptions, at most one a minute, and never raises."""

    @wraps(hook)
    def guarded(*args: Any, **kwargs: Any) -> None:
        try:
            hook(*args, **kwargs)
        except Exception as error:
            _hook_failed.warn("a run is not reported", error)

    return guarded  # type: ignore[return-value]
