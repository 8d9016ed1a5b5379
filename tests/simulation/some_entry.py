"""An entry by dice: its schedule, and what else its name decides."""

import json
import random
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Any

from beatd.definition import entry_from
from beatd.entry import Entry
from tests.simulation.versions import ZONED_SCHEDULES
from tests.simulation.world import START

SCHEDULES: tuple[dict[str, Any], ...] = (
    {"every": "1s"},
    {"every": "2s", "catch_up": "all", "catch_up_window": "30s"},
    {"every": "3s", "catch_up": "skip", "grace": "2s"},
    {"every": "700ms"},
    {"every": "5s", "jitter": "3s"},
    {"cron": "*/4 * * * * *"},
    {"cron": "*/10 * * * * *", "catch_up": "all", "catch_up_max": 3},
    {"every": "2s", "max_runs": 4},
    {"every": "3s", "catch_up": "all", "catch_up_max": 5, "max_runs": 5},
    {"at": (START + timedelta(seconds=7, microseconds=123456)).isoformat()},
    {"every": "2s", "end": (START + timedelta(seconds=9)).isoformat()},
    {"every": "4s", "start": (START + timedelta(seconds=3)).isoformat(), "phase": "1s"},
)


def some_entry(
    name: str, dice: random.Random, schedules: Sequence[Mapping[str, Any]] = SCHEDULES
) -> Entry:
    schedules = ZONED_SCHEDULES if name.startswith("zoned") else schedules
    plain: dict[str, Any] = {"task": "t", "args": [dice.randint(0, 9)], **dice.choice(schedules)}
    # By its name, so that an entry that is added again has the same.
    plain["on_unknown"] = "skip" if int(name.split()[-1]) % 2 else "resend"
    if "poison" in name:
        plain["task"] = "poison"
    if "full" in name:
        plain["options"] = {"queue": "full"}
    if name.startswith("alone"):
        number = int(name.split()[-1])
        plain.setdefault("overlap", ("skip", "queue", "replace")[number % 3])
        plain.setdefault("max_run", ("45s", "8s")[number // 3 % 2])
    return _read(name, json.dumps(plain))


@lru_cache(maxsize=10_000)
def _read(name: str, plain: str) -> Entry:
    return entry_from(name, json.loads(plain))
