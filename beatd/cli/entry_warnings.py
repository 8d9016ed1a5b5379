"""Find settings of an entry that may make its runs fail."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from beatd.canvas import has_chord, kind_of, tasks_of
from beatd.cli.moment_gaps import gaps_ahead
from beatd.cli.overlap_warnings import OverlapFacts, overlap_warnings
from beatd.entry import Entry, Step
from beatd.errors import Problem, ScheduleError, nearest
from beatd.planning import next_moment
from beatd.schedules.duration import format_duration
from beatd.secret import hidden

if TYPE_CHECKING:
    from celery import Celery

EVERYTHING_WORKS = OverlapFacts()
PICKLE = {"pickle", "application/x-python-serialize"}


def warnings_of(
    entry: Entry, app: "Celery | None", now: datetime, facts: OverlapFacts = EVERYTHING_WORKS
) -> Iterator[Problem]:
    """Yield a problem for each setting of the entry that may make its runs fail.

    The task and its arguments are checked only if `app` is given. All problems are warnings, except
    a schedule that cannot be computed. `facts` are used to check the `overlap` rule.
    """
    try:
        if entry.enabled and next_moment(entry, now) is None:
            yield _warning("never runs again: all of its moments are past")
    except ScheduleError as error:
        yield Problem(f"will not run: {error}")
    yield from _croniter_differs(entry, now)
    yield from _jitter_too_long(entry, now)
    yield from _pickled(entry, app)
    yield from overlap_warnings(entry, facts, now)
    if entry.canvas is not None and has_chord(entry.canvas):
        yield from _without_backend(entry.canvas, app)
        yield from _counted_twice(entry, entry.canvas, app)
    if app is None or not (own := own_tasks(app)):
        return  # this app only sends, and registers no task
    if entry.canvas is not None:
        for path, step in tasks_of(entry.canvas):
            if step.task not in app.tasks:
                text = f"{step.task!r} is not registered in the app, and only a worker that has it"
                yield _warning(f"{text} runs it{nearest(step.task, own)}", *path, "task")
        return
    if entry.task not in app.tasks:
        text = f"{entry.task!r} is not registered in the app, and only a worker that has it runs it"
        yield _warning(f"{text}{nearest(entry.task, own)}", "task")
        return
    from beatd.publishers.run_arguments import has_marks

    task = app.tasks[entry.task]
    if task.typing and not has_marks(entry):
        try:
            task.__header__(*entry.args, **entry.kwargs)
        except TypeError as error:
            reason = str(error).replace("()", "", 1)
            yield _warning(f"do not fit {entry.task}, so every run fails: {reason}", "args")


def _without_backend(canvas: Step, app: "Celery | None") -> Iterator[Problem]:
    """Yield an error if the app has no result backend that can run a chord."""
    if app is None:
        text = "needs the result backend of an app for its chord; name one, like app: proj.celery"
        yield Problem(text, (kind_of(canvas),))
        return
    try:
        app.backend.ensure_chords_allowed()
    except NotImplementedError:
        url = app.conf.result_backend
        have = f"{hidden(str(url))} cannot run chords" if url else "the app has none"
        text = f"needs a result backend for its chord, and {have}; set result_backend, for example"
        yield Problem(f"{text} to redis://localhost:6379/1", (kind_of(canvas),))
    except Exception as error:  # a backend without its library may raise anything
        text = f"needs a result backend for its chord: {hidden(str(error))}"
        yield Problem(text, (kind_of(canvas),))


def _counted_twice(entry: Entry, canvas: Step, app: "Celery | None") -> Iterator[Problem]:
    """Yield a warning if a run that is sent again could end the chord too early."""
    from beatd.publishers.chord_counter import counts_each_end

    if app is None or entry.on_unknown == "skip":
        return
    try:
        if not counts_each_end(app.backend):
            return
        url = hidden(str(app.conf.result_backend))
    except Exception:  # `_without_backend` reports a backend that cannot be made
        return
    yield _warning(
        f"{url} counts how many tasks of a chord have ended, not which: a run that is sent again "
        "may fail, or call the body before all tasks have ended; use Redis or a database as the "
        "result backend, or write on_unknown: skip",
        kind_of(canvas),
    )


def chord_backend(entries: Iterable[Entry], app: "Celery | None") -> str:
    """Return the URL of the result backend that the chords of the entries use, without password.

    Returns "" if there is no chord, or no backend that can run one.
    """
    if app is None or not any(e.canvas is not None and has_chord(e.canvas) for e in entries):
        return ""
    try:
        app.backend.ensure_chords_allowed()
        return hidden(str(app.backend.as_uri()))
    except Exception:  # `warnings_of` reports it
        return ""


def _croniter_differs(entry: Entry, now: datetime) -> Iterator[Problem]:
    difference = croniter_difference(entry, now)
    if difference:
        yield _warning(difference, "cron")


def croniter_difference(entry: Entry, now: datetime) -> str:
    """Return how the croniter library would run the entry's cron text differently from beatd.

    Returns "" if there is no difference, or no cron text that croniter can read.
    """
    text = entry.schedule.plain().get("cron")
    if not isinstance(text, str):
        return ""
    from beatd.schedules.second_opinion import difference

    return str(difference(text, now.replace(second=0, microsecond=0)) or "")


def _jitter_too_long(entry: Entry, now: datetime) -> Iterator[Problem]:
    """Yield a warning if the jitter (random delay) exceeds the time between the next runs."""
    if not entry.jitter:
        return
    gaps = gaps_ahead(entry, now)
    if gaps and entry.jitter > min(gaps):
        text = (
            f"{format_duration(entry.jitter)} is longer than the {format_duration(min(gaps))} "
            "between two moments: a run that would pass the next moment goes out right before it"
        )
        yield _warning(text, "jitter")


def _pickled(entry: Entry, app: "Celery | None") -> Iterator[Problem]:
    task = app.tasks.get(entry.task) if app is not None else None
    used = entry.options.get("serializer") or getattr(task, "serializer", None)
    if used not in PICKLE:
        return
    if app is None:
        text = "needs an app with it in accept_content, so every run fails; use json"
    elif not PICKLE & set(app.conf.accept_content or ()):
        text = "is not in the app's accept_content, so every run fails; add it there, or use json"
    else:
        return
    yield _warning(f"{used} {text}", "options", "serializer")


def own_tasks(app: "Celery") -> list[str]:
    """Return the names of the tasks that the app registers, without Celery's own."""
    return [name for name in app.tasks if not name.startswith("celery.")]


def _warning(text: str, *path: str | int) -> Problem:
    return Problem(text, path, warning=True)
