"""A real daemon resumes an entry at the end of its pause."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from msgspec import json

from beatd.cli import main
from tests.daemon.conftest import Start
from tests.waiting import until

Config = Callable[..., Path]
ENTRIES = "{tick: {task: t, every: 1s, catch_up: all, catch_up_max: 500}}"
STORES = [
    "sqlite:///beatd.db",
    "redis",
    pytest.param("shelve:shelf", marks=pytest.mark.long),
]


@pytest.mark.parametrize("store", STORES, ids=lambda url: url.partition(":")[0])
def test_nothing_of_a_pause_runs_and_the_moment_at_its_end_does(
    store: str, beatd: Start, config: Config, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue("redis_url") if store == "redis" else store
    place = f"{{url: '{url}', prefix: 'pause-ends:'}}"
    path = str(config(store=place, entries=ENTRIES))

    def command(*words: str) -> Any:
        ended = CliRunner().invoke(main, ["-c", path, *words, "--json"])
        assert ended.exit_code == 0, ended.output
        return json.decode(ended.stdout)

    def published() -> list[datetime]:
        found = command("history", "tick", "--state", "published")
        return [datetime.fromisoformat(one["planned"]) for one in found]

    daemon = beatd("-c", path)
    daemon.says("published tick (t)")
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=4)
    command("pause", "tick", "--until", end.isoformat(), "--note", "move")
    pause = command("show", "tick")["pause"]
    assert (datetime.fromisoformat(pause["until"]), pause["note"]) == (end, "move")
    daemon.says("resumed: tick; the pause has ended")
    until(lambda: max(published()) > end, 20, "it goes on")
    begin = datetime.fromisoformat(pause["at"]) + timedelta(seconds=0.1)  # a run was on its way
    assert min(moment for moment in published() if moment > begin) == end
    held = command("history", "tick", "--state", "skipped")
    assert [one["reason"] for one in held] == ["paused"]
    newest = command("changes", "tick", "--limit", "1")[0]
    assert (newest["action"], newest["by"], newest["via"]) == ("resumed", "beatd", "daemon")
