"""Two daemons, and a Redis that loses all: somebody says so, whoever leads after it."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from beatd import Beat
from beatd.events import Event, LeadWon, Sent, WentBack
from tests.process import PATIENCE
from tests.roles import status_shared_by
from tests.stores.redis.servers import Start
from tests.waiting import until


def test_a_wiped_redis_is_told_of_though_a_standby_is_there(
    start: Start, config: Callable[..., Path]
) -> None:
    server = start()
    path = config(store=f"{{url: '{server.url}'}}", broker="{url: 'memory://'}")
    told: list[Event] = []

    def how_many(kind: type[Event]) -> int:
        return sum(isinstance(event, kind) for event in told)

    def said(text: str) -> bool:
        return any(text in event.reason for event in told if isinstance(event, WentBack))

    with ExitStack() as both:
        beats = [both.enter_context(Beat(path, observers=(told.append,))) for _ in range(2)]
        daemons = [beat.daemon for beat in beats]
        until(lambda: all(daemon.ready() for daemon in daemons), PATIENCE, "both are ready")
        until(lambda: how_many(Sent), PATIENCE, "one of them leads")
        server.admin.flushall()
        until(lambda: how_many(LeadWon) >= 2, PATIENCE, "one of them leads again")
        until(lambda: said("came back empty"), PATIENCE, "the loss is told")
        store = daemons[0].store
        assert store is not None
        until(
            lambda: status_shared_by(store.catalog, daemons[0].now())["went_back"],
            PATIENCE,
            "`beatd status` shows it",
        )
