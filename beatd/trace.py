"""The trace of an occurrence, in the terms of W3C Trace Context.

Its ids are computed from the task id, so that they are equal in every daemon, message and record.
"""

from hashlib import blake2b

HEADER = "traceparent"
SAMPLED = "01"


def trace_id(task_id: str) -> str:
    """Return the trace id (32 hex digits) of the run with this task id, which is a UUID."""
    return task_id.replace("-", "")


def span_id(task_id: str) -> str:
    """Return the id (16 hex digits) of beatd's span, from the planned moment to the publishing."""
    return blake2b(task_id.encode(), digest_size=8).hexdigest()


def traceparent(task_id: str) -> str:
    """Return the value of the header `traceparent`, which makes the worker's span a child of
    beatd's span."""
    return f"00-{trace_id(task_id)}-{span_id(task_id)}-{SAMPLED}"
