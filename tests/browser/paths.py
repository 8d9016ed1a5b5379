"""Every page of the site, as a path of the demo store."""

ENTRY = "/entries/feed.pull-reviews"
LISTS = ("/", "/entries", "/ahead", "/history", "/incidents", "/daemons", "/changes")
READING = (
    *LISTS,
    "/entries?state=paused",
    ENTRY,
    "/entries/search.reindex",
    "/entries/mail.digest",
)
BACKFILL = f"{ENTRY}/backfill?from=2026-11-01T00:00&to=2026-11-01T05:00"
FORMS = (f"{ENTRY}/edit", "/entries/shop.amoy.orders/edit", f"{ENTRY}/run", BACKFILL, "/new")
#: Found nothing, refused, not there.
ODD = (
    "/entries?q=nothing+has+this+name",
    "/history?since=soon",
    f"{ENTRY}?at=soon",
    f"{ENTRY}/backfill?from=soon&to=later",
    "/entries/no-such-entry",
    "/entries/herd.hourly-10",
)
EVERY = (*READING, *FORMS, *ODD)
