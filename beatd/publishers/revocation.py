"""Tell workers to end runs, by celery's remote-control command "revoke"."""

import logging
from collections.abc import Sequence
from contextlib import closing

from celery import Celery

from beatd.publishers.message import one_line
from beatd.publishers.remote_control import remote_control_missing
from beatd.publishers.transports import connection_of

log = logging.getLogger("beatd")


class Revocation:
    """Tells workers to end tasks, by celery's remote-control command "revoke".

    Each call uses a new connection.
    """

    def __init__(self, app: Celery, timeout: float) -> None:
        self._app, self._timeout = app, timeout
        self._was_refused = False

    def revoke(self, task_ids: Sequence[str]) -> None:
        """Tell the workers to end these tasks, or to refuse those that have not started.

        Never raises: failures are logged.
        """
        if why := remote_control_missing(self._app):
            self._refuse(why)
            return
        try:
            # The publisher's connection is not free: its transport uses the channels.
            with closing(connection_of(self._app, self._timeout)) as connection:
                if connection.transport.driver_type == "amqp":
                    waits = {"read_timeout": self._timeout, "write_timeout": self._timeout}
                    connection.transport_options = {**waits, **connection.transport_options}
                connection.ensure_connection(
                    max_retries=1, interval_start=0, interval_step=0, timeout=self._timeout
                )
                self._app.control.revoke(list(task_ids), terminate=True, connection=connection)
        except Exception as error:  # whatever a transport raises, the runs that are due go on
            log.warning("%s could not be revoked: %s", _runs(task_ids), one_line(error))

    def _refuse(self, why: str) -> None:
        if not self._was_refused:
            log.warning(
                "`overlap: replace` cannot end a run, because workers receive no remote control: "
                "%s; the next run waits until it has ended",
                why,
            )
        self._was_refused = True


def _runs(task_ids: Sequence[str]) -> str:
    return f"{len(task_ids)} runs" if len(task_ids) > 1 else f"the run {task_ids[0]}"
