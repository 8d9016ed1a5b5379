"""Log what was read from a source, and what of it was applied to the store."""

import logging
from collections.abc import Iterable, Sequence

from beatd.edits.apply_declared import Comparison
from beatd.edits.late_edits import past_one_offs
from beatd.errors import Problem
from beatd.sources import Reading

FILE_WAITS = "the entries of the file wait until it is right"
NAMES_SHOWN_MAX = 5

log = logging.getLogger("beatd")


def log_problems(reading: Reading, before: Iterable[Problem]) -> None:
    """Log the new problems of a reading, and the files whose problems are gone.

    A problem is new if it is not among those `before`, of the last reading. An error is also
    logged again if its file was edited. The first error of a file that was never valid says that
    its entries wait.
    """
    known = {problem.without_line() for problem in before}
    waits = set(reading.wrong_at.values())
    for problem in reading.problems:
        plain = problem.without_line()
        if plain in known and (problem.warning or plain.place in reading.untouched):
            continue
        if problem.warning:
            log.warning("%s", problem)
        elif problem.place in waits:
            waits.remove(problem.place)
            log.error("%s; %s", problem, FILE_WAITS)
        else:
            log.error("%s", problem)
    for file in reading.valid_again:
        log.info("%s is valid again", file)
    for file in reading.gone:
        log.info("%s is no longer among the entry files; its problem is gone", file)


def log_applied(done: Comparison) -> None:
    """Log what a declared set changed in the store, and what it could not change."""
    if done.newer is not None:
        log.warning("%s: a newer set was applied by another daemon, this one waits", done.source)
    moved = {step.name for step in done.steps if step.only_moves}
    if len(moved) < len(done.steps):
        changed = tuple(name for name in done.changed if name not in moved)
        done_to = {"added": done.added, "changed": changed, "removed": done.removed}
        figures = ", ".join(_named(names, verb) for verb, names in done_to.items())
        log.info("%s applied: %s", done.source, figures)
    if done.missed:
        log.warning("%s: %s", done.source, past_one_offs(done.missed))


def _named(names: Sequence[str], verb: str) -> str:
    more = len(names) - NAMES_SHOWN_MAX
    which = ", ".join(names[:NAMES_SHOWN_MAX]) + (f" and {more} more" if more > 0 else "")
    return f"{len(names)} {verb} ({which})" if names else f"0 {verb}"
