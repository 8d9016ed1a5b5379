"""List the tasks of an entry that runs a canvas, with the numbers that messages give them."""

from collections.abc import Iterator

from msgspec import Struct, json

from beatd.canvas import tasks_of
from beatd.definition.arguments import tagged
from beatd.entry import Entry, Step
from beatd.errors import dotted
from beatd.run_part import parts_of_run

ARGUMENTS_CHARS_MAX = 200


class StepRow(Struct, frozen=True):
    """One task of a canvas. `place` is its path, like "chain[2]"; `arguments` is a short JSON text.

    `number` is its place among all tasks: the outcome of a run says "task 3 of 7".
    """

    number: int
    task: str
    arguments: str
    place: str


def step_rows(entry: Entry) -> list[StepRow]:
    """Return a row for each task of the entry's canvas; the list is empty for one task.

    A task with chunks is one row, with the number of its first chunk.
    """
    return [] if entry.canvas is None else list(_rows(entry.canvas))


def _rows(canvas: Step) -> Iterator[StepRow]:
    parts = parts_of_run(canvas)
    for path, step in tasks_of(canvas):
        part = parts.get(path) or parts[(*path, 0)]
        yield StepRow(part.number, step.task, _arguments(step), dotted(path))


def _arguments(step: Step) -> str:
    if step.chunks is not None:
        count = len(step.chunks.args)
        return f"{count} {'call' if count == 1 else 'calls'}, {step.chunks.size} in one message"
    given = [value for value in (step.args, step.kwargs) if value]
    text = " ".join(json.encode(tagged(value)).decode() for value in given)
    return text if len(text) <= ARGUMENTS_CHARS_MAX else f"{text[:ARGUMENTS_CHARS_MAX]}…"
