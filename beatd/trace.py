"""The trace of an occurrence, in the terms of W3C Trace Context.

Its ids are computed from the task id, so that every daemon, a message and a record agree on them.
"""

from hashlib import blake2b

HEADER = "traceparent"
SAMPLED = "01"


def trace_id(task_id: str) -> str:
    """Return the trace id (32 hex digits) of the run with this task id, which is a UUID."""
    return task_id.replace("-", "")


def span_id(task_id: str) -> str:
    """Return the id (16 hex digits) of the span from the planned moment until the message was
    published."""
    return blake2b(task_id.encode(), digest_size=8).hexdigest()


def traceparent(task_id: str) -> str:
    """Return the value of the header `traceparent`, which makes the worker's span a child of this
    one."""
    return f"00-{trace_id(task_id)}-{span_id(task_id)}-{SAMPLED}"
