"""How long each page and operation of the API takes, with many entries and records in the store.

    python bench/pages.py [STORE…] [--entries 10000] [--records 1000000] [--times 15]
    python bench/pages.py --store sqlite:////tmp/pages.db

STORE: postgresql, sqlite, redis; each is filled, served on a free port, and removed at the end.
`--store` names a store that stays: it is filled if it is empty, and used as it is the next time.

"anew" is a request that finds nothing kept from earlier requests, "again" one that may. CPU is that
of the server alone. Without `--only TEXT`, all pages are measured. Figures are median and p95, ms.
"""

import argparse
import http.client
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)

from beatd.clock import SystemClock  # noqa: E402
from beatd.definition import codec  # noqa: E402
from beatd.wiring.backends import open_store  # noqa: E402
from bench.figures import quantile  # noqa: E402
from bench.page_server import FORGET  # noqa: E402
from bench.page_store import BUSY, fill, filled_at, name_of  # noqa: E402
from bench.processes import precise_cpu_seconds  # noqa: E402
from bench.servers import free_port, places  # noqa: E402

STORES = ("postgresql", "sqlite", "redis")
STATES = ("active", "paused", "disabled", "finished", "running", "failing", "overdue")
WARM_UP = 3


def paths(now: datetime) -> dict[str, str]:
    """Return the address of each page and operation, by the name that the table shows."""
    busy, quiet = f"/entries/{BUSY}", f"/entries/{name_of(4_003)}"
    ago = {"from": (now - timedelta(days=1)).isoformat(), "to": now.isoformat()}
    month = {"from": (now - timedelta(days=365)).isoformat(), "to": now.isoformat()}
    since = urlencode({"since": (now - timedelta(hours=1)).isoformat()})
    at = urlencode({"at": (now - timedelta(days=1)).isoformat()})
    return {
        "/": "/",
        "/entries": "/entries",
        "/entries, page 3": f"/entries?place=~{name_of(99)}",
        "/entries, search": "/entries?q=job42",
        "/entries, search, none": "/entries?q=nothing-like-it",
        "/entries, owner": "/entries?source=yaml%3Aconfig",
        "/entries, owner of most": "/entries?source=cli",
        **{f"/entries, {state}": f"/entries?state={state}" for state in STATES},
        "/entries, next": "/entries?order=next",
        "/entries, next, owner": "/entries?order=next&source=cli",
        "entry": quiet,
        "entry, 10,000 records": busy,
        "entry, at": f"{quiet}?{at}",
        "entry, 10,000 records, at": f"{busy}?{at}",
        "edit": f"{quiet}/edit",
        "run": f"{quiet}/run",
        "backfill": f"{busy}/backfill?{urlencode(ago)}",
        "backfill, a year": f"{busy}/backfill?{urlencode(month)}",
        "/ahead": "/ahead",
        "/history": "/history",
        "/history, page 5": "page 5 of /history",
        "/history, entry": f"/history?entry={BUSY}",
        "/history, state, rare": "/history?state=failed",
        "/history, outcome": "/history?outcome=failed",
        "/history, outcome, none": "/history?outcome=lost",
        "/history, since": f"/history?{since}",
        "/incidents": "/incidents",
        "/daemons": "/daemons",
        "/changes": "/changes",
        "/entries.ics": "/entries.ics",
        "/badge": f"/badge/{BUSY}.svg",
        "API entries": "/api/v1/entries",
        "API entries, failing": "/api/v1/entries?state=failing",
        "API entry": f"/api/v1{quiet}",
        "API history": "/api/v1/history",
        "API history of an entry": f"/api/v1{busy}/history",
        "API ahead": "/api/v1/ahead",
        "API why": f"/api/v1{quiet}/why",
        "API why, 10,000 records": f"/api/v1{busy}/why",
        "API status": "/api/v1/status",
    }


