"""What one next_after costs, beside croniter, celery and APScheduler, and what a herd costs.

    python bench/next_after.py [--moments 400] [--json]

Every expression is parsed once; then each library is asked for the next run after the same moments,
none of them asked before, spread over ten years. Shown is the median over moments of one answer.
"""

import argparse
import json
import random
import statistics
import sys
import time
from datetime import UTC, datetime, timedelta

import pytz
from apscheduler.triggers.cron import CronTrigger
from celery.schedules import crontab as celerys
from croniter import croniter

from beatd.schedules import crontab, schedule_from

EXPRESSIONS = [
    ("* * * * *", "Europe/Berlin"),
    ("*/15 * * * *", "America/New_York"),
    ("0 * * * *", "Asia/Shanghai"),
    ("30 2 * * *", "Europe/Berlin"),
    ("0 9-17 * * 1-5", "America/New_York"),
    ("*/5 8-18 * * 1-5", "Europe/London"),
    ("0 0 * * 0", "America/Santiago"),
    ("15 10 1 * *", "Australia/Lord_Howe"),
    ("0 0 1,15 * *", "Asia/Beirut"),
    ("45 23 31 12 *", "Pacific/Apia"),
    ("0 12 29 2 *", "Europe/Berlin"),
    ("7 3 * 1,7 3", "America/Sao_Paulo"),
]
HERD, DISTINCT = 100_000, 50


def beatds(text, tz):
    return crontab(text, tz=tz).next_after


def croniters(text, tz):
    zone = pytz.timezone(tz)
    parsed = croniter(text, datetime(2026, 1, 1, tzinfo=UTC))
    return lambda moment: parsed.get_next(datetime, start_time=moment.astimezone(zone))


def celery_beats(text, tz):
    minute, hour, day, month, weekday = text.split()
    zone = pytz.timezone(tz)
    schedule = celerys(minute, hour, weekday, day, month, nowfun=lambda: datetime.now(UTC))

    def next_after(moment):
        last, delta, _ = schedule.remaining_delta(moment, tz=zone)
        return last + delta

    return next_after


def apschedulers(text, tz):
    trigger = CronTrigger.from_crontab(text, timezone=tz)
    return lambda moment: trigger.get_next_fire_time(moment, moment + timedelta(microseconds=1))


LIBRARIES = {
    "beatd": beatds,
    "croniter": croniters,
    "celery": celery_beats,
    "APScheduler": apschedulers,
}


def cost(next_after, moments):
    """The median cost of one answer in microseconds; None where the library gives none."""
    costs = []
    for moment in moments:
        begin = time.perf_counter_ns()
        try:
            next_after(moment)
        except Exception:
            return None
        costs.append(time.perf_counter_ns() - begin)
    return statistics.median(costs) / 1000


def herd(distinct, size):
    """Seconds to plan a herd of entries, with one computation per distinct schedule."""
    plains = [{"cron": f"{n % 60} {n % 24} * * *"} for n in range(distinct)]
    schedules = [schedule_from(plains[n % distinct], tz="Europe/Berlin") for n in range(size)]
    moment = datetime(2026, 11, 21, 12, tzinfo=UTC)
    begin = time.perf_counter()
    planned = {}
    for schedule in schedules:
        if schedule not in planned:
            planned[schedule] = schedule.next_after(moment)
    assert len(planned) == distinct
    return time.perf_counter() - begin


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--moments", type=int, default=400)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    random.seed(11)
    table, ratios = [], {name: [] for name in LIBRARIES}
    for text, tz in EXPRESSIONS:
        moments = [
            datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=random.uniform(0, 315_000_000))
            for _ in range(options.moments)
        ]
        row = {name: cost(make(text, tz), moments) for name, make in LIBRARIES.items()}
        table.append({"cron": text, "tz": tz} | row)
        for name, micros in row.items():
            if micros is not None:
                ratios[name].append(micros / row["beatd"])
    medians = {
        name: statistics.median(row[name] for row in table if row[name] is not None)
        for name in LIBRARIES
    }
    few, many = (min(herd(DISTINCT, size) for _ in range(5)) for size in (DISTINCT, HERD))
    if options.json:
        found = {"rows": table, "medians": medians, "herd": {DISTINCT: few, HERD: many}}
        json.dump(found, sys.stdout, indent=1)
        return
    print(f"{'cron':18} {'zone':20}" + "".join(f"{name:>13}" for name in LIBRARIES) + "   (µs)")
    for row in table:
        cells = "".join(f"{row[name]:13.1f}" if row[name] else f"{'-':>13}" for name in LIBRARIES)
        print(f"{row['cron']:18} {row['tz']:20}{cells}")
    print(f"{'median':39}" + "".join(f"{medians[name]:13.1f}" for name in LIBRARIES))
    times = "".join(f"{statistics.median(ratios[name]):12.1f}x" for name in LIBRARIES)
    print(f"{'median ratio to beatd':39}{times}")
    print(f"\na herd of {HERD:,} entries over {DISTINCT} schedules: {many * 1000:.1f} ms", end=" ")
    print(f"({many / HERD * 1e9:.0f} ns an entry); the {DISTINCT} alone: {few * 1000:.2f} ms")


if __name__ == "__main__":
    main()
