"""Read the chain, group or chord of an entry from plain data, and report each fault with its place.

A canvas may come from YAML, from JSON or from an app.
"""

from collections.abc import Mapping
from types import NoneType
from typing import Any

from msgspec import json

from beatd.definition import kinds
from beatd.definition.argument_values import as_argument
from beatd.definition.arguments import untagged
from beatd.definition.options import read_options
from beatd.entry import CANVASES, Chord, Chunks, Step
from beatd.errors import ConfigError, Path, Problem, nearest
from beatd.schedules.quote import quoted

MAX_TASKS = 10_000  # of one canvas
MAX_LEVELS = 20  # of canvases in canvases; a worker sends each level inside the one around it
STEP_KINDS = ("task", *CANVASES)
_KEYS = Step.__struct_fields__
_PLAIN = (bool, NoneType)  # of the arguments that need no check
_OF_TASKS = ("args", "kwargs", "chunks")
#: Keys of an entry that a canvas has at its steps instead.
NOT_WITH_CANVAS = ("args", "kwargs")
_decoder = json.Decoder(Step)


def read_canvas(given: Mapping[str, Any], tz: str) -> tuple[Step | None, list[Problem]]:
    """Return the canvas of an entry's keys `chain`, `group` and `chord`, and all its problems.

    The canvas is None if the entry has none of the keys, or if a problem is an error.
    """
    written = [key for key in CANVASES if given.get(key) is not None]
    if not written:
        return None, []
    if given.get("task") is not None or len(written) > 1:
        both = ["task", *written] if given.get("task") is not None else written
        text = f"{' and '.join(both)} are given; an entry runs one task or one canvas"
        return None, [Problem(text, (both[1],))]
    reader = _Reader(tz)
    canvas = reader.step({written[0]: given[written[0]]}, (), 0)
    for key in NOT_WITH_CANVAS:
        if given.get(key):
            text = f"belongs to a task; give it to a step of the {written[0]}"
            reader.add(text, (key,))
    if any(not problem.warning for problem in reader.problems):
        return None, reader.problems
    return canvas, reader.problems


def canvas_plain(canvas: Step) -> dict[str, Any]:
    """Return the canvas as a mapping with the keys of YAML, whose arguments keep their types."""
    plain: dict[str, Any] = _plain(canvas)
    return plain


def canvas_from_json(kind: str, text: bytes) -> Step:
    """Return the canvas from the value that its key `kind` has in JSON.

    Raises a msgspec error if the JSON is of no canvas.
    """
    canvas = _decoder.decode(b'{"%b":%b}' % (kind.encode(), text))
    return _untagged(canvas) if b'"__type__"' in text else canvas


def _untagged(step: Any) -> Any:
    if isinstance(step, Step | Chord | Chunks):
        values = {name: getattr(step, name) for name in step.__struct_fields__}
        return type(step)(**{name: _untagged(value) for name, value in values.items()})
    if isinstance(step, tuple):
        return tuple(map(_untagged, step))
    return untagged(step)


def _plain(value: Any) -> Any:
    # Like msgspec's to_builtins, but arguments keep their types.
    if isinstance(value, Step | Chord | Chunks):
        defaults = Step() if isinstance(value, Step) else None
        fields = ((name, getattr(value, name)) for name in value.__struct_fields__)
        return {
            name: _plain(item)
            for name, item in fields
            if defaults is None or item != getattr(defaults, name)
        }
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


