"""Apply a JSON Merge Patch (RFC 7396) to a JSON value."""

from typing import Any


def merged(target: Any, patch: Any) -> Any:
    """Return `target` with the patch applied: null removes a member, objects are merged."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result
