"""An entry defines one periodic task: what to run, when, and what to do if a run is late."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, Protocol, runtime_checkable

from msgspec import Meta, Struct

#: A time with a UTC offset. Another program may write one without, which msgspec then refuses.
Moment = Annotated[datetime, Meta(tz=True)]
CatchUp = Literal["latest", "all", "skip"]
OnUnknown = Literal["resend", "skip"]
Overlap = Literal["allow", "skip", "queue", "replace"]
DstGap = Literal["run", "skip"]
DstFold = Literal["first", "last", "both"]

#: Fields of `Entry` whose values are the operator's own: of any type that a message can carry.
PAYLOAD = ("args", "kwargs", "options")
#: The keys of an entry that stand in the place of `task`.
CANVASES = ("chain", "group", "chord")


@runtime_checkable
class Schedule(Protocol):
    """The times at which a task runs, such as every 5 minutes or at 02:00 each day.

    Every kind of schedule is frozen and hashable, and equal to one that has the same times.
    """

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first run after `moment`, in UTC; None if there is none."""

    @property
    def period(self) -> int | None:
        """The microseconds from each run to the next; None if they differ."""

    def plain(self) -> dict[str, Any]:
        """Return the schedule as YAML writes it, without its zone: {"cron": "0 2 * * *"}."""

    def __hash__(self) -> int: ...


class Timing(Struct, frozen=True):
    """When an entry runs, without what it runs: enough to compute the moments of its runs."""

    schedule: Schedule
    tz: str = "UTC"
    start: datetime | None = None
    end: datetime | None = None
    max_runs: int | None = None


class Alert(Struct, frozen=True):
    """The limits that open an incident about an entry when they are violated.

    A limit of None is not checked. `Alert()`, in YAML `alert: {}`, checks nothing: an entry uses it
    to ignore the `alert` of `defaults`.
    """

    failed: Annotated[int | None, "Failures in a row that open an incident."] = None
    recovered: Annotated[int, "Successes in a row that close it."] = 1
    late: Annotated[
        timedelta | None, "A run published later than this, counted from its planned moment."
    ] = None
    missing: Annotated[timedelta | None, "No success for longer than this."] = None
    running: Annotated[timedelta | None, "A run that a worker runs for longer than this."] = None


class Monitor(Struct, frozen=True):
    """The external monitors to which beatd reports whether an entry's runs succeed."""

    ping: Annotated[str, "A URL of healthchecks.io or its like."] = ""
    sentry: Annotated[bool, "true: check-ins of Sentry Crons (see `monitors`)."] = False


class Chunks(Struct, frozen=True, forbid_unknown_fields=True):
    """Arguments for many calls of one task, of which one message has `size` calls."""

    args: tuple[tuple[Any, ...], ...]
    size: int


class Step(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A part of a canvas: several tasks that Celery runs in a row, at once, or with one at the end.

    Exactly one of `task`, `chain`, `group` and `chord` is given.

    `group` is a list of steps, or one task with `chunks`. Only a task has `args`, `kwargs` and
    `chunks`. `options` are those of apply_async. An `immutable` step does not get the result of the
    step before it. `link` is called with the result of the step, `link_error` after a failure.
    """

    task: str = ""
    chain: tuple["Step", ...] = ()
    group: "tuple[Step, ...] | Step" = ()
    chord: "Chord | None" = None
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = {}
    chunks: Chunks | None = None
    options: Mapping[str, Any] = {}
    immutable: bool = False
    link: tuple["Step", ...] = ()
    link_error: tuple["Step", ...] = ()


class Chord(Struct, frozen=True, forbid_unknown_fields=True):
    """A group of steps, `header`, and a step that gets all their results, `body`."""

    header: tuple[Step, ...]
    body: Step


class Entry(Struct, frozen=True):
    """The complete definition of one periodic task, with all defaults filled in.

    This class is the only list of an entry's fields. A field with a help text is a key of an entry
    in YAML, in the store's JSON and in the JSON Schema, and an option of `beatd add`. The type and
    the default are the same everywhere. `beatd.definition.fields` defines how YAML writes each
    type.

    Pass fields by keyword; only the codec passes them by position.
    """

    name: str
    task: Annotated[str, "The task's name in the workers."]  # empty if there is a canvas
    schedule: Schedule
    tz: Annotated[str, "Its time zone (IANA). [default: the configuration's]"] = "UTC"
    args: Annotated[tuple[Any, ...], "Positional arguments, like [2, 2]."] = ()
    kwargs: Annotated[Mapping[str, Any], 'Keyword arguments, like {"full": true}.'] = {}
    options: Annotated[Mapping[str, Any], "Options of apply_async: queue, priority, expires…"] = {}
    enabled: Annotated[bool, "false: the entry stays and does not run."] = True

    # when, beside the schedule
    start: Annotated[datetime | None, "No run before it; the grid of `every` begins here."] = None
    end: Annotated[datetime | None, "No run after it."] = None
    max_runs: Annotated[int | None, "The number of runs after which the entry is finished."] = None
    jitter: Annotated[
        timedelta, "Delay each run by up to this much, the same for one occurrence."
    ] = timedelta(0)
    dst_gap: Annotated[DstGap, "What happens to a fixed time that the clock skips."] = "run"
    dst_fold: Annotated[DstFold, "Which runs there are of a fixed time that comes twice."] = "first"

    # when late, and when it is unknown whether a run was sent
    catch_up: Annotated[CatchUp, "Which missed moments run."] = "latest"
    catch_up_window: Annotated[timedelta | None, "How far back missed moments count."] = None
    catch_up_max: Annotated[int | None, "How many missed moments run at most, the newest."] = None
    grace: Annotated[timedelta, "With `catch_up: skip`: how late a moment may still run."] = (
        timedelta(seconds=10)
    )
    on_unknown: Annotated[OnUnknown, "What happens when nobody knows if a message was sent."] = (
        "resend"
    )

    # when the run before has not ended
    overlap: Annotated[
        Overlap, "What a due moment does while an earlier run of the entry has not ended."
    ] = "allow"
    max_run: Annotated[
        timedelta | None, "After it, a run that no worker reports no longer counts as running."
    ] = None

    # when people have to know
    alert: Annotated[
        Alert | None, "What opens an incident: failed, recovered, late, missing, running."
    ] = None

    monitor: Annotated[Monitor | None, "Monitors that learn how its runs end: ping, sentry."] = None
    trace: Annotated[bool, "true: each message has a W3C traceparent of its occurrence."] = False

    description: Annotated[str, "A text for people."] = ""

    # who declares it
    source: str = "cli"
    declared_at: str = ""  # such as the file

    canvas: Step | None = None  # the keys `chain`, `group` and `chord`, in the place of `task`


def timing_of(entry: Entry) -> Timing:
    """Return when an entry runs, without what it runs."""
    return Timing(entry.schedule, entry.tz, entry.start, entry.end, entry.max_runs)
