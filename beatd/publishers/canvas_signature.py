"""Build celery's signature of an entry's canvas, with an id for each part made from the run.

Every daemon makes the same ids for one run, so a canvas that is sent again is the same canvas.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from celery import Celery
from celery.canvas import Signature, chain, chord, chunks, group

from beatd.entry import Step
from beatd.errors import Path, dotted
from beatd.publishers.run_ids import RunIds
from beatd.run import RUN_HEADER
from beatd.run_part import HEADER as PART_HEADER
from beatd.run_part import RunPart, parts_of_run


class CanvasSignature:
    """Builds the signature of one run of a canvas.

    `headers` are added to the message of each task. Links have neither an id nor these headers: a
    worker gives an id to each call of a link.
    """

    def __init__(self, app: Celery, ids: RunIds, headers: Mapping[str, Any]) -> None:
        self._app, self._ids = app, ids
        self._headers = {**headers, RUN_HEADER: ids.run_id}
        self._run_parts: dict[Path, RunPart] = {}

    def of(self, canvas: Step) -> Signature:
        """Return the signature. The task id of the run is the id that celery's result has.

        That is the id of the last task of a chain, of the body of a chord, or of a group.
        """
        self._run_parts = parts_of_run(canvas)
        return self._signature(canvas, (), self._ids.run_id)

    def part_id(self, path: Path) -> str:
        """Return the id of the task, group or chord at a path in the canvas."""
        return self._ids.of(dotted(path))

    def _signature(self, step: Step, path: Path, id: str | None) -> Signature:
        # `id` is None in a link.
        if step.task:
            made = self._task(step, path, id)
        elif step.chain:
            made = chain(*self._parts(step.chain, (*path, "chain"), last=id))
        elif step.chord is not None:
            path = (*path, "chord")
            parts = self._members(step.chord.header, (*path, "header"), id)
            body = self._signature(step.chord.body, (*path, "body"), id)
            made = chord(parts, body, app=self._app)
        else:
            path = (*path, "group")
            if isinstance(step.group, Step):
                parts = self._chunks(step.group, path, id)
            else:
                parts = self._members(step.group, path, id)
            made = group(parts, app=self._app, **({"task_id": id} if id else {}))
        if not step.task and step.options:
            made.set(**step.options)
        if step.immutable:
            made.set_immutable(True)
        for linked in step.link:
            made.link(self._signature(linked, (), None))
        for linked in step.link_error:
            made.link_error(self._signature(linked, (), None))
        return made

    def _parts(self, steps: Sequence[Step], path: Path, last: str | None) -> list[Signature]:
        # `last` is the id of the last part; None in a link.
        return [
            self._signature(
                step,
                (*path, at),
                last if at == len(steps) - 1 else self._below((*path, at), last),
            )
            for at, step in enumerate(steps)
        ]

    def _members(self, steps: Sequence[Step], path: Path, id: str | None) -> list[Signature]:
        return self._parts(steps, path, self._below((*path, len(steps) - 1), id))

    def _below(self, path: Path, id: str | None) -> str | None:
        return None if id is None else self.part_id(path)

    def _task(self, step: Step, path: Path, id: str | None) -> Signature:
        options = {**step.options, **self._own(step, path, id)}
        return Signature(step.task, step.args, dict(step.kwargs), options, app=self._app)

    def _own(self, step: Step, path: Path, id: str | None) -> dict[str, Any]:
        if id is None:
            return {}
        part = {PART_HEADER: str(self._run_parts[path])}
        headers = {**(step.options.get("headers") or {}), **self._headers, **part}
        return {"task_id": id, "headers": headers}

    def _chunks(self, step: Step, path: Path, id: str | None) -> list[Signature]:
        assert step.chunks is not None, "checked where the entry was read"
        task = Signature(step.task, step.args, dict(step.kwargs), {}, app=self._app)
        parts = chunks(task, step.chunks.args, step.chunks.size, app=self._app).group().tasks
        made = list(parts)
        for at, part in enumerate(made):
            place = (*path, at)
            part.options |= {**step.options, **self._own(step, place, self._below(place, id))}
        return made
