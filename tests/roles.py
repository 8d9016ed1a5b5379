"""A whole store where a part of the daemon takes its roles one by one."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from beatd.daemon.housekeeping import Housekeeping
from beatd.daemon.store_status import status_in


def status_shared_by(store: Any, now: datetime, conflicts: Sequence[str] = ()) -> dict[str, Any]:
    return status_in(
        catalog=store,
        requests=store,
        history=store,
        outcomes=store,
        terms=store,
        presences=store,
        now=now,
        incidents=store,
        conflicts=conflicts,
    )


def keep_house(house: Housekeeping, store: Any) -> bool:
    return house.run_once(
        catalog=store,
        changes=store,
        repair=store,
        requests=store,
        history=store,
        presences=store,
    )
