"""Clients that look at the pages of a daemon while it beats: `pollers.py PORT COUNT`.

Each polls one page every three seconds, as the script of the pages does: with the ETag of the last
answer. At the end (SIGTERM) it prints, as JSON, how many answers there were and how long they took.
"""

import http.client
import json
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

POLL_S = 3.0
PATHS = (
    *("/", "/entries", "/entries?order=next", "/entries?state=failing", "/entries/entry-0"),
    *("/history", "/history?outcome=failed", "/incidents", "/daemons", "/ahead"),
)


def poll(
    port: int, place: int, ended: threading.Event, seen: Counter[str], took: list[float]
) -> None:
    """Ask for one page again and again until `ended` is set."""
    path, etag = PATHS[place % len(PATHS)], ""
    ended.wait(POLL_S * place / len(PATHS))
    while not ended.is_set():
        begun = time.perf_counter()
        try:
            client = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            client.request("GET", path, headers={"If-None-Match": etag} if etag else {})
            answer = client.getresponse()
            answer.read()
            etag = answer.headers.get("ETag", "")
            seen[str(answer.status)] += 1
            took.append((time.perf_counter() - begun) * 1e3)
            client.close()
        except OSError as error:
            seen[type(error).__name__] += 1
        ended.wait(max(0.0, POLL_S - (time.perf_counter() - begun)))


@contextmanager
def clients_of(port: int, *, pages: int, api_rate: float) -> Iterator[dict[str, Any]]:
    """Clients in processes of their own: `pages` that poll, and programs with `api_rate` requests
    a second; their figures are in the yielded dict at the end."""
    figures: dict[str, Any] = {}
    with ExitStack() as running:
        if api_rate:
            script = str(Path(__file__).with_name("api_clients.py"))
            running.enter_context(asking([script, str(port), str(api_rate)], "api", figures))
        if pages:
            running.enter_context(asking([__file__, str(port), str(pages)], "pages", figures))
        yield figures


@contextmanager
def asking(command: list[str], name: str, figures: dict[str, Any]) -> Iterator[None]:
    with subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE) as process:
        try:
            yield
        finally:
            process.terminate()
            told, _ = process.communicate(timeout=40)
            figures |= {f"{name}_{key}": value for key, value in json.loads(told).items()}


def main(port: int, count: int) -> None:
    ended, seen, took = threading.Event(), Counter[str](), list[float]()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    clients = [
        threading.Thread(target=poll, args=(port, place, ended, seen, took))
        for place in range(count)
    ]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    print(json.dumps({"answers": dict(seen), "answer_ms": median(took) if took else None}))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
