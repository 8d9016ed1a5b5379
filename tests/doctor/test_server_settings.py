"""Settings of a server that lose data or refuse writes."""

from collections.abc import Mapping

import pytest

from beatd.doctor.server_settings import settings_findings
from beatd.stores.store_facts import StoreFacts

REDIS = {"role": "master", "aof_enabled": "1", "appendfsync": "everysec", "maxmemory": "0"}
POSTGRESQL = {"in_recovery": "False", "fsync": "on", "synchronous_commit": "on"}
MYSQL = {"read_only": "OFF", "innodb_flush_log_at_trx_commit": "1", "innodb_doublewrite": "ON"}


def found(kind: str, settings: Mapping[str, str]) -> list[tuple[str, str]]:
    facts = StoreFacts(kind=kind, place="", version="", exists=True, settings=settings)
    return [(one.level, one.text) for one in settings_findings(facts, "store")]


def test_good_settings_are_not_mentioned() -> None:
    assert found("redis", REDIS) == []
    assert found("redis", {}) == []  # a hosted one that shows nothing
    assert found("postgresql", POSTGRESQL) == []
    assert found("mysql", MYSQL) == []


@pytest.mark.parametrize(
    ("settings", "level", "begin"),
    [
        ({"role": "slave"}, "error", "is a replica"),
        ({"maxmemory_policy": "allkeys-lru"}, "warning", "maxmemory-policy allkeys-lru may evict"),
        ({"maxmemory": "100", "used_memory": "95"}, "warning", "95 % of maxmemory is used"),
        ({"aof_enabled": "0", "save": ""}, "warning", "a restart loses everything"),
        (
            {"aof_enabled": "0", "save": "3600 1"},
            "warning",
            "a crash loses what came after the last snapshot (appendonly no, save 3600 1)",
        ),
        ({"aof_enabled": "0"}, "warning", "a crash loses what came after the last snapshot"),
        ({"appendfsync": "no"}, "warning", "a power cut loses up to half a minute"),
        ({"aof_last_write_status": "err"}, "error", "could not write the append-only file"),
        ({"rdb_last_bgsave_status": "err"}, "error", "could not write the last snapshot"),
    ],
)  # fmt: skip
def test_redis(settings: dict[str, str], level: str, begin: str) -> None:
    ((was, text),) = found("redis", REDIS | settings)
    assert (was, text[: len(begin)]) == (level, begin)


@pytest.mark.parametrize(
    ("kind", "settings", "level", "word"),
    [
        ("postgresql", {"in_recovery": "True"}, "error", "name the primary"),
        ("postgresql", {"default_transaction_read_only": "on"}, "error", "read-only"),
        ("postgresql", {"fsync": "off"}, "warning", "fsync = off"),
        ("postgresql", {"full_page_writes": "off"}, "warning", "full_page_writes = off"),
        ("postgresql", {"synchronous_commit": "off"}, "warning", "synchronous_commit = off"),
        ("mysql", {"read_only": "ON"}, "error", "read_only = ON"),
        ("mysql", {"innodb_flush_log_at_trx_commit": "2"}, "warning", "trx_commit = 2"),
        ("mysql", {"innodb_doublewrite": "OFF"}, "warning", "innodb_doublewrite = OFF"),
    ],
)
def test_a_database(kind: str, settings: dict[str, str], level: str, word: str) -> None:
    good = POSTGRESQL if kind == "postgresql" else MYSQL
    ((was, text),) = found(kind, good | settings)
    assert was == level
    assert word in text
