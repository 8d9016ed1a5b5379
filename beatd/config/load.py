"""Read a configuration file and report all of its problems at once."""

import os
import re
from collections.abc import Mapping
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

from beatd.config import settings, urls
from beatd.config.entries import (
    EntryFiles,
    Scope,
    add_problem,
    load_entries,
    read_defaults,
    read_entries,
    sorted_by_line,
)
from beatd.config.http_section import HttpSection
from beatd.config.located_data import Map
from beatd.config.values import (
    Alerts,
    Broker,
    Config,
    History,
    Lock,
    Log,
    Outcomes,
    Sentry,
    Store,
)
from beatd.config.yaml import Read, read_yaml
from beatd.definition.fields import Field
from beatd.entry import Entry
from beatd.errors import ConfigError, Problem, in_one_line, nearest
from beatd.schedules.quote import quoted
from beatd.secret import channel_name, learn, learn_options

_DSN = re.compile(r"https?://[^@/\s]+@[^@\s]+/\d+")
_SHORTEST_TTL = timedelta(milliseconds=500)


class Loaded(NamedTuple):
    """A configuration that was read without errors, and its warnings."""

    config: Config
    warnings: tuple[Problem, ...]


class Examined(NamedTuple):
    """The valid part of a configuration, and all its problems, sorted by line.

    `config` has no invalid settings. It is None if the file cannot be read or is not a mapping.
    """

    config: Config | None
    problems: tuple[Problem, ...]

    @property
    def valid(self) -> bool:
        """True if the configuration has no errors; warnings are allowed."""
        return all(problem.warning for problem in self.problems)


def load_config(
    path: str | Path, *, app: str | None = None, environment: Mapping[str, str] | None = None
) -> Loaded:
    """Read a configuration file, and return the configuration with its warnings.

    `app` replaces the `app` of the file. `environment` (by default os.environ) has the values of
    ${NAME} variables. Entry files are not read. Raises ConfigError with all errors.
    """
    examined = examine(path, app=app, environment=environment)
    if examined.config is None or not examined.valid:
        errors = [problem for problem in examined.problems if not problem.warning]
        raise ConfigError(in_one_line(errors), errors)
    return Loaded(examined.config, examined.problems)


def load_schedules(config: Config) -> EntryFiles:
    """Read the entry files that `schedules` of the configuration names.

    A folder that does not exist is only a warning.
    """
    return load_entries(
        config.schedules,
        folder=config.folder,
        timezone=config.timezone,
        defaults=config.defaults,
        source=config.source,
        declared_places={entry.name: entry.declared_at for entry in config.entries},
        shown=config.shown,
        missing_folder_warns=True,
    )


def without_file(app: str) -> Config:
    """Return the default configuration for an app, to run without a configuration file.

    `app` is the app as the user typed it. `beatd.celery.settings` adds the settings of the app.
    """
    return Config(app=app, folder=str(Path.cwd()), shown="-A")


def examine(
    path: str | Path, *, app: str | None = None, environment: Mapping[str, str] | None = None
) -> Examined:
    """Read a configuration file, and return its valid part with all problems.

    `app` replaces the `app` of the file. `environment` (by default os.environ) has the values of
    ${NAME} variables. An invalid file raises no exception.
    """
    read = read_yaml(Path(path), str(path), os.environ if environment is None else environment)
    config = None
    if isinstance(read.data, Map):
        config = _Loader(read, Path(path), app).config()
    elif not read.problems:
        is_empty = read.data is None
        what = "is empty" if is_empty else f"{quoted(read.data)} is not a mapping"
        read.wrong(f"{what}; it needs at least a broker or an app", None if is_empty else 1)
    return Examined(config, sorted_by_line(read.problems))


