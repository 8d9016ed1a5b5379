"""Judge the settings of a server: does it keep what it was given, and does it take writes?"""

from collections.abc import Iterator, Mapping

from beatd.doctor.finding import Finding
from beatd.stores.store_facts import StoreFacts

FULL_AT = 0.9  # of maxmemory


def settings_findings(facts: StoreFacts, subject: str) -> Iterator[Finding]:
    """Yield a finding for each setting of the server that may lose data or refuse writes."""
    if facts.kind == "redis":
        yield from _redis(facts.settings, subject)
    elif facts.kind == "postgresql":
        yield from _postgresql(facts.settings, subject)
    elif facts.kind == "mysql":
        yield from _mysql(facts.settings, subject)


def _redis(shown: Mapping[str, str], subject: str) -> Iterator[Finding]:
    def warning(text: str) -> Finding:
        return Finding("warning", subject, text)

    if shown.get("role") == "slave":
        yield Finding("error", subject, "is a replica, which refuses writes; name the primary")
    policy = shown.get("maxmemory_policy") or shown.get("maxmemory-policy", "noeviction")
    if policy.startswith("allkeys"):
        yield warning(
            f"maxmemory-policy {policy} may evict what is kept here when memory runs out; set "
            "maxmemory-policy noeviction"
        )
    most, used = int(shown.get("maxmemory", "0")), int(shown.get("used_memory", "0"))
    if most and used > FULL_AT * most:
        yield warning(
            f"{100 * used // most} % of maxmemory is used; raise maxmemory, or lower history.keep"
        )
    if shown.get("aof_enabled") == "0":
        snapshots = shown.get("save")
        if snapshots == "":
            yield warning('a restart loses everything (appendonly no, save ""); set appendonly yes')
        else:
            when = f", save {snapshots}" if snapshots else ""
            yield warning(
                "a crash loses what came after the last snapshot "
                f"(appendonly no{when}); set appendonly yes"
            )
    elif shown.get("appendfsync") == "no":
        yield warning(
            "a power cut loses up to half a minute (appendfsync no); set appendfsync everysec"
        )
    for key, what in (
        ("aof_last_write_status", "the append-only file"),
        ("rdb_last_bgsave_status", "the last snapshot"),
    ):
        if shown.get(key, "ok") != "ok":
            yield Finding("error", subject, f"could not write {what}; see the log of Redis")


def _postgresql(shown: Mapping[str, str], subject: str) -> Iterator[Finding]:
    if shown.get("in_recovery") == "True":
        yield Finding("error", subject, "is a standby, which refuses writes; name the primary")
    elif shown.get("default_transaction_read_only") == "on":
        text = "transactions are read-only (default_transaction_read_only = on)"
        yield Finding("error", subject, f"{text}; set it to off for this user")
    for name in ("fsync", "full_page_writes"):
        if shown.get(name) == "off":
            text = f"a power cut may destroy the database ({name} = off); set {name} = on"
            yield Finding("warning", subject, text)
    if shown.get("synchronous_commit") == "off":
        yield Finding(
            "warning",
            subject,
            "a crash of the server loses the last claims (synchronous_commit = off), so that runs "
            "may be doubled; set it to on",
        )


def _mysql(shown: Mapping[str, str], subject: str) -> Iterator[Finding]:
    if shown.get("read_only", "OFF").upper() in ("ON", "1"):
        yield Finding(
            "error", subject, "the server is read-only (read_only = ON); name the primary"
        )
    if (flushed := shown.get("innodb_flush_log_at_trx_commit", "1")) != "1":
        yield Finding(
            "warning",
            subject,
            "a power cut loses up to a second of claims "
            f"(innodb_flush_log_at_trx_commit = {flushed}), so that runs may be doubled; set it "
            "to 1",
        )
    if shown.get("innodb_doublewrite", "ON").upper() in ("OFF", "0"):
        text = "a power cut may destroy the database (innodb_doublewrite = OFF); set it to ON"
        yield Finding("warning", subject, text)
