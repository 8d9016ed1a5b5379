"""`celery inspect ping` is answered as long as the daemon beats."""

import threading
from collections.abc import Callable, Iterator
from typing import Any, cast

import celery.beat
import pytest
import redis
from celery import Celery

from beatd.daemon.celery_inspect import CeleryInspect
from beatd.daemon.daemon import Daemon
from tests.waiting import until

PATIENCE = 20.0
DB = 13  # of the server that the tests share

if not hasattr(celery.beat, "BeatPidbox"):
    pytest.skip("celery before 5.7 has no mailbox for beat", allow_module_level=True)


class Beats:
    def tick_age(self) -> float:
        return 0.0


@pytest.fixture
def app(server: Callable[[str], tuple[str, int]]) -> Iterator[Celery]:
    host, port = server("redis")
    made = Celery("pinged", broker=f"redis://{host}:{port}/{DB}", set_as_current=False)
    # With it celery's own mailbox gives up for good at the first failure.
    made.conf.broker_connection_retry = False
    yield made
    made.close()


def answered(app: Celery) -> bool:
    return bool(app.control.inspect(timeout=0.5).ping())


MALFORMED = {
    "no JSON": b"garbage",
    "no message": b"5",
    "a list": b"[1]",
    "nothing in it": b"{}",
    "no properties": b'{"body": "e30=", "properties": {}, "headers": {}}',
}


@pytest.mark.filterwarnings("ignore::celery.exceptions.DuplicateNodenameWarning")
def test_a_message_that_cannot_be_read_does_not_end_the_answers(
    app: Celery, server: Callable[[str], tuple[str, int]]
) -> None:
    inspect = CeleryInspect(app, cast(Daemon, Beats()))
    inspect.open()
    client: Any = redis.Redis(*server("redis"), db=DB)
    try:
        until(lambda: answered(app), PATIENCE, "it answers")
        for kind, said in MALFORMED.items():
            until(lambda said=said: client.publish(f"/{DB}.celery.pidbox", said), PATIENCE, "heard")
            until(lambda: answered(app), PATIENCE, f"it answers after {kind}")
    finally:
        inspect.close()
        client.close()


def test_a_broker_that_cannot_be_used_is_left_to_the_publisher() -> None:
    app = Celery("wrong", broker="redis://127.0.0.1:1/0?bogus=1", set_as_current=False)
    inspect = CeleryInspect(app, cast(Daemon, Beats()))
    before = threading.enumerate()
    inspect.open()
    inspect.close()
    assert threading.enumerate() == before
