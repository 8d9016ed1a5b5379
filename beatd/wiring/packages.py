"""Load, soon after the start, all files of installed packages that a daemon may need later.

An upgrade may replace these files while the daemon runs, and the process may later have no free
file descriptor.
"""

import logging
from importlib import import_module
from threading import Timer
from weakref import ref

from celery import Celery

from beatd.config.schemes import DJANGO, REDIS, SQL, scheme_of
from beatd.publishers.celery_app import import_for_sending
from beatd.schedules.zone import preload_zones

log = logging.getLogger("beatd")

ALWAYS_READ = (
    "beatd.dispatches.atomic_dispatch",
    "beatd.dispatches.step_dispatch",
    "ephem",
    "encodings.idna",
)
SQL_PARTS = {"postgres": "postgresql", "mariadb": "mysql"}
READ_AFTER_S = 2.0  # the beat has started by then


def read_packages(app: Celery, store_url: str, lock_url: str) -> None:
    """Import early the modules that a daemon would otherwise import at their first use.

    Those of store, lock, dispatch and schedules are imported now. READ_AFTER_S seconds later, a
    thread reads the rest: the modules for publishing, and all time zones.
    """
    import_parts(store_url, lock_url)
    later = Timer(READ_AFTER_S, _read_the_rest, (ref(app),))
    later.name, later.daemon = "beatd packages", True
    later.start()


def import_parts(store_url: str, lock_url: str) -> None:
    """Import the modules that a store and a lock with these URLs need.

    A missing optional library is ignored; its first use raises an error.
    """
    for name in _modules(store_url, lock_url):
        try:
            import_module(name)
        except ImportError as error:
            if (error.name or "").startswith("beatd."):
                raise
            # An optional library is missing, and its first use says which one.


def _modules(store_url: str, lock_url: str) -> list[str]:
    names = list(ALWAYS_READ)
    if store_url.startswith(DJANGO):
        names.append("beatd.stores.django")
    for kind, url in (("stores", store_url.removeprefix(DJANGO)), ("leaders", lock_url)):
        scheme = scheme_of(url).split("+")[0]
        if scheme_of(url) in REDIS:
            names.append(f"beatd.{kind}.redis")
        elif scheme in SQL:
            part = SQL_PARTS.get(scheme, scheme)
            if kind == "stores":
                names += ["beatd.stores.sql", f"beatd.stores.sql.{part}"]
            else:
                names += ["beatd.leaders.databases", f"beatd.leaders.{part}"]
        elif kind == "leaders":
            names += ["beatd.leaders.none", "beatd.leaders.file"]
    return names


def _read_the_rest(app: "ref[Celery]") -> None:
    found = app()
    if found is not None:
        import_for_sending(found)
    del found  # an app that a reload replaced is not kept by the rest of this
    try:
        preload_zones()
    except OSError as trouble:
        log.warning("time zones are read when they are needed: %s", trouble)
        return
    log.debug("the packages have been read, nothing of them is needed from here on")
