"""Follow one task message in a Celery worker, from its arrival to its end."""

from collections.abc import Callable
from datetime import UTC, datetime
from time import monotonic, time
from typing import Any
from weakref import ref

from billiard.exceptions import TimeLimitExceeded, WorkerLostError
from celery.exceptions import Ignore, Reject, Retry

from beatd.outcome import OutcomeState
from beatd.worker.error_line import error_line, one_line
from beatd.worker.rare_warning import never_raises
from beatd.worker.running_process import is_running

REQUEUED = "; the message goes back to the broker"


class HeldDelivery:
    """Follows one task message in this worker, and reports each new state of its task.

    Celery's request calls the methods; calls after the first end report nothing. `changed` is
    called with each new state, its time and its error. `task` is put before an error; it is the
    task's name if the run has several tasks, else "". `was_terminated` is called when Celery has
    terminated a task whose process may still run.
    """

    __slots__ = (
        "changed", "delivery", "ended", "entry", "handling", "id", "planned", "request",
        "requeued", "run_id", "started", "stopping", "task", "terminated", "was_terminated",
    )  # fmt: skip

    def __init__(
        self,
        *,
        changed: "Callable[[HeldDelivery, OutcomeState, datetime, str], None]",
        was_terminated: Callable[[], None],
        id: str,
        run_id: str,
        delivery: str,
        entry: str,
        planned: datetime,
        task: str = "",
    ) -> None:
        self.changed, self.was_terminated = changed, was_terminated
        self.id = id
        self.run_id = run_id
        self.delivery = delivery
        self.entry = entry
        self.planned = planned
        self.task = task
        self.request: ref[Any] | None = None
        self.started = False
        self.ended = False
        self.handling = False  # celery handles a failure, and may reject the message as part of it
        self.requeued = False
        self.terminated = False  # it was, and its process may not have ended yet
        self.stopping = False  # celery stops the task, and then announces why

    def report(self, state: OutcomeState, error: str = "", at: datetime | None = None) -> None:
        if error and self.task:
            error = f"{self.task}: {error}"
        self.changed(self, state, at or datetime.now(UTC), error)

    def end(self, state: OutcomeState, error: str = "") -> None:
        """Report the final state of the task, unless a final state was reported before."""
        if self.ended:
            return
        self.ended = True
        self.report(state, error)

    @never_raises
    def accepted(self, time_accepted: float) -> None:
        """Report that the task started; `time_accepted` is a time of `time.monotonic`."""
        self.started = True
        if not self.ended:
            at = datetime.fromtimestamp(time() - (monotonic() - time_accepted), UTC)
            self.report("started", at=at)

    @never_raises
    def returned(self, failed: bool, value: Any, runtime: float | None) -> None:
        """Report that the task succeeded, or failed with the exception in `value`."""
        if failed:
            self._end_failed(exception_of(value))
        elif not (self.stopping and runtime is None):
            # A greenlet that is stopped returns nothing; the reason is announced afterwards.
            self.end("succeeded")

    @never_raises
    def failed(self, exc_info: Any) -> None:
        """Report that the task failed with the exception in `exc_info`."""
        self._end_failed(exception_of(exc_info))

    def _end_failed(self, error: BaseException) -> None:
        if self.ended:
            return
        if self.terminated:
            self.end("revoked", "terminated")
        elif isinstance(error, Ignore):
            self.end("succeeded")
        elif isinstance(error, Reject):
            reason = "rejected" if error.reason is None else f"rejected: {error.reason}"
            if error.requeue:
                self.end("retried", one_line(reason + REQUEUED))
            else:
                self.end("failed", one_line(reason))
        else:
            self._end_with(lost_text(error))

    @never_raises
    def timed_out(self, limit: float) -> None:
        """Report that Celery stopped the task at its hard time limit of `limit` seconds."""
        self._end_with(limit_text(limit))

    def _end_with(self, text: str) -> None:
        if self.requeued:
            self.end("retried", one_line(text + REQUEUED))
        else:
            self.end("failed", text)

    @never_raises
    def retried(self, error: BaseException) -> None:
        """Report that Celery will retry the task because of `error`."""
        cause = error.exc if isinstance(error, Retry) and error.exc else error
        self.end("retried", error_line(cause))

    @never_raises
    def rejected(self, requeue: bool) -> None:
        """Report that the message was rejected; with `requeue` it goes back to the broker.

        While Celery handles a failure, `failed` or `timed_out` reports instead.
        """
        self.requeued = requeue
        if not self.handling:
            self._end_with("rejected")

    @never_raises
    def revoked(self, reason: str, terminated: bool, expired: bool) -> None:
        """Report that the task does not run, because it was revoked or had expired.

        If it was terminated and its process still runs, `end_terminated` reports the end later.
        """
        if expired:
            self.end("expired")
        elif terminated and self.is_running():
            self.terminated = True  # `end_terminated` reports it when its process has ended
            self.was_terminated()
        else:
            self.end("revoked", "terminated" if terminated else "")

    def is_running(self) -> bool:
        """Return True if a process of the worker's pool executes the task now."""
        request = None if self.request is None else self.request()
        return self.started and is_running(getattr(request, "worker_pid", None))

    def end_terminated(self) -> bool:
        """Report the end of a terminated task and return True, if its process has ended.

        Do nothing and return False while the process still runs.
        """
        if not self.ended and self.is_running():
            return False
        self.end("revoked", "terminated")
        return True

    @never_raises
    def cancelled(self, acks_late: bool) -> None:
        """Report that Celery stopped the task because the worker ends or lost its broker.

        With `acks_late`, the message goes back to the broker, and the state is "retried".
        """
        if acks_late:
            self.end("retried", "stopped with the worker or its connection" + REQUEUED)
        else:
            self.end("failed", "stopped with the worker")


def exception_of(exc_info: Any) -> BaseException:
    """Return the exception inside an ExceptionInfo object of Celery or billiard."""
    error = exc_info.exception
    inner = getattr(error, "exc", None)
    # billiard sends an exception together with its traceback.
    if type(error).__name__ == "ExceptionWithTraceback" and isinstance(inner, BaseException):
        return inner
    found: BaseException = error
    return found


def lost_text(error: BaseException) -> str:
    """Return the exception that ended a task as one line of text.

    SystemExit and KeyboardInterrupt are described as the loss of the child process.
    """
    if isinstance(error, SystemExit | KeyboardInterrupt):
        return one_line(f"{WorkerLostError.__name__}: the child ended with {error!r}")
    if isinstance(error, TimeLimitExceeded) and error.args:
        return limit_text(error.args[0])
    return error_line(error)


def limit_text(limit: float) -> str:
    return f"{TimeLimitExceeded.__name__}: longer than the hard time limit of {limit:g} s"
