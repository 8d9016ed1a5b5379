"""Warn that no worker consumes the queue that a command gives to an entry (`beatd add --queue`)."""

from collections.abc import Mapping
from threading import Thread
from typing import TYPE_CHECKING, Any

from beatd.errors import BeatError, Problem

if TYPE_CHECKING:
    from beatd.config import Config
    from beatd.entry import Entry
    from beatd.publishers.queue_state import QueueState

ANSWER_S = 0.5  # that the broker and the workers have
MOST_S = 2.0  # that the command waits for all answers


def unconsumed_queue(
    entry: "Entry", fields: Mapping[str, Any], config: "Config | None"
) -> list[Problem]:
    """Return a warning if `fields` name a queue for the entry that no worker consumes, else [].

    The broker and the workers are asked, which takes at most MOST_S. Nothing is returned if the
    broker is away or cannot say it, or without a configuration.
    """
    if config is None or not any(key in fields for key in ("options.queue", "options")):
        return []
    if config.app is None and not config.broker.url:
        return []
    from beatd.publishers.queue_state import queue_state
    from beatd.publishers.transports import kind_of
    from beatd.wiring.build import celery_app

    try:
        app = celery_app(config)
    except BeatError:  # `add` names it; the host may not have the project's code
        return []
    if kind_of(app) == "memory":
        return []  # its workers are in another process, which cannot be asked
    found: list[QueueState] = []

    def ask() -> None:
        found.append(queue_state(app, entry, ANSWER_S, answer_s=ANSWER_S))

    thread = Thread(target=ask, daemon=True)
    thread.start()
    thread.join(MOST_S)
    if not found or found[0].consumers != 0:
        return []
    queue = found[0].name
    text = f"no worker consumes the queue {queue}, so runs wait there; start one with -Q {queue}"
    return [Problem(text, ("options", "queue"), warning=True)]
