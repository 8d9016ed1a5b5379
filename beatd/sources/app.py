"""Read the entries that a Celery app declares by `beat_schedule` or `add_periodic_task`."""

from collections.abc import Mapping
from typing import Any

from celery import Celery
from celery.backends.base import Backend
from celery.schedules import crontab

from beatd.clock import Clock
from beatd.definition import check
from beatd.definition.celery_canvas import declared_keys, what_is_run
from beatd.definition.celery_schedule import as_written, plain_schedule, zone_name_of
from beatd.edits.declared_set import Declared, digest_of
from beatd.entry import CANVASES, Entry
from beatd.errors import ConfigError, Problem, with_article
from beatd.publishers.run_arguments import APP, has_app_value
from beatd.sources import Reading, one_offs_of
from beatd.sources.storable_arguments import storable
from beatd.sources.storable_canvas import UNLOCK, storable_canvas

CLEANUP = "celery.backend_cleanup"
#: Keys of an entry that Celery knows, and keys that other schedulers read in the same dict.
_KEPT = ("enabled", "description")
_IGNORED = ("schedule", "relative", "task", "args", "kwargs", "options", "name", "app")
_ARGUMENTS = ("args", "kwargs")
_ARGUED = (*_ARGUMENTS, *CANVASES)  # the keys of an entry that have arguments in them
_STATE = ("last_run_at", "total_run_count", "overwritten")


