"""The calls that a step makes to the model, as text for people."""

from datetime import datetime
from functools import wraps
from typing import Any

from msgspec import Struct, structs

from beatd.entry import Entry
from beatd.run import Run
from tests.stores.making import NOON
from tests.stores.model.call import Call

WRITES = (
    "write", "claim", "record", "begin", "add_requests", "write_outcomes", "prolong", "step",
    "put_incidents", "forget", "forget_changes", "forget_incidents", "write_records", "write_mark",
    "write_identity", "announce", "leave",
)  # fmt: skip


class Recorder:
    """Writes down what is written to `model`. The other store got the same."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.lines: list[str] = []
        self._inner = False
        for name in WRITES:
            setattr(model, name, self._recorded(name, getattr(model, name)))

    def begin_call(self, call: Call) -> None:
        self.lines.append(f"{call.number}. {call.step}, {call.now} s after noon")

    def _recorded(self, name: str, method: Any) -> Any:
        @wraps(method)
        def recorded(*given: Any) -> Any:
            if self._inner:
                return method(*given)
            self._inner = True
            told = f"   {name}({', '.join(map(brief, given))})"
            try:
                answer = method(*given)
            except Exception as raised:
                self.lines.append(f"{told} raised {type(raised).__name__}")
                raise
            finally:
                self._inner = False
            self.lines.append(f"{told} -> {brief(answer)}")
            return answer

        return recorded


def brief(value: Any) -> str:
    """Return a value as text, without the fields that have their default."""
    if isinstance(value, datetime):
        return f"{(value - NOON).total_seconds():g}"
    if isinstance(value, Entry):
        return f"Entry({value.name!r}, {value.task}, overlap={value.overlap})"
    if isinstance(value, Run):
        return f"Run({brief(value.occurrence)}, {value.task_id[:8]})"
    if isinstance(value, Struct):
        default = {one.name: one.default for one in structs.fields(value)}
        fields = (
            f"{name}={brief(there)}"
            for name, there in structs.asdict(value).items()
            if there != default[name]
        )
        return f"{type(value).__name__}({', '.join(fields)})"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(brief, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{brief(key)}: {brief(one)}' for key, one in value.items())}}}"
    return repr(value) if not callable(value) else "push"
