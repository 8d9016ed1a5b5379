"""Nothing of beatd is imported after the start of a daemon."""

import subprocess
import sys

import pytest

OPENING = """
import sys
from contextlib import suppress
from beatd.clock import SystemClock
from beatd.definition import codec
from beatd.errors import StoreError
from beatd.wiring import backends
from beatd.wiring.packages import import_parts

class Gone:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.startswith("beatd"):
            sys.exit(f"{name} is imported late")

url = sys.argv[1]
import_parts(url, url)
sys.meta_path.insert(0, Gone)
if not url.startswith(("file:", "none")):
    with suppress(StoreError):
        backends.open_store(url, codec=codec, clock=SystemClock(), timeout=0.1).close()
lease = backends.open_lease(url)
with suppress(StoreError):
    lease.take(backends.own_holder("x", SystemClock().now()), 0.1)
"""
CLOSED = "127.0.0.1:1"


@pytest.mark.parametrize(
    "url",
    [
        "none",
        "file:{folder}/lock",
        "sqlite:///{folder}/beatd.db",
        f"postgresql://me@{CLOSED}/beat",
        f"mysql://me@{CLOSED}/beat",
        f"redis://{CLOSED}/0",
    ],
)
def test_a_store_and_a_lock_are_opened_without_another_import(url: str, tmp_path: object) -> None:
    url = url.replace("{folder}", str(tmp_path))
    done = subprocess.run([sys.executable, "-c", OPENING, url], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
