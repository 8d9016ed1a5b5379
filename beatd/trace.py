"""Ids of a run for distributed tracing, in the format of W3C Trace Context.

The ids are computed from the task id, so that they are equal in every daemon and record.
"""

from hashlib import blake2b

HEADER = "traceparent"
SAMPLED = "01"


def trace_id(task_id: str) -> str:
    """Return the trace id (32 hex digits) of a run, from its task id, which is a UUID."""
    return task_id.replace("-", "")


def span_id(task_id: str) -> str:
    """Return the id (16 hex digits) of beatd's span of a run, from its task id."""
    return blake2b(task_id.encode(), digest_size=8).hexdigest()


def traceparent(task_id: str) -> str:
    """Return the value of the header `traceparent`, which links the worker's span to beatd's."""
    return f"00-{trace_id(task_id)}-{span_id(task_id)}-{SAMPLED}"