class _Reader:
    """Reads the steps of one canvas, and collects the problems."""

    def __init__(self, tz: str) -> None:
        self._tz = tz
        self.problems: list[Problem] = []
        self._tasks = 0

    def add(self, text: str, path: Path, *, warning: bool = False) -> None:
        self.problems.append(Problem(text, path, warning=warning))

    def step(self, given: Any, path: Path, levels: int) -> Step | None:
        """Return one step, or None if it has an error."""
        if isinstance(given, str) and path:
            given = {"task": given}
        if given is None:
            self.add("is empty; give a step, like {task: proj.load}", path)
            return None
        if not isinstance(given, Mapping):
            self.add(f"{quoted(given)} is not a step; write it like {{task: proj.load}}", path)
            return None
        if levels > MAX_LEVELS:
            self.add(f"is nested deeper than {MAX_LEVELS} canvases", path)
            return None
        if "subtask_type" in given:
            given = self._signature(given, path)
            if given is None:
                return None
        before = len(self.problems)
        for key in given:
            if key not in _KEYS:
                self.add(f"is not a key of a step{nearest(str(key), _KEYS)}", (*path, str(key)))
        written = [key for key in STEP_KINDS if given.get(key) is not None]
        if not written and any(nearest(str(key), STEP_KINDS) for key in given if key not in _KEYS):
            return None  # reported already, with the word that was meant
        if not written:
            self.add("has no task; give one of task, chain, group, chord", path)
            return None
        if len(written) > 1:
            text = f"{' and '.join(written)} are given; a step is one of them"
            self.add(text, (*path, written[1]))
            return None
        kind = written[0]
        values: dict[str, Any] = {kind: self._body(kind, given[kind], (*path, kind), levels)}
        values |= self._more(given, path, levels, is_task=kind == "task")
        if any(not problem.warning for problem in self.problems[before:]):
            return None
        return Step(**values)

    def _body(self, kind: str, value: Any, path: Path, levels: int) -> Any:
        if kind == "task":
            self._count(1, path)
            return self._read(kinds.text("the name of a task").read, value, path)
        if kind == "chord":
            return self._chord(value, path, levels)
        if kind == "group" and isinstance(value, Mapping):
            step = self.step(value, path, levels + 1)
            if step is not None and step.chunks is None:
                self.add("is one task without chunks; write a list of steps", path)
            return step
        return self._steps(value, path, levels)

    def _chord(self, value: Any, path: Path, levels: int) -> Chord | None:
        if not isinstance(value, Mapping):
            self.add(f"{quoted(value)} is not a chord; write {{header: [...], body: ...}}", path)
            return None
        for key in value:
            if key not in ("header", "body"):
                self.add("is not a key of a chord; it has header and body", (*path, str(key)))
        for key in ("header", "body"):
            if value.get(key) is None:
                self.add("is missing; a chord has header and body", (*path, key))
                return None
        header = self._steps(value["header"], (*path, "header"), levels)
        body = self.step(value["body"], (*path, "body"), levels + 1)
        return None if body is None else Chord(header, body)

    def _steps(self, value: Any, path: Path, levels: int) -> tuple[Step, ...]:
        if not isinstance(value, list | tuple):
            text = (
                f"{quoted(value)} is not a list of steps; write it like [proj.extract, proj.load]"
            )
            self.add(text, path)
            return ()
        if not value:
            self.add("is empty; give at least one step", path)
        steps = []
        for at, item in enumerate(value):
            step = self.step(item, (*path, at), levels + 1)
            if step is not None:
                steps.append(step)
            if self._tasks > MAX_TASKS:
                break
        return tuple(steps)

    def _more(
        self, given: Mapping[str, Any], path: Path, levels: int, *, is_task: bool
    ) -> dict[str, Any]:
        values: dict[str, Any] = {}
        linked: dict[str, tuple[Step, ...]] = {}
        for key in _OF_TASKS:
            if given.get(key) is not None and not is_task:
                self.add("belongs to a task; give it to a step", (*path, key))
        if is_task:
            if given.get("args") is not None:
                values["args"] = self._args(given["args"], (*path, "args"))
            if given.get("kwargs") is not None:
                read = kinds.argument_mapping().read
                values["kwargs"] = self._read(read, given["kwargs"], (*path, "kwargs"))
            if given.get("chunks") is not None:
                values["chunks"] = self._chunks(given["chunks"], (*path, "chunks"))
        if given.get("options") is not None:
            options = self._read(kinds.options().read, given["options"], (*path, "options"))
            if options is not None:
                if options.get("expires") == "next":
                    text = "next is for a whole run; give it to the options of the entry"
                    self.add(text, (*path, "options", "expires"))
                options, linked = self._without_links(options, (*path, "options"), levels)
                values["options"], wrong = read_options(options, self._tz)
                self.problems += [problem.under(*path, "options") for problem in wrong]
        if given.get("immutable") is not None:
            read = kinds.flag().read
            values["immutable"] = self._read(read, given["immutable"], (*path, "immutable"))
        for key in ("link", "link_error"):
            if given.get(key) is not None:
                links = given[key]
                links = links if isinstance(links, list | tuple) else [links]
                values[key] = self._steps(links, (*path, key), levels)
        for key, steps in linked.items():
            values[key] = (*values.get(key, ()), *steps)
        return values

    def _without_links(
        self, options: Mapping[str, Any], path: Path, levels: int
    ) -> tuple[dict[str, Any], dict[str, tuple[Step, ...]]]:
        # A signature of celery has its links in its options; they are the step's own links.
        left, linked = dict(options), dict[str, tuple[Step, ...]]()
        for key in ("link", "link_error"):
            links = left.pop(key, None)
            if links:
                links = links if isinstance(links, list | tuple) else [links]
                linked[key] = self._steps(links, (*path, key), levels)
        return left, linked

    def _signature(self, given: Mapping[str, Any], path: Path) -> Any:
        from beatd.definition.celery_canvas import step_of  # it needs celery

        try:
            return step_of(given)
        except (ConfigError, LookupError, TypeError, AttributeError, RecursionError):
            self.add("is no signature that beatd knows; write it like {task: proj.load}", path)
            return None

    def _chunks(self, value: Any, path: Path) -> Chunks | None:
        if not isinstance(value, Mapping) or value.keys() != {"args", "size"}:
            self.add("has the keys args, a list of argument lists, and size", path)
            return None
        size = self._read(kinds.whole(1).read, value["size"], (*path, "size"))
        rows = []
        given = value["args"] if isinstance(value["args"], list | tuple) else ()
        if not given:
            self.add("is no list of argument lists, like [[1, 1], [2, 2]]", (*path, "args"))
        for at, row in enumerate(given):
            if not isinstance(row, list | tuple):
                self.add(f"{quoted(row)} is no list of arguments", (*path, "args", at))
                continue
            rows.append(self._args(row, (*path, "args", at)))
        if size is None or not rows:
            return None
        self._count(len(rows) // size, path)
        return Chunks(tuple(rows), size)

    def _args(self, value: Any, path: Path) -> Any:
        # Each argument alone, so that a problem names its place.
        if not isinstance(value, list | tuple):
            return self._read(kinds.argument_list().read, value, path)
        return tuple(
            item if type(item) in _PLAIN else self._read(_argument, item, (*path, at))
            for at, item in enumerate(value)
        )

    def _read(self, read: Any, value: Any, path: Path) -> Any:
        try:
            return read(value, self._tz)
        except ConfigError as error:
            self.add(str(error), path)
            return None

    def _count(self, more: int, path: Path) -> None:
        before, self._tasks = self._tasks, self._tasks + more
        if before <= MAX_TASKS < self._tasks:
            self.add(f"the canvas has more than {MAX_TASKS} tasks", path)


def _argument(value: Any, _tz: str) -> Any:
    return as_argument(value)
