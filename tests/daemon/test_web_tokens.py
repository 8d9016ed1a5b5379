"""Tokens of the web server, and a reload."""

import signal
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from tests.daemon.conftest import Start
from tests.daemon.test_service import free_port
from tests.process import PATIENCE
from tests.waiting import until


def test_a_token_of_a_file_is_read_again_at_a_reload(
    beatd: Start, config: Callable[..., Path], tmp_path: Path
) -> None:
    port, old, new = free_port(), "an-old-secret-of-ann", "a-new-secret-of-ann"
    (tmp_path / "ann").write_text(old)
    http = f"{{bind: '127.0.0.1:{port}', tokens: {{ann: {{role: viewer, secret_file: ann}}}}}}"
    daemon = beatd("-c", str(config(http=http)))
    daemon.says("leading")

    def status(secret: str) -> int:
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/status", headers={"Authorization": f"Bearer {secret}"}
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code
        except OSError:
            return 0

    until(lambda: status(old) == 200, PATIENCE, "it is served")
    (tmp_path / "ann").write_text(new)
    daemon.send(signal.SIGHUP)
    daemon.says("configuration reloaded")
    assert (status(old), status(new)) == (401, 200)
    assert not [line for line in daemon.lines if old in line or new in line]
