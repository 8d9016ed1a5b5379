"""Imports at the start of the modules that a daemon may need later.

A new version of the package may be installed while it runs, and its own files are gone then.
"""

from contextlib import suppress
from importlib import import_module

from beatd.config.schemes import REDIS, SQL, scheme_of

ALWAYS = ("beatd.engine.dispatch_atomic", "beatd.engine.dispatch", "ephem", "encodings.idna")
MODULE_OF_SCHEME = {"postgres": "postgresql", "mariadb": "mysql"}


def import_all(store_url: str, lock_url: str) -> None:
    """Import the modules that store, lock, dispatch and schedules import at their first use."""
    names = list(ALWAYS)
    for kind, url in (("stores", store_url), ("leaders", lock_url)):
        scheme = scheme_of(url).split("+")[0]
        if scheme_of(url) in REDIS:
            names.append(f"beatd.{kind}.redis")
        elif scheme in SQL:
            part = MODULE_OF_SCHEME.get(scheme, scheme)
            names += [f"beatd.{kind}.sql", f"beatd.{kind}{'.sql' * (kind == 'stores')}.{part}"]
        elif kind == "leaders":
            names += ["beatd.leaders.none", "beatd.leaders.file"]
    for name in names:
        with suppress(ImportError):  # an optional library; its first use says what is missing
            import_module(name)
