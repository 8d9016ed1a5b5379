"""A served store with the same text at the end of every field, and every page of it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Any
from urllib.parse import quote, urlencode

from msgspec.structs import replace

from beatd.changes import Author
from beatd.definition import codec, entry_from
from beatd.edits.editing import patch, remove, rows
from beatd.edits.entry_change import added
from beatd.edits.patch import patch_of
from beatd.edits.pausing import pause
from beatd.history import Record
from beatd.incident import Incident
from beatd.leader import Holder
from beatd.marks import Mark
from beatd.observers.metrics import Metrics
from beatd.outcome import Delivery
from beatd.presence import Presence
from beatd.store import Roles, WrittenRecord
from beatd.stores.embedded.memory import MemoryStore
from beatd.web.http_server import HttpServer
from beatd.web.proxy import Proxy
from beatd.web.site import Site, SiteSettings
from tests.web.site import NOW, WELL, Answered, ask, serving, stopped_clock, visitors

WHO = "ann"


class FilledSite:
    """A served store whose fields all have this text at their end."""

    def __init__(self, text: str) -> None:
        self.text, self.fields = text, set[str]()
        self.store = MemoryStore(codec=codec, clock=stopped_clock())
        self.now = NOW
        self.health = WELL
        self._fill()
        self.fields.add("site")
        site = Site(
            open_store=lambda: Roles.of(self.store),
            clock=stopped_clock(),
            health=lambda: self.health,
            status=dict,
            metrics=Metrics(),
            settings=SiteSettings(name=self("site"), judges=True, writes=True),
            shares_store=True,
        )
        proxy = Proxy("X-User", (ip_network("127.0.0.1/32"),), {WHO: "editor"})
        self.server: HttpServer = serving(who=visitors(proxy=proxy), site=site)

    def __call__(self, field: str) -> str:
        """Return the text for a field; it begins with the name of the field."""
        self.fields.add(field)
        return f"F-{field}-{self.text}"

    def _fill(self) -> None:
        store: Any = self.store
        ago, author = self.now - timedelta(hours=1), Author(self("author"), "page", self("note"))
        plain = {
            "task": "x", "every": "1h", "args": [self("args")], "kwargs": {"k": self("kwargs")},
            "options": {"queue": self("queue"), "headers": {"h": self("options")}},
            "description": self("description"),
        }  # fmt: skip
        made = replace(entry_from("any", plain), name=self("name"), task=self("task"))
        declared = replace(
            made, name=self("declared"), source=f"yaml:{self('source')}", declared_at=self("file")
        )
        gone = replace(made, name=self("gone"))
        for entry in (made, declared, gone):
            assert store.write([added(entry, ago, author)]) == [True]
        self._write_runs(made.name, ago)
        remove(store, [gone.name], author)
        edit = patch_of({"description": self("after")})
        patch(store, made.name, edit, lambda: self.now, author)
        why = Author(self("pauser"), "command", self("pause"))
        pause(store, [declared.name], lambda: self.now, why, until=self.now + timedelta(hours=2))
        for name, cause in ((made.name, "cause"), (self("incident"), "cause2")):
            store.put_incidents([
                Incident(
                    kind=self("kind"), name=name, opened=ago, revision=1,
                    observed=self("observed"), threshold=self("threshold"), cause=self(cause),
                )
            ])  # fmt: skip
        holder = Holder(self("daemon"), self("host"), 1, ago, "t")
        store.begin(holder)
        store.announce(
            Presence(
                holder, "leader", False, self.now, 0.0, "d", {}, broker=self("broker"),
                lock=self("lock"), went_back=self("back"), problems=(self("problem"),),
            ),
            86_400,
        )  # fmt: skip

    def _write_runs(self, name: str, ago: datetime) -> None:
        store: Any = self.store
        seen = Mark("demo", ago, "begun")
        store.write_mark(seen)
        records = [
            Record(name, ago - timedelta(hours=2), "skipped", self("skipped")),
            Record(name, ago - timedelta(hours=1), "published", "", "id-1", ago, 0.1, term=1),
        ]
        written = [WrittenRecord("", one.published or one.planned, one) for one in records]
        assert store.write_records(written, Mark("demo", ago, "1"), seen)
        run = Delivery(
            task_id="id-1", delivery="d", name=name, planned=ago - timedelta(hours=1),
            state="failed", at=ago, worker=self("worker"), started=ago, finished=ago,
            error=self("error"),
        )  # fmt: skip
        store.write_outcomes([run], ago)

    def path(self, field: str) -> str:
        return f"/entries/{quote(self(field), safe='')}"

    def get(self, path: str) -> Answered:
        return ask(self.server, path, headers={"X-User": WHO})

    def post(self, path: str, form: dict[str, str]) -> Answered:
        given = {"X-User": WHO, "Sec-Fetch-Site": "same-origin"}
        return ask(self.server, path, "POST", body=urlencode(form), headers=given)

    def query(self, path: str, *names: str, **fixed: str) -> Answered:
        """Return the page with these parameters in its address."""
        return self.get(f"{path}?{urlencode({**{one: self(one) for one in names}, **fixed})}")

    def pages(self) -> Iterator[tuple[str, Answered]]:
        """Yield each page, also those that a form leads to."""
        entry, declared = self.path("name"), self.path("declared")
        seen = str(self.revision("name"))
        form = {
            "name": self("new-name"), "task": self("new-task"), "kind": self("new-kind"),
            "schedule": self("new-schedule"), "tz": self("new-tz"), "args": self("new-args"),
            "kwargs": self("new-kwargs"), "queue": self("new-queue"), "more": self("new-more"),
            "description": self("new-description"), "note": self("new-note"), "enabled": "on",
        }  # fmt: skip
        good = {
            **form, "kind": "every", "schedule": "5m", "tz": "", "args": "[]", "kwargs": "{}",
            "more": "{}",
        }  # fmt: skip
        bulk = {"action": "pause", "name": self("name"), "note": self("bulk-note")}
        for path in ("/", "/ahead", "/daemons", "/new"):
            yield path, self.get(path)
        yield "declared", self.get(declared)
        yield "declared, edit", self.get(f"{declared}/edit")
        yield "edit, first", self.get(f"{entry}/edit")
        yield "run, first", self.get(f"{entry}/run")
        for path in ("/sign-in", "/static/x", "/nothing"):
            yield path, self.get(path)
        yield "/entries", self.get("/entries")
        yield "/entries?", self.query("/entries", "q", "source", "state", "order", "place", "back")
        yield "/entries? next", self.query("/entries", "back", place="~", order="next")
        yield "/history", self.get("/history")
        yield "/history?", self.query("/history", "entry", "state", "outcome", "origin", "since")
        yield "/history? place", self.query("/history", "place", "back")
        yield "/incidents", self.get("/incidents")
        yield "/incidents?", self.query("/incidents", "entry")
        yield "/changes", self.get("/changes")
        yield "/changes?", self.query("/changes", "entry", "undone", "place", "back")
        words = ("at", "requested", "backfilled", "called_off", "saved", "place", "back")
        yield "entry", self.get(entry)
        yield "entry?", self.query(entry, *words)
        yield "entry, an overdue moment", self.query(entry, at=self.now.isoformat())
        yield "removed", self.get(self.path("gone"))
        yield "unknown", self.get(self.path("unknown"))
        yield "backfill", self.query(f"{entry}/backfill", "from", "to")
        yield "/sign-in?", self.query("/sign-in", "next", "token")
        yield "run", self.post(f"{entry}/run", {"args": self("run-args"), "number": self("number")})
        yield "new", self.post("/new", form)
        yield "new, preview", self.post("/new", {**form, "step": "preview"})
        yield "new, good", self.post("/new", {**good, "step": "check"})
        old = {"revision": "0", "base": '{"task": "old"}'}
        yield "edit", self.post(f"{entry}/edit", {**form, "base": self("base"), "revision": seen})
        yield "edit, good", self.post(f"{entry}/edit", {**good, "step": "preview"})
        yield "edit, late", self.post(f"{entry}/edit", {**good, **old, "step": "save"})
        yield "edit, merged", self.post(f"{entry}/edit", {**good, **old, "step": "merge"})
        yield "bulk", self.post("/entries/bulk", {**bulk, "until": self("until")})
        yield "bulk, unknown", self.post("/entries/bulk", {**bulk, "name": self("unknown")})
        yield (
            "bulk, done",
            self.post(
                "/entries/bulk",
                {**bulk, "step": "confirm", "seen": f"{seen} {self('name')}", "number": "1"},
            ),
        )
        yield (
            "bulk, late",
            self.post("/entries/bulk", {**bulk, "step": "confirm", "seen": f"999 {self('name')}"}),
        )
        yield "bulk, no action", self.post("/entries/bulk", {"action": self("action")})
        change = self.store.changes(self("name"), 5)[-1]
        yield "undo", self.get(f"/changes/{change.id}/undo")
        yield "undo, refused", self.post(f"/changes/{change.id}/undo", {"note": self("undo")})
        yield "undo, unknown", self.get(f"/changes/{quote(self('id').replace('/', ''))}/undo")
        for field in ("trouble", "waits_for"):
            self.health = replace(WELL, store_ok=field == "trouble", **{field: self(field)})
            yield f"banner, {field}", self.get("/incidents")
        self.health = WELL

    def revision(self, field: str) -> int:
        name = self(field)
        return rows(self.store, [name])[name].revision
