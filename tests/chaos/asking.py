"""What beatd's commands print about the store of a stage, without any cable."""

import subprocess
import time
from pathlib import Path
from typing import Any

from msgspec import json

from tests.chaos import outcomes
from tests.chaos.stage import Stage
from tests.chaos.verdict import Record
from tests.chaos.workers import Workers
from tests.process import BEATD
from tests.waiting import until

SETTLE_S = 30.0  # that open claims and backlogs may last after the last fault
REPORT_TRIES, REPORT_PAUSE_S = 5, 1.0  # to find the ends of all executed runs in the history


def asked(here: Stage, command: str) -> Any:
    words: list[str | Path] = [BEATD, command, "--json", "--store", here.url(here.pair.store)]
    done = subprocess.run(words, stdout=subprocess.PIPE)
    return json.decode(done.stdout)


def history(here: Stage) -> list[Record]:
    return json.decode(json.encode(asked(here, "history")), type=list[Record])


def settled(here: Stage) -> bool:
    """Return True when no claim is open and no backlog is left, False when that takes too long."""

    def nothing_left() -> bool:
        status = asked(here, "status")
        return not status["unknowns"] and not status["requests"]["count"]

    try:
        until(nothing_left, SETTLE_S, "")
    except TimeoutError:
        return False
    return True


def reported_until(here: Stage, workers: Workers) -> float:
    """Return a moment; the reports of all that was executed before it have had time to arrive."""
    moment = time.time()
    for _ in range(REPORT_TRIES):
        time.sleep(REPORT_PAUSE_S)
        if not outcomes.judge(workers.executed(), history(here), (), moment).unreported:
            break
    return moment
