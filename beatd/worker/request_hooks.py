"""Extend Celery's request object to report each state of its task.

Celery has no signals for these changes in the worker's parent process, and only the parent process
notices the death of a child. So the request gets a subclass of its own class.
"""

from typing import Any
from weakref import ref

from celery.worker.request import Request

from beatd.worker.held_delivery import HeldDelivery
from beatd.worker.rare_warning import never_raises

REPORTED = "beatd_reported"  # marks a class that has a reported subclass, and a reported context


class RequestHooks(Request):  # type: ignore[misc]  # celery has no types
    __slots__ = ()

    beatd_held: HeldDelivery

    def on_accepted(self, pid: Any, time_accepted: float) -> None:
        self.beatd_held.accepted(time_accepted)
        super().on_accepted(pid, time_accepted)

    def on_success(self, failed__retval__runtime: Any, **kwargs: Any) -> Any:
        try:
            return super().on_success(failed__retval__runtime, **kwargs)
        finally:
            self.beatd_held.returned(*failed__retval__runtime)

    def on_failure(self, exc_info: Any, *args: Any, **kwargs: Any) -> Any:
        self.beatd_held.handling = True
        try:
            return super().on_failure(exc_info, *args, **kwargs)
        finally:
            self.beatd_held.failed(exc_info)

    def on_timeout(self, soft: bool, timeout: float) -> None:
        self.beatd_held.handling = True
        try:
            super().on_timeout(soft, timeout)
        finally:
            self.beatd_held.handling = False
            if not soft:
                self.beatd_held.timed_out(timeout)

    def on_retry(self, exc_info: Any) -> None:
        try:
            super().on_retry(exc_info)
        finally:
            self.beatd_held.retried(exc_info.exception)

    def reject(self, requeue: bool = False) -> None:
        acknowledged = self.acknowledged
        super().reject(requeue=requeue)
        if not acknowledged:
            self.beatd_held.rejected(requeue)

    def terminate(self, *args: Any, **kwargs: Any) -> None:
        self.beatd_held.stopping = True
        super().terminate(*args, **kwargs)

    def cancel(self, *args: Any, **kwargs: Any) -> None:
        self.beatd_held.stopping = True
        super().cancel(*args, **kwargs)

    def _announce_revoked(self, reason: str, terminated: bool, signum: Any, expired: bool) -> None:
        self._mark_reported()
        try:
            super()._announce_revoked(reason, terminated, signum, expired)
        finally:
            self.beatd_held.revoked(reason, terminated, expired)

    @never_raises
    def _mark_reported(self) -> None:
        # Else the handler of the signal task_revoked would report this run again.
        setattr(self._context, REPORTED, True)

    def _announce_cancelled(self, *args: Any, **kwargs: Any) -> None:
        try:
            super()._announce_cancelled(*args, **kwargs)
        finally:
            self.beatd_held.cancelled(self.task.acks_late)

    def _retry_worker_lost(self, exc: BaseException, exc_info: Any) -> Any:
        retried = super()._retry_worker_lost(exc, exc_info)
        if retried:
            self.beatd_held.retried(exc)
        return retried

    def _success_was_stored(self) -> Any:
        stored = super()._success_was_stored()
        if stored:  # the child was lost after the end of the task
            self.beatd_held.returned(False, None, 0.0)
        return stored


def watch(request: Any, held: HeldDelivery) -> None:
    """Make a Celery request report each state of its task to `held`, by replacing its class."""
    held.request = ref(request)
    request.beatd_held = held
    request.__class__ = _reported(type(request))


def _reported(base: type) -> type:
    # Created once for each class; Celery has one request class for each task.
    made: type | None = base.__dict__.get(REPORTED)
    if made is None:
        made = type(base.__name__, (RequestHooks, base), {"__slots__": ()})
        setattr(base, REPORTED, made)
    return made