class _Loader:
    # Each fault in the data adds a problem to `read`.
    def __init__(self, read: Read, path: Path, app: str | None) -> None:
        self._read = read
        self._tree: Map = read.data
        self._app = app
        self._folder = Path(os.path.abspath(path)).parent  # noqa: PTH100  # links are kept

    def config(self) -> Config:
        tree = self._tree
        for key in tree:
            if key not in settings.KEYS and not key.startswith("x-"):
                hint = nearest(key, settings.KEYS)
                if isinstance(tree[key], Mapping) and "task" in tree[key]:
                    hint = "; an entry goes under `entries:`: is it indented too little?"
                self._note(f"is not a setting{hint}", key)
        top = self._fields(settings.TOP, tree, ())
        app = top.get("app")
        if self._app is not None:
            top["app"] = self._app
        sections = {name: self._section(name) for name in settings.SECTIONS}
        timezone = top.get("timezone", "UTC")
        source = f"yaml:{top.get('name', 'config')}"
        defaults: dict[str, Any] = {}
        if tree.get("defaults") is not None:
            defaults = read_defaults(tree["defaults"], timezone, self._read, tree)
        entries: list[Entry] = []
        if tree.get("entries") is not None:
            scope = Scope(timezone, defaults, source)
            shown = Path(self._read.shown).name
            entries, _ = read_entries(tree["entries"], self._read, scope, shown, {})
        broker = sections["broker"]
        meant = any(get_close_matches(key, ("broker", "app"), 1, 0.6) for key in tree)
        if broker.get("url") is None and "app" not in top and not meant:
            self._note("is missing; give the broker's url, or an app", "broker")
        sentry = self._sentry(sections["monitors"])
        http = HttpSection(self._note, self._secret, self._folder)
        of_sections: dict[str, Any] = {
            "broker": Broker(**broker),
            "store": Store(**sections["store"]),
            "lock": Lock(**sections["lock"]),
            "http": http.read(sections["http"]),
            "alerts": None if tree.get("alerts") is None else Alerts(**sections["alerts"]),
            "log": Log(**sections["log"]),
            "history": History(**sections["history"]),
            "outcomes": Outcomes(**sections["outcomes"]),
        }
        return Config(
            **{key: value for key, value in top.items() if key != "schedules"},
            **of_sections,
            sentry=sentry,
            schedules=tuple(top.get("schedules", ())),
            defaults=defaults,
            entries=tuple(entries),
            shown=self._read.shown,
            folder=str(self._folder),
            names_timezone="timezone" in top,
            start_settings={
                "name": top.get("name", "config"),
                "app": app,
                **of_sections,
                "monitors": sentry,
            },
        )

    def _section(self, name: str) -> dict[str, Any]:
        fields = settings.SECTIONS[name]
        known = [field.name for field in fields]
        given = self._tree.get(name)
        if given is None:
            given = {}
        if isinstance(given, str) and name in settings.BY_URL:
            given = {"url": given}
        if not isinstance(given, Mapping):
            self._note(f"{quoted(given)} is not a mapping; it has {', '.join(known)}", name)
            return {}
        for key in given:
            if key not in known:
                self._note(f"is not a setting of {name}{nearest(key, known)}", name, key)
        values = self._fields(fields, given, (name,))
        if name in settings.BY_URL:
            self._resolve_url(name, values)
        if name == "lock" and values.get("ttl", _SHORTEST_TTL) < _SHORTEST_TTL:
            self._note(
                f"{quoted(given['ttl'])} is too short to renew in; give 0.5s or more", name, "ttl"
            )
        if name == "alerts":
            self._read_alert_secret(values)
        if "from" in values:
            values["read_from"] = values.pop("from")  # a keyword of Python
        return values

    def _fields(
        self, fields: tuple[Field, ...], given: Mapping[str, Any], above: tuple[str, ...]
    ) -> dict[str, Any]:
        values = {}
        for field in fields:
            value = given.get(field.name)
            if value is None:
                continue
            try:
                values[field.name] = field.kind.read(value, "UTC")
            except ConfigError as error:
                self._note(str(error), *above, field.name)
        return values

    def _resolve_url(self, name: str, values: dict[str, Any]) -> None:
        # The URL or its password may be in a file, and a relative path becomes absolute. If this
        # fails, the URL is left out.
        url_file, password_file = values.pop("url_file", None), values.pop("password_file", None)
        url = values.pop("url", None)
        key = "url"
        try:
            if url_file is not None:
                key = "url_file"
                if url is not None:
                    raise ConfigError("and url are both given; one will do")
                # The error must not show the file's text: it may be a password.
                url = settings.url("redis://localhost:6379/0").read(self._secret(url_file), "")
            if password_file is not None:
                key = "password_file"
                url = urls.with_password(url, self._secret(password_file))
            if url is None and name == "store":
                url = Store().url  # relative as well
            if url is not None:
                key = "url" if url_file is None else "url_file"
                values["url"] = urls.resolved(name, url, self._folder)
        except ConfigError as error:
            self._note(str(error), name, key)
        options = values.get("transport_options")
        learn_options(options)
        if name == "broker" and options and url and url.startswith("filesystem:"):
            values["transport_options"] = urls.folders_below(options, self._folder)

    def _read_alert_secret(self, values: dict[str, Any]) -> None:
        # Messages never show the secret. If the file cannot be read, a problem is added.
        for url in (*values.get("to", ()), values.get("heartbeat") or ""):
            channel_name(url)  # its tokens are hidden from now on
        path = values.pop("secret_file", None)
        if path is not None:
            try:
                values["secret"] = self._secret(path)
                learn(values["secret"])
            except ConfigError as error:
                self._note(str(error), "alerts", "secret_file")

    def _sentry(self, values: dict[str, Any]) -> Sentry | None:
        # The DSN may be in a file. A problem is added for an invalid DSN.
        given = values.get("sentry")
        if given is None:
            return None
        try:
            dsn = given["dsn"] if "dsn" in given else self._secret(given["dsn_file"])
            if not _DSN.fullmatch(dsn):
                raise ConfigError("is not a DSN; it is like https://KEY@HOST/PROJECT")
        except ConfigError as error:
            self._note(str(error), "monitors", "sentry")
            return None
        learn(dsn.partition("://")[2].partition("@")[0])
        return Sentry(dsn=dsn, environment=given.get("environment"))

    def _secret(self, path: str) -> str:
        try:
            text = (self._folder / path).read_text("utf-8").strip()
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or "it is not text"
            raise ConfigError(f"{quoted(path)} cannot be read: {why.lower()}") from None
        if not text:
            raise ConfigError(f"{quoted(path)} is empty; write the secret into it")
        return text

    def _note(self, text: str, *path: str, warning: bool = False) -> None:
        add_problem(self._read, self._tree, Problem(text, path, warning=warning))
