"""The API of real daemons: a standby answers like the leader, and its edits reach the leader."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.conftest import Start, beatd  # noqa: F401
from tests.process import PATIENCE
from tests.publishers.servers import free_port
from tests.waiting import until

SECRET = "edna-" + "e" * 16


class Daemon:
    """The API of one daemon."""

    def __init__(self, port: int) -> None:
        self.port = port

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Return the JSON of the answer."""
        content = None if body is None else json.dumps(body).encode()
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if content is not None:
            sent["Content-Type"] = "application/json"
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/v1/{path}",
            content,
            {"Authorization": f"Bearer {SECRET}", **sent},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)


@pytest.fixture
def start_with_api(
    beatd: Start,  # noqa: F811
    config: Callable[..., Path],
    tmp_path: Path,
) -> Callable[[str], tuple[Any, Daemon]]:
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    secret.chmod(0o600)

    def start(says: str) -> tuple[Any, Daemon]:
        port = free_port()
        tokens = f"{{edna: {{role: editor, secret_file: {secret}}}}}"
        path = config(http=f"{{bind: '127.0.0.1:{port}', tokens: {tokens}}}", entries="{}")
        process = beatd("-c", str(path))
        process.says(says)
        return process, Daemon(port)

    return start


def test_a_standby_answers_like_the_leader_and_its_edits_are_acted_on(
    start_with_api: Callable[[str], tuple[Any, Daemon]],
) -> None:
    first, leader = start_with_api("leading")
    _, standby = start_with_api("standing by")
    plain = {"task": "proj.tidy", "every": "1d", "start": "2026-01-01"}
    standby("PUT", "entries/tidy", plain, If_None_Match="*")
    for path in ("entries", "entries/tidy", "entries/tidy/next?from=2027-01-01", "changes"):
        assert leader("GET", path) == standby("GET", path)
    you = {"name": "edna", "role": "editor", "token": True, "timezone": "UTC"}
    assert leader("GET", "whoami").items() >= you.items()

    # A key is known on every daemon, also after the run.
    id = standby("POST", "entries/tidy/trigger", Idempotency_Key="k")["task_id"]
    first.says(f"tidy ({plain['task']})")

    def records() -> list[tuple[str, str]]:
        found = leader("GET", "entries/tidy/history")["items"]
        return [(one["task_id"], one["state"]) for one in found]

    until(lambda: records() == [(id, "published")], PATIENCE, "the leader records the run")
    for daemon in (leader, standby):
        again = daemon("POST", "entries/tidy/trigger", Idempotency_Key="k")
        assert again["task_id"] == id
    assert records() == [(id, "published")]

    # What runs often begins to run, and ends when it is paused on the standby.
    standby("PUT", "entries/often", {"task": "proj.often", "every": "0.2"}, If_None_Match="*")
    first.says("published often")
    assert standby("POST", "entries/often/pause")["paused"] is True
    with pytest.raises(urllib.error.HTTPError) as refused:
        leader("PATCH", "entries/often", {"every": "1h"}, If_Match='"1"')
    with refused.value as error:
        assert error.code == 412 and json.load(error)["current"]["paused"] is True