class Client:
    """One connection to the server, as a browser has it."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)

    def get(self, path: str) -> bytes:
        return self._ask("GET", path, 200)

    def forget(self) -> None:
        """Drop the results that the server keeps for some seconds."""
        self._ask("POST", FORGET, 204)

    def _ask(self, method: str, path: str, status: int) -> bytes:
        self._connection.request(method, path, headers={"Sec-Fetch-Site": "same-origin"})
        answer = self._connection.getresponse()
        body = answer.read()
        assert answer.status == status, f"{path}: {answer.status} {body[:500]!r}"
        return body


def page_5(client: Client) -> str:
    """Return the address of the fifth page of the history."""
    path = "/history"
    for _ in range(4):
        text = client.get(path).decode()
        path = text.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    return path


def measured(client: Client, pid: int, path: str, times: int, *, anew: bool) -> dict[str, object]:
    """Return the figures of one page, in ms, and its size."""
    wall, cpu, size = [], [], 0
    for place in range(WARM_UP + times):
        if anew:
            client.forget()
        cpu_before, before = precise_cpu_seconds(pid), time.perf_counter()
        size = len(client.get(path))
        took = time.perf_counter() - before
        if place >= WARM_UP:
            wall.append(took * 1e3)
            cpu.append((precise_cpu_seconds(pid) - cpu_before) * 1e3)
    return {
        "wall": [round(median(wall), 1), round(quantile(wall, 0.95), 1)],
        "cpu": [round(median(cpu), 1), round(quantile(cpu, 0.95), 1)],
        "kB": round(size / 1e3, 1),
    }


@contextmanager
def served(url: str) -> Iterator[tuple[Client, int]]:
    """Serve the store's pages in a process of its own; yield a client and the id of the process."""
    port = free_port()
    command = [sys.executable, str(ROOT / "bench" / "page_server.py"), url, str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None and process.stdout.readline(), "it did not start"
            yield Client(port), process.pid
        finally:
            process.terminate()


def of_store(url: str, asked: argparse.Namespace) -> dict[str, object]:
    """Return the figures of all pages of a store, which is filled if it is empty."""
    store = open_store(url, codec=codec, clock=SystemClock())
    now = filled_at(store)
    if now is None:
        begun = time.perf_counter()
        now = fill(store, asked.entries, asked.records)
        took = time.perf_counter() - begun
        print(f"{url.split(':')[0]}: filled in {took:.0f} s", file=sys.stderr, flush=True)
    store.close()
    found: dict[str, object] = {}
    with served(url) as (client, pid):
        for name, path in paths(now).items():
            if asked.only not in name:
                continue
            path = page_5(client) if path.startswith("page 5") else path
            found[name] = {
                word: measured(client, pid, path, asked.times, anew=word == "anew")
                for word in ("anew", "again")
            }
            print(line(name, found[name]), file=sys.stderr, flush=True)
    return found


def line(name: str, one: dict[str, dict[str, list[float]]]) -> str:
    """Return the figures of a page as a line of a table in Markdown."""
    cells = [
        f"{one[word][what][0]:.0f} / {one[word][what][1]:.0f}"
        for word in ("anew", "again")
        for what in ("wall", "cpu")
    ]
    return f"| {name} | {' | '.join(cells)} | {one['anew']['kB']:.0f} kB |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("stores", nargs="*", metavar="STORE", help=", ".join(STORES))
    parser.add_argument("--store", action="append", default=[], metavar="URL")
    parser.add_argument("--entries", type=int, default=10_000)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=15)
    parser.add_argument("--only", default="", metavar="TEXT", help="pages with TEXT in their name")
    parser.add_argument("--json", type=Path, metavar="FILE")
    asked = parser.parse_args()
    found = {}
    for url in asked.store:
        found[url.split(":")[0]] = of_store(url, asked)
    for kind in asked.stores or (() if asked.store else STORES):
        with (
            tempfile.TemporaryDirectory(prefix="beatd-bench-") as folder,
            places(kind, "redis", Path(folder)) as (url, _),
        ):
            found[kind] = of_store(url, asked)
    for kind, pages in found.items():
        print(f"\n| {kind} | anew, ms | its CPU | again, ms | its CPU | size |")
        print("|---|---|---|---|---|---|")
        for name, one in pages.items():
            print(line(name, one))
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
