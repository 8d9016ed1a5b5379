"""The definition of one periodic task: what to run, when, and what to do when that is late."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from msgspec import Struct

from beatd.schedule import Schedule

CatchUp = Literal["latest", "all", "skip"]
OnUnknown = Literal["resend", "skip"]
DstGap = Literal["run", "skip"]
DstFold = Literal["first", "last", "both"]

#: Fields of `Entry` whose values are the operator's own: of any type that a message can carry.
PAYLOAD = ("args", "kwargs", "options")


class Entry(Struct, frozen=True):
    """One periodic task, with nothing left to look up in a configuration.

    This is the list of an entry's fields. A field with a help text is a key of an entry in YAML, in
    the store's JSON and in the JSON Schema, and an option of `beatd add`, with the type and the
    default that it has here. `beatd.definition.fields` says how YAML writes a type.

    Name the fields when you make an entry: only the codec passes them by position.
    """

    name: str
    task: Annotated[str, "The task's name, as its workers know it."]
    schedule: Schedule
    tz: Annotated[str, "Its time zone (IANA); the config's timezone when left out."] = "UTC"
    args: Annotated[tuple[Any, ...], "Positional arguments: [2, 2]."] = ()
    kwargs: Annotated[Mapping[str, Any], 'Keyword arguments: {"full": true}.'] = {}
    options: Annotated[Mapping[str, Any], "Options of apply_async: queue, priority, expires…"] = {}
    enabled: Annotated[bool, "false keeps the entry and never runs it."] = True

    # when, beside the schedule
    start: Annotated[datetime | None, "No run before it; the grid of `every` begins here."] = None
    end: Annotated[datetime | None, "No run after it."] = None
    max_runs: Annotated[int | None, "Finished after so many runs."] = None
    jitter: Annotated[timedelta, "Up to this much later, the same for each occurrence."] = (
        timedelta(0)
    )
    dst_gap: Annotated[DstGap, "A fixed time that the clock skipped."] = "run"
    dst_fold: Annotated[DstFold, "A fixed time that came twice."] = "first"

    # when late, and when it is unknown whether a run was sent
    catch_up: Annotated[CatchUp, "Which missed moments to run."] = "latest"
    catch_up_window: Annotated[timedelta | None, "How far back missed moments count."] = None
    catch_up_max: Annotated[int | None, "At most so many missed moments, the newest."] = None
    grace: Annotated[timedelta, "With `catch_up: skip`: a moment may be this late."] = timedelta(
        seconds=10
    )
    on_unknown: Annotated[
        OnUnknown, "When it is unknown whether a run was sent: send it again, or skip it."
    ] = "resend"

    description: Annotated[str, "For people."] = ""

    # who declares it
    source: str = "cli"
    declared_at: str = ""
