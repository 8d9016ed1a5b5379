"""What should run: an entry, as its operator meant it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

from msgspec import Struct

from beatd.schedule import Schedule

CatchUp = Literal["latest", "all", "skip"]
OnUnknown = Literal["resend", "skip"]


class Entry(Struct, frozen=True, kw_only=True):
    """One periodic task; every field is resolved, so nothing depends on the host that reads it."""

    name: str
    task: str
    schedule: Schedule
    tz: str = "UTC"
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = {}
    options: Mapping[str, Any] = {}
    enabled: bool = True

    # when, beside the schedule
    start: datetime | None = None
    end: datetime | None = None
    max_runs: int | None = None
    jitter: timedelta = timedelta(0)
    dst_gap: Literal["run", "skip"] = "run"
    dst_fold: Literal["first", "last", "both"] = "first"

    # when late, and when in doubt
    catch_up: CatchUp = "latest"
    catch_up_window: timedelta | None = None
    catch_up_max: int | None = None
    grace: timedelta = timedelta(seconds=10)
    on_unknown: OnUnknown = "resend"

    # whose it is
    description: str = ""
    source: str = "cli"
    declared_at: str = ""
