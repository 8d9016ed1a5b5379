"""One leader or several on one Redis: a herd of entries, each shard with its own keys and lock.

    python bench/shards.py [SHARDS…]        (default: 1 2)

A shard is a `store.prefix` today: entries go to it by a hash of their name, and so do the commands
that edit them. See docs/scale.md for what that leaves to be done.
"""

import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from zlib import crc32

sys.path[0] = str(Path(__file__).resolve().parent.parent)

from bench.arrivals import growth, queue_of  # noqa: E402
from bench.cases import started  # noqa: E402
from bench.contestants import Beatd, Job  # noqa: E402
from bench.servers import QUEUE, places  # noqa: E402

ENTRIES = 10_000


class Shard(Beatd):
    def __init__(self, job: Job, number: int, of: int) -> None:
        super().__init__(job)
        self.number, self.of = number, of
        prefixed = f"store: {{url: '{job.store}', prefix: 'beatd:{number}:'}}"
        text = self.config.read_text().replace(f"store: {{url: '{job.store}'}}", prefixed)
        self.config.write_text(text)

    def load(self) -> float:
        mine = [
            n for n in range(self.job.entries) if crc32(b"entry-%d" % n) % self.of == self.number
        ]
        path = self.folder / "mine.yaml"
        lines = "".join(f"  entry-{n}: {self.line(n)}\n" for n in mine)
        path.write_text(f"entries:\n{lines}")
        self.run("apply", str(path))
        return 0.0


def herd(shards: int) -> str:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="beatd-shards-")))
        store, broker = stack.enter_context(places("redis", "redis", folder))
        queue = queue_of(broker, QUEUE)
        at = float(int(time.time()) + 14)
        for number in range(shards):
            own = folder / str(number)
            own.mkdir()
            job = Job("beatd", "herd", ENTRIES, at, store, broker, QUEUE, str(own))
            shard = Shard(job, number, shards)
            shard.load()
            stack.enter_context(started(shard))
        steps = growth(queue, ENTRIES, at, 30)
        last = steps[-1][0] - at
        arrived = sum(many for _, many in steps)
        queue.close()
    return f"{shards} leaders: {arrived:,} in {last * 1000:,.0f} ms, {arrived / last:,.0f}/s"


if __name__ == "__main__":
    for many in map(int, sys.argv[1:] or ("1", "2")):
        print(herd(many), flush=True)
