"""Convert the arguments in an app's chain, group or chord to values that a store can save."""

from collections.abc import Callable, Mapping
from typing import Any

from beatd.definition.canvas_steps import MAX_LEVELS
from beatd.definition.celery_canvas import plain_step
from beatd.entry import CANVASES
from beatd.errors import Path
from beatd.sources.storable_arguments import storable

#: The task that celery sends with a chord, with the body in it, if the backend cannot count.
UNLOCK = "celery.chord_unlock"
_LINKS = ("link", "link_error")
Serializers = tuple[str, ...]


def storable_canvas(
    keys: Mapping[str, Any], of_run: str, serializer_of: Callable[[Any], str]
) -> dict[str, Any]:
    """Return the canvas of an entry's keys as `read_canvas` accepts it, with storable arguments.

    A value that only the app can send becomes a placeholder. `of_run` is the serializer in the
    options of the entry, or "". `serializer_of` returns that of the message of a task, from its
    step, or "" if the task is not sent. Raises ConfigError, with the place, for a value that a
    message of the canvas cannot carry. Anything that is no canvas is returned unchanged.
    """
    step, _ = _Canvas(serializer_of).step(keys, (), (), of_run)
    return {key: value for key, value in step.items() if key in CANVASES}


class _Canvas:
    # A message has the steps that follow it: `carriers` are the serializers of the messages in
    # which a step travels before its own. `of_run` replaces the serializer of the messages that
    # are sent first, as apply_async does. Each method returns the serializers of the tasks, too.
    def __init__(self, serializer_of: Callable[[Any], str]) -> None:
        self._serializer_of = serializer_of

    def step(
        self, given: Any, path: Path, carriers: Serializers, of_run: str, levels: int = 0
    ) -> tuple[Any, Serializers]:
        given = plain_step(given)
        if not isinstance(given, Mapping) or levels > MAX_LEVELS:
            return given, ()  # the reader of canvases reports it
        step = dict(given)
        used: Serializers = ()
        if step.get("task"):
            used = (of_run or self._serializer_of(step),)
            self._task(step, path, tuple(dict.fromkeys((*used, *carriers))))
        elif step.get("chain"):
            step["chain"], used = self._chain(
                step["chain"], (*path, "chain"), carriers, of_run, levels
            )
        elif isinstance(step.get("group"), Mapping):
            step["group"], used = self.step(
                step["group"], (*path, "group"), carriers, of_run, levels + 1
            )
        elif step.get("group"):
            step["group"], used = self._steps(
                step["group"], (*path, "group"), carriers, of_run, levels
            )
        elif isinstance(step.get("chord"), Mapping):
            chord = step["chord"] = dict(step["chord"])
            place = (*path, "chord")
            chord["header"], used = self._steps(
                chord.get("header"), (*place, "header"), carriers, of_run, levels
            )
            chord["body"], more = self.step(
                chord.get("body"),
                (*place, "body"),
                (*carriers, *used, *self._of_unlock()),
                "",
                levels + 1,
            )
            used = (*used, *more)
        for key in _LINKS:
            if step.get(key):
                links = step[key] if isinstance(step[key], list | tuple) else [step[key]]
                step[key], _ = self._steps(links, (*path, key), (*carriers, *used), "", levels)
        return step, tuple(dict.fromkeys(used))

    def _of_unlock(self) -> Serializers:
        found = self._serializer_of({"task": UNLOCK})
        return (found,) if found else ()

    def _chain(
        self, given: Any, path: Path, carriers: Serializers, of_run: str, levels: int
    ) -> tuple[Any, Serializers]:
        if not isinstance(given, list | tuple):
            return given, ()
        parts, used = [], dict[str, None]()
        for at, part in enumerate(given):
            first = of_run if at == 0 else ""
            part, more = self.step(part, (*path, at), (*carriers, *used), first, levels + 1)
            parts.append(part)
            used |= dict.fromkeys(more)
        return parts, tuple(used)

    def _steps(
        self, given: Any, path: Path, carriers: Serializers, of_run: str, levels: int
    ) -> tuple[Any, Serializers]:
        if not isinstance(given, list | tuple):
            return given, ()
        made = [
            self.step(part, (*path, at), carriers, of_run, levels + 1)
            for at, part in enumerate(given)
        ]
        used = dict.fromkeys(one for _, several in made for one in several)
        return [part for part, _ in made], tuple(used)

    def _task(self, step: dict[str, Any], path: Path, serializers: Serializers) -> None:
        for key in ("args", "kwargs"):
            if step.get(key):
                step[key] = storable((*path, key), step[key], *serializers)
        chunks = step.get("chunks")
        if isinstance(chunks, Mapping) and isinstance(chunks.get("args"), list | tuple):
            place = (*path, "chunks", "args")
            rows = [
                storable((*place, at), row, *serializers) for at, row in enumerate(chunks["args"])
            ]
            step["chunks"] = {**chunks, "args": rows}
