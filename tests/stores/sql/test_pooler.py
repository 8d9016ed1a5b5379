"""Behind PgBouncer, which lends a session for the length of a transaction: no option is needed."""

from collections.abc import Callable, Iterator
from threading import Event

import psycopg
import pytest

from beatd.catalog import Query
from beatd.definition import codec
from beatd.errors import ConfigError, StoreUnusable
from beatd.stores.sql import SqlStore
from tests.pgbouncer import Urls, database
from tests.stores.making import claimed, lead, put, row

Server = Callable[[str], tuple[str, int]]
STATEMENTS = 30  # psycopg prepares a statement that it sees for the sixth time
# PgBouncer itself gives a session the application_name of each client.
LEFT = """
SELECT name FROM pg_settings WHERE source = 'session' AND name <> 'application_name'
UNION ALL SELECT statement FROM pg_prepared_statements
UNION ALL SELECT pg_listening_channels()
"""


@pytest.fixture
def urls(server: Server) -> Iterator[Urls]:
    with database(server) as found:
        yield found


def opened(url: str) -> SqlStore:
    return SqlStore(url, codec=codec)


def left_in_sessions(url: str) -> set[str]:
    """Settings, prepared statements and channels in the sessions that the pooler shares."""
    found: set[str] = set()
    for _ in range(STATEMENTS):
        with psycopg.connect(url, prepare_threshold=None) as other:
            found |= {str(name) for (name,) in other.execute(LEFT)}
    return found


def test_a_store_works_and_leaves_nothing_in_the_sessions(urls: Urls) -> None:
    stores = [opened(urls.pooled) for _ in range(4)]
    put(stores[0])
    for _ in range(STATEMENTS):
        for store in stores:
            assert [row.entry.name for row in store.find(Query())] == ["tidy"]
            store.version()
            store.now()
    claimed(stores[1], row(stores[1]), lead(stores[1]))
    for store in stores:
        store.close()
    assert left_in_sessions(urls.pooled) == set()


def test_a_store_behind_a_pooler_does_not_promise_to_tell_of_edits(urls: Urls) -> None:
    behind, beside = opened(urls.pooled), opened(urls.direct)
    told = Event()
    assert not behind.watch(told.set)
    assert beside.watch(told.set)
    put(behind)
    assert told.wait(60), "an edit made behind a pooler is told to those beside it"
    behind.close()
    beside.close()


def test_a_session_of_ones_own_is_used_where_the_url_says_that_it_is(
    urls: Urls,
) -> None:
    store = opened(f"{urls.direct}?pooler=session")
    assert store.watch(lambda: None)
    store.close()


def test_another_word_for_the_pooler_is_refused() -> None:
    with pytest.raises(ConfigError, match="pooler: 'statement'; write transaction or session"):
        opened("postgresql://127.0.0.1/beat?pooler=statement")


def test_a_word_that_the_pooler_does_not_pass_on_is_told(urls: Urls) -> None:
    with pytest.raises(StoreUnusable, match="the pooler does not pass on"):
        opened(f"{urls.pooled}?options=-csearch_path%3Dpublic")
