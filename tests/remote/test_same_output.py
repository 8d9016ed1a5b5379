"""A command prints the same on a store and over the API of a daemon of that store."""

import re

import pytest

from beatd.cli.author import author
from tests.remote.conftest import Pair

READS = (
    "list",
    "list --json",
    "list --json --sort name",
    "list *report* --sort name",
    "list --task feed.*",
    "list --source yaml:config --json",
    "list --paused",
    "list --disabled --json",
    "list --enabled --limit 7",
    "list --due-within 10m",
    "list nothing.like.it",
    "show feed.pull-reviews",
    "show search.reindex",
    "show search.reindex --json",
    "show mail.digest",
    "show herd.hourly-11",
    "show no.such.entry",
    "history --limit 60",
    "history --json",
    "history feed.pull-reviews",
    "history --state failed",
    "history --since 2026-11-28T12:50 --until 2026-11-28T12:58 --json",
    "history --since yesterday",
    "history herd.hourly-1",
    "changes",
    "changes --json",
    "changes mail.digest",
    "changes --limit 3",
    "changes mail.digist",
    "incidents",
    "incidents --all",
    "incidents --all --json",
    "incidents feed.pull-reviews --limit 1",
    "incidents mail.digist",
    "why feed.pull-reviews",
    "why mail.digest --json",
    "why cache.warm --at 2026-11-28T12:55:30",
    "why cache.warm --at 2026-11-28~12:55:30~CET",
    "why cache.warm --at noon",
    "why no.such.entry",
    "status",
    "status --json",
    "export",
    "export cache.warm mail.digest --json",
    "export --source yaml:config",
    "next mail.digest report.weekly --json",
    "next cache.warm --from 2026-12-01T00:00 -n 2",
    "next --cron 0~2~*~*~* --from 2026-12-01 -n 2 --json",
)
WRITES = (
    "add new --task proj.new --every 5m --note later",
    "add new --task proj.new --cron 0~2~*~*~*",
    "add cache.warm --task proj.new --every 5m",
    "add new --task proj.new --every 5x",
    "add cache.warm --replace --task proj.other --every 6m",
    "add shop.amoy.stock --replace --task proj.other --every 6m",
    "edit cache.warm --every 7m --queue slow",
    'add new --task p --every 5m --kwargs {"d":{"__type__":"date","__value__":"2027-01-01"}}',
    'edit cache.warm --kwargs {"day":null,"x":[1.5,"ä"]} --at 2027-03-28T02:30',
    "edit cache.warm --every 5m",
    "edit search.reindex --unset max_run",
    "edit shop.amoy.stock --every 7m",
    "edit no.such.entry --every 7m",
    "remove cache.warm cache.purge",
    "remove cache.warm cache.warn",
    "remove shop.amoy.stock",
    "remove shop.amoy.stock --force",
    "pause cache.warm mail.digest --until 2h --note deploy",
    "pause cache.warm mail.digest",
    "pause cache.warm --until 2020-01-01",
    "pause mail.digist",
    "resume cache.warm mail.digest --note done",
    "trigger no.such.entry",
    "backfill cache.warm --from 2026-11-28T11:00 --to 2026-11-28T11:30",
    "backfill cache.warm --from 2026-11-28T11:00 --to 2026-11-28T11:30 --dry-run --json",
    "backfill cache.warm --from 2026-11-29 --to 2026-11-30",
    "backfill cache.purge --from 2026-11-01 --to 2026-11-28",
    "backfill cache.warm --cancel",
    "undo 1",
    "undo 999999",
)


def words_of(line: str) -> list[str]:
    return [word.replace("~", " ") for word in line.split()]


@pytest.mark.parametrize("line", READS)
def test_a_command_that_reads_prints_the_same(pair: Pair, line: str) -> None:
    local, remote = pair.local(*words_of(line)), pair.remote(*words_of(line))
    assert remote == local


@pytest.mark.parametrize("line", WRITES)
def test_a_command_that_writes_prints_the_same_and_leaves_the_same(pair: Pair, line: str) -> None:
    local, remote = pair.local(*words_of(line)), pair.remote(*words_of(line))
    assert remote == local
    for after in ("list --json", "changes", "show cache.warm", "show cache.purge"):
        left, there = pair.local(*words_of(after)), pair.remote(*words_of(after))
        assert masked(there.out) == masked(left.out)


def masked(text: str) -> str:
    """Return the text without who did it: a user of this host, or the token of an editor."""
    text = text.replace("edna (token)", "ME").replace(author(), "ME")
    text = re.sub(r"ME +(api|command)", "ME", text)
    text = re.sub(r"\d\d:\d\d:\d\d CET", "NOW", text)  # a record has the time of its write
    text = re.sub(r'"source":"(api|cli)"|from +(source )?(api|cli)', "OWNER", text)
    return re.sub(r"  +|─+", " ", text)
