"""The modules that a daemon may need later, imported at its start: a new version of the package may
be installed under it, and then its own files are gone."""

from contextlib import suppress
from importlib import import_module

from beatd.config.schemes import REDIS, SQL, scheme_of

ANY = ("beatd.engine.dispatch_atomic", "beatd.engine.dispatch", "ephem", "encodings.idna")
SQL_PARTS = {"postgres": "postgresql", "mariadb": "mysql"}


def import_all(store_url: str, lock_url: str) -> None:
    """Import what the store, the lock, the dispatch and the schedules import when first used."""
    names = list(ANY)
    for kind, url in (("stores", store_url), ("leaders", lock_url)):
        scheme = scheme_of(url).split("+")[0]
        if scheme_of(url) in REDIS:
            names.append(f"beatd.{kind}.redis")
        elif scheme in SQL:
            part = SQL_PARTS.get(scheme, scheme)
            names += [f"beatd.{kind}.sql", f"beatd.{kind}{'.sql' * (kind == 'stores')}.{part}"]
        elif kind == "leaders":
            names += ["beatd.leaders.none", "beatd.leaders.file"]
    for name in names:
        with suppress(ImportError):  # an optional library; its first use says what is missing
            import_module(name)
