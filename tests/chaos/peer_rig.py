"""The same faults for celery beat, redbeat with two daemons, and django-celery-beat.

    .venv/bin/python -m tests.chaos.peer_rig celery|redbeat|django [--broker redis] [--minutes 10]
                                             [--seed 1] [--logs FOLDER] [--json FILE]

Prints the faults and a table with a line for each kind of fault.
"""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct, json
from msgspec.structs import replace

from tests.chaos.campaign import consumed, strike_all
from tests.chaos.fault_table import Line, lines, text
from tests.chaos.faults import MOST_A_MINUTE, Fault, schedule
from tests.chaos.pair import BROKERS
from tests.chaos.peers import NAMES, RULES, Peer, moments_of, takeovers
from tests.chaos.stage import stage
from tests.chaos.verdict import BEFORE_S, Struck
from tests.chaos.watch import ON_TIME_S
from tests.run.servers import DoesNotStart

# ruff: noqa: T201
START_S = 60.0
AFTER_S = 1.0  # an entry whose run is on its way is on time; the moments before that run are not


class PeerRun(Struct):
    struck: Sequence[Struck]
    table: Sequence[Line]
    ended: Sequence[str]  # daemons that ended by themselves, and were started again


def run(peer: Peer, faults: Sequence[Fault], folder: Path, minutes: float) -> PeerRun:
    with stage(peer.pair, folder, start=peer.start) as here:
        daemons = here.daemons
        with consumed(here, folder / "arrivals.jsonl", RULES) as watch:
            if watch.on_time_within(START_S, daemons.supervise) is None:
                raise TimeoutError(f"not all entries run; the logs are in {folder}")
            struck = strike_all(faults, here, watch, daemons.supervise, minutes)
            ended, by_themselves = time.time(), list(daemons.ended)
            for number in range(len(daemons)):
                daemons.end(number, signal.SIGTERM)
    # Every kind of daemon says in another way that it leads; its messages say it, too.
    ends = [one.at - BEFORE_S for one in struck[1:]] + [ended]
    struck = [
        replace(one, takeovers=takeovers(watch.all, one.at - BEFORE_S, end))
        for one, end in zip(struck, ends, strict=True)
    ]
    moments = moments_of(watch.all, ended - ON_TIME_S)
    return PeerRun(struck, lines(moments, struck, AFTER_S), by_themselves)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("system", choices=NAMES)
    parser.add_argument("--broker", choices=BROKERS, default="redis")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", default="1", help="that the faults are drawn from")
    parser.add_argument("--logs", type=Path, help="keep them there")
    parser.add_argument("--json", type=Path, help="write the table there")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # and clean up
    peer = Peer(given.system, given.broker)
    faults = schedule(f"{given.seed} {peer}", int(given.minutes * MOST_A_MINUTE) + 1, peer.kinds())
    with tempfile.TemporaryDirectory(prefix="beatd-rig-") as fleeting:
        folder = (given.logs or Path(fleeting)) / given.system
        folder.mkdir(parents=True)
        print(f"{peer}, seed {given.seed}: faults for {given.minutes:g} minutes", flush=True)
        found = run(peer, faults, folder, given.minutes)
    print("", text(found.table), f"ended by themselves: {len(found.ended)}", sep="\n")
    if given.json:
        given.json.write_bytes(json.format(json.encode(found)))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except DoesNotStart as reason:
        sys.exit(str(reason))
