"""Compute the arguments of a canvas when it is published.

As for a task, a value that the store cannot keep is read from the Celery app that declares the
entry: from the same place of the canvas there.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from celery import Celery
from msgspec.structs import replace

from beatd.definition.celery_canvas import plain_step
from beatd.entry import Chord, Chunks, Entry, Step
from beatd.errors import Path
from beatd.publishers.run_arguments import (
    APP,
    declared,
    has_marks,
    mapping_to_send,
    values_to_send,
)


def evaluated_canvas(app: Celery, entry: Entry) -> Step:
    """Return the canvas to send now, with placeholders replaced by the app's values.

    If the app's own value has the same JSON text as the stored one, it has the app's type: a tuple
    stays a tuple. Raises BeatError if the app does not have the value of a placeholder.
    """
    canvas = entry.canvas
    assert canvas is not None, "an entry with a task has no canvas"
    if not (entry.source.startswith(APP) or has_marks(entry)):
        return canvas
    return _step(canvas, declared(app, entry), ())


def _step(step: Step, theirs: Any, path: Path) -> Step:
    # `theirs` is the step at this place in the app, of any type.
    theirs = plain_step(theirs)
    if not isinstance(theirs, Mapping) or step.task != (theirs.get("task") or ""):
        theirs = {}
    values: dict[str, Any] = {}
    if step.task:
        values["args"] = tuple(values_to_send(step.args, theirs.get("args"), (*path, "args")))
        values["kwargs"] = mapping_to_send(step.kwargs, theirs.get("kwargs"), (*path, "kwargs"))
        if step.chunks is not None:
            values["chunks"] = _chunks(step.chunks, theirs.get("chunks"), (*path, "chunks"))
    elif step.chain:
        values["chain"] = _steps(step.chain, theirs.get("chain"), (*path, "chain"))
    elif step.chord is not None:
        values["chord"] = _chord(step.chord, theirs.get("chord"), (*path, "chord"))
    elif isinstance(step.group, Step):
        values["group"] = _step(step.group, theirs.get("group"), (*path, "group"))
    else:
        values["group"] = _steps(step.group, theirs.get("group"), (*path, "group"))
    for key in ("link", "link_error"):
        if linked := getattr(step, key):
            links = theirs.get(key)
            links = links if isinstance(links, list | tuple) else [links]
            values[key] = _steps(linked, links, (*path, key))
    return replace(step, **values)


def _steps(steps: Sequence[Step], theirs: Any, path: Path) -> tuple[Step, ...]:
    known = theirs if isinstance(theirs, list | tuple) else ()
    return tuple(
        _step(step, known[at] if at < len(known) else None, (*path, at))
        for at, step in enumerate(steps)
    )


def _chord(chord: Chord, theirs: Any, path: Path) -> Chord:
    known = theirs if isinstance(theirs, Mapping) else {}
    return Chord(
        _steps(chord.header, known.get("header"), (*path, "header")),
        _step(chord.body, known.get("body"), (*path, "body")),
    )


def _chunks(chunks: Chunks, theirs: Any, path: Path) -> Chunks:
    rows = theirs.get("args") if isinstance(theirs, Mapping) else None
    known = rows if isinstance(rows, list | tuple) else ()
    args = (
        tuple(values_to_send(row, known[at] if at < len(known) else (), (*path, "args", at)))
        for at, row in enumerate(chunks.args)
    )
    return Chunks(tuple(args), chunks.size)
