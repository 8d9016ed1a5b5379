"""Read and write an entry's `alert`, the limits that open an incident when they are violated."""

from datetime import timedelta
from typing import Any, get_args

from beatd.definition.kinds import Kind, duration, whole
from beatd.definition.struct_kind import StructKind
from beatd.entry import Alert


def _kind_of(_name: str, of_type: Any) -> Kind:
    return duration(above_zero=True) if timedelta in get_args(of_type) else whole(1)


ALERT_RULES = StructKind(Alert, kind_of=_kind_of, example="{failed: 3, missing: 26h}")
