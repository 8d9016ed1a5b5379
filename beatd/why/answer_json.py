"""Convert the answer of the command `beatd why` to JSON."""

from typing import Any

from beatd.schedules.moment import format_moment
from beatd.why.answer import Answer


def why_json(name: str, answer: Answer) -> dict[str, Any]:
    """Return the reason why the entry `name` did or did not run, as a dict for JSON."""
    return {
        "entry": name,
        "planned": None if answer.planned is None else format_moment(answer.planned),
        "cause": answer.cause,
        "line": answer.line,
        "details": [{"what": what, "text": text} for what, text in answer.details],
    }
