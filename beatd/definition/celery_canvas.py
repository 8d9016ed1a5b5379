"""Convert a signature in an app's `beat_schedule`, such as a chain, to the keys of an entry."""

from collections.abc import Mapping
from typing import Any

from celery.canvas import Signature

from beatd.entry import CANVASES
from beatd.errors import ConfigError

_LINKS = ("link", "link_error")
#: Keys of a step that an entry has, too.
_RUNS = ("task", "args", "kwargs", "chain", "group", "chord")
_NOT_KEPT = (*_LINKS, "task_id", "reply_to", "root_id", "parent_id")


def what_is_run(task: Any, options: Mapping[str, Any] | None) -> tuple[dict[str, Any], Any]:
    """Return the keys of an entry for the `task` of a periodic task, and the options of both.

    `task` is a signature or the name of a task, and `options` those beside it, which win. Raises
    ConfigError for a kind of signature that beatd does not know.
    """
    if not isinstance(task, Signature):
        return {"task": task}, options
    own = step_of(task)
    links = {key: task.options[key] for key in _LINKS if key in task.options}
    merged = {**own.get("options", {}), **links, **(options or {})}
    return {key: value for key, value in own.items() if key in _RUNS}, merged


def declared_keys(written: Any) -> dict[str, Any]:
    """Return the keys of an entry for what a periodic task of an app runs, with the app's values.

    `written` is the periodic task as a dict. The keys are `task`, `args` and `kwargs`, or that of a
    canvas, which comes from a signature or is written as in YAML. Raises ConfigError for a kind of
    signature that beatd does not know.
    """
    keys, _ = what_is_run(written.get("task"), None)
    more = ("args", "kwargs", *CANVASES)
    return keys | {key: written[key] for key in more if written.get(key)}


def plain_step(given: Any) -> Any:
    """Return a step of a canvas that an app declares as a mapping with the keys of YAML.

    `given` is a signature, the name of a task, or a mapping; anything else is returned unchanged.
    """
    if isinstance(given, str):
        return {"task": given}
    return step_of(given) if isinstance(given, Signature) else given


def step_of(signature: Mapping[str, Any]) -> dict[str, Any]:
    """Return the signature as a step of a canvas, with the keys of YAML.

    Raises ConfigError for a kind of signature that beatd does not know.
    """
    options = signature.get("options") or {}
    step = _what(signature)
    kept = {key: value for key, value in options.items() if key not in _NOT_KEPT}
    if kept:
        step["options"] = kept
    if signature.get("immutable"):
        step["immutable"] = True
    for key in _LINKS:
        if options.get(key):
            links = options[key]
            links = links if isinstance(links, list | tuple) else [links]
            step[key] = [step_of(link) for link in links]
    return step


def _what(signature: Mapping[str, Any]) -> dict[str, Any]:
    kind, kwargs = signature.get("subtask_type"), signature.get("kwargs") or {}
    if kind in ("chain", "group"):
        return {kind: [step_of(task) for task in kwargs["tasks"]]}
    if kind == "chord":
        header = kwargs["header"]
        tasks = header["kwargs"]["tasks"] if isinstance(header, Mapping) else header
        return {
            "chord": {"header": [step_of(task) for task in tasks], "body": step_of(kwargs["body"])}
        }
    if signature["task"] == "celery.chunks":  # it has no kind
        chunks = {"args": [list(row) for row in kwargs["it"]], "size": kwargs["n"]}
        return {"group": {**step_of(kwargs["task"]), "chunks": chunks}}
    if kind is not None:
        raise ConfigError(f"task: a {kind} is not a canvas that an entry can run")
    step: dict[str, Any] = {"task": signature["task"]}
    if signature.get("args"):
        step["args"] = list(signature["args"])
    if kwargs:
        step["kwargs"] = dict(kwargs)
    return step