class App:
    """Reads the entries that a Celery app declares.

    The app must be finalized and its modules imported. `shown` is the app's path for messages. The
    entries belong to the owner "app:NAME". `timezone`, if given, replaces the app's own.
    """

    def __init__(
        self, app: Celery, *, shown: str, name: str, clock: Clock, timezone: str | None = None
    ) -> None:
        self._app, self._shown, self._clock = app, shown, clock
        self._source = self.owner = f"{APP}{name}"
        self._timezone = timezone
        self._known: dict[str, Any] = {}
        # Arguments with objects of the app, which its code may change in place.
        self._marked: dict[str, dict[str, Any]] = {}
        self._known_at = clock.now()  # the last look that found no change
        self._one_offs: dict[str, Entry] = {}

    def stale(self) -> bool:
        return self.changed()

    def changed(self) -> bool:
        """Return True if the entries that the app declares have changed since the last `read`.

        Added, removed and replaced entries count, and so do arguments changed in place.
        """
        now = self._app.conf.beat_schedule
        looked_at = self._clock.now()
        changed = (
            len(now) != len(self._known)
            or any(self._known.get(key) is not entry for key, entry in now.items())
            or any(self._have_changed(now[key], kept) for key, kept in self._marked.items())
        )
        if not changed:
            self._known_at = looked_at
        return changed

    def _have_changed(self, written: Any, kept: Mapping[str, Any]) -> bool:
        try:
            return self._arguments(written) != kept
        except ConfigError:
            return True

    def read(self) -> Reading:
        self._known = dict(self._app.conf.beat_schedule)
        self._marked = {}
        loaded_at, unseen_since = self._clock.now(), self._known_at
        self._known_at = loaded_at
        entries, problems, unread = [], [], set()
        timezone = self._timezone
        try:
            timezone = timezone or zone_name_of(self._app.timezone)
        except ConfigError as error:
            problems.append(Problem(f"{error}; UTC is used", ("timezone",), self._shown, True))
        for name, written in self._with_cleanup().items():
            found: list[Problem] = []
            try:
                plain, found = self._plain(written)
                checked = check(
                    name,
                    plain,
                    timezone=timezone or "UTC",
                    source=self._source,
                    declared_at=self._shown,
                )
                found += checked.problems
                if checked.entry is not None:
                    entries.append(checked.entry)
                    if has_app_value(checked.entry):
                        self._marked[name] = {k: plain[k] for k in _ARGUED if k in plain}
                else:
                    unread.add(str(name))
            except ConfigError as error:
                unread.add(str(name))
                found.append(Problem(str(error)))
            for problem in found:
                under = problem.under("beat_schedule", str(name))
                problems.append(Problem(under.text, under.path, self._shown, under.warning))
        before, self._one_offs = self._one_offs, one_offs_of(entries)
        return Reading(
            Declared(
                source=self._source,
                entries=tuple(entries),
                loaded_at=loaded_at,
                digest=digest_of(entries),
                unread=frozenset(unread),
                made={
                    name: unseen_since
                    for name, entry in self._one_offs.items()
                    if before.get(name) != entry
                },
            ),
            tuple(problems),
        )

    def _with_cleanup(self) -> dict[str, Any]:
        # Celery beat itself adds this daily clean-up of expired results, if it is needed.
        known = dict(self._known)
        conf = self._app.conf
        if CLEANUP not in known and conf.result_expires:
            try:
                needs_it = not self._app.backend.supports_autoexpire
            except Exception:
                # A result backend that cannot be made here is not cleaned up from here.
                needs_it = False
            if needs_it:
                known[CLEANUP] = {
                    "task": CLEANUP,
                    "schedule": crontab("0", "4", "*"),
                    "options": {"expires": 12 * 3600},
                }
        return known

    def _plain(self, written: Any) -> tuple[dict[str, Any], list[Problem]]:
        written = as_written(written)
        if not isinstance(written, Mapping):
            raise ConfigError(
                f"{with_article(type(written).__name__)} is not an entry; write a dict"
            )
        if written.get("schedule") is None:
            raise ConfigError("schedule: is missing; give seconds, a timedelta or a crontab")
        plain = plain_schedule(written["schedule"], bool(written.get("relative")))
        keys, options = what_is_run(written.get("task"), written.get("options"))
        plain["task"] = keys.get("task")
        plain |= self._arguments(written)
        written = {**written, "options": options}
        deadline = self._app.conf.beat_cron_starting_deadline
        if deadline and "crontab" in plain:
            # Celery beat skips a run that is later than this.
            plain["catch_up_window"] = deadline
        if written.get("options"):
            plain["options"] = {
                key: self._option(key, value) for key, value in dict(written["options"]).items()
            }
        # Each key that the entry cannot have becomes a warning.
        left = []
        for key in written:
            if key in _KEPT:
                plain[key] = written[key]
            elif key in _STATE:
                left.append(Problem("is the daemon's to know and is ignored", (key,), "", True))
            elif key not in (*_IGNORED, *CANVASES):
                plain[key] = written[key]  # a key of beatd's, or `check` reports it
        return plain, left

    def _arguments(self, written: Any) -> dict[str, Any]:
        # The keys of the entry that have arguments in them, with values that a store can save.
        written = as_written(written)
        keys = declared_keys(written)
        _, options = what_is_run(written.get("task"), written.get("options"))
        given = {key: keys[key] for key in _ARGUMENTS if keys.get(key)}
        serializer = self._serializer(keys.get("task"), options) if given else ""
        stored = {key: storable((key,), value, serializer) for key, value in given.items()}
        if any(keys.get(key) for key in CANVASES):
            own = options.get("serializer") if isinstance(options, Mapping) else None
            canvas = {key: keys[key] for key in CANVASES if keys.get(key)}
            stored |= storable_canvas(
                canvas,
                str(own or ""),
                self._serializer_of_step,
            )
        return stored

    def _serializer_of_step(self, step: Mapping[str, Any]) -> str:
        if step.get("task") == UNLOCK:
            try:
                if type(self._app.backend).apply_chord is not Backend.apply_chord:
                    return ""
            except Exception:
                return ""  # a run reports a result backend that cannot be made
        return self._serializer(step.get("task"), step.get("options"))

    def _serializer(self, name: Any, options: Any) -> str:
        task = self._app.tasks.get(str(name))
        own = options.get("serializer") if isinstance(options, Mapping) else None
        return str(own or getattr(task, "serializer", None) or self._app.conf.task_serializer)

    def _option(self, key: str, value: Any) -> Any:
        if key in ("queue", "exchange") and not isinstance(value, str | None):
            return self._named(key, value)
        return value

    def _named(self, key: str, value: Any) -> str:
        # A Queue object; an entry can only store its name.
        name = getattr(value, "name", None)
        if key == "queue" and name in self._app.amqp.queues:
            return str(name)
        raise ConfigError(
            f"options.{key}: {value!r} is an object; name a queue of task_queues instead"
        )
