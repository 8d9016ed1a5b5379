"""Handle task arguments that JSON cannot represent, such as a set or an object of the Celery app.

The store keeps a placeholder instead: a dict with the type's name and a digest of the value. The
value itself is read from the app's beat_schedule when the run is published.
"""

import copyreg
from collections.abc import Mapping
from hashlib import blake2b
from types import BuiltinFunctionType, FunctionType, NoneType
from typing import Any

MARK, DIGEST = "__app_value__", "digest"
_ATOMS = (NoneType, bool, int, float, complex, str, bytes)
_NAMED = (type, FunctionType, BuiltinFunctionType)


def mark_of(value: Any) -> dict[str, str]:
    """Return the placeholder that is stored instead of `value`: its type's name and its digest.

    Raises TypeError, or an error of the value's own code, if pickle cannot copy the value.
    """
    return {MARK: type(value).__qualname__, DIGEST: digest_of(value)}


def is_app_value(value: Any) -> bool:
    """Return True if `value` is a placeholder made by `mark_of`, not an ordinary argument."""
    return isinstance(value, Mapping) and value.keys() == {MARK, DIGEST}


def digest_of(value: Any) -> str:
    """Return a hex digest of a Python object.

    Equal contents of the same type give the same digest in every process; the order of a set does
    not matter.
    """
    return _Digest().of(value).hex()


class _Digest:
    # An object may contain itself.
    def __init__(self) -> None:
        self._known: dict[int, bytes] = {}
        self._kept: list[Any] = []  # keeps the values alive, so that no id is used twice

    def of(self, value: Any) -> bytes:
        kind = type(value)
        if kind in _ATOMS:
            return _hash(kind.__name__, repr(value).encode())
        if isinstance(value, _NAMED):
            return _hash("named", f"{value.__module__}.{value.__qualname__}".encode())
        if id(value) not in self._known:
            self._kept.append(value)
            self._known[id(value)] = b"inside itself"
            self._known[id(value)] = self._parts(value, kind)
        return self._known[id(value)]

    def _parts(self, value: Any, kind: type) -> bytes:
        if kind in (list, tuple):
            return _hash(kind.__name__, *map(self.of, value))
        if kind in (set, frozenset):
            return _hash(kind.__name__, *sorted(map(self.of, value)))
        if kind is dict:
            return _hash("dict", *(self.of(part) for pair in value.items() for part in pair))
        reduce = copyreg.dispatch_table.get(kind)
        made = reduce(value) if reduce else value.__reduce_ex__(4)
        if isinstance(made, str):
            return _hash("named", f"{value.__module__}.{made}".encode())
        function, arguments, state, items, pairs = (*made, None, None, None)[:5]
        return _hash(
            "object",
            *map(self.of, (function, arguments, state)),
            *map(self.of, items or ()),
            *(self.of(part) for pair in pairs or () for part in pair),
        )


def _hash(kind: str, *parts: bytes) -> bytes:
    made = blake2b(kind.encode(), digest_size=16)
    for part in parts:
        made.update(b"%d:" % len(part) + part)
    return made.digest()
