"""Name the task of a canvas with the most arguments, for a broker's error about the size."""

import re

from beatd.canvas import tasks_of
from beatd.definition.arguments import canonical_json
from beatd.entry import Entry, Step
from beatd.publisher import Outcome
from beatd.run_part import parts_of_run

LARGE_BYTES = 100_000  # below it, the size of the arguments is hardly the reason
_OF_SIZE = re.compile("size|larger?|long|length|shorter|packet|bytes", re.IGNORECASE)


def with_largest_step(outcome: Outcome, entry: Entry) -> Outcome:
    """Return the outcome of a run with the name of its largest task in the reason.

    The outcome is returned unchanged unless it is the refusal of a large canvas for its size.
    """
    if entry.canvas is None or outcome.sent != "rejected" or not _OF_SIZE.search(outcome.reason):
        return outcome
    text = largest_step(entry.canvas)
    return Outcome("rejected", f"{outcome.reason}; {text}") if text else outcome


def largest_step(canvas: Step) -> str:
    """Return which task of a canvas has the most arguments, and their size, as text for people.

    Returns "" if none of them is large.
    """
    numbers = {path: part.number for path, part in parts_of_run(canvas).items()}
    total = len(numbers)
    size, number, task = 0, 0, ""
    for path, step in tasks_of(canvas):
        own = len(canonical_json((step.args, step.kwargs, step.chunks, step.link, step.link_error)))
        if own > size:
            first = (*path, 0)  # of the messages of chunks
            size, number, task = own, numbers.get(path) or numbers[first], step.task
    if size < LARGE_BYTES:
        return ""
    return f"the largest is task {number} of {total}, {task}, with {size / 1e6:.1f} MB of arguments"
