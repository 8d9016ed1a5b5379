"""Whether the servers of a configuration answer, and what they say of themselves."""

from collections.abc import Iterator

from beatd import wiring
from beatd.building import celery_app
from beatd.clock import SystemClock
from beatd.config import Config
from beatd.definition import codec
from beatd.errors import BeatError
from beatd.problem import Problem
from beatd.publishers.celery import CeleryPublisher


def tried(config: Config, facts: list[str]) -> Iterator[Problem]:
    """Problems with the store, the app and the broker; what is good goes to `facts`."""
    publisher = store = None
    try:
        app = celery_app(config)
        publisher = CeleryPublisher(app=app, timeout=config.broker.timeout.total_seconds())
        if publisher.reachable():
            facts.append("the broker answers")
        else:
            yield Problem("does not answer", ("broker",), config.shown)
    except BeatError as error:
        yield Problem(str(error), (), config.shown)
    try:
        store = wiring.open_store(
            config.store.url, codec=codec, clock=SystemClock(), prefix=config.store.prefix
        )
        facts.append("the store answers")
        for said in store.problems():
            yield Problem(said, ("store",), config.shown, warning=True)
    except BeatError as error:
        yield Problem(str(error), ("store",), config.shown)
    if store is not None and publisher is not None:
        path = (
            "at once: claim and publish are one step, nothing is ever unknown"
            if wiring.on_one_redis(store, publisher)
            else "in steps: claim, publish, record"
        )
        facts.append(f"runs are published {path}")
    for part in (publisher, store):
        if part is not None:
            part.close()
