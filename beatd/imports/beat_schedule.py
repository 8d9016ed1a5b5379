"""Read the periodic tasks that a Celery app declares, to import them."""

from typing import Any

from beatd.definition.celery_canvas import what_is_run
from beatd.definition.celery_schedule import as_written, plain_schedule, zone_name_of
from beatd.errors import ConfigError, with_article
from beatd.imports.celery_terms import Terms, entry_found
from beatd.imports.found_entry import FoundEntry, Read, Refused, refused
from beatd.publishers.celery_app import load_app
from beatd.publishers.lazy_arguments import holds_lazy

_KNOWN = ("task", "schedule", "args", "kwargs", "options", "relative", "name", "app")
_KEPT = ("enabled", "description")
_STATE = ("last_run_at", "total_run_count")


def read_app(spelling: str) -> tuple[Read, str]:
    """Load a Celery app, and return its periodic tasks and its time zone.

    `spelling` is the app as for `celery -A`, such as "module:app". Malformed tasks are returned as
    refused. Loading the app imports its modules.
    """
    app = load_app(spelling)
    zone = zone_name_of(app.timezone)
    found: list[FoundEntry] = []
    wrong: list[Refused] = []
    for name, given in dict(app.conf.beat_schedule or {}).items():
        try:
            found.append(_entry(str(name), given))
        except Exception as error:
            wrong.append(refused(str(name), error))
    return Read(found, wrong), zone


def _entry(name: str, given: Any) -> FoundEntry:
    given = as_written(given)
    if not isinstance(given, dict):
        raise ConfigError(f"it is {with_article(type(given).__name__)}, not a dict")
    if holds_lazy(given.get("args")) or holds_lazy(given.get("kwargs")):
        raise ConfigError("it has a BeatLazyFunc, which only the app can call; run beatd with -A")
    what, options = what_is_run(given.get("task"), given.get("options"))
    # Arguments beside a signature belong to none of its tasks; `check` refuses them.
    own = {key: what.pop(key, None) for key in ("args", "kwargs")}
    return entry_found(
        name=name,
        task=what.pop("task", None),
        terms=Terms(plain_schedule(given.get("schedule"), bool(given.get("relative")))),
        args=given.get("args") or own["args"],
        kwargs=given.get("kwargs") or own["kwargs"],
        options=options,
        last=given.get("last_run_at"),
        runs=given.get("total_run_count") or 0,
        notes=tuple(
            f"{key} is not carried over" for key in given if key not in (*_KNOWN, *_KEPT, *_STATE)
        ),
        **what,
        **{key: given.get(key) for key in _KEPT},
    )
