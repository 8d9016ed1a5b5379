"""Open the store that a configuration names. Celery is not imported, as that takes long."""

from beatd.clock import Clock, SystemClock
from beatd.config import Config
from beatd.definition import codec
from beatd.store import Store
from beatd.wiring.backends import IfAbsent, open_store

TIMEOUT_S = 2.0


def configured_store(
    config: Config,
    *,
    clock: Clock | None = None,
    timeout_s: float = TIMEOUT_S,
    if_absent: IfAbsent = "create",
) -> Store:
    """Open the store of the configuration, and return it.

    `timeout_s` is used only for databases, and `if_absent` says what to do if there is no store
    yet. Raises the same errors as `open_store`.
    """
    return open_store(
        config.store.url,
        codec=codec,
        clock=clock or SystemClock(),
        prefix=config.store.prefix,
        timeout=timeout_s,
        if_absent=if_absent,
    )
