"""Build celery's signature of an entry's canvas, with an id for each part made from the run.

Every daemon makes the same ids for one run, so a canvas that is sent again is the same canvas.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid5

from celery import Celery
from celery.canvas import Signature, chain, chord, chunks, group

from beatd.entry import Step
from beatd.errors import Path, dotted

RUN_HEADER = "beatd_run"  # in each message of a canvas: the task id of the run


class CanvasSignature:
    """Builds the signature of one run of a canvas.

    `headers` are added to the message of each task, except to those of links.
    """

    def __init__(self, app: Celery, run_id: str, headers: Mapping[str, Any]) -> None:
        self._app, self._run_id, self._space = app, run_id, UUID(run_id)
        self._headers = {**headers, RUN_HEADER: run_id}

    def of(self, canvas: Step) -> Signature:
        """Return the signature. The task id of the run is the id that celery's result has.

        That is the id of the last task of a chain, of the body of a chord, or of a group.
        """
        return self._signature(canvas, (), self._run_id)

    def part_id(self, path: Path) -> str:
        """Return the id of the task, group or chord at a path in the canvas."""
        return str(uuid5(self._space, dotted(path)))

    def _signature(
        self, step: Step, path: Path, id: str = "", *, is_link: bool = False
    ) -> Signature:
        id = id or self.part_id(path)
        if step.task:
            made = self._task(step, id, is_link)
        elif step.chain:
            last = len(step.chain) - 1
            made = chain(
                *(
                    self._part(below, (*path, "chain", at), id if at == last else "", is_link)
                    for at, below in enumerate(step.chain)
                )
            )
        elif step.chord is not None:
            made = chord(
                self._group(step.chord.header, (*path, "chord", "header"), "", is_link),
                self._part(step.chord.body, (*path, "chord", "body"), id, is_link),
                app=self._app,
            )
        elif isinstance(step.group, Step):
            made = self._chunks(step.group, (*path, "group"), id, is_link)
        else:
            made = self._group(step.group, (*path, "group"), id, is_link)
        if not step.task and step.options:
            made.set(**step.options)
        if step.immutable:
            made.set_immutable(True)
        for key in ("link", "link_error"):
            for at, linked in enumerate(getattr(step, key)):
                add = made.link if key == "link" else made.link_error
                add(self._signature(linked, (*path, key, at), is_link=True))
        return made

    def _part(self, step: Step, path: Path, id: str, is_link: bool) -> Signature:
        return self._signature(step, path, id, is_link=is_link)

    def _task(self, step: Step, id: str, is_link: bool) -> Signature:
        options = {**step.options, "task_id": id}
        if not is_link:
            options["headers"] = {**(options.get("headers") or {}), **self._headers}
        return Signature(step.task, step.args, dict(step.kwargs), options, app=self._app)

    def _group(self, steps: tuple[Step, ...], path: Path, id: str, is_link: bool) -> Signature:
        parts = [self._part(step, (*path, at), "", is_link) for at, step in enumerate(steps)]
        return group(parts, app=self._app, task_id=id or self.part_id(path))

    def _chunks(self, step: Step, path: Path, id: str, is_link: bool) -> Signature:
        assert step.chunks is not None, "checked where the entry was read"
        task = Signature(step.task, step.args, dict(step.kwargs), {}, app=self._app)
        parts = chunks(task, step.chunks.args, step.chunks.size, app=self._app).group().tasks
        made = list(parts)
        for at, part in enumerate(made):
            part.options |= {**step.options, "task_id": self.part_id((*path, at))}
            if not is_link:
                part.options["headers"] = {**(step.options.get("headers") or {}), **self._headers}
        return group(made, app=self._app, task_id=id)
