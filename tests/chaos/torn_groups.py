"""Leaders that are killed with kill -9 while they send a group of 1,000 tasks.

    .venv/bin/python -m tests.chaos.torn_groups [PAIR…] [--kills 100] [--seed 1]

An entry runs the group every two seconds. Judged by the messages in the broker alone: each member
of each run was sent, and none under a second id. Prints a table, and ends with 1 if a run is not
whole. PAIR: postgresql+rabbitmq, where a group may be sent in part, or redis, where it may not.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from tests.chaos.daemons import CONFIG, Daemons
from tests.chaos.group_messages import QUEUE, Sent, messages_in
from tests.chaos.narrow_pipe import NarrowPipe
from tests.chaos.pair import PAIRS, Pair
from tests.chaos.stage import REDIS_KEEPS, URLS
from tests.run.servers import DoesNotStart, Servers

# ruff: noqa: T201
MEMBERS, EVERY_S, DAEMONS = 1000, 2, 2
BYTES_PER_SECOND = 5e6  # to the broker: a group takes some 0.2 s, so that a kill can hit it
WITHIN_S = 60.0  # that a run may take until it is whole
NAMES = ("postgresql+rabbitmq", "redis")
HEAD = ("pair", "kills", "in part", "runs", "sent twice", "lacking", "other ids")


class Verdict(Struct):
    """`torn` counts the killed runs of which the killed leader had sent only a part."""

    kills: int = 0
    torn: int = 0
    runs: int = 0
    twice: int = 0
    lacking: int = 0
    other_ids: int = 0

    @property
    def whole(self) -> bool:
        return self.lacking == self.other_ids == 0


class Groups:
    """The messages of all runs that have arrived, by the planned moment of the run."""

    def __init__(self, take: Callable[[], Sequence[Sent]]) -> None:
        self._take = take
        self.sent = defaultdict[str, list[Sent]](list)
        self.latest: Sent | None = None

    def look(self) -> None:
        for one in self._take():
            self.sent[one.planned].append(one)
            self.latest = one

    def until(self, true: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + WITHIN_S
        while not true():
            if time.monotonic() > deadline:
                raise TimeoutError(what)
            self.look()

    def members(self, planned: str) -> int:
        return len({one.member for one in self.sent[planned]})

    def newest(self) -> str:
        return max(self.sent, default="")


@contextmanager
def started(pair: Pair, folder: Path) -> Iterator[tuple[Daemons, Groups]]:
    with ExitStack() as closing:
        data = tempfile.TemporaryDirectory(prefix="beatd-groups-", ignore_cleanup_errors=True)
        files = Path(closing.enter_context(data))
        files.chmod(0o755)
        servers = Servers(files, redis=REDIS_KEEPS)
        closing.callback(servers.stop)
        for name in pair.servers:
            if reason := servers.start(name):
                raise DoesNotStart(f"{name}: {reason}")
        url = {name: URLS[name].format(port=servers.ports[name]) for name in pair.servers}
        direct = url[pair.broker]
        pipe = NarrowPipe(servers.ports[pair.broker], BYTES_PER_SECOND)
        closing.callback(pipe.close)
        url[pair.broker] = URLS[pair.broker].format(port=pipe.port)
        steps = ", ".join(f"{{task: member, args: [{nth}]}}" for nth in range(MEMBERS))
        homes = [folder / f"daemon-{number}" for number in range(DAEMONS)]
        for home in homes:
            home.mkdir()
            (home / CONFIG).write_text(
                f"store: {{url: '{url[pair.store]}'}}\nbroker: {{url: '{url[pair.broker]}'}}\n"
                f"entries:\n  fan-out: {{every: {EVERY_S}s, options: {{queue: {QUEUE}}}, "
                f"group: [{steps}]}}\n"
            )
        daemons = Daemons(homes)
        closing.callback(daemons.close)
        take = closing.enter_context(messages_in(direct))
        yield daemons, Groups(take)


def run(pair: Pair, kills: int, seed: str, folder: Path) -> Verdict:
    """Kill the leader so many times in the middle of a run, and judge all runs at the end."""
    draw, found = random.Random(seed), Verdict()
    with started(pair, folder) as (daemons, groups):
        groups.until(lambda: groups.latest is not None, f"no run; the logs are in {folder}")
        for _ in range(kills):
            planned, leader = kill_in_a_run(daemons, groups, pair, draw)
            found.kills += 1
            daemons.supervise()
            groups.until(
                lambda leader=leader: origin(groups) != leader, "no other daemon has taken over"
            )
            if planned:
                groups.until(
                    lambda planned=planned: groups.members(planned) == MEMBERS,
                    f"the run of {planned} is not whole; the logs are in {folder}",
                )
                sent = {one.member for one in groups.sent[planned] if one.pid == leader}
                found.torn += 0 < len(sent) < MEMBERS
        last = groups.newest()
        groups.until(lambda: groups.newest() > last, "no run after the last kill")
    for planned, sent in sorted(groups.sent.items()):
        if planned <= last:
            judge(sent, found)
    return found


def origin(groups: Groups) -> int:
    return groups.latest.pid if groups.latest else 0


def kill_in_a_run(
    daemons: Daemons, groups: Groups, pair: Pair, draw: random.Random
) -> tuple[str, int]:
    """Return the run that was killed, "" if none of it had arrived, and the pid of its leader."""
    before, leader = groups.newest(), origin(groups)
    if pair.one:
        # All messages come at once, so only the clock can hit the step.
        at = datetime.fromisoformat(before).timestamp()
        at += EVERY_S * (1 + max(0.0, time.time() - at) // EVERY_S) + draw.uniform(-0.1, 0.3)
        groups.until(lambda: time.time() >= at, "the clock stands still")
    else:
        after = draw.randint(1, MEMBERS * 3 // 4)
        groups.until(
            lambda: groups.newest() > before and len(groups.sent[groups.newest()]) >= after,
            "no next run",
        )
        leader = origin(groups)
    with suppress(ProcessLookupError):
        os.kill(leader, signal.SIGKILL)
    newest = groups.newest()
    return (newest if newest > before else ""), leader


def judge(sent: Sequence[Sent], found: Verdict) -> None:
    """Count what one run lacks and what it has twice."""
    ids = defaultdict[str, set[str]](set)
    for one in sent:
        ids[one.member].add(one.id)
    copies = Counter(one.id for one in sent)
    found.runs += 1
    found.twice += sum(many - 1 for many in copies.values())
    found.lacking += MEMBERS - len(ids)
    found.other_ids += sum(len(several) - 1 for several in ids.values())
    found.other_ids += len({(one.group, one.run) for one in sent}) - 1


def row(name: str, found: Verdict) -> str:
    figures = (found.kills, found.torn, found.runs, found.twice, found.lacking, found.other_ids)
    return f"{name:<22}" + "".join(f"{figure:>12,}" for figure in figures)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pairs", nargs="*", metavar="PAIR", help=", ".join(NAMES))
    parser.add_argument("--kills", type=int, default=100, help="on each pair")
    parser.add_argument("--logs", type=Path, help="keep the logs of the daemons there")
    parser.add_argument("--seed", default="1", help="that the moments are drawn from")
    given = parser.parse_args()
    if unknown := [name for name in given.pairs if name not in NAMES]:
        parser.error(f"no such pair: {', '.join(unknown)}; there are {', '.join(NAMES)}")
    rows, whole = [f"{HEAD[0]:<22}" + "".join(f"{word:>12}" for word in HEAD[1:])], True
    for name in given.pairs or NAMES:
        with tempfile.TemporaryDirectory(prefix="beatd-groups-") as folder:
            logs = (given.logs or Path(folder)) / name
            logs.mkdir(parents=True)
            found = run(PAIRS[name], given.kills, f"{given.seed} {name}", logs)
        rows.append(row(name, found))
        whole = whole and found.whole
    print(*rows, sep="\n")
    return 0 if whole else 1


if __name__ == "__main__":
    sys.exit(main())
