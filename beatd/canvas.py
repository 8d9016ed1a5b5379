"""Read a canvas: its parts, its tasks, whether it needs a result backend, and its words.

A canvas is a `Step` with `chain`, `group` or `chord`: several tasks that Celery runs one after the
other, at once, or with a task at the end.
"""

from collections.abc import Iterator
from typing import Any

from beatd.entry import CANVASES, Entry, Step

Path = tuple[str | int, ...]


def kind_of(step: Step) -> str:
    """Return the key that this step has: task, chain, group or chord."""
    return next(name for name in ("task", *CANVASES) if getattr(step, name))


def parts_of(step: Step) -> Iterator[tuple[Path, Step]]:
    """Yield each direct part of this canvas with its path, without links; a task has none."""
    for at, part in enumerate(step.chain):
        yield ("chain", at), part
    if isinstance(step.group, Step):
        yield ("group",), step.group
    else:
        for at, part in enumerate(step.group):
            yield ("group", at), part
    if step.chord is not None:
        for at, part in enumerate(step.chord.header):
            yield ("chord", "header", at), part
        yield ("chord", "body"), step.chord.body


def tasks_of(step: Step, path: Path = ()) -> Iterator[tuple[Path, Step]]:
    """Yield each task in this step with its path, without links, in the order of writing."""
    if step.task:
        yield path, step
    for below, part in parts_of(step):
        yield from tasks_of(part, (*path, *below))


def what_runs(entry: Entry) -> str:
    """Return what a run of the entry is, for people: its task's name, or its canvas in words."""
    return entry.task if entry.canvas is None else in_words(entry.canvas)


def task_names(entry: Entry) -> tuple[str, ...]:
    """Return the names of all tasks that a run of the entry calls, also by links, each once."""
    return (entry.task,) if entry.canvas is None else names_in(entry.canvas)


def names_in(canvas: Step) -> tuple[str, ...]:
    """Return the names of all tasks of a canvas, also of its links, each once."""
    return tuple(dict.fromkeys(_names_in(canvas)))


def _names_in(step: Step) -> Iterator[str]:
    if step.task:
        yield step.task
    for _, part in parts_of(step):
        yield from _names_in(part)
    for part in (*step.link, *step.link_error):
        yield from _names_in(part)


def arguments_of(step: Step) -> Iterator[Any]:
    """Yield each argument of all tasks of a canvas, also of chunks and links."""
    yield from step.args
    yield from step.kwargs.values()
    if step.chunks is not None:
        for row in step.chunks.args:
            yield from row
    for _, part in parts_of(step):
        yield from arguments_of(part)
    for part in (*step.link, *step.link_error):
        yield from arguments_of(part)


def has_chord(step: Step) -> bool:
    """Return True if Celery runs a part of the canvas as a chord, which needs a result backend.

    That is so for each `chord`, and for a group that another step of its chain follows.
    """
    if step.chord is not None:
        return True
    flat = [below for one in step.chain for below in (one.chain or (one,))]
    follows = any(one.group and nth + 1 < len(flat) for nth, one in enumerate(flat))
    return follows or any(has_chord(part) for _, part in parts_of(step))


def ends_in_group(step: Step) -> bool:
    """Return True if the last part of the canvas is a group, which has no result of its own."""
    if step.chord is not None:
        return ends_in_group(step.chord.body)
    return bool(step.group) or bool(step.chain and ends_in_group(step.chain[-1]))


def in_words(step: Step, most: int = 4) -> str:
    """Return the canvas as a short text: "chain(proj.extract, proj.load)".

    Of more than `most` steps in one canvas, the last are only counted.
    """
    if step.task:
        return f"{step.task} in chunks" if step.chunks else step.task
    if step.chord is not None:
        header = in_words(Step(group=step.chord.header), most)
        return f"chord({header}, {in_words(step.chord.body, most)})"
    parts = [part for _, part in parts_of(step)]
    texts = [in_words(part, most) for part in parts[:most]]
    if len(parts) > most:
        texts.append(f"{len(parts) - most} more")
    return f"{kind_of(step)}({', '.join(texts)})"
