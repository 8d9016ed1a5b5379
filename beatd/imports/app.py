"""The beat_schedule of a Celery app, add_periodic_task included."""

from beatd.errors import ConfigError
from beatd.imports.celery_terms import entry_found, schedule_terms
from beatd.imports.found import Found, Read, Refused
from beatd.publishers.apps import load_app


def read_app(spelling: str) -> tuple[Read, str]:
    """Its entries, and the zone its crontabs are in."""
    app = load_app(spelling)
    found: list[Found] = []
    refused: list[Refused] = []
    for name, given in dict(app.conf.beat_schedule or {}).items():
        try:
            if not isinstance(given, dict):
                raise ConfigError(f"it is a {type(given).__name__}, not a dict")
            known = ("task", "schedule", "args", "kwargs", "options", "relative")
            found.append(
                entry_found(
                    name=str(name),
                    task=given.get("task"),
                    terms=schedule_terms(given.get("schedule"), given.get("last_run_at")),
                    args=given.get("args"),
                    kwargs=given.get("kwargs"),
                    options=given.get("options"),
                    last=given.get("last_run_at"),
                    runs=given.get("total_run_count") or 0,
                    notes=tuple(
                        f"{key} is not carried over"
                        for key in given
                        if key not in (*known, "last_run_at", "total_run_count", "name", "app")
                    ),
                )
            )
        except (ConfigError, TypeError, ValueError, AttributeError) as error:
            refused.append(Refused(str(name), " ".join(str(error).split())))
    return Read(found, refused), str(app.timezone)
